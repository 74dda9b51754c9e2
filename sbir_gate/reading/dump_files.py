"""The files of a dump, in a folder or in a zip: which there are, how large, and their bytes unpacked."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from sbir_gate.errors import InputError
from sbir_gate.files import unreadable
from sbir_gate.reading.text import PersistentFile, SeekableFile
from sbir_gate.reading.toc import MAGIC
from sbir_gate.retrying import RetryPolicy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TOC_NAMES = ("toc.dat", "toc.dat.gz")
DAMAGE_HINT = "copy or download the dump again"
CHUNK_BYTES = 1 << 20
_ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class DumpFile:
    """A file of a dump: its size in the dump; `fingerprint` identifies its state."""

    size_bytes: int
    fingerprint: str


class DumpFolder:
    """The files of a dump that is a folder. Raises InputError when it holds no `toc.dat`."""

    def __init__(self, path: Path, retrying: RetryPolicy) -> None:
        self._path = path
        self._retrying = retrying
        self.files: Mapping[str, DumpFile] = {}
        try:
            self.files = {
                child.name: DumpFile(
                    child.stat().st_size, f"{child.stat().st_size}-{child.stat().st_mtime_ns}"
                )
                for child in path.iterdir()
                if child.is_file()
            }
            inside = [child.parent for child in path.glob("*/toc.dat*") if child.name in TOC_NAMES]
        except OSError as error:
            raise unreadable(path, error) from error
        if not any(name in self.files for name in TOC_NAMES):
            raise _no_toc(path, f"name the folder {inside[0]}" if inside else "")

    def paths(self, names: tuple[str, ...]) -> list[Path]:
        """Return the paths of those of the files that are there."""
        return [self._path / name for name in names if name in self.files]

    def open(self, name: str) -> MemberStream:
        """Open one of the files. Raises InputError."""
        path = self._path / name
        try:
            file = PersistentFile(path, self._retrying)
        except OSError as error:
            raise unreadable(path, error) from error
        is_gzip = name.endswith(".gz")
        return MemberStream(cast("BinaryIO", file), str(path), is_gzip, self.files[name].size_bytes)

    def close(self) -> None:
        """Close nothing: each file is open by itself."""


class DumpZip:
    """The files of a dump that is a zip, also where they are in a folder inside it.

    Raises InputError when the file is not a zip, or holds no `toc.dat` or several.
    """

    def __init__(self, path: Path, retrying: RetryPolicy) -> None:
        self._path = path
        with ExitStack() as stack:
            self._zip = self._opened(stack, retrying)
            names = self._zip.namelist()
            tocs = [
                name
                for name in names
                if name.rpartition("/")[2] in TOC_NAMES and not name.startswith("__MACOSX/")
            ]
            folders = sorted({name.rpartition("/")[0] for name in tocs})
            if not folders:
                raise _no_toc(path, "")
            if len(folders) > 1:
                hint = "unpack it, and name the folder of one"
                raise InputError(f"holds {len(folders)} dumps (in {', '.join(folders[:3])})", hint, path=path)
            self._prefix = f"{folders[0]}/" if folders[0] else ""
            self.files: Mapping[str, DumpFile] = {
                info.filename.removeprefix(self._prefix): DumpFile(
                    info.file_size, f"{info.file_size}-{info.CRC:08x}"
                )
                for info in self._zip.infolist()
                if info.filename.rpartition("/")[0] == folders[0] and not info.is_dir()
            }
            self._stack = stack.pop_all()

    def paths(self, names: tuple[str, ...]) -> list[Path]:  # noqa: ARG002 -- as of a folder
        """Return the path of the zip."""
        return [self._path]

    def open(self, name: str) -> MemberStream:
        """Open one of the files. Raises InputError."""
        try:
            file = self._zip.open(self._prefix + name)
        except _ZIP_ERRORS as error:
            raise InputError(
                f"{name} cannot be unpacked ({error})", "unpack the zip, and name the folder", path=self._path
            ) from error
        origin = f"{self._path}: {name}"
        return MemberStream(cast("BinaryIO", file), origin, name.endswith(".gz"), self.files[name].size_bytes)

    def close(self) -> None:
        """Close the zip."""
        self._stack.close()

    def _opened(self, stack: ExitStack, retrying: RetryPolicy) -> zipfile.ZipFile:
        path = self._path
        try:
            file = stack.enter_context(SeekableFile(path, retrying))
            _check_head(path, file.read(512))
            buffered = stack.enter_context(io.BufferedReader(file))
            return stack.enter_context(zipfile.ZipFile(cast("BinaryIO", buffered)))
        except _ZIP_ERRORS as error:
            raise InputError(f"is not a complete zip archive ({error})", DAMAGE_HINT, path=path) from error
        except OSError as error:
            raise unreadable(path, error) from error


class MemberStream:
    """The data of one member, unpacked as it is read. Use it as a context manager, or close it."""

    def __init__(self, file: BinaryIO, origin: str, is_gzip: bool, size_bytes: int) -> None:
        self.origin = origin
        self.size_bytes = size_bytes
        self._file = file
        self._counted = _CountedReader(file)
        self._is_gzip = is_gzip

    def __enter__(self) -> MemberStream:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def bytes_read(self) -> int:
        """How many of the member's `size_bytes` have been read."""
        return self._counted.position

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the data, unpacked, about a mebibyte at a time. Raises InputError when it is damaged."""
        unpacked = 0
        buffered = io.BufferedReader(self._counted, CHUNK_BYTES // 4)
        stream = gzip.GzipFile(fileobj=buffered) if self._is_gzip else buffered
        try:
            while chunk := stream.read(CHUNK_BYTES):
                unpacked += len(chunk)
                yield chunk
        except (EOFError, zlib.error, gzip.BadGzipFile, *_ZIP_ERRORS) as error:
            problem = f"is damaged after {unpacked:,} unpacked bytes ({error})"
            hint = f"{DAMAGE_HINT}: it is cut short or was changed on the way"
            raise InputError(problem, hint, path=self.origin) from error
        except OSError as error:
            raise unreadable(self.origin, error) from error


class _CountedReader(io.RawIOBase):
    """Passes reading on, and knows how far it came."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.position = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        self.position += len(data)
        return len(data)


def holds_dump(files: Iterable[Path]) -> bool:
    """Say whether the files of a folder look like a dump: there is a `toc.dat`."""
    return any(file.name in TOC_NAMES for file in files)


def _check_head(path: Path, head: bytes) -> None:
    if head.startswith(MAGIC):
        raise InputError(
            "is a single file of a PostgreSQL dump, not a whole dump in directory format",
            "name the folder that holds toc.dat; recreate a dump of the custom format with 'pg_dump "
            "--format=directory'",
            path=path,
        )
    if head[257:262] == b"ustar":
        raise InputError("is a tar archive", "unpack it, and name the folder that holds toc.dat", path=path)


def _no_toc(path: Path, hint: str) -> InputError:
    return InputError(
        "holds no toc.dat, so it is not a PostgreSQL dump in directory format",
        hint or "name the folder, or the zip of it, that 'pg_dump --format=directory' wrote",
        path=path,
    )
