"""Compact parts: what is kept of the recipients after the one pass over their source.

A part is a Parquet file with one row per recipient name (aliases are rows of their own) and
holds all that the later stages need, so the source is read once and memory does not grow with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from sbir_gate.errors import OutputError
from sbir_gate.matching.normalise import (
    ALIAS_PATTERN,
    PLACEHOLDER_NAMES,
    alias_names,
    compact_name,
    normal_name,
    plain_name,
)

_PLACEHOLDERS = ", ".join(f"'{name}'" for name in PLACEHOLDER_NAMES)

_CONTENT = ("recipient_id", "normal", "state", "city", "zip5", "name", "uei", "duns", "is_alias")


@dataclass(frozen=True, slots=True)
class Part:
    """One part file; `recipients` are the rows of the source that it stands for."""

    path: Path
    recipients: int


def content_order(table: str) -> str:
    """Return the SQL order of recipients by all that they are: ties are never broken by row order."""
    return ", ".join(f"{table}.{column}" for column in _CONTENT)


def names_query(table: str, columns: str, alias_column: str) -> str:
    """Return SQL that gives each row of `table` once per name, with `normal` and `compact`.

    `table` has a column `name`; `columns` are carried along. Rows under a placeholder name are
    dropped: they stand for nobody. `alias_column` names a boolean that is true for other names
    than the one the source gives.
    """
    pattern = ALIAS_PATTERN.replace("'", "''")
    # the last step is materialised, or the normal form would be worked out again for the filter
    return f"""
        WITH named AS (
            SELECT *, name AS raw_name, false AS {alias_column} FROM {table}
            UNION ALL
            SELECT *, unnest(alias_names(name)) AS raw_name, true
            FROM (SELECT * FROM {table} WHERE regexp_matches(name, '{pattern}'))
        ), plain AS (SELECT *, {plain_name("raw_name")} AS plain FROM named),
        normalised AS MATERIALIZED (SELECT *, {normal_name("plain")} AS normal FROM plain)
        SELECT {columns}, {alias_column}, normal, {compact_name("normal")} AS compact
        FROM normalised
        WHERE normal NOT IN ({_PLACEHOLDERS})
    """


def register_functions(connection: DuckDBPyConnection) -> None:
    """Make `alias_names` callable from SQL on this connection."""
    connection.create_function("alias_names", lambda name: list(alias_names(name)), ["VARCHAR"], "VARCHAR[]")


def write_part(connection: DuckDBPyConnection, batch_table: str, path: Path) -> Part:
    """Compact the batch in `batch_table` into the part file `path` and return it.

    Raises OutputError when the file cannot be written.
    """
    columns = "recipient_id, name, uei, duns, city, state, zip5"
    query = names_query(batch_table, columns, "is_alias")
    try:
        connection.execute(f"COPY ({query}) TO '{_quoted(path)}' (FORMAT parquet)")
    except duckdb.IOException as error:
        raise OutputError(
            f"{path}: cannot be written ({str(error).splitlines()[0]})",
            "free some room, or name another folder in enrichment.work_folder",
        ) from error
    count = connection.execute(f"SELECT count(*) FROM {batch_table}").fetchone()
    return Part(path, int(count[0]) if count else 0)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def open_parts(connection: DuckDBPyConnection, parts: list[Part]) -> None:
    """Create the table `recipients` over the parts: their columns and `row_key`, unique per row.

    A row that occurs more than once (award downloads repeat each recipient) is seen once.
    """
    files = ", ".join(f"'{_quoted(part.path)}'" for part in parts)
    connection.execute(f"""
        CREATE OR REPLACE TABLE recipients AS
        SELECT row_number() OVER () AS row_key, * FROM (
            SELECT DISTINCT * FROM read_parquet([{files}])
        )
    """)
