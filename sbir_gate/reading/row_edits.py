# ruff: noqa: S608 -- the SQL is built from this module's names and column numbers, and from names that are quoted
"""How many rows two tables differ by: rows are known by their id, and compared by a hash of their cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from sbir_gate.model.fixture_edits import RowEdits
from sbir_gate.reading.field_cells import raw_cell
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.layout import AWARDS, RECIPIENTS, Layout, column_key, require_fields
from sbir_gate.reading.loading import RAW_TABLE
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.sources import open_source, source_name
from sbir_gate.sql_text import literal

_ID_FIELDS = {AWARDS.what: "award_id", RECIPIENTS.what: "recipient_id"}


def count_row_edits(
    connection: duckdb.DuckDBPyConnection,
    before: str | Path,
    after: str | Path,
    layout: Layout,
    work_folder: Path,
    options: ReadingOptions,
) -> RowEdits:
    """Return how many rows `after` adds to `before`, removes from it, and has otherwise.

    The order of rows and columns does not matter. A row without an id is known by all of its cells: changed,
    it is one that was removed and one that was added. Rows that cannot be read are left out. Of a row only id
    and hash are kept, on disk where the connection has no room for them.

    Raises InputError for a source that cannot be read.
    """
    for table, source in (("rows_before", before), ("rows_after", after)):
        _load(connection, table, source, layout, work_folder, options)
    place = "row_number() OVER (PARTITION BY id ORDER BY content) AS place"
    numbered = {
        table: f"(SELECT id, {place}, content FROM {table})" for table in ("rows_before", "rows_after")
    }
    added, removed, changed = connection.execute(
        "SELECT count(*) FILTER (b.id IS NULL), count(*) FILTER (a.id IS NULL),"
        " count(*) FILTER (a.content <> b.content)"
        f" FROM {numbered['rows_before']} b FULL JOIN {numbered['rows_after']} a"
        " ON a.id = b.id AND a.place = b.place"
    ).fetchall()[0]
    return RowEdits(int(added), int(removed), int(changed))


def _load(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: str | Path,
    layout: Layout,
    work_folder: Path,
    options: ReadingOptions,
) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} (id VARCHAR, content UBIGINT)")
    for file in resolve_files(source):
        with open_source(connection, file, work_folder, options) as raw:
            fields = require_fields(layout, raw.columns, source_name(file))
            select = _row(raw.columns, raw_cell(fields, _ID_FIELDS[layout.what]))
            for block in raw.blocks(range(len(raw.columns))):
                if block.rows:
                    connection.execute(f"INSERT INTO {table} {select}")


def _row(columns: Sequence[str], own_id: str) -> str:
    """SQL: the id of a row, and a hash over its cells by column name; empty cells don't count."""
    keyed = sorted((column_key(column), index) for index, column in enumerate(columns))
    cells = ", ".join(f"{literal(key + '=')} || c{index}" for key, index in keyed)
    content = f"hash(concat_ws(chr(31), {cells}))"
    return f"SELECT coalesce(nullif(trim({own_id}), ''), 'row ' || {content}), {content} FROM {RAW_TABLE}"
