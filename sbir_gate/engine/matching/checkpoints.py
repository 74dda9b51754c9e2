"""What an interrupted run has found of the matching, so that the next one need not find it again.

Beside the finished chunks (`ledger`) lie the pairs with their recipients, once all are found, and the
decisive pairs of each finished part of the queries. Each file is placed whole and carries the SHA-256 of what
it says; its name has the key of all that it depends on. What is damaged or of another key is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy
import rapidfuzz
from duckdb import DuckDBPyConnection
from pydantic import TypeAdapter, ValidationError

from sbir_gate.engine.matching.decisions import DecisivePairs
from sbir_gate.engine.matching.ledger import MATCHING_FILES, ChunkFolder, files_named
from sbir_gate.engine.matching.parts import copy_rows
from sbir_gate.engine.matching.scoring import TokenCounts
from sbir_gate.files import place_durably, read_file, remove, sha256_of, write_durably
from sbir_gate.remote_paths import read_remotely
from sbir_gate.sql_text import file_relation

_TABLES = ("pairs", "pair_recipients")
_MAX_BYTES = 1 << 30
_KEY_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """All pairs, in the tables `pairs` and `pair_recipients`: the work counters, and the counted words."""

    counters: Mapping[str, int]
    counts: TokenCounts


@dataclass(frozen=True, slots=True)
class _PreparedFile:
    prepared: Prepared
    sha256: Mapping[str, str]


_PREPARED = TypeAdapter(_PreparedFile)
_PAIRS = TypeAdapter(DecisivePairs)


class MatchingCheckpoints:
    """The checkpoints of one matching in the folder of the finished chunks.

    `facts` are all that it depends on but the libraries: those of another matching are removed. Methods that
    write raise OutputError where they cannot.
    """

    def __init__(self, chunks: ChunkFolder, facts: Mapping[str, object]) -> None:
        libraries = [duckdb.__version__, numpy.__version__, rapidfuzz.__version__]
        text = json.dumps({**facts, "libraries": libraries}, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        self._chunks = chunks
        self._stem = MATCHING_FILES.replace("*", key[:_KEY_DIGITS])
        with suppress(OSError):
            for path in files_named(chunks.folder, MATCHING_FILES):
                if not path.name.startswith(self._stem):
                    remove(path)

    def prepared(self, connection: DuckDBPyConnection) -> Prepared | None:
        """Create the tables of the pairs as they were kept; None where they are not there."""
        try:
            found = _PREPARED.validate_json(self._checked("prepared.json"))
            if any(sha256_of(self._table(table)) != found.sha256[table] for table in _TABLES):
                return None
        except (OSError, ValidationError, KeyError):
            return None
        read_remotely(connection, [self._chunks.folder])
        for table in _TABLES:
            connection.execute(
                f"CREATE OR REPLACE TABLE {table} AS FROM {file_relation([self._table(table)])}"
            )
        return found.prepared

    def keep(self, connection: DuckDBPyConnection, prepared: Prepared) -> None:
        """Keep the tables of the pairs."""
        try:
            sums = {}
            with self._chunks.work_folder() as folder:
                for table in _TABLES:
                    temporary = folder / f"{table}.parquet"
                    copy_rows(connection, f"FROM {table}", temporary)
                    sums[table] = sha256_of(temporary)
                    place_durably(temporary, self._table(table))
            self._write("prepared.json", _PREPARED.dump_json(_PreparedFile(prepared, sums)))
        except OSError as error:
            raise self._chunks.unwritable(error) from error

    def part(self, queries: int, number: int) -> DecisivePairs | None:
        """Return the kept pairs of a part; `queries` is the size of parts. None where there are none."""
        try:
            return _PAIRS.validate_json(self._checked(f"{queries}-{number:06d}.json"))
        except (OSError, ValidationError):
            return None

    def keep_part(self, queries: int, number: int, pairs: DecisivePairs) -> None:
        """Keep the pairs of a part."""
        try:
            self._write(f"{queries}-{number:06d}.json", _PAIRS.dump_json(pairs))
        except OSError as error:
            raise self._chunks.unwritable(error) from error

    def _table(self, table: str) -> Path:
        return self._chunks.folder / f"{self._stem}-{table}.parquet"

    def _write(self, name: str, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest().encode()
        write_durably(self._chunks.folder / f"{self._stem}-{name}", digest + b"\n" + content)

    def _checked(self, name: str) -> bytes:
        """Return what a file holds, nothing where that is not what was written."""
        digest, _, content = read_file(self._chunks.folder / f"{self._stem}-{name}", _MAX_BYTES).partition(
            b"\n"
        )
        return content if hashlib.sha256(content).hexdigest().encode() == digest else b""
