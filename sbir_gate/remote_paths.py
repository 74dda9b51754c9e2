"""Paths on remote storage: what fsspec reads, with the operations of a path of this machine.

An address such as `s3://bucket/folder` becomes a `UPath`, which does what is asked of a `pathlib.Path` here,
so that readers and writers need not know where a file lies. What differs is in this module and in `files`:
bytes are read in ranges, files are written whole, faults of the network become OSErrors.
Credentials are those that the package of the storage finds in the environment: an address has none.
"""

from __future__ import annotations

import errno
import io
import re
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, BinaryIO, cast

from sbir_gate.errors import InputError, UsageError
from sbir_gate.retrying import RetryPolicy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from duckdb import DuckDBPyConnection
    from fsspec import AbstractFileSystem
    from upath import UPath

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PASSWORD = re.compile(r"//[^@]*:[^@]*@")
_USER = re.compile(r"//[^/@\s]+@")
_ESCAPED = re.compile(r"\[([*?[])\]")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "http": "http", "https": "http"}
_WEB = ("http", "https")
_BLOCK_BYTES = 8 << 20
# what says which version of a file this is, by the storages' own names
_VERSION_FIELDS = (
    "ETag", "etag", "VersionId", "generation", "md5Hash", "Content-MD5", "content_md5",
    "LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created",
)  # fmt: skip
# what the packages of the storages raise besides OSErrors, by the module that has the class
_FAULTS = {
    "aiohttp": ("ClientError",),
    "azure.core.exceptions": ("AzureError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "ftplib": ("Error",),
    "gcsfs.retry": ("HttpError",),
    "google.auth.exceptions": ("GoogleAuthError",),
}
_CREDENTIALS_HINT = (
    "set the credentials in the environment as the storage's own tools expect them, on the workers of a "
    "cluster too, and check what they may do"
)
_NETWORK_HINT = "check the network and the address, and run the same command again"


# the database passes no error of Python on: what reads for it leaves the last one here
_READ_FAULTS: deque[OSError] = deque(maxlen=1)


class StorageError(OSError):
    """What remote storage refused or failed to do: `strerror` says why, `hint` what may help."""

    hint = _NETWORK_HINT


class RangesError(StorageError):
    """The server sends whole files alone."""

    hint = "download the file first: of Parquet only some ranges are read, which this server does not serve"


class CredentialsError(StorageError, PermissionError):
    """There are no credentials, or not for this."""

    hint = _CREDENTIALS_HINT


def path_of(source: str | Path) -> Path:
    """Return the path that a text names: on this machine, or on remote storage for `scheme://...`.

    Raises UsageError for an address with a secret, or of storage that nothing installed can read, InputError
    for storage that cannot be reached.
    """
    if not isinstance(source, str):
        return source
    found = _ADDRESS.match(source)
    return Path(source) if found is None else _remote_path(source, found[1].lower())


def is_address(text: str) -> bool:
    """Say whether a text is the address of a path on remote storage."""
    return _ADDRESS.match(text) is not None


def is_remote(path: object) -> bool:
    """Say whether a path is on remote storage."""
    return not isinstance(path, str | Path)


def _remote_path(address: str, scheme: str) -> Path:
    if _PASSWORD.search(address):
        raise UsageError("an address must not hold a password or key", _CREDENTIALS_HINT)
    if scheme in _WEB and ("?" in address or "@" in address):
        hint = "download the file first: what follows the ? is often a secret, and would be in messages"
        raise UsageError(f"an address {scheme}:// must not have a query or a user", hint)
    extra = _EXTRAS.get(scheme)
    hint = f"pip install 'sbir-gate[{extra}]'" if extra else "pip install universal-pathlib"
    try:
        from upath import UPath  # noqa: PLC0415 -- an extra: not everybody has it

        # a listing that is kept does not show what another process has written since
        path = UPath(address, use_listings_cache=False)
        with storage_errors(address):
            _ = path.fs
    except ImportError as error:
        if extra is None and error.name != "upath":
            hint = str(error)
        raise UsageError(f"what reads {scheme}:// is not installed", hint, path=address) from error
    except ValueError as error:
        hint = "take an address such as s3://bucket/folder"
        raise UsageError(f"{scheme}:// is not storage that fsspec knows", hint, path=address) from error
    except OSError as error:  # some storages are connected to before anything is asked for
        hint = getattr(error, "hint", _NETWORK_HINT)
        raise InputError(f"cannot be reached ({error.strerror})", hint, path=address) from error
    return cast("Path", path)  # not one, but it does what is asked of one here


def _storage(path: Path) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a remote path, and the path as that knows it."""
    remote = cast("UPath", path)
    return remote.fs, remote.path


def read_fault() -> OSError | None:
    """Return what kept the database from reading remote storage, once; None where nothing did."""
    return _READ_FAULTS.pop() if _READ_FAULTS else None


@contextmanager
def _left_for_the_database(path: str) -> Iterator[None]:
    try:
        with storage_errors(path):
            yield
    except OSError as error:
        _READ_FAULTS.append(error)
        raise


@contextmanager
def storage_errors(path: object) -> Iterator[None]:
    """Raise as OSErrors what a file system of fsspec raises in the block: transient ones for the network."""
    try:
        yield
    except StorageError:
        raise
    except _faults() as error:
        # the web's says so too where the host did not answer
        if isinstance(error, FileNotFoundError) and not isinstance(error.__cause__, OSError):
            raise FileNotFoundError(errno.ENOENT, "no such file or folder", str(path)) from error
        kind = type(error).__name__
        reason = " ".join(_USER.sub("//***@", str(error)).split()) or kind
        if isinstance(error, PermissionError) or "Credential" in kind or "Auth" in kind:
            raise CredentialsError(errno.EACCES, f"not permitted: {reason}", str(path)) from error
        raise StorageError(errno.EIO, reason, str(path)) from error


def _faults() -> tuple[type[Exception], ...]:
    """Return the errors of those packages of storages that are loaded, and of fsspec itself."""
    loaded = ((sys.modules.get(module), names) for module, names in _FAULTS.items())
    own: list[type[Exception]] = [
        getattr(module, name) for module, names in loaded if module for name in names
    ]
    return (OSError, RuntimeError, *own)


def listed(folder: Path) -> list[Path]:
    """Return the files in a remote folder, in one request. Raises OSError."""
    filesystem, name = _storage(folder)
    with storage_errors(folder):
        found = filesystem.ls(name, detail=True)
    return [_sibling(folder, each["name"]) for each in found if each["type"] != "directory"]


def matches(pattern: str, path: Path) -> list[Path]:
    """Return the remote files that match the pattern of which `path` was made. Raises OSError."""
    filesystem, name = _storage(path)
    with storage_errors(pattern):
        found = filesystem.glob(name, detail=True)
    return [_sibling(path, name) for name, each in found.items() if each["type"] != "directory"]


def _sibling(path: Path, name: str) -> Path:
    filesystem, _ = _storage(path)
    return path_of(filesystem.unstrip_protocol(name))


def is_folder(path: Path, address: str) -> bool:
    """Say whether a remote path is a folder, on the web one whose address ends in a slash.

    Raises OSError: FileNotFoundError for what is not there.
    """
    if _storage(path)[0].protocol in {_WEB, *_WEB}:
        return address.endswith("/")
    with storage_errors(path):
        return S_ISDIR(path.stat().st_mode)


def version_of(path: Path) -> str:
    """Return what says which state a remote file is in: its size and what the storage calls its version.

    Raises OSError.
    """
    filesystem, name = _storage(path)
    with storage_errors(path):
        facts = filesystem.info(name)
    versions = [f"{field}={facts[field]}" for field in _VERSION_FIELDS if facts.get(field)]
    return " ".join([f"size={facts.get('size')}", *versions])


def open_remote(path: Path) -> BinaryIO:
    """Open a remote file for reading bytes. Raises OSError."""
    filesystem, name = _storage(path)
    with storage_errors(path):
        return cast("BinaryIO", _RemoteFile(path, filesystem.open(name, "rb", block_size=_BLOCK_BYTES)))


def upload(finished: Path, target: Path) -> None:
    """Make a remote file of a local one: whole or not at all where the storage can. Raises OSError."""
    filesystem, name = _storage(target)
    with storage_errors(target):
        filesystem.put_file(str(finished), name)


def write_remote(target: Path, content: bytes) -> None:
    """Make a remote file of this content. Raises OSError."""
    filesystem, name = _storage(target)
    with storage_errors(target):
        filesystem.pipe_file(name, content)


def check_writable(target: Path) -> None:
    """Write a file beside a remote file that is to be written later, and remove it. Raises OSError."""
    trial = target.with_name(f".{target.name}.trial")
    write_remote(trial, b"")
    with suppress(OSError):
        remove_remote(trial)


def remove_remote(path: Path) -> None:
    """Remove a remote file or folder, if it is there. Raises OSError."""
    filesystem, name = _storage(path)
    with suppress(FileNotFoundError), storage_errors(path):
        filesystem.rm(name, recursive=True)


class _RemoteFile(io.RawIOBase):
    """A file of remote storage that is read and sought in, with the errors of `storage_errors`."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__()
        self._path = path
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        with storage_errors(self._path):
            data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset == self._file.tell():
            return offset  # a stream of the web cannot be sought in, and need not
        with storage_errors(self._path):
            return self._file.seek(offset, whence)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_remotely(
    connection: DuckDBPyConnection, paths: Iterable[Path], retrying: RetryPolicy | None = None
) -> None:
    """Let the database read remote files by their addresses; for those of this machine nothing is done."""
    for path in paths:
        if is_remote(path):
            filesystem, _ = _storage(path)
            known = connection.list_filesystems()
            ranges = _ranges_class()(filesystem, retrying, skip_instance_cache=True)
            if not {ranges.protocol, *ranges.protocol} & set(known):
                connection.register_filesystem(ranges)


@cache
def _ranges_class() -> type:
    from fsspec import AbstractFileSystem  # noqa: PLC0415 -- an extra: not everybody has it

    class Ranges(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
        """Files of another file system, to be read in ranges by several threads at once."""

        def __init__(self, storage: AbstractFileSystem, retrying: RetryPolicy | None) -> None:
            super().__init__()
            self.protocol = storage.protocol
            self._storage = storage
            self._retrying = retrying

        def glob(self, path: str, **_options: object) -> list[str]:
            return [_ESCAPED.sub(r"\1", path)]  # whoever reads has listed the files, and names each

        def info(self, path: str, **_options: object) -> dict[str, object]:
            with _left_for_the_database(path):
                return dict(self._storage.info(path))

        def modified(self, _path: str) -> datetime:
            return datetime.fromtimestamp(0, UTC)  # that no file changes during a run is checked elsewhere

        def open(self, path: str, mode: str = "rb", **_options: object) -> _RangeFile:
            if mode != "rb":
                raise OSError(errno.EROFS, "only read here", path)
            return _RangeFile(self._storage, path, self._retrying)

    return Ranges


class _RangeFile(threading.local):
    """A file as the database reads it: threads share one, and each has its place."""

    def __init__(self, storage: AbstractFileSystem, path: str, retrying: RetryPolicy | None) -> None:
        self._storage = storage
        self._path = path
        self._retrying = retrying
        self._position = 0

    def seek(self, offset: int, _whence: int = io.SEEK_SET) -> int:
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        start = self._position

        def read() -> bytes:
            with storage_errors(self._path):
                found = bytes(self._storage.cat_file(self._path, start=start, end=start + size))
            if len(found) > size:
                raise RangesError(errno.EOPNOTSUPP, "the server does not serve ranges of it", self._path)
            return found

        with _left_for_the_database(self._path):
            data = read() if self._retrying is None else self._retrying.call(read)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close nothing: each range is a request of its own."""
