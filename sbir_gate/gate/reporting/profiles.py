"""The tables of a dump, and their profiles, as text for a terminal or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import counted
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.model.profile import ColumnProfile, TableListing, TableProfile

UNKNOWN = "?"
_LISTING = TableLayout(("schema", "table", "rows", "bytes", "member"), frozenset({0, 1, 4}), (2,))
_PROFILE = TableLayout(
    ("column", "nulls", "distinct", "shortest", "longest", "samples"), frozenset({0, 5}), (3,)
)


def render_listing(tables: Sequence[TableListing], width: int) -> str:
    """Return the tables, in their order, as text of at most `width` columns that ends in a newline.

    How many rows a table has is not known before it is read.
    """
    cells = [
        (
            plain(table.schema),
            plain(table.name),
            UNKNOWN,
            "missing" if table.size_bytes is None else f"{table.size_bytes:,}",
            table.member or "-",
        )
        for table in tables
    ]
    return "\n".join([*table_lines(_LISTING, cells, width), counted(len(tables), "table")]) + "\n"


def render_profiles(profiles: Sequence[TableProfile], width: int) -> str:
    """Return the profiles as text of at most `width` columns that ends in a newline.

    A number of distinct values that is an estimate (within 6.3% in 95 of 100 cases) has a `~` before it.
    """
    return "\n".join(_profile_text(profile, width) for profile in profiles)


def _profile_text(profile: TableProfile, width: int) -> str:
    title = f"{plain(profile.schema)}.{plain(profile.name)}: {profile.rows:,} rows in {profile.member}"
    body = [_cells(column) for column in profile.columns]
    return "\n".join([title, *table_lines(_PROFILE, body, width)]) + "\n"


def _cells(column: ColumnProfile) -> tuple[str, ...]:
    return (
        plain(column.name),
        f"{column.nulls:,}",
        f"{'' if column.is_distinct_exact else '~'}{column.distinct:,}",
        "-" if column.min_length is None else f"{column.min_length:,}",
        "-" if column.max_length is None else f"{column.max_length:,}",
        " | ".join(plain(sample) for sample in column.samples),
    )


def render_json(items: Sequence[TableListing] | Sequence[TableProfile]) -> str:
    """Return the tables or profiles as JSON that ends in a newline; all but ASCII is escaped."""
    return json.dumps({"tables": [asdict(item) for item in items]}, indent=1, ensure_ascii=True) + "\n"
