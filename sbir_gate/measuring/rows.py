"""The rows of an enriched file as text, from CSV, CSV.gz or Parquet; nothing is guessed, nothing skipped."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import duckdb

from sbir_gate.errors import EnricherError
from sbir_gate.model.matches import REQUIRED_ENRICHED_COLUMNS

OPTIONAL_COLUMNS = ("match_confidence", "match_decision", "match_candidates")
HINT = "the enricher must write the columns of an enriched file (docs/metrics.md)"
_COLUMNS = (*REQUIRED_ENRICHED_COLUMNS, *OPTIONAL_COLUMNS)
_ID_COLUMNS = ("award_id", "recipient_id")
_MAX_CELL_CHARACTERS = 16 * 2**20
_BATCH_ROWS = 20_000
_ENCODING = "utf-8-sig"
# a damaged byte in an abstract is no reason to lose the row; in an id it makes the award unknown
_ON_DAMAGE = "replace"

Cells = Mapping[str, str]


def read_rows(path: Path) -> Generator[Cells, None, None]:
    """Yield each row as column -> text, with the known columns only; a missing value is empty text.

    The first bytes tell the format. Column names are taken in any case. Raises EnricherError for a file
    that is missing, empty, damaged, or lacks a required column.
    """
    first = _first_bytes(path)
    try:
        if first == b"PAR1":
            yield from _parquet_rows(path)
        elif first[:2] == b"\x1f\x8b":
            with gzip.open(path, "rt", encoding=_ENCODING, errors=_ON_DAMAGE, newline="") as file:
                yield from _csv_rows(path.name, file)
        else:
            with path.open(encoding=_ENCODING, errors=_ON_DAMAGE, newline="") as file:
                yield from _csv_rows(path.name, file)
    except (duckdb.Error, OSError, EOFError, zlib.error, csv.Error) as error:
        reason = (str(error).splitlines() or ["damaged"])[0].replace(str(path), path.name)[:300]
        raise EnricherError(f"{path.name}: the enricher's output cannot be read: {reason}", HINT) from error


def _first_bytes(path: Path) -> bytes:
    if not path.exists():
        raise EnricherError(
            f"{path.name}: the enricher wrote no output", "write the enriched file to the {output} path"
        )
    if not path.is_file():
        raise EnricherError(f"{path.name}: the enricher's output is not a plain file", HINT)
    try:
        with path.open("rb") as file:
            first = file.read(4)
    except OSError as error:
        reason = error.strerror
        raise EnricherError(f"{path.name}: the enricher's output cannot be read: {reason}", HINT) from error
    if not first:
        raise EnricherError(f"{path.name}: the enricher's output is empty, it has not even a header", HINT)
    return first


def _csv_rows(name: str, file: TextIO) -> Iterator[Cells]:
    # the limit is one for the whole program; an abstract may be longer than its default
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    rows = csv.reader(file, strict=True)
    header = next(rows, [])
    places = _places(name, header)
    for number, row in enumerate((row for row in rows if row), start=1):
        if len(row) != len(header):
            raise EnricherError(
                f"{name}: row {number} (line {rows.line_num}): {len(row)} cells, the header {len(header)}",
                "quote cells that hold commas or line breaks",
            )
        yield {column: row[place] for column, place in places.items()}


def _parquet_rows(path: Path) -> Iterator[Cells]:
    # DuckDB would take these characters of a path for a pattern
    literal = re.sub(r"([*?\[])", r"[\1]", str(path))
    with duckdb.connect(config={"threads": 1}) as connection:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [literal]).fetchall()
        names, types = [str(row[0]) for row in described], [str(row[1]) for row in described]
        places = _places(path.name, names)
        for column in _ID_COLUMNS:
            if types[places[column]] in {"DOUBLE", "FLOAT"}:
                raise EnricherError(
                    f"{path.name}: column {column!r} holds floating-point numbers, not the ids as they were",
                    "write ids as text",
                )
        picked = ", ".join(_as_text(names[place], types[place]) for place in places.values())
        connection.execute(f"SELECT {picked} FROM read_parquet(?)", [literal])  # noqa: S608 -- quoted names; the path is bound
        while rows := connection.fetchmany(_BATCH_ROWS):
            for row in rows:
                yield dict(zip(places, (cell or "" for cell in row), strict=True))


def _places(file: str, names: Sequence[str]) -> dict[str, int]:
    """Return known column -> its place."""
    plain = [name.strip().casefold() for name in names]
    for column in _COLUMNS:
        if plain.count(column) > 1:
            raise EnricherError(f"{file}: the enricher's output has the column {column!r} twice", HINT)
    absent = [column for column in REQUIRED_ENRICHED_COLUMNS if column not in plain]
    if absent:
        have = ", ".join(repr(name) for name in names)[:300] or "none"
        raise EnricherError(
            f"{file}: the enricher's output lacks the column {absent[0]!r}; it has {have}", HINT
        )
    return {column: plain.index(column) for column in _COLUMNS if column in plain}


def _as_text(column: str, type_: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    is_nested = type_.endswith("[]") or type_.startswith(("STRUCT", "MAP"))
    return f"CAST(to_json({quoted}) AS VARCHAR)" if is_nested else f"CAST({quoted} AS VARCHAR)"
