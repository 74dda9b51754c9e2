"""From a path, folder or glob to the ordered list of files to read."""

from __future__ import annotations

import glob
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from sbir_gate.errors import InputError
from sbir_gate.files import check_file, files_in, is_there, near_miss, open_file, state_of, unreadable
from sbir_gate.reading.dump_files import TOC_NAMES, holds_dump
from sbir_gate.remote_paths import is_folder, is_remote, matches, path_of

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_DELIMITED_SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
TEXT_SUFFIXES = (*_DELIMITED_SUFFIXES, *JSON_SUFFIXES, ".gz")
_PACKED_SUFFIXES = tuple(
    suffix + packing
    for suffix in (".csv", ".tsv", ".dat", *JSON_SUFFIXES)  # a text beside the data is a note
    for packing in ("", ".gz")
)
PARQUET_SUFFIXES = (".parquet", ".pq")
DUMP_SUFFIX = ".zip"
KNOWN_TYPES = (
    "CSV, TSV, TXT, JSON or a SAM extract (.dat), also as .gz or in a .zip, Parquet, a folder or a glob of "
    "them, or a PostgreSQL dump"
)
_TABLE_MARK = "#"
_MEMBER = re.compile(r"[0-9]+\.dat(\.gz)?")


class FileKind(StrEnum):
    """How a file is read."""

    TEXT = "text"
    PARQUET = "Parquet"
    DUMP = "PostgreSQL dump"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read, a member of a zip, or one table of a dump (`table` None: the first that is known)."""

    path: Path
    kind: FileKind
    table: str | None = None
    member: str = ""

    @property
    def file_name(self) -> str:
        """The name whose suffix says how the text is read."""
        return self.member or self.path.name

    @property
    def is_json(self) -> bool:
        """Whether its text is JSON."""
        return self.file_name.lower().removesuffix(".gz").endswith(JSON_SUFFIXES)


def file_bytes(path: Path) -> int:
    """Return the size of a file; 0 if unknown."""
    try:
        return state_of(path).st_size or 0
    except OSError:
        return 0


def resolve_files(source: str | Path) -> list[SourceFile]:
    """Return the files that a path or an address names, sorted by path; all are of one kind.

    A folder means its visible data files, not those of folders in it, unless it holds a `toc.dat`: then
    it is a dump, as is a `.zip` with one. Any other `.zip` means the data files in it, in their order.
    `dump#table` names a table of a dump, where no file has that whole name.

    Raises InputError for a path that does not exist, a folder or glob without data files, a file of
    an unknown type, a mix of types, and what is named like a data file and is none, such as a pipe.
    """
    path = path_of(source)
    try:
        if _is_folder(path, source):
            inside = files_in(path)
            if holds_dump(inside):
                return [SourceFile(path, FileKind.DUMP)]
            found = [child for child in inside if _is_data_file(child) and not child.name.startswith(".")]
            if not found and any(_MEMBER.fullmatch(child.name) for child in inside):
                problem = "holds files of a PostgreSQL dump, but no toc.dat, which says what they are"
                hint = "copy or download the dump again, with all of its files"
                raise InputError(problem, hint, path=path)
            return _same_kind(
                found, source, f"the folder holds no {KNOWN_TYPES.partition(',')[0]} or Parquet file"
            )
        if is_there(path):
            return _members(path) or _same_kind([path], source, "")
        dump, mark, table = str(source).rpartition(_TABLE_MARK)
        if mark and is_there(path_of(dump)):
            return [_table_of(path_of(dump), table)]
        if glob.has_magic(str(source)):
            return _same_kind(_matches(str(source)), source, "no file matches the pattern")
    except OSError as error:
        raise unreadable(path, error) from error
    raise InputError(
        "no such file or folder", near_miss(path) or f"give the path of {KNOWN_TYPES}", path=source
    )


def _is_folder(path: Path, source: str | Path) -> bool:
    if not is_remote(path):
        return path.is_dir()
    try:
        return is_folder(path, str(source))
    except FileNotFoundError:
        return False


def _matches(pattern: str) -> list[Path]:
    path = path_of(pattern)
    if is_remote(path):
        return matches(pattern, path)
    found = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 -- absolute patterns too
    return [match for match in found if not match.is_dir()]


def _kind(path: Path) -> FileKind | None:
    name = path.name.lower()
    if name.endswith(PARQUET_SUFFIXES):
        return FileKind.PARQUET
    if name.endswith(DUMP_SUFFIX):
        return FileKind.DUMP
    return FileKind.TEXT if name.endswith(TEXT_SUFFIXES) else None


def _is_data_file(path: Path) -> bool:
    """Say whether a file in a folder is data: no zip, which is their package, and no member of a dump."""
    return _kind(path) in {FileKind.TEXT, FileKind.PARQUET} and not _MEMBER.fullmatch(path.name)


def _members(path: Path) -> list[SourceFile]:
    """Return the data files in a zip that holds no dump, by their names, numbers in them in their order."""
    if _kind(path) is not FileKind.DUMP:
        return []
    try:
        with (
            BufferedReader(open_file(path)) as file,
            zipfile.ZipFile(cast("BinaryIO", file)) as package,
        ):
            names = [info.filename for info in package.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return []  # the reader of dumps says what is wrong
    if any(name.rpartition("/")[2] in TOC_NAMES for name in names):
        return []
    data = [
        name for name in names if name.lower().endswith(_PACKED_SUFFIXES) and not name.startswith("__MACOSX/")
    ]
    return [SourceFile(path, FileKind.TEXT, member=name) for name in sorted(data, key=_natural)]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split("([0-9]+)", name)]


def _table_of(dump: Path, table: str) -> SourceFile:
    if not table:
        raise InputError(f"{dump}{_TABLE_MARK}: names no table", f"write {dump}{_TABLE_MARK}schema.table")
    if not dump.is_dir() and _kind(dump) is not FileKind.DUMP:
        raise InputError(
            f"is not a PostgreSQL dump, so it has no table {table!r}",
            f"only a folder with toc.dat, or a {DUMP_SUFFIX} of one, is asked for a table with {_TABLE_MARK}",
            path=dump,
        )
    return SourceFile(dump, FileKind.DUMP, table)


def _same_kind(paths: Sequence[Path], source: str | Path, complaint: str) -> list[SourceFile]:
    if not paths:
        raise InputError(f"{complaint}", f"give the path of {KNOWN_TYPES}", path=source)
    files = []
    for path in sorted(paths, key=str):
        try:
            check_file(path)
        except OSError as error:
            raise unreadable(path, error) from error
        kind = _kind(path)
        if kind is None:
            suffix = "".join(path.suffixes[-2:]) or "no suffix"
            raise InputError(f"unknown type of file ({suffix})", f"give the path of {KNOWN_TYPES}", path=path)
        files.append(SourceFile(path, kind))
    kinds = sorted({file.kind for file in files}, reverse=True)
    if len(kinds) > 1:
        first, second = kinds[:2]
        problem = f"holds both {first} ({_first(files, first)}) and {second} ({_first(files, second)}) files"
        hint = "the same rows may be in both: name one kind with a glob, e.g. 'folder/*.parquet'"
        raise InputError(problem, hint, path=source)
    return files


def _first(files: Sequence[SourceFile], kind: FileKind) -> str:
    return next(file.path.name for file in files if file.kind is kind)
