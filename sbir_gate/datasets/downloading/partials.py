"""Partial files: the part downloaded so far, the version of the file, and the lock."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sbir_gate.errors import OutputError, UsageError
from sbir_gate.files import place_durably, read_file, write_durably
from sbir_gate.locks import LockedError, locked

_MAX_ORIGIN_BYTES = 1 << 20
_FORMAT_VERSION = 1
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a partial file is a part of.

    `address` is the URL without its secrets; `first_byte` where the partial file starts in the file there
    (0 but for a member of a zip); `validator` and `total_bytes` tell the version of that file.
    """

    address: str
    first_byte: int
    validator: str | None
    total_bytes: int | None


@dataclass(frozen=True, slots=True)
class PartialFile:
    """`<target>.part` and, beside it, `<target>.part.json` with its `Origin`.

    Every method raises OutputError for what the disk refuses; what has come until then stays.
    """

    target: Path

    @property
    def path(self) -> Path:
        """Where the bytes are until all have come."""
        return self.target.with_name(self.target.name + ".part")

    @property
    def origin_path(self) -> Path:
        """Where it is written down what they are of."""
        return self.target.with_name(self.target.name + ".part.json")

    def size(self) -> int:
        """Return how many bytes have come."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise unwritable(self.path, error) from error

    def origin(self) -> Origin | None:
        """Return which file the bytes belong to; None if unknown, then they cannot be used."""
        try:
            content = json.loads(read_file(self.origin_path, _MAX_ORIGIN_BYTES))
            if content.pop("format_version") != _FORMAT_VERSION:
                return None
            origin = Origin(**content)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        kinds = ((origin.address, str), (origin.first_byte, int), (origin.validator, str | None))
        is_sound = all(isinstance(value, kind) for value, kind in kinds)
        return origin if is_sound and isinstance(origin.total_bytes, int | None) else None

    def restart(self, origin: Origin) -> None:
        """Empty the file, and write down what will come."""
        try:
            # in this order: at no time do old bytes stand under the name of a new version
            self.path.write_bytes(b"")
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.describe(origin)

    def describe(self, origin: Origin) -> None:
        """Write down what the bytes are of."""
        document = {"format_version": _FORMAT_VERSION, **asdict(origin)}
        try:
            write_durably(self.origin_path, (json.dumps(document, indent=1) + "\n").encode())
        except OSError as error:
            raise unwritable(self.path, error) from error

    @contextmanager
    def appending(self) -> Iterator[BinaryIO]:
        """Open the file to write on at its end, unbuffered: a process that is killed loses nothing."""
        try:
            file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise unwritable(self.path, error) from error
        with file:
            yield file

    def write(self, file: BinaryIO, block: bytes) -> None:
        """Write a block whole: the disk may take less of it than it was given."""
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            raise unwritable(self.path, error) from error

    def finish(self, modified_at: float | None = None) -> None:
        """Give the file its final name and the time of the file on the server."""
        publish(self.path, self.target, modified_at)
        self.discard()

    def discard(self) -> None:
        """Remove the unusable partial file."""
        with suppress(OSError):
            self.origin_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)


def publish(path: Path, target: Path, modified_at: float | None = None) -> None:
    """Force a finished file to disk and give it its name in one step. Raises OutputError."""
    try:
        if modified_at is not None:
            os.utime(path, (modified_at, modified_at))
        place_durably(path, target)
    except OSError as error:
        raise unwritable(target, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder with all above it. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


@contextmanager
def sole_writer(target: Path) -> Iterator[None]:
    """Hold `<target>.lock`, so that two downloads never write to one file.

    Raises UsageError if another process holds it, OutputError if the lock file cannot be made.
    """
    path = target.with_name(target.name + ".lock")
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path))
        except LockedError as error:
            raise UsageError(
                f"{target}: another sbir-gate (process {error.holder}) is downloading to it",
                "wait for it, or name another --output",
            ) from error
        except OSError as error:
            raise unwritable(path, error) from error
        yield


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that the system will not write."""
    if error.errno in _NO_ROOM:
        return OutputError(
            "the disk is full", "free some space and run the same command again to resume", path=path
        )
    if error.errno == errno.EFBIG:
        return OutputError(
            "the file is larger than this system lets it be",
            "raise the limit (ulimit -f), or name an --output on another file system",
            path=path,
        )
    hint = "name an --output that you may write to"
    if error.errno in _NOT_ALLOWED:
        return OutputError(f"may not be written ({error.strerror})", hint, path=path)
    return OutputError(f"cannot be written ({error.strerror or error})", hint, path=path)
