"""The rows of an enriched file as text, from CSV, CSV.gz or Parquet; nothing is guessed, nothing skipped."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, FileIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple, TextIO

import duckdb

from sbir_gate.csv_text import CsvRows
from sbir_gate.errors import EnricherError
from sbir_gate.files import open_file, read_at_most
from sbir_gate.model.matches import REQUIRED_ENRICHED_COLUMNS
from sbir_gate.sql_text import file_relation, identifier

HINT = "the enricher must write the columns of an enriched file (see 'sbir-gate help engine-contract')"
_ID_COLUMNS = ("award_id", "recipient_id")  # the first of Cells
_LONGEST_ROW = 16 * 2**20  # characters: an abstract is long
_BATCH_ROWS = 20_000
_GZIP = b"\x1f\x8b"
_ENCODING = "utf-8-sig"
# a damaged byte in an abstract must not lose the row; in an id it makes the award unknown
_ON_DAMAGE = "replace"


class Cells(NamedTuple):
    """The known columns of one row as text: a missing value is empty, one of a column that is absent None."""

    award_id: str
    recipient_id: str
    match_method: str
    match_score: str
    match_confidence: str | None = None
    match_decision: str | None = None
    match_candidates: str | None = None
    match_place: str | None = None


class Header(NamedTuple):
    """What an enriched file is before its first row: its format and the names of its columns."""

    format: str
    columns: tuple[str, ...]

    @property
    def has_candidates(self) -> bool:
        """Whether the engine names the recipients that it considered: an award may still have none."""
        return "match_candidates" in {name.strip().casefold() for name in self.columns}


def read_header(path: Path) -> Header:
    """Return the header. Raises EnricherError for a file that is missing, empty or damaged."""
    first = _first_bytes(path)
    with _faults_named(path):
        if first == b"PAR1":
            with duckdb.connect(config={"threads": 1}) as connection:
                return Header("Parquet", tuple(_described(connection, file_relation([path]))))
        with _text(path, first) as file:
            header = next(CsvRows(file, _LONGEST_ROW), [])
        return Header("gzipped CSV" if first[:2] == _GZIP else "CSV", tuple(header))


def read_rows(path: Path) -> Generator[Cells, None, None]:
    """Yield each row; columns that are not known are left out.

    The first bytes tell the format. Column names are taken in any case. Raises EnricherError for a file
    that is missing, empty, damaged, or lacks a required column.
    """
    first = _first_bytes(path)
    with _faults_named(path):
        if first == b"PAR1":
            yield from _parquet_rows(path)
        else:
            with _text(path, first) as file:
                yield from _csv_rows(path.name, file)


@contextmanager
def _text(path: Path, first: bytes) -> Iterator[TextIO]:
    """Open delimited text, packed or not, as its first bytes say."""
    if first[:2] == _GZIP:
        with open_file(path) as packed, gzip.GzipFile(fileobj=packed) as plain, _as_csv(plain) as file:
            yield file
    else:
        with BufferedReader(open_file(path)) as whole, _as_csv(whole) as file:
            yield file


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    """Raise EnricherError with the name of the file for whatever makes it unreadable."""
    try:
        yield
    except (duckdb.Error, OSError, EOFError, zlib.error, csv.Error) as error:
        reason = (str(error).splitlines() or ["damaged"])[0].replace(str(path), path.name)[:300]
        raise EnricherError(f"the enriched file cannot be read: {reason}", HINT, path=path.name) from error


def _first_bytes(path: Path) -> bytes:
    try:
        with open_file(path) as file:
            first = read_at_most(file, 4)
    except FileNotFoundError as error:
        hint = "write the enriched file to the {output} path"
        raise EnricherError("the enricher wrote no output", hint, path=path.name) from error
    except OSError as error:
        reason = error.strerror
        raise EnricherError(f"the enriched file cannot be read: {reason}", HINT, path=path.name) from error
    if not first:
        problem = "the enriched file is empty, it has not even a header"
        raise EnricherError(problem, HINT, path=path.name)
    return first


def _as_csv(file: BufferedReader[FileIO] | gzip.GzipFile) -> TextIOWrapper:
    return TextIOWrapper(file, encoding=_ENCODING, errors=_ON_DAMAGE, newline="")


def _csv_rows(name: str, file: TextIO) -> Iterator[Cells]:
    rows = CsvRows(file, _LONGEST_ROW)
    header = next(rows, [])
    places = _places(name, header)
    for number, row in enumerate((row for row in rows if row), start=1):
        if len(row) != len(header):
            raise EnricherError(
                f"the row has {len(row)} cells, the header {len(header)}",
                "quote cells that hold commas or line breaks",
                path=name,
                line=rows.line,
                row=number,
            )
        yield Cells._make(None if place is None else row[place] for place in places)


def _parquet_rows(path: Path) -> Iterator[Cells]:
    rows_of_file = file_relation([path])
    with duckdb.connect(config={"threads": 1}) as connection:
        described = _described(connection, rows_of_file)
        names, types = list(described), list(described.values())
        places = _places(path.name, names)
        for column, place in zip(_ID_COLUMNS, places, strict=False):
            if place is not None and types[place] in {"DOUBLE", "FLOAT"}:
                raise EnricherError(
                    "holds floating-point numbers, not the ids as they were",
                    "write ids as text",
                    path=path.name,
                    column=column,
                )
        picked = ", ".join(
            "NULL" if place is None else _as_text(names[place], types[place]) for place in places
        )
        connection.execute(f"SELECT {picked} FROM {rows_of_file}")  # noqa: S608 -- names and path are quoted
        while rows := connection.fetchmany(_BATCH_ROWS):
            yield from map(Cells._make, rows)


def _described(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the type of each column."""
    rows = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _places(file: str, names: Sequence[str]) -> tuple[int | None, ...]:
    """Return the place of each column of `Cells`, None for one that is absent."""
    plain = [name.strip().casefold() for name in names]
    for column in Cells._fields:
        if plain.count(column) > 1:
            raise EnricherError("the enriched file has this column twice", HINT, path=file, column=column)
    absent = [column for column in REQUIRED_ENRICHED_COLUMNS if column not in plain]
    if absent:
        have = ", ".join(repr(name) for name in names)[:300] or "none"
        problem = f"the enriched file lacks this column; it has {have}"
        raise EnricherError(problem, HINT, path=file, column=absent[0])
    return tuple(plain.index(column) if column in plain else None for column in Cells._fields)


def _as_text(column: str, type_: str) -> str:
    quoted = identifier(column)
    is_nested = type_.endswith("[]") or type_.startswith(("STRUCT", "MAP"))
    return f"coalesce(CAST({f'to_json({quoted})' if is_nested else quoted} AS VARCHAR), '')"
