# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Awards read: their profiles for the quality report, and written as one Parquet file with their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb

from sbir_gate.errors import InputError, NoAwardsError
from sbir_gate.files import error_reason
from sbir_gate.model.by_award import ByAward
from sbir_gate.model.records import AwardProfile, AwardTable, CompanySize, IdentifierType, Phase
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE, AwardsRead, award_cells
from sbir_gate.reading.database import PARQUET_OPTIONS, copy_rows, written_in_order
from sbir_gate.reading.layout import column_key
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.sql_text import file_relation, identifier
from sbir_gate.wrong_input import nearest, shown

_YEAR_KEYS = ("awardyear", "year")
_EXAMPLES = 5
_PROFILE = (
    "a.award_id, coalesce(a.name, '') AS firm_name, a.phase, a.company_size, a.identifier_type, "
    "coalesce(a.agency, '') AS agency, coalesce(a.program, '') AS program, coalesce(a.year, '') AS year, "
    "coalesce(a.state, '') AS state, coalesce(a.uei, '') AS uei, coalesce(a.duns, '') AS duns, "
    "a.is_placeholder"
)
_ROWS_AT_ONCE = 20_480
ALL_COLUMNS = tuple(field.name for field in fields(AwardProfile))
STRATA_COLUMNS = ALL_COLUMNS[:5]
"""Of the columns of profiles those that the quality of decisions is counted by."""

# the call of an enum takes ten times as long as a look at a dictionary, and there are three per award
_PHASES = {phase.value: phase for phase in Phase}
_SIZES = {size.value: size for size in CompanySize}
_IDENTIFIERS = {kind.value: kind for kind in IdentifierType}


def check_award_ids(connection: duckdb.DuckDBPyConnection, wanted: Sequence[str], source: str) -> None:
    """Raise InputError for the first of the ids that no award has which `read_awards` has read."""
    if wanted:
        rows = connection.execute(f"SELECT award_id FROM {AWARDS_TABLE} ORDER BY {POSITION}").fetchall()
        check_ids(wanted, [award_id for (award_id,) in rows], source)


def check_ids(wanted: Sequence[str], known: Sequence[str], source: str | Path) -> None:
    """Raise InputError for the first of the ids that is not a known one of the awards of a source."""
    there = frozenset(known)
    for award_id in wanted:
        if award_id not in there:
            near = nearest(award_id, known)
            hint = f"did you mean {shown(near)}?" if near else "give an award_id of these awards"
            raise InputError(f"no award {shown(award_id)}", hint, path=source)


def profiles_of(connection: duckdb.DuckDBPyConnection) -> ByAward[AwardProfile]:
    """Return the profiles of the awards that `read_awards` has read, in their order."""
    return _profiles(connection, f"SELECT {_PROFILE} FROM {AWARDS_TABLE} a ORDER BY {POSITION}")


def load_profiles(path: Path, columns: Sequence[str] = ALL_COLUMNS) -> ByAward[AwardProfile]:
    """Return the profiles that `write_awards` wrote, with all their columns or with the first alone.

    Raises InputError for a file that cannot be read.
    """
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            return _profiles(connection, f"SELECT {', '.join(columns)} FROM {file_relation([path])}")
    except (duckdb.Error, KeyError) as error:
        problem = f"the profiles of the awards cannot be read ({error_reason(error)})"
        raise InputError(problem, "materialise validated_sbir_awards again", path=path) from error


def _profiles(connection: duckdb.DuckDBPyConnection, query: str) -> ByAward[AwardProfile]:
    award_ids, distinct, places = list[str](), list[AwardProfile](), list[int]()
    place_of: dict[tuple[str, ...], int] = {}
    once: dict[str, str] = {}  # an agency of 100,000 awards is one text
    found = connection.execute(query)
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        for row in rows:
            rest = row[1:]
            place = place_of.setdefault(rest, len(distinct))
            if place == len(distinct):
                distinct.append(_profile(row, once))
            award_ids.append(row[0])
            places.append(place)
    return ByAward(award_ids, distinct, places)


def _profile(row: tuple[Any, ...], once: dict[str, str]) -> AwardProfile:
    award_id, firm_name, phase, company_size, identifier_type, *rest = row
    return AwardProfile(
        award_id,
        firm_name,
        _PHASES[phase],
        _SIZES[company_size],
        _IDENTIFIERS[identifier_type],
        *_cells_once(rest, once),
    )


def _cells_once(cells: list[Any], once: dict[str, str]) -> list[Any]:
    return [once.setdefault(cell, cell) for cell in cells]


def write_awards(
    connection: duckdb.DuckDBPyConnection,
    read: AwardsRead,
    rejects: RejectLog,
    path: Path,
    profiles_path: Path,
    work_folder: Path,
    award_year: int | None = None,
) -> AwardTable:
    """Write the awards that `read_awards` has read to `path`, or not at all, and count what is in there.

    Their profiles go to `profiles_path` before. With `award_year` only the awards of that year. The order is
    the source's; enriched, the file gives what its source gives. Raises NoAwardsError where nothing is
    left, InputError where there is no column of years, OutputError when a file cannot be written.
    """
    condition = "" if award_year is None else f"WHERE {_condition(read, award_year)}"
    rows = f"JOIN {ROWS_TABLE} r USING ({POSITION}) {condition}" if condition else ""

    def query(place: str) -> str:
        return (
            f"SELECT {', '.join(award_cells(read.columns))} FROM (FROM {ROWS_TABLE} WHERE {place}) r "
            f"JOIN (SELECT {POSITION}, award_id FROM {AWARDS_TABLE} WHERE {place}) a USING ({POSITION}) "
            f"{condition} ORDER BY {POSITION}"
        )

    with written_in_order(connection, query, read.rows, path, work_folder, PARQUET_OPTIONS) as partial:
        table = _counted(connection, read, rejects, partial, rows)
        if not table.awards:
            raise NoAwardsError(
                "no award is of this year", "leave that partition out", column="award year", value=award_year
            )
        profiles = f"SELECT {_PROFILE} FROM {AWARDS_TABLE} a {rows} ORDER BY {POSITION}"
        copy_rows(connection, profiles, profiles_path, "FORMAT parquet, COMPRESSION zstd")
    return table


def _condition(read: AwardsRead, award_year: int) -> str:
    by_key = {column_key(column): column for column in reversed(read.columns)}
    column = next((by_key[key] for key in _YEAR_KEYS if key in by_key), None)
    if column is None:
        raise InputError(
            "the awards have no column of the award year, so they have no partitions by it",
            "run the job that takes them all",
        )
    return f"try_cast(trim(CAST(r.{identifier(column)} AS VARCHAR)) AS INTEGER) = {award_year:d}"


def _counted(
    connection: duckdb.DuckDBPyConnection, read: AwardsRead, rejects: RejectLog, path: Path, rows: str
) -> AwardTable:
    """Count awards and ids in the file itself, and what can be matched in the clean fields."""
    awards, distinct = connection.execute(
        f"SELECT count(*), count(DISTINCT award_id) FROM {file_relation([path])}"
    ).fetchall()[0]
    named, identified, complete = connection.execute(
        "SELECT count(*) FILTER (a.name IS NOT NULL), "
        "count(*) FILTER (a.uei IS NOT NULL OR a.duns IS NOT NULL), "
        "count(*) FILTER (coalesce(a.name, a.uei, a.duns) IS NOT NULL) "
        f"FROM {AWARDS_TABLE} a {rows}"
    ).fetchall()[0]
    return AwardTable(
        awards=awards,
        rejects=read.rejects,
        distinct_ids=distinct,
        repeated_ids=read.repeated_ids,
        named=named,
        identified=identified,
        complete=complete,
        reject_examples=tuple(reject.text for reject in rejects.first[:_EXAMPLES]),
    )
