# ruff: noqa: S608 -- the SQL is built from paths that are quoted
"""Parquet files: their columns, their row groups, and where they are cut into blocks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.files import error_reason, unreadable
from sbir_gate.model.chunks import Span
from sbir_gate.reading.database import storage_fault
from sbir_gate.sql_text import file_literal, file_relation

_LARGE_GROUP_BLOCKS = 4
_DAMAGE = (
    duckdb.BinderException,  # a column named like DuckDB's own row number
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.SerializationException,
)


def execute(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> list[tuple[object, ...]]:
    """Return what a query of a file gives. Raises InputError where the file cannot be read."""
    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as error:
        fault = storage_fault(error)
        if fault is not None:
            raise unreadable(path, fault) from error
        # the error of a damaged page header has no class of its own
        if isinstance(error, _DAMAGE) or type(error) is duckdb.Error:
            hint = "the file is damaged, cut short, or not Parquet: write it again"
            raise InputError(f"cannot be read as Parquet ({error_reason(error)})", hint, path=path) from error
        raise


def parquet_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[list[str], list[str]]:
    """Return the names and the types of the columns."""
    described = execute(connection, f"DESCRIBE SELECT * FROM {file_relation([path])}", path)
    return [str(row[0]) for row in described], [str(row[1]) for row in described]


def row_groups(connection: duckdb.DuckDBPyConnection, path: Path) -> list[int]:
    """Return the number of rows of each row group."""
    groups = execute(
        connection,
        "SELECT DISTINCT row_group_id, row_group_num_rows "
        f"FROM parquet_metadata({file_literal(path)}) ORDER BY row_group_id",
        path,
    )
    return [int(str(rows)) for _, rows in groups]


def parquet_spans(connection: duckdb.DuckDBPyConnection, path: Path, most: int) -> list[Span]:
    """Return the file in pieces of `most` rows, or of a row group that is much larger. Raises InputError."""
    groups = row_groups(connection, path)
    return list(loads(groups, Span(0, sum(groups)), lambda: most))


def loads(groups: Sequence[int], gap: Span, most: Callable[[], int]) -> Iterator[Span]:
    """Yield what is loaded at once of the rows `gap`: `most` rows, wherever the row groups end.

    The processing of a block is parallel only if it has enough rows, and the size of row groups is up to
    whoever wrote the file. To begin within a row group costs little, but not nothing: one that is much larger
    than a block is loaded once, as a whole.
    """
    start, end = gap.start, 0
    for rows in groups:
        end += rows
        stop = min(end, gap.stop)
        if start < stop and rows > _LARGE_GROUP_BLOCKS * most():
            yield Span(start, stop)
            start = stop
        while stop - start >= (size := most()):
            yield Span(start, start + size)
            start += size
    if start < gap.stop:
        yield Span(start, gap.stop)


def groups_of(span: Span, groups: Sequence[int]) -> int:
    """Return how many row groups have rows of the span."""
    ends = list(accumulate(groups))
    return bisect_left(ends, span.stop) - bisect_right(ends, span.start) + 1
