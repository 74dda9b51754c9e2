"""A PostgreSQL dump in directory format, a folder or a zip of one: its tables, and their data as a stream."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sbir_gate.errors import InputError
from sbir_gate.reading.copy_text import statement_columns
from sbir_gate.reading.dump_files import DAMAGE_HINT, TOC_NAMES, DumpFolder, DumpZip, MemberStream
from sbir_gate.reading.toc import Toc, TocEntry, parse_toc
from sbir_gate.retrying import RetryPolicy
from sbir_gate.wrong_input import did_you_mean

RECIPIENT_TABLES = ("recipient_lookup", "recipient_profile", "duns")
"""The tables of USAspending that hold recipients, the best first."""

_MAX_TOC_BYTES = 1 << 30
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_FOREIGN_SUFFIXES = {".lz4": "lz4", ".zst": "zstd"}
_READ_ENCODINGS = frozenset({"UTF8", "SQL_ASCII"})
_SHOWN_TABLES = 12


@dataclass(frozen=True, slots=True)
class DumpTable:
    """A table of a dump. `member` is the file with its data, empty if it has none.

    `size_bytes` is the member's compressed size, None if it is missing; `fingerprint` identifies its state
    without reading it.
    """

    schema: str
    name: str
    member: str
    size_bytes: int | None
    fingerprint: str
    entry: TocEntry

    @property
    def full_name(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open of it."""
        self._source.close()

    def tables(self) -> list[DumpTable]:
        """Return the tables whose data the dump should hold, in its own order."""
        return [self._table(entry) for entry in self.toc.entries if entry.is_table_data]

    def find(self, name: str) -> DumpTable:
        """Return the table of this name, plain or with its schema (`rpt.recipient_lookup`).

        Raises InputError when there is none, or several of this name in different schemas.
        """
        entries = [entry for entry in self.toc.entries if entry.is_table_data]
        found = [entry for entry in entries if name in {entry.tag, f"{entry.schema}.{entry.tag}"}]
        if not found:
            raise self._missing(name, entries)
        if len(found) > 1:
            choices = ", ".join(f"{entry.schema}.{entry.tag}" for entry in found)
            raise InputError(
                f"holds {len(found)} tables named {name!r}", f"say which one: {choices}", path=self.path
            )
        return self._table(found[0])

    def find_recipients(self) -> DumpTable:
        """Return the first of RECIPIENT_TABLES that the dump has data of; raises InputError for none."""
        entries = [entry for entry in self.toc.entries if entry.is_table_data]
        names = {entry.tag for entry in entries}
        for name in RECIPIENT_TABLES:
            if name in names:
                return self.find(name)
        raise InputError(
            f"holds no data of a known table of recipients ({', '.join(RECIPIENT_TABLES)}); "
            f"it has {_shown(entries)}",
            f"name the table: '{self.path}#schema.table'",
            path=self.path,
        )

    def columns(self, table: DumpTable) -> list[str]:
        """Return the table's columns, as its COPY statement names them.

        Raises InputError when the data is not COPY text (`pg_dump --inserts`) or not UTF-8.
        """
        where = f"{self.path}: {table.full_name}"
        try:
            columns = list(statement_columns(table.entry.copy_statement))
        except ValueError as error:
            raise InputError(
                f"{where}: its data cannot be read ({error})",
                "recreate the dump without --inserts and --column-inserts",
            ) from error
        if not columns:
            raise InputError(f"{where}: has no columns", "name another table")
        if self.toc.encoding not in _READ_ENCODINGS:
            raise InputError(
                f"{where}: its text is encoded as {self.toc.encoding}, not UTF-8",
                "recreate the dump with 'pg_dump --encoding=UTF8'",
            )
        return columns

    def open_member(self, table: DumpTable) -> MemberStream:
        """Open the table's data. Raises InputError when its file is missing, or is neither plain nor gzip."""
        name = table.member
        if not name:
            raise InputError(
                f"{table.full_name} has no data in this dump",
                "recreate the dump without --schema-only and --exclude-table-data",
                path=self.path,
            )
        if self.toc.compression not in {"none", "gzip"}:
            raise self._foreign_compression(table, self.toc.compression)
        if name not in self._files:
            for suffix, compression in _FOREIGN_SUFFIXES.items():
                if f"{name}{suffix}" in self._files:
                    raise self._foreign_compression(table, compression)
            raise InputError(
                f"{name}, the data of {table.full_name}, is missing",
                "copy or download the dump again, with all of its files",
                path=self.path,
            )
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
        file = self._files.get(member)
        is_known = file is not None and bool(member)
        return DumpTable(
            schema=entry.schema,
            name=entry.tag,
            member=member if entry.has_data else "",
            size_bytes=file.size_bytes if file is not None and is_known else None,
            fingerprint=file.fingerprint if file is not None and is_known else "",
            entry=entry,
        )

    def _missing(self, name: str, entries: list[TocEntry]) -> InputError:
        if any(
            entry.tag == name.rpartition(".")[2] and entry.description == "TABLE"
            for entry in self.toc.entries
        ):
            return InputError(
                f"has the table {name!r}, but no data of it",
                "recreate the dump without --schema-only and --exclude-table-data, or name another table",
                path=self.path,
            )
        names = {entry.tag: None for entry in entries} | {
            f"{entry.schema}.{entry.tag}": None for entry in entries
        }
        hint = did_you_mean(name, names) or "'sbir-gate data profile' lists the tables"
        return InputError(f"holds no table {name!r}; it has {_shown(entries)}", hint, path=self.path)

    def _foreign_compression(self, table: DumpTable, compression: str) -> InputError:
        return InputError(
            f"the data of {table.full_name} is compressed with {compression}; only gzip and none can be read",
            "recreate the dump with 'pg_dump --format=directory --compress=gzip'",
            path=self.path,
        )

    def _toc_name(self) -> str:
        return next(name for name in TOC_NAMES if name in self._files)

    def _read_toc(self) -> Toc:
        content = bytearray()
        with self._source.open(self._toc_name()) as stream:
            for chunk in stream.chunks():
                content += chunk
                if len(content) > _MAX_TOC_BYTES:
                    raise InputError(f"{stream.origin}: is larger than {_MAX_TOC_BYTES:,} bytes", DAMAGE_HINT)
            return parse_toc(bytes(content), stream.origin)


def _shown(entries: list[TocEntry]) -> str:
    if not entries:
        return "no table with data"
    names = sorted(f"{entry.schema}.{entry.tag}" for entry in entries)
    more = f" and {len(names) - _SHOWN_TABLES:,} more" if len(names) > _SHOWN_TABLES else ""
    return ", ".join(names[:_SHOWN_TABLES]) + more
