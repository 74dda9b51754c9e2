# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Awards written down again as one Parquet file: every column as it came, and each row with its award id."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb

from sbir_gate.errors import InputError, OutputError
from sbir_gate.files import place_durably
from sbir_gate.model.records import AwardTable
from sbir_gate.reading.award_profiles import write_profiles
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE, AwardsRead
from sbir_gate.reading.layout import column_key
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.sql_text import file_relation, identifier, literal

_AWARD_ID = "award_id"
_YEAR_KEYS = ("awardyear", "year")
_ROWS_AT_ONCE = 20_480
_EXAMPLES = 5


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
    the source's; enriched, the file gives what its source gives. Raises InputError where nothing is left or
    there is no column of years, OutputError when a file cannot be written.
    """
    condition = _condition(read, award_year)
    partial = path.with_name(f".{path.name}.partial")
    threads = connection.execute("SELECT current_setting('threads')").fetchone()
    try:
        slices = _write_slices(connection, read, condition, work_folder)
        # one thread writes: the bytes then depend on the rows alone
        connection.execute("SET threads = 1")
        connection.execute(
            f"COPY (FROM {file_relation(slices)}) TO {literal(str(partial))}"
            " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
        )
        table = _counted(connection, read, rejects, partial, condition)
        if not table.awards:
            raise InputError(f"no award is of the year {award_year}", "leave that partition out")
        write_profiles(connection, profiles_path, condition)
        place_durably(partial, path)
    except (duckdb.IOException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OutputError(
            f"cannot be written ({reason})",
            "name a folder that you may write to and that has room",
            path=path,
        ) from error
    finally:
        # on any failure or interrupt, no partial file stays
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        connection.execute(f"SET threads = {int(threads[0]) if threads else 1}")
    return table


def _condition(read: AwardsRead, award_year: int | None) -> str:
    if award_year is None:
        return "true"
    by_key = {column_key(column): column for column in reversed(read.columns)}
    column = next((by_key[key] for key in _YEAR_KEYS if key in by_key), None)
    if column is None:
        raise InputError(
            "the awards have no column of the award year, so they have no partitions by it",
            "run the job that takes them all",
        )
    return f"try_cast(trim(r.{identifier(column)}) AS INTEGER) = {award_year:d}"


def _write_slices(
    connection: duckdb.DuckDBPyConnection, read: AwardsRead, condition: str, folder: Path
) -> list[Path]:
    """Write the awards to files in `folder`, a slice of their order each: no sort of them all."""
    selected = [
        f"a.award_id AS {_AWARD_ID}" if column.casefold() == _AWARD_ID else f"r.{identifier(column)}"
        for column in read.columns
    ]
    if all(column.casefold() != _AWARD_ID for column in read.columns):
        selected.insert(0, f"a.award_id AS {_AWARD_ID}")
    slices = []
    for start in range(0, read.rows, _ROWS_AT_ONCE):
        path = folder / f"validated-{start:010d}.parquet"
        place = f"{POSITION} >= {start} AND {POSITION} < {start + _ROWS_AT_ONCE}"
        connection.execute(
            f"COPY (SELECT {', '.join(selected)} FROM (FROM {ROWS_TABLE} WHERE {place}) r "
            f"JOIN (SELECT {POSITION}, award_id FROM {AWARDS_TABLE} WHERE {place}) a USING ({POSITION}) "
            f"WHERE {condition} ORDER BY {POSITION}) TO {literal(str(path))} "
            "(FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 10240)"
        )
        slices.append(path)
    return slices


def _counted(
    connection: duckdb.DuckDBPyConnection, read: AwardsRead, rejects: RejectLog, path: Path, condition: str
) -> AwardTable:
    """Count rows and ids in the file itself, and what can be matched in the clean fields."""
    rows, distinct = connection.execute(
        f"SELECT count(*), count(DISTINCT {_AWARD_ID}) FROM {file_relation([path])}"
    ).fetchall()[0]
    years = "" if condition == "true" else f"JOIN {ROWS_TABLE} r USING ({POSITION}) WHERE {condition}"
    named, identified, complete = connection.execute(
        "SELECT count(*) FILTER (a.name IS NOT NULL), "
        "count(*) FILTER (a.uei IS NOT NULL OR a.duns IS NOT NULL), "
        "count(*) FILTER (coalesce(a.name, a.uei, a.duns) IS NOT NULL) "
        f"FROM {AWARDS_TABLE} a {years}"
    ).fetchall()[0]
    return AwardTable(
        awards=rows,
        rejects=read.rejects,
        distinct_ids=distinct,
        repeated_ids=read.repeated_ids,
        named=named,
        identified=identified,
        complete=complete,
        reject_examples=tuple(reject.text for reject in rejects.first[:_EXAMPLES]),
    )
