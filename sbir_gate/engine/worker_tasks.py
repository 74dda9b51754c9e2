"""What a worker does: reads recipients into parts, looks for rows in a batch of parts, scores some queries.

A task says all that it needs. Rows that it finds are a file beside those of the other tasks. It may be done
again, or by two workers at once: what is placed last, or returned last, is the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sbir_gate.engine.matching.decisions import DecisivePairs
from sbir_gate.engine.matching.ledger import ChunkFolder, FinishedChunk
from sbir_gate.engine.matching.parts import copy_rows, register_functions
from sbir_gate.engine.matching.query_parts import Scoring, one_blas_thread, score_queries
from sbir_gate.engine.recipient_parts import PartEdges, PartMaker, code_version, share_in_use
from sbir_gate.engine.tracking import no_watch
from sbir_gate.files import replacing, state_of
from sbir_gate.model.chunks import Chunk
from sbir_gate.probes import process_peaks
from sbir_gate.reading.database import DatabaseOptions, open_database
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipients import Piece
from sbir_gate.remote_paths import is_remote, read_remotely
from sbir_gate.sql_text import file_relation

BATCH = "recipient_batch"
"""How the query of a task names its batch."""

Tables = tuple[tuple[str, Path], ...]
"""Names of tables, and the files that hold them."""

SCORED_TABLES = {"queries": "queries", "pair_recipients": "pair_recipients", "all_pairs": "pairs"}
"""How a task that scores names the tables of the matching."""


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A piece of the recipients, the chunks of it that are finished, and where the others are recorded.

    Chunks begin with `first_chunk` rows.
    """

    piece: Piece
    finished: tuple[Chunk, ...]
    chunks: ChunkFolder
    options: ReadingOptions
    first_chunk: int


@dataclass(frozen=True, slots=True)
class SelectTask:
    """SQL for the rows of a batch and for those that are looked for in it, which are written to `target`.

    `tables` are the other tables in the query.
    """

    batch: str
    tables: Tables
    query: str
    target: Path


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """The part of the queries that meet a condition on `query_id`, with the SCORED_TABLES of all."""

    condition: str
    tables: Tables
    scoring: Scoring


def read_piece(task: ReadTask, database: DatabaseOptions) -> tuple[FinishedChunk, ...]:
    """Return the chunks of a piece, each with its part file. Raises what reading raises."""
    with _opened(database) as (connection, folder):
        edges = PartEdges(share_in_use(database.budget_mib, process_peaks()), no_watch)
        maker = PartMaker(connection, folder, task.options, task.first_chunk, task.chunks, edges)
        return maker.read_piece(task.piece, task.finished)


def select_rows(task: SelectTask, database: DatabaseOptions) -> None:
    """Write the rows that are looked for to the target, as a whole. Raises OutputError."""
    with _opened(database) as (connection, _):
        read_remotely(connection, [task.target])  # it lies where the batch and the tables do
        _open_tables(connection, task.tables)
        connection.execute(f"CREATE VIEW {BATCH} AS {task.batch}")
        with replacing(task.target) as path:
            copy_rows(connection, task.query, path)


def score_part(task: ScoreTask, database: DatabaseOptions) -> DecisivePairs:
    """Return the decisive pairs of a part, which is cut further for the threads of the worker."""
    with _opened(database) as (connection, _), one_blas_thread():
        read_remotely(connection, [path for _, path in task.tables])
        _open_tables(connection, task.tables)
        connection.execute(f"CREATE VIEW pairs AS FROM all_pairs WHERE {task.condition}")
        return score_queries(connection, task.scoring)


def _open_tables(connection: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    for name, path in tables:
        connection.execute(f"CREATE VIEW {name} AS FROM {file_relation([path])}")


@contextmanager
def _opened(database: DatabaseOptions) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-") as name,
        open_database(database, Path(name)) as connection,
    ):
        register_functions(connection)
        yield connection, Path(name)


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What must be the same on every worker: the code, and the database that hashes and compares."""

    code: str
    database: str

    def __str__(self) -> str:
        """Return both as messages name them."""
        version, _, digest = self.code.partition(" ")
        return f"sbir-gate {version} ({digest[:8]}) with DuckDB {self.database}"


def worker_facts() -> WorkerFacts:
    """Return the facts of this process."""
    return WorkerFacts(code_version("sbir_gate.engine"), duckdb.__version__)


def unseen_files(files: Sequence[tuple[Path, int]]) -> list[Path]:
    """Return those of the files that are not here with the size that they should have.

    Raises OSError where remote storage cannot be asked.
    """
    return [path for path, size in files if not _has_size(path, size)]


def _has_size(path: Path, size: int) -> bool:
    try:
        return state_of(path).st_size == size
    except OSError:
        if is_remote(path):
            raise
        return False
