"""The one place that knows which reader a source takes: delimited text, Parquet, or a table of a dump."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.files import open_file, read_at_most
from sbir_gate.git_leftovers import find_leftover
from sbir_gate.reading.dump_files import TOC_NAMES
from sbir_gate.reading.dump_rows import DumpRows, table_files
from sbir_gate.reading.files import FileKind, SourceFile, file_bytes, resolve_files
from sbir_gate.reading.loading import RawFile
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.remote_paths import is_remote, read_remotely

_HEAD_BYTES = 512
_DIGEST_CHUNK = 1 << 20


def open_source(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, work_folder: Path, options: ReadingOptions
) -> RawFile | DumpRows:
    """Open a file, or the table of a dump, for reading its header and then its rows.

    Raises InputError when it cannot be opened, is empty, or is not what its name says: also for what git
    left in its place.
    """
    check_content(file)
    read_remotely(connection, [file.path], options.retrying)
    if file.kind is FileKind.DUMP:
        return DumpRows(connection, file.path, file.table, work_folder, options)
    return RawFile(connection, file, work_folder, options)


def check_content(file: SourceFile) -> None:
    """Raise InputError for what git left in the place of a file."""
    if is_remote(file.path):
        return  # git has been in no bucket
    paths = [file.path / name for name in TOC_NAMES] if file.path.is_dir() else [file.path]
    for path in paths:
        with suppress(OSError), open_file(path) as opened:  # the reader itself says what cannot be opened
            leftover = find_leftover(read_at_most(opened, _HEAD_BYTES))
            if leftover is not None:
                raise InputError(leftover.problem, leftover.hint, path=path, line=leftover.line)


def source_name(file: SourceFile) -> str:
    """Return how messages name the source."""
    if file.member:
        return f"{file.path}: {file.member}"
    return f"{file.path}#{file.table}" if file.table is not None else str(file.path)


def source_bytes(file: SourceFile, options: ReadingOptions) -> int:
    """Return how many bytes reading the source will count; 0 if unknown.

    Raises InputError for a dump that cannot be opened.
    """
    if file.kind is FileKind.DUMP:
        return table_files(file.path, file.table, options)[0].size_bytes or 0
    return file_bytes(file.path)


def source_paths(file: SourceFile, options: ReadingOptions) -> list[Path]:
    """Return the files on disk that hold the source: of a dump in a folder, toc.dat and the member.

    Raises InputError for a dump that cannot be opened.
    """
    if file.kind is FileKind.DUMP:
        return table_files(file.path, file.table, options)[1]
    return [file.path]


def count_rows_of(source: str | Path, work_folder: Path, options: ReadingOptions) -> int:
    """Return the rows of a source, those that cannot be read included. Raises InputError."""
    rows = 0
    with duckdb.connect() as connection:
        for file in resolve_files(source):
            with open_source(connection, file, work_folder, options) as raw:
                for block in raw.blocks([0]):
                    rows += block.rows + len(block.rejects)
    return rows


def source_digest(source: str | Path, options: ReadingOptions) -> str:
    """Return the SHA-256 over the bytes of all files of a source. Raises InputError."""
    digest = hashlib.sha256()
    digest_source(source, options, digest.update)
    return digest.hexdigest()


def digest_source(source: str | Path, options: ReadingOptions, update: Callable[[bytes], None]) -> None:
    """Hand over the bytes of all files of a source, and the name of its table. Raises InputError."""
    for file in resolve_files(source):
        for path in source_paths(file, options):
            _digest_file(path, update)
        if file.table is not None:
            update(file.table.encode())


def _digest_file(path: Path, update: Callable[[bytes], None]) -> None:
    try:
        with open_file(path) as file:
            while block := file.read(_DIGEST_CHUNK):
                update(block)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", "check that it exists and may be read", path=path
        ) from error
