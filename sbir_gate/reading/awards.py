# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Awards: every readable row, as it was in files and as clean fields in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.model.chunks import Observation, Remark
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.reading import cleaning, derived_ids
from sbir_gate.reading.accounts import Account, ColumnLog
from sbir_gate.reading.database import SLICE_OPTIONS, copy_rows
from sbir_gate.reading.derived_ids import TEXT_TYPE, cell_text
from sbir_gate.reading.dump_rows import DumpRows
from sbir_gate.reading.field_cells import (
    NOTHING,
    clean_cell,
    name_cells,
    observe_columns,
    observe_identifiers,
    raw_cell,
    unused_cells,
)
from sbir_gate.reading.files import FileKind, SourceFile, resolve_files
from sbir_gate.reading.layout import (
    AWARDS,
    Fields,
    columns_of,
    find_fields,
    require_fields,
    unique_names,
)
from sbir_gate.reading.loading import RAW_TABLE, RawFile, show_block
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.rejects import RejectLog, RejectTally
from sbir_gate.reading.sources import open_source, source_name
from sbir_gate.reading.spelling import register_repair
from sbir_gate.sql_text import file_relation, identifier

ROWS_TABLE = "award_rows"
AWARDS_TABLE = "awards"
POSITION = "position"
_MOST_ROWS = 25_000


@dataclass(frozen=True, slots=True)
class AwardsRead:
    """What was read: `columns` are the original ones, in order, as `award_rows` spells them.

    `has_award_ids` says whether the files have a column of award ids, `repeated_ids` how many ids stood there
    more than once; `account` is that of the rows, `findings` all that there is to say.
    """

    rows: int
    rejects: int
    columns: tuple[str, ...]
    has_award_ids: bool
    account: Account
    findings: tuple[Diagnosis, ...] = ()
    repeated_ids: int = 0


def read_awards(
    connection: duckdb.DuckDBPyConnection,
    source: str | Path,
    work_folder: Path,
    options: ReadingOptions,
    rejects: RejectLog | None = None,
) -> AwardsRead:
    """Read all awards of a file, folder or glob into the view `award_rows` and the table `awards`.

    `award_rows` has `position` (BIGINT from 0, in source order) and every original column with its type (text
    is VARCHAR, NULL where empty; so is a column whose types differ between files); its rows are in files in
    `work_folder`, because only the writing of the result needs them again. `awards` has position, award_id,
    name, uei, duns, city, state, zip5, phase, company_size, identifier_type, agency, program, year,
    is_placeholder. Files are read in the order of their paths; columns whose names differ in case only are
    one column. A row without an award_id gets one from its cells, the same wherever it is; repeats get -2,
    -3, ... in source order.

    Raises InputError for a source that is missing, damaged, of an unknown layout, without rows, or
    with too many rejects; OutputError when the work folder cannot be written.
    """
    # rows of awards are wide: fewer of them fill as much memory
    options = replace(options, chunk_size=min(options.chunk_size, _MOST_ROWS))
    tally = RejectTally(rejects if rejects is not None else RejectLog())
    register_repair(connection)
    derived_ids.register_texts(connection)
    spellings: dict[str, str] = {}
    renamed: list[Diagnosis] = []
    observations: list[Observation] = []
    plans, taken = [], ColumnLog(AWARDS)
    for file in resolve_files(source):
        with open_source(connection, file, work_folder, options) as raw:
            plan, changed = _plan(file, raw, spellings)
        plans.append(plan)
        taken.add(source_name(file), raw.columns, plan.fields, raw.findings)
        tally.hint = raw.hint or tally.hint
        renamed += changed
    types, differing = _common_types(plans)
    _create_table(connection)
    files: list[Path] = []
    rows = 0
    for number, plan in enumerate(plans):
        with open_source(connection, plan.file, work_folder, options) as raw:
            stem = work_folder / f"award-rows-{number:06d}"
            own_files, own_rows = _set_aside(connection, raw, rows, plan, types, stem, tally)
        if own_rows:
            _show_rows(connection, rows, plan, types, own_files)
            _insert(connection, rows, plan)
            observations += _observed(connection, rows, plan)
            files += own_files
            rows += own_rows
    tally.check(rows, options.max_reject_percent)
    if not rows:
        raise tally.nothing_read(f"{source}", "awards")
    connection.execute(f"CREATE OR REPLACE VIEW {ROWS_TABLE} AS FROM {file_relation(files)}")
    repeated_ids, repeats = _number_repeats(connection)
    has_award_ids = any("award_id" in plan.fields for plan in plans)
    account = Account(AWARDS.what, rows, tally.count, tuple(observations), taken.diagnoses())
    findings = (*account.diagnoses(), *renamed, *differing, *repeats)
    return AwardsRead(rows, tally.count, tuple(types), has_award_ids, account, findings, repeated_ids)


def thin_awards(connection: duckdb.DuckDBPyConnection, read: AwardsRead, most: int) -> None:
    """Keep at most this many of the awards that `read_awards` has read, spread evenly over the source."""
    if read.rows > most:
        kept = f"SELECT place * {read.rows} // {most} FROM range({most}) AS places(place)"
        connection.execute(f"DELETE FROM {AWARDS_TABLE} WHERE {POSITION} NOT IN ({kept})")


def award_cells(columns: Sequence[str]) -> list[str]:
    """Return what SQL selects of an award for its original `columns`: from its row `r` and its fields `a`.

    The id is that of the fields; it comes first where the columns have none.
    """
    own_id = "a.award_id AS award_id"
    cells = [own_id if column.casefold() == "award_id" else f"r.{identifier(column)}" for column in columns]
    return cells if own_id in cells else [own_id, *cells]


def read_fields(
    connection: duckdb.DuckDBPyConnection,
    source: str | Path,
    work_folder: Path,
    options: ReadingOptions,
    progress: Callable[[int], None] = lambda _rows: None,
) -> frozenset[str]:
    """Read the clean fields alone into the table `awards`; return the fields that the files have columns for.

    No other cell is read, ids stay as they are but for the blanks around them, and no field is required: a
    file that an engine wrote may have none but the ids. `progress` is called with the rows read so far.
    Raises InputError as `read_awards` does, also for files without a column of award ids.
    """
    tally = RejectTally(RejectLog())
    register_repair(connection)
    _create_table(connection)
    known: frozenset[str] = frozenset()
    rows = 0
    for file in resolve_files(source):
        with open_source(connection, file, work_folder, options) as raw:
            fields = find_fields(AWARDS, raw.columns)
            if "award_id" not in fields:
                problem = "there is no column award_id: which decision is of which award is not known"
                hint = "name a file with the ids that the engine was given"
                raise InputError(problem, hint, path=source_name(file))
            known |= fields.keys()
            cells = clean_cells(fields)
            for block in raw.blocks(columns_of(fields)):
                tally.add_all(block.rejects)
                connection.execute(
                    f"INSERT INTO {AWARDS_TABLE} SELECT {rows} + rowid, {cells} FROM {RAW_TABLE}"
                )
                rows += block.rows
                progress(rows)
    tally.check(rows, options.max_reject_percent)
    return known


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one file goes into the tables: its column names, `award_rows`' names for them, types and fields."""

    file: SourceFile
    columns: tuple[str, ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    fields: Fields

    @property
    def is_typed(self) -> bool:
        """Whether the file has types: then each cell is there as it is, too."""
        return self.file.kind is FileKind.PARQUET


def _plan(
    file: SourceFile, raw: RawFile | DumpRows, spellings: dict[str, str]
) -> tuple[_Plan, list[Diagnosis]]:
    """Return the file's plan and findings; `spellings` learns the names that are new."""
    columns = raw.columns
    fields = require_fields(AWARDS, columns, source_name(file))
    unique, changed = unique_names(columns, reserved=[POSITION])
    names = tuple(spellings.setdefault(name.casefold(), name) for name in unique)
    findings = [
        Diagnosis(
            Gravity.WARNING,
            Flaw.READING_COLUMN_RENAMED,
            source_name(file),
            {"number": renamed.number, "column": renamed.stem, "name": renamed.name},
        )
        for renamed in changed
    ]
    return _Plan(file, tuple(columns), names, tuple(raw.types), fields), findings


def _common_types(plans: Sequence[_Plan]) -> tuple[dict[str, str], list[Diagnosis]]:
    """Return the type of each column over all files, and what to say of those whose types differ."""
    types: dict[str, str] = {}
    differing: dict[str, set[str]] = {}
    for plan in plans:
        for name, type_ in zip(plan.names, plan.types, strict=True):
            if types.setdefault(name, type_) != type_:
                differing.setdefault(name, {types[name]}).add(type_)
    types |= dict.fromkeys(differing, TEXT_TYPE)
    return types, [
        Diagnosis(
            Gravity.WARNING,
            Flaw.READING_TYPES_DIFFER,
            AWARDS.what,
            {"column": name, "types": tuple(sorted(found))},
        )
        for name, found in differing.items()
    ]


def _create_table(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"CREATE OR REPLACE TABLE {AWARDS_TABLE} ({POSITION} BIGINT, award_id VARCHAR, name VARCHAR, "
        "uei VARCHAR, duns VARCHAR, city VARCHAR, state VARCHAR, zip5 VARCHAR, phase VARCHAR, "
        "company_size VARCHAR, identifier_type VARCHAR, agency VARCHAR, program VARCHAR, year VARCHAR, "
        "is_placeholder BOOLEAN)"
    )


def _set_aside(
    connection: duckdb.DuckDBPyConnection,
    raw: RawFile | DumpRows,
    first_position: int,
    plan: _Plan,
    types: Mapping[str, str],
    stem: Path,
    tally: RejectTally,
) -> tuple[list[Path], int]:
    """Write the rows as they are, NULL in columns that they do not have; return the files and their rows."""
    cells = {
        name: f"{'t' if plan.is_typed and types[name] == type_ else 'c'}{index}"
        for index, (name, type_) in enumerate(zip(plan.names, plan.types, strict=True))
    }
    originals = ", ".join(
        f"{cells.get(column, f'CAST(NULL AS {type_})')} AS {identifier(column)}"
        for column, type_ in types.items()
    )
    # to keep the order of a large row group takes much memory, and its rows have their positions
    options = f"{SLICE_OPTIONS}, PRESERVE_ORDER false" if plan.is_typed else SLICE_OPTIONS
    files: list[Path] = []
    rows = 0
    for block in raw.blocks(range(len(raw.columns)), is_streamed=True):
        tally.add_all(block.rejects)
        if block.rows:
            files.append(stem.with_name(f"{stem.name}-{len(files):06d}.parquet"))
            position = f"{first_position + rows} + rowid AS {POSITION}"
            copy_rows(connection, f"SELECT {position}, {originals} FROM {RAW_TABLE}", files[-1], options)
            rows += block.rows
    return files, rows


def _show_rows(
    connection: duckdb.DuckDBPyConnection,
    first_position: int,
    plan: _Plan,
    types: Mapping[str, str],
    files: Sequence[Path],
) -> None:
    """Make RAW_TABLE the rows of a source that were set aside: small row groups keep every thread busy."""
    cells = "".join(
        f", nullif({cell_text(identifier(name), types[name])}, '') AS c{index}"
        for index, name in enumerate(plan.names)
    )
    show_block(
        connection, f"SELECT {POSITION} - {first_position} AS rowid{cells} FROM {file_relation(files)}"
    )


def _insert(connection: duckdb.DuckDBPyConnection, first_position: int, plan: _Plan) -> None:
    cells = clean_cells(plan.fields, _derived_id(connection, plan))
    connection.execute(
        f"INSERT INTO {AWARDS_TABLE} SELECT {first_position} + rowid, {cells} FROM {RAW_TABLE}"
    )


def _derived_id(connection: duckdb.DuckDBPyConnection, plan: _Plan) -> str:
    """SQL: the id of a row without one; NULL if all have one, so that cells are not read for nothing."""
    own = cleaning.own_id(raw_cell(plan.fields, "award_id"))
    lacking = connection.execute(f"SELECT 1 FROM {RAW_TABLE} WHERE {own} IS NULL LIMIT 1").fetchall()
    return derived_ids.award_id(plan.columns, plan.types) if lacking else NOTHING


def _observed(connection: duckdb.DuckDBPyConnection, first_position: int, plan: _Plan) -> list[Observation]:
    """Return what is remarkable about the rows that have just been inserted."""
    clean = (
        f"SELECT {POSITION} - {first_position} AS place, name, uei, duns, "
        f"is_placeholder AND name IS NOT NULL AS is_generic FROM {AWARDS_TABLE} "
        f"WHERE {POSITION} >= {first_position}"
    )
    nameless, placeholders = connection.execute(
        "SELECT count(*) FILTER (coalesce(name, uei, duns) IS NULL), "
        f"count(*) FILTER (is_generic) FROM ({clean})"
    ).fetchall()[0]
    unused = "".join(f", {cell}" for cell in unused_cells(plan.fields))
    rows = f"SELECT *{unused} FROM ({clean}) JOIN {RAW_TABLE} ON {RAW_TABLE}.rowid = place"
    seen = [
        Observation(Remark.NAMELESS, "", nameless),
        Observation(Remark.PLACEHOLDER_NAME, "", placeholders),
    ]
    return [
        *(each for each in seen if each.count),
        *observe_columns(connection, plan.fields),
        *observe_identifiers(connection, plan.fields, rows),
    ]


def clean_cells(fields: Fields, derived_id: str = "NULL") -> str:
    """SQL: the columns of `awards` beyond the position, of a row of RAW_TABLE; `fields` has their places."""
    return (
        f"coalesce({cleaning.own_id(raw_cell(fields, 'award_id'))}, {derived_id}) AS award_id, "
        f"{clean_cell(fields, 'name')} AS clean_name, "
        f"{clean_cell(fields, 'uei')} AS clean_uei, {clean_cell(fields, 'duns')} AS clean_duns, "
        f"{clean_cell(fields, 'city')} AS city, {clean_cell(fields, 'state')} AS state, "
        f"{clean_cell(fields, 'zip')} AS zip5, {cleaning.phase(raw_cell(fields, 'phase'))} AS phase, "
        f"{cleaning.company_size(raw_cell(fields, 'employees'))} AS company_size, "
        f"{cleaning.identifier_type('clean_uei', 'clean_duns')} AS identifier_type, "
        f"{clean_cell(fields, 'agency')} AS agency, {clean_cell(fields, 'program')} AS program, "
        f"{clean_cell(fields, 'year')} AS year, "
        f"{cleaning.is_placeholder(name_cells(fields), 'clean_name')} AS is_placeholder"
    )


def _number_repeats(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[Diagnosis]]:
    """Make award ids distinct; return how many repeat, and a finding when any does."""
    repeated, example = 0, ""
    repeats = f"SELECT award_id FROM {AWARDS_TABLE} GROUP BY award_id HAVING count(*) > 1"
    while True:
        count, first = connection.execute(f"SELECT count(*), min(award_id) FROM ({repeats})").fetchall()[0]
        if not count:
            break
        if not repeated:
            repeated, example = count, repr(first)
        connection.execute(
            f"UPDATE {AWARDS_TABLE} SET award_id = {AWARDS_TABLE}.award_id || '-' || counted.place FROM ("
            f"SELECT {POSITION}, row_number() OVER (PARTITION BY award_id ORDER BY {POSITION}) AS place "
            f"FROM {AWARDS_TABLE} WHERE award_id IN ({repeats})) AS counted "
            f"WHERE counted.{POSITION} = {AWARDS_TABLE}.{POSITION} AND counted.place > 1"
        )
    facts: dict[str, Fact] = {"count": repeated, "example": example}
    return repeated, [
        Diagnosis(Gravity.WARNING, Flaw.READING_IDS_REPEAT, AWARDS.what, facts)
    ] if repeated else []
