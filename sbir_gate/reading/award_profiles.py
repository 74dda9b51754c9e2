# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from paths that are quoted
"""What quality needs of each award: id, firm and strata, out of the clean table or a file made of it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE
from sbir_gate.sql_text import file_relation, literal

_FIELDS = "a.award_id, coalesce(a.name, '') AS firm_name, a.phase, a.company_size, a.identifier_type"
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
            return _profiles(connection, f"FROM {file_relation([path])}")
    except (duckdb.Error, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"the profiles of the awards cannot be read ({reason})", hint, path=path) from error


def _profiles(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[AwardProfile, ...]:
    return tuple(
        AwardProfile(award_id, name, _PHASES[phase], _SIZES[size], _IDENTIFIERS[identifiers])
        for award_id, name, phase, size, identifiers in connection.execute(query).fetchall()
    )
