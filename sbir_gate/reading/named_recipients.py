# ruff: noqa: S608 -- the SQL is built of this module's own expressions
"""The names of recipients in an enriched file, as far as its engine wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from sbir_gate.model.records import LinkedRecipient
from sbir_gate.reading.cleaning import own_id
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.layout import column_key
from sbir_gate.reading.loading import RAW_TABLE
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.sources import open_source

_LONGEST = 200


def named_recipients(
    connection: duckdb.DuckDBPyConnection, enriched: Path, folder: Path, options: ReadingOptions
) -> Mapping[str, LinkedRecipient]:
    """Return name and UEI of the recipients in the columns recipient_id, recipient_name and recipient_uei.

    Empty for a file that names none. Raises InputError for one that cannot be read.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE named (id VARCHAR, name VARCHAR, uei VARCHAR)")
    for file in resolve_files(enriched):
        with open_source(connection, file, folder, options) as raw:
            places = {column_key(column): place for place, column in enumerate(raw.columns)}
            id_, name, uei = (places.get(f"recipient{what}") for what in ("id", "name", "uei"))
            wanted = sorted(place for place in (id_, name, uei) if place is not None)
            if id_ is None or len(wanted) == 1:
                return {}
            for _ in raw.blocks(wanted):
                connection.execute(
                    f"INSERT INTO named SELECT DISTINCT {own_id(f'c{id_}')}, {_cell(name)}, {_cell(uei)}"
                    f" FROM {RAW_TABLE} WHERE c{id_} IS NOT NULL"
                )
    rows = connection.execute(
        "SELECT id, coalesce(min(name), ''), coalesce(min(uei), '') FROM named GROUP BY id"
    ).fetchall()
    return {id_: LinkedRecipient(id_, name, uei) for id_, name, uei in rows if name or uei}


def _cell(place: int | None) -> str:
    return "NULL" if place is None else f"left(trim(c{place}), {_LONGEST})"
