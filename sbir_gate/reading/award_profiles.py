# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from paths that are quoted
"""What quality needs of each award: id, firm and strata, out of the clean table or a file made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE
from sbir_gate.sql_text import file_relation, literal

_FIELDS = (
    "a.award_id, coalesce(a.name, '') AS firm_name, a.phase, a.company_size, a.identifier_type, "
    "coalesce(a.agency, '') AS agency, coalesce(a.program, '') AS program, coalesce(a.year, '') AS year, "
    "coalesce(a.state, '') AS state, coalesce(a.uei, '') AS uei, coalesce(a.duns, '') AS duns, "
    "a.is_placeholder"
)
_ROWS_AT_ONCE = 20_480
# the call of an enum takes ten times as long as a look at a dictionary, and there are three per award
_PHASES = {phase.value: phase for phase in Phase}
_SIZES = {size.value: size for size in CompanySize}
_IDENTIFIERS = {kind.value: kind for kind in IdentifierType}


def profiles_of(connection: duckdb.DuckDBPyConnection) -> tuple[AwardProfile, ...]:
    """Return the profiles of the awards that `read_awards` has read, in their order."""
    return _profiles(connection, f"SELECT {_FIELDS} FROM {AWARDS_TABLE} a ORDER BY {POSITION}")


def write_profiles(connection: duckdb.DuckDBPyConnection, path: Path, condition: str) -> None:
    """Write the profiles of the awards whose rows, called r, meet the condition, to a Parquet file.

    Raises duckdb.IOException for a file that cannot be written.
    """
    of_rows = "" if condition == "true" else f"JOIN {ROWS_TABLE} r USING ({POSITION}) WHERE {condition}"
    connection.execute(
        f"COPY (SELECT {_FIELDS} FROM {AWARDS_TABLE} a {of_rows} ORDER BY {POSITION})"
        f" TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    )


def load_profiles(path: Path) -> tuple[AwardProfile, ...]:
    """Return the profiles that `write_profiles` wrote. Raises InputError for a file that cannot be read."""
    hint = "materialise validated_sbir_awards again"
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            return _profiles(connection, f"SELECT {', '.join(_Row._fields)} FROM {file_relation([path])}")
    except (duckdb.Error, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"the profiles of the awards cannot be read ({reason})", hint, path=path) from error


class _Row(NamedTuple):
    """A row of the query."""

    award_id: str
    firm_name: str
    phase: str
    company_size: str
    identifier_type: str
    agency: str
    program: str
    year: str
    state: str
    uei: str
    duns: str
    is_placeholder: bool


def _profiles(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[AwardProfile, ...]:
    once: dict[str, str] = {}  # an agency of 100,000 awards is one text
    return tuple(
        AwardProfile(
            row.award_id,
            row.firm_name,
            _PHASES[row.phase],
            _SIZES[row.company_size],
            _IDENTIFIERS[row.identifier_type],
            agency=once.setdefault(row.agency, row.agency),
            program=once.setdefault(row.program, row.program),
            year=once.setdefault(row.year, row.year),
            state=once.setdefault(row.state, row.state),
            uei=row.uei,
            duns=row.duns,
            is_placeholder=row.is_placeholder,
        )
        for row in _rows(connection, query)
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[_Row]:
    found = connection.execute(query)
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        yield from map(_Row._make, rows)
