"""Compact parts: what is kept of the recipients after the one pass over their source.

A part has one row per recipient name (aliases are rows of their own) and holds all that the later
stages need, so the source is read once. It is a Parquet file, or a table while memory has room.
A row is known by a hash of its content, so that rows seen twice are one row wherever they stand, and
nothing depends on how the source was cut into parts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.aliases import NAMES_PATTERN, names_within
from sbir_gate.engine.matching.normalise import compact_name, normal_rows
from sbir_gate.files import unwritable
from sbir_gate.model.matches import COMPARED_CHARACTERS
from sbir_gate.reading.database import WORK_HINT, count_rows, register_function
from sbir_gate.reading.recipient_index import index_path, write_index
from sbir_gate.reading.spelling import PLACEHOLDER_FIRMS
from sbir_gate.retrying import TRANSIENT_ERRORS
from sbir_gate.sql_text import file_relation, literal

# of NOT IN DuckDB makes a join here, which takes longer
_IS_FIRM = " AND ".join(f"normal <> {literal(name)}" for name in PLACEHOLDER_FIRMS)

_CONTENT = ("recipient_id", "normal", "state", "city", "zip5", "name", "uei", "duns", "is_alias")
ROW_KEY = f"(hash({', '.join(_CONTENT)}) >> 1)::BIGINT"
"""SQL for the number that a row is known by, a hash of its content."""


# a dictionary of what is nearly distinct costs a third of the writing and saves no room; LZ4 takes no more
# room than the default, and three quarters of its time to read
_PART_OPTIONS = "FORMAT parquet, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1000, COMPRESSION lz4_raw"

# rows that are looked at together: enough to keep every thread busy, few enough to stay small
_BATCH_RECIPIENTS = 500_000


@dataclass(frozen=True, slots=True)
class Part:
    """One part; `recipients` counts its rows of the source.

    `relation` is what SQL selects its rows from: the file `path`, or a table.
    """

    relation: str
    recipients: int
    path: Path | None = None


def part_in(path: Path, recipients: int) -> Part:
    """Return the part in a file."""
    return Part(file_relation([path]), recipients, path)


class Batches(Protocol):
    """The recipients in batches of some rows each; what is looked for is looked for batch by batch."""

    def select(self, query: Callable[[str], str], needed: Sequence[str] = ()) -> Iterator[str]:
        """Yield SQL for the rows that `query` (SQL for the relation of a batch) selects of each batch.

        `needed` are the tables that the query names. The rows of a batch may be asked for once, before the
        next one's; batches come in any order.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalBatches:
    """Batches that are relations of this process's own database."""

    relations: tuple[str, ...] = ("recipients",)

    def select(self, query: Callable[[str], str], needed: Sequence[str] = ()) -> Iterator[str]:  # noqa: ARG002 -- all tables are here
        """Yield SQL for the rows that `query` selects of each batch."""
        return map(query, self.relations)


ALL_AT_ONCE = LocalBatches()
"""The view `recipients` as the one batch."""


def content_order(table: str) -> str:
    """Return the SQL order of recipients by all that they are: ties are never broken by row order."""
    return ", ".join(f"{table}.{column}" for column in _CONTENT)


def names_query(table: str, columns: str, alias_column: str) -> str:
    """Return SQL that gives each row of `table` once per name, with `normal` and `compact`.

    `table` has a column `name`; `columns` are carried along. Under a placeholder name `normal` is NULL: such
    rows name no firm, and the caller drops them. `alias_column` names a boolean that is
    true for the names that are weaker than the one the source gives. Of a longer name the first
    COMPARED_CHARACTERS count.
    """
    cut = f"left(name, {COMPARED_CHARACTERS})"
    # no filter here: DuckDB would move it below the last step and work the normal form out twice
    return f"""
        WITH given AS (
            SELECT *, CASE WHEN strlen(name) > {COMPARED_CHARACTERS} THEN {cut} ELSE name END AS raw_name,
                   false AS {alias_column}
            FROM {table}
        ), named AS (
            FROM given
            UNION ALL
            SELECT * EXCLUDE (found) REPLACE (found.name AS raw_name, found.is_alias AS {alias_column}) FROM (
                SELECT *, unnest(names_within(raw_name)) AS found
                FROM (FROM given WHERE regexp_matches(raw_name, {literal(NAMES_PATTERN)}))
            )
        ), normalised AS {normal_rows("named", "raw_name")},
        known AS (SELECT * REPLACE (CASE WHEN {_IS_FIRM} THEN normal END AS normal)
                  FROM normalised)
        SELECT {columns}, {alias_column}, normal, {compact_name("normal")} AS compact FROM known
    """


def register_functions(connection: DuckDBPyConnection) -> None:
    """Make `names_within` callable from SQL on this connection."""
    register_function(connection, "names_within", names_within, "STRUCT(name VARCHAR, is_alias BOOLEAN)[]")


def part_query(batch_table: str) -> str:
    """Return SQL for the rows of the part of the batch in `batch_table`."""
    columns = "recipient_id, name, uei, duns, city, state, zip5"
    rows = names_query(batch_table, columns, "is_alias")
    return f"SELECT {ROW_KEY} AS row_key, {columns}, is_alias, normal FROM ({rows})"


def write_part(connection: DuckDBPyConnection, batch_table: str, path: Path) -> Part:
    """Compact the batch in `batch_table` into the part file `path` and return it.

    Raises OutputError when the file cannot be written.
    """
    copy_rows(connection, part_query(batch_table), path)
    return part_in(path, count_rows(connection, batch_table))


def keep_part(connection: DuckDBPyConnection, batch_table: str, table: str) -> Part:
    """Compact the batch in `batch_table` into the table `table` and return it as a part."""
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS {part_query(batch_table)}")
    return Part(table, count_rows(connection, batch_table))


def spill_part(connection: DuckDBPyConnection, part: Part, path: Path) -> Part:
    """Move a part from its table to the file `path` and return it as it is now.

    Raises OutputError when the file cannot be written; then the part is still in its table.
    """
    copy_rows(connection, f"FROM {part.relation}", path)
    connection.execute(f"DROP TABLE {part.relation}")
    return part_in(path, part.recipients)


def copy_rows(connection: DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of `query` to the Parquet file `path`.

    Raises OSError with its number for transient errors (an interrupted disk or share), OutputError for the
    rest.
    """
    try:
        connection.execute(f"COPY ({query}) TO {literal(str(path))} ({_PART_OPTIONS})")
    except duckdb.IOException as error:
        for number in TRANSIENT_ERRORS:
            if os.strerror(number) in str(error):
                raise OSError(number, os.strerror(number), str(path)) from error
        raise unwritable(path, error, WORK_HINT) from error


def batch_queries(parts: Sequence[Part]) -> list[str]:
    """Return SQL for the rows of each batch: some of the parts, with the columns of a part and `compact`.

    A row of which the source has several is there several times, with one `row_key`. Those under a
    placeholder name are there too, with NULL for `normal` and `compact`: they say which UEI is generic.
    """
    batches: list[list[str]] = []
    held = 0
    for part in parts:
        if not batches or held + part.recipients > _BATCH_RECIPIENTS:
            batches.append([])
            held = 0
        batches[-1].append(f"SELECT * FROM {part.relation}")
        held += part.recipients
    return [
        f"SELECT *, {compact_name('normal')} AS compact FROM ({' UNION ALL '.join(relations)})"
        for relations in batches
    ]


def open_parts(connection: DuckDBPyConnection, parts: Sequence[Part]) -> LocalBatches:
    """Create the view `recipients`, the rows of the parts that name a firm; return the batches of all."""
    queries = batch_queries(parts)
    names = tuple(f"recipient_batch_{number}" for number in range(len(queries)))
    for name, query in zip(names, queries, strict=True):
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
    connection.execute(
        "CREATE OR REPLACE VIEW recipients AS "
        + " UNION ALL ".join(f"FROM {name} WHERE normal IS NOT NULL" for name in names)
    )
    return LocalBatches(names)


def index_part(connection: DuckDBPyConnection, part: Part, folder: Path, number: int) -> None:
    """Make the file of an index of recipients: that of the part, under a second name, or one of its rows.

    Raises OutputError when the folder cannot be written.
    """
    with suppress(OSError):  # no second name on another disk, and on some not at all
        if part.path is not None:
            os.link(part.path, index_path(folder, number))
            return
    write_index(connection, f"(FROM {part.relation} WHERE NOT is_alias)", folder, number)


def gather_rows(
    connection: DuckDBPyConnection,
    table: str,
    query: Callable[[str], str],
    batches: Batches,
    needed: Sequence[str] = (),
) -> None:
    """Create `table` of the rows that `query` (SQL for a batch, with the `needed` tables) selects of all.

    One batch is looked at after the other: a query over all of them at once takes memory for each.
    """
    verb = f"CREATE OR REPLACE TABLE {table} AS"
    for rows in batches.select(query, needed):
        connection.execute(f"{verb} {rows}")
        verb = f"INSERT INTO {table}"


def drop_repeats(connection: DuckDBPyConnection, table: str) -> None:
    """Keep each row of a table once."""
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT DISTINCT * FROM {table}")
