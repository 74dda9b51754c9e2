# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""The files that an engine is handed: the source's own, or with the ids by which the gate knows its rows.

Awards and recipients without an id column get one, or no engine but the built-in could name them. Ids lose
the blanks around them, so that each has one spelling, and outputs are compared with it exactly. All else
stays as it is: delimited text keeps its delimiter and cells, Parquet its types. A folder or glob becomes one
file of its kind; a table of a dump becomes CSV. Rows that cannot be read are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj

import duckdb

from sbir_gate.files import open_file
from sbir_gate.model.diagnosis import Flaw
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE, AwardsRead
from sbir_gate.reading.cleaning import own_id
from sbir_gate.reading.database import copy_rows, count_rows
from sbir_gate.reading.files import FileKind, SourceFile, resolve_files
from sbir_gate.reading.layout import RECIPIENTS, column_key, columns_of, require_fields, unique_names
from sbir_gate.reading.loading import RawFile
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipients import identified_rows
from sbir_gate.reading.sources import open_source, source_name
from sbir_gate.reading.spelling import register_repair
from sbir_gate.sql_text import file_literal, identifier, literal

AWARD_ID = "award_id"
RECIPIENT_ID = "recipient_id"
_IDS = "handed_ids"
# an engine would not find the header where reading did
_HEADER_FLAWS = {Flaw.READING_LINES_SKIPPED, Flaw.READING_HEADER_SHORT}


@dataclass(frozen=True, slots=True)
class Cut:
    """What a copy of a table leaves out: columns, and the rows whose ids are not in the table `kept`."""

    is_omitted: Callable[[str], bool]
    kept: str = ""

    def columns(self, names: Sequence[str]) -> list[str]:
        """Return the columns that stay."""
        return [name for name in names if not self.is_omitted(name)]


def hand_awards(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    read: AwardsRead,
    folder: Path,
    options: ReadingOptions,
    cut: Cut | None = None,
) -> Path | None:
    """Write the awards that `read_awards` has read with their ids; None if the source can be handed as it is.

    It can if each award has its own id, every row could be read, and none was left out (`thin_awards`):
    otherwise an engine could return rows for awards that the gate does not have. With a `cut` there is always
    a file.
    """
    own = next((column for column in read.columns if column_key(column) == column_key(AWARD_ID)), None)
    has_own_header = _HEADER_FLAWS.isdisjoint(found.flaw for found in read.findings)
    is_whole = not read.rejects and has_own_header and count_rows(connection, AWARDS_TABLE) == read.rows
    has_ids = own is not None and not _differ(connection, own)
    if has_ids and is_whole and cut is None:
        return None
    files = resolve_files(source)
    if files[0].kind is FileKind.PARQUET:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_IDS} AS"
            f" SELECT {POSITION} AS row, award_id AS id FROM {AWARDS_TABLE}"
        )
        path = folder / "awards.parquet"
        return _hand_parquet(connection, files, path, own, AWARD_ID, cut, has_ids=has_ids)
    columns = read.columns if cut is None else cut.columns(read.columns)
    cells = [f"a.award_id AS {identifier(c)}" if c == own else f"r.{identifier(c)}" for c in columns]
    if own is None:
        cells.append(f"a.award_id AS {identifier(AWARD_ID)}")
    rows = (
        f"SELECT {', '.join(cells)} FROM {ROWS_TABLE} r JOIN {AWARDS_TABLE} a USING ({POSITION}) "
        f"ORDER BY {POSITION}"
    )
    path = folder / f"awards{_suffix(files)}"
    copy_rows(connection, rows, path, _text_options(_delimiter(connection, files[0], folder, options), path))
    return path


def hand_validated(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    validated: Path,
    folder: Path,
    options: ReadingOptions,
) -> Path:
    """Return validated awards, a Parquet file, as the kind of file that their source is."""
    files = resolve_files(source)
    if files[0].kind is FileKind.PARQUET:
        return validated
    path = folder / f"awards{_suffix(files)}"
    delimiter = _delimiter(connection, files[0], folder, options)
    copy_rows(
        connection, f"FROM read_parquet({file_literal(validated)})", path, _text_options(delimiter, path)
    )
    return path


def hand_recipients(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    folder: Path,
    options: ReadingOptions,
    cut: Cut | None = None,
    *,
    is_altered: bool,
) -> Path | None:
    """Write the recipients with their ids, in batches; None if the source can be handed as it is.

    It cannot if it has no ids, or `is_altered`: rows are left out, or blanks around ids. With a `cut` there
    is always a file.
    """
    register_repair(connection)
    files = resolve_files(source)
    columns, ids = [], []
    for file in files:
        with open_source(connection, file, folder, options) as raw:
            places = require_fields(RECIPIENTS, raw.columns, source_name(file)).get(RECIPIENT_ID, ())
            columns.append(raw.columns)
            is_altered = is_altered or bool(raw.findings)
            # an id under another name (recipient_hash) is not what an engine is promised
            own = [raw.columns[place] for place in places[:1]]
            ids += [name for name in own if column_key(name) == column_key(RECIPIENT_ID)]
    has_ids = len(ids) == len(files)
    if has_ids and not is_altered and cut is None:
        return None
    if files[0].kind is FileKind.PARQUET and has_ids:
        return _hand_trimmed_parquet(connection, files, ids, folder / "recipients.parquet", cut)
    if files[0].kind is FileKind.PARQUET:
        _number_recipients(connection, files, folder, options)
        return _hand_parquet(connection, files, folder / "recipients.parquet", None, RECIPIENT_ID, cut)
    added = [] if has_ids else [RECIPIENT_ID]
    spelled = [unique_names(each, reserved=added)[0] for each in columns]
    names: dict[str, str] = {}
    for name in (name for each in spelled for name in each):
        if cut is None or not cut.is_omitted(name):
            names.setdefault(name.casefold(), name)
    return _hand_text(connection, files, folder, options, names, added, cut.kept if cut else "")


def _differ(connection: duckdb.DuckDBPyConnection, own: str) -> bool:
    """Say whether an award is known by another id than its row has: empty, repeated, or in blanks."""
    joined = f"{ROWS_TABLE} r JOIN {AWARDS_TABLE} a USING ({POSITION})"
    return (
        count_rows(
            connection, f"{joined} WHERE CAST(r.{identifier(own)} AS VARCHAR) IS DISTINCT FROM a.award_id"
        )
        > 0
    )


def _number_recipients(
    connection: duckdb.DuckDBPyConnection, files: Sequence[SourceFile], folder: Path, options: ReadingOptions
) -> None:
    """Make a table of the ids by the number of the row over all files; Parquet has no rejects."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_IDS} (row BIGINT, id VARCHAR)")
    first = 0
    for file in files:
        with open_source(connection, file, folder, options) as raw:
            fields = require_fields(RECIPIENTS, raw.columns, source_name(file))
            for block in raw.blocks(columns_of(fields)):
                rows = identified_rows(fields)
                connection.execute(
                    f"INSERT INTO {_IDS} SELECT {first} + position, recipient_id FROM ({rows})"
                )
                first += block.rows


def _hand_parquet(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[SourceFile],
    path: Path,
    own: str | None,
    column: str,
    cut: Cut | None = None,
    *,
    has_ids: bool = False,
) -> Path:
    """Write the rows of Parquet files with the ids in `handed_ids`; other columns keep their types.

    With `has_ids` the ids of the source are those, and keep their type too.
    """
    parts, first = [], 0
    for file in files:
        name = file_literal(file.path)
        parts.append(
            f"SELECT *, {first} + file_row_number AS __row FROM read_parquet({name}, file_row_number = true)"
        )
        first += count_rows(connection, f"read_parquet({name})")
    unioned = " UNION ALL BY NAME ".join(parts)
    chosen = f"p.* EXCLUDE ({', '.join(['file_row_number', '__row', *_omitted(connection, unioned, cut)])})"
    if own is None:
        chosen += f", i.id AS {identifier(column)}"
    elif not has_ids:
        chosen += f" REPLACE (i.id AS {identifier(own)})"
    kept = f" WHERE i.id IN (FROM {cut.kept})" if cut is not None and cut.kept else ""
    rows = f"SELECT {chosen} FROM ({unioned}) p JOIN {_IDS} i ON i.row = p.__row{kept} ORDER BY p.__row"
    copy_rows(connection, rows, path, "FORMAT parquet")
    connection.execute(f"DROP TABLE {_IDS}")
    return path


def _omitted(connection: duckdb.DuckDBPyConnection, rows: str, cut: Cut | None) -> list[str]:
    """Return the columns of `rows` that a cut leaves out, quoted."""
    if cut is None:
        return []
    names = [str(found[0]) for found in connection.execute(f"DESCRIBE {rows}").fetchall()]
    return [identifier(name) for name in names if cut.is_omitted(name)]


def _hand_trimmed_parquet(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[SourceFile],
    ids: Sequence[str],
    path: Path,
    cut: Cut | None,
) -> Path:
    """Write the rows of Parquet files without the blanks around ids, in the column `ids` of each file."""
    parts = []
    for file, name in zip(files, ids, strict=True):
        column = identifier(name)
        bare = own_id(f"CAST({column} AS VARCHAR)")
        rows = f"SELECT * FROM read_parquet({file_literal(file.path)})"
        omitted = _omitted(connection, rows, cut)
        excluded = f" EXCLUDE ({', '.join(omitted)})" if omitted else ""
        kept = f" WHERE {bare} IN (FROM {cut.kept})" if cut is not None and cut.kept else ""
        parts.append(f"SELECT *{excluded} REPLACE ({bare} AS {column}) FROM ({rows}){kept}")
    copy_rows(connection, " UNION ALL BY NAME ".join(parts), path, "FORMAT parquet")
    return path


def _hand_text(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[SourceFile],
    folder: Path,
    options: ReadingOptions,
    names: Mapping[str, str],
    added: Sequence[str],
    kept: str,
) -> Path:
    """Write delimited rows block by block: the columns by their names without case, and the `added` one.

    Ids of the source lose the blanks around them. With `kept` only rows with ids in this table are written.
    """
    path, part = folder / f"recipients{_suffix(files)}", folder / "handed-block.csv"
    delimiter = _delimiter(connection, files[0], folder, options)
    is_first = True
    with path.open("wb") as whole:
        for file in files:
            with open_source(connection, file, folder, options) as raw:
                fields = require_fields(RECIPIENTS, raw.columns, source_name(file))
                own = unique_names(raw.columns, reserved=added)[0]
                cells = {name.casefold(): f"c{index}" for index, name in enumerate(own)}
                if RECIPIENT_ID in fields:
                    place = fields[RECIPIENT_ID][0]
                    cells[own[place].casefold()] = own_id(f"c{place}")
                chosen = [
                    f"{cells.get(key, 'CAST(NULL AS VARCHAR)')} AS {identifier(name)}"
                    for key, name in names.items()
                ]
                indexes = range(len(raw.columns))
                rows = identified_rows(fields, indexes)
                condition = f" WHERE recipient_id IN (FROM {kept})" if kept else ""
                query = f"SELECT {', '.join([*chosen, *added])} FROM ({rows}){condition} ORDER BY position"
                for _ in raw.blocks(indexes):
                    copy_rows(connection, query, part, _text_options(delimiter, path, has_header=is_first))
                    with open_file(part) as block:
                        copyfileobj(block, whole)  # blocks of gzip in a row are a gzip file too
                    is_first = False
    part.unlink(missing_ok=True)
    return path


def _suffix(files: Sequence[SourceFile]) -> str:
    """Return the suffix of a single delimited file: an engine reads the handed one as it would that."""
    if len(files) > 1 or files[0].kind is not FileKind.TEXT or files[0].is_json or files[0].member:
        return ".csv"
    suffixes = files[0].path.suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def _delimiter(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, folder: Path, options: ReadingOptions
) -> str:
    with open_source(connection, file, folder, options) as raw:
        return raw.delimiter if isinstance(raw, RawFile) else ","


def _text_options(delimiter: str, path: Path, has_header: bool = True) -> str:
    packing = "gzip" if path.suffix == ".gz" else "none"
    return (
        f"FORMAT csv, HEADER {str(has_header).lower()}, DELIMITER {literal(delimiter)}, "
        f"QUOTE '\"', ESCAPE '\"', NULLSTR '', COMPRESSION {packing}"
    )
