"""The tables of a dump listed and profiled; what is known of a table is saved after each chunk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sbir_gate.datasets.table_profile import HASHING, ProfileBuilder, unread_chunks
from sbir_gate.documents import load_progress, save_progress
from sbir_gate.errors import DocumentError
from sbir_gate.model.profile import ProfileProgress, TableListing, TableProfile
from sbir_gate.progress import Progress
from sbir_gate.reading.database import open_database
from sbir_gate.reading.dump_rows import DumpRows
from sbir_gate.reading.dumps import Dump, DumpTable
from sbir_gate.settings.reading import database_options, reading_options, work_folder
from sbir_gate.settings.schema import Settings

ALL_TABLES = "all"
_FOLDER = "progress"

Say = Callable[[str], None]
"""Called with one line for the user on how a profile proceeds."""


def list_tables(dump: Path, settings: Settings) -> list[TableListing]:
    """Return the tables of the dump, the largest first, those whose member is missing last.

    Raises InputError for a dump that cannot be read.
    """
    with Dump(dump, reading_options(settings).retrying) as opened:
        listed = [
            TableListing(table.entry.schema, table.entry.tag, table.member, table.size_bytes)
            for table in opened.tables()
        ]
    return sorted(
        listed,
        key=lambda table: (table.size_bytes is None, -(table.size_bytes or 0), table.schema, table.name),
    )


def profile_tables(
    dump: Path, names: Sequence[str], settings: Settings, progress: Progress, say: Say
) -> list[TableProfile]:
    """Return the profiles of the named tables, or of all if one is `all`, in the order of the dump for these.

    An interrupted profile resumes; a finished one is computed again. Raises InputError
    for a dump that cannot be read, OutputError when the progress cannot be saved, ToolError when the
    memory that the settings grant does not suffice.
    """
    with Dump(dump, reading_options(settings).retrying) as opened:
        tables = opened.tables() if ALL_TABLES in names else [opened.find(name) for name in names]
        for table in tables:
            # everything that can be checked without reading the data is checked first
            opened.columns(table)
            opened.open_member(table).close()
    distinct = {table.full_name: table for table in tables}
    return [_profile(dump, table, settings, progress, say) for table in distinct.values()]


def _profile(dump: Path, table: DumpTable, settings: Settings, progress: Progress, say: Say) -> TableProfile:
    path = settings.reports.folder / _FOLDER / f"{table.member.partition('.')[0]}.json"
    known = _known(path, table, say)
    with _database(settings) as (connection, folder):

        def opened() -> DumpRows:
            return DumpRows(connection, dump, table.full_name, folder, reading_options(settings))

        if known is not None:
            with opened() as rows:
                builder = _resumed(connection, rows, known, say)
                if builder is not None:
                    progress(f"profiling {table.full_name}", 0, None)
                    chunks = unread_chunks(rows.chunks(), known)
                    if chunks is not None:
                        say(f"{table.full_name}: going on after {known.rows:,} rows")
                        return _finished(builder, rows, chunks, path, progress)
                    _say_changed(table, say)
        with opened() as rows:
            return _finished(ProfileBuilder(connection, rows), rows, rows.chunks(), path, progress)


def _finished(
    builder: ProfileBuilder, rows: DumpRows, chunks: Iterator[bytes], path: Path, progress: Progress
) -> TableProfile:
    total = max(rows.bytes_total, 1)
    for block in rows.line_blocks(chunks, builder.rows + 1):
        builder.add(block)
        save_progress(path, builder.progress())
        progress(f"profiling {rows.table.full_name}", builder.rows, min(rows.bytes_read / total, 1.0))
    save_progress(path, builder.progress(is_finished=True))
    return builder.profile()


def _known(path: Path, table: DumpTable, say: Say) -> ProfileProgress | None:
    """Return the progress that was saved of this table, unless it is finished or of another state."""
    if not path.exists():
        return None
    try:
        known = load_progress(path)
    except DocumentError as error:
        say(f"{table.full_name}: starting afresh, the progress cannot be read ({error.message})")
        return None
    if known.is_finished:
        return None
    if known.table != table.full_name or known.fingerprint != table.fingerprint:
        _say_changed(table, say)
        return None
    if known.hashing != HASHING:
        say(f"{table.full_name}: starting afresh, the progress was made with {known.hashing}")
        return None
    return known


def _resumed(
    connection: duckdb.DuckDBPyConnection, rows: DumpRows, known: ProfileProgress, say: Say
) -> ProfileBuilder | None:
    try:
        return ProfileBuilder(connection, rows, known)
    except ValueError as error:
        say(f"{rows.table.full_name}: starting afresh, the progress cannot be used ({error})")
        return None


def _say_changed(table: DumpTable, say: Say) -> None:
    say(f"{table.full_name}: starting afresh, {table.member} has changed since the profile was interrupted")


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open a database within the budget, and a folder for its work."""
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=work_folder(settings)) as folder,
        open_database(database_options(settings), Path(folder)) as connection,
    ):
        yield connection, Path(folder)
