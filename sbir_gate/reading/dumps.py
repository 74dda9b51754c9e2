"""A PostgreSQL dump in directory format, a folder or a zip of one: its tables, and their data as a stream."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.reading.copy_text import statement_columns
from sbir_gate.reading.dump_files import DAMAGE_HINT, TOC_NAMES, DumpFolder, DumpZip, MemberStream
from sbir_gate.reading.toc import NO_DATA_HINT, Toc, TocEntry, parse_toc
from sbir_gate.retrying import RetryPolicy

_MAX_TOC_BYTES = 1 << 30
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_FOREIGN_SUFFIXES = {".lz4": "lz4", ".zst": "zstd"}
_READ_ENCODINGS = frozenset({"UTF8", "SQL_ASCII"})


@dataclass(frozen=True, slots=True)
class DumpTable:
    """A table of a dump. `member` is the file with its data, empty if it has none.

    `size_bytes` is the member's compressed size, None if it is missing; `fingerprint` identifies its state
    without reading it.
    """

    member: str
    size_bytes: int | None
    fingerprint: str
    entry: TocEntry

    @property
    def full_name(self) -> str:
        """The name with its schema."""
        return self.entry.full_name


class Dump:
    """An open dump. Use it as a context manager, or close it.

    Raises InputError when the path is not a folder or zip with one complete `toc.dat` of a directory dump.
    """

    def __init__(self, path: Path, retrying: RetryPolicy) -> None:
        self.path = path
        self._source = DumpFolder(path, retrying) if path.is_dir() else DumpZip(path, retrying)
        self._files = self._source.files
        with ExitStack() as stack:
            stack.callback(self.close)
            self.toc = self._read_toc()
            stack.pop_all()  # all went well: it stays open until `close`

    def __enter__(self) -> Dump:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open of it."""
        self._source.close()

    def tables(self) -> list[DumpTable]:
        """Return the tables whose data the dump should hold, in its own order."""
        return list(map(self._table, self.toc.tables))

    def find(self, name: str | None) -> DumpTable:
        """Return the table of this name, as `Toc.find` does."""
        return self._table(self.toc.find(name, str(self.path)))

    def columns(self, table: DumpTable) -> list[str]:
        """Return the table's columns, as its COPY statement names them.

        Raises InputError when the data is not COPY text (`pg_dump --inserts`) or not UTF-8.
        """
        try:
            columns = list(statement_columns(table.entry.copy_statement))
        except ValueError as error:
            hint = "recreate the dump without --inserts and --column-inserts"
            raise self._unusable(table, f"its data cannot be read ({error})", hint) from error
        if not columns:
            raise self._unusable(table, "has no columns", "name another table")
        if self.toc.encoding not in _READ_ENCODINGS:
            problem = f"its text is encoded as {self.toc.encoding}, not UTF-8"
            raise self._unusable(table, problem, "recreate the dump with 'pg_dump --encoding=UTF8'")
        return columns

    def open_member(self, table: DumpTable) -> MemberStream:
        """Open the table's data. Raises InputError when its file is missing, or is neither plain nor gzip."""
        name = table.member
        if not name:
            raise self._unusable(table, "has no data in this dump", NO_DATA_HINT)
        if self.toc.compression not in {"none", "gzip"}:
            raise self._foreign_compression(table, self.toc.compression)
        if name not in self._files:
            for suffix, compression in _FOREIGN_SUFFIXES.items():
                if f"{name}{suffix}" in self._files:
                    raise self._foreign_compression(table, compression)
            hint = f"{DAMAGE_HINT}, with all of its files"
            raise self._unusable(table, f"its data, {name}, is missing", hint)
        return self._source.open(name)

    def paths(self, table: DumpTable) -> list[Path]:
        """Return the files on disk that hold the table: the zip, or the `toc.dat` and the member."""
        return self._source.paths((self._toc_name(), table.member))

    def _table(self, entry: TocEntry) -> DumpTable:
        name = entry.file_name
        if name and not _FILE_NAME.fullmatch(name):
            raise InputError(
                f"toc.dat names the file {name[:80]!r} for {entry.tag!r}, which is not a plain file name",
                "the dump is damaged or forged: get it again from a source that you trust",
                path=self.path,
            )
        member = next((found for found in (f"{name}.gz", name) if found in self._files), name)
        file = self._files.get(member) if member else None
        return DumpTable(
            member=member if entry.has_data else "",
            size_bytes=file.size_bytes if file else None,
            fingerprint=file.fingerprint if file else "",
            entry=entry,
        )

    def _foreign_compression(self, table: DumpTable, compression: str) -> InputError:
        problem = f"its data is compressed with {compression}; only gzip and none can be read"
        hint = "recreate the dump with 'pg_dump --format=directory --compress=gzip'"
        return self._unusable(table, problem, hint)

    def _unusable(self, table: DumpTable, problem: str, hint: str) -> InputError:
        return InputError(problem, hint, path=f"{self.path}: {table.full_name}")

    def _toc_name(self) -> str:
        return next(name for name in TOC_NAMES if name in self._files)

    def _read_toc(self) -> Toc:
        content = bytearray()
        with self._source.open(self._toc_name()) as stream:
            for chunk in stream.chunks():
                content += chunk
                if len(content) > _MAX_TOC_BYTES:
                    problem = f"is larger than {_MAX_TOC_BYTES:,} bytes"
                    raise InputError(problem, DAMAGE_HINT, path=stream.origin)
            return parse_toc(bytes(content), stream.origin)
