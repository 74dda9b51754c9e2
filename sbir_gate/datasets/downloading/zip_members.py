"""A member of a remote zip on its way to a file: its bytes alone, unpacked, held against its CRC-32."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sbir_gate.datasets.downloading.downloads import Fetched
from sbir_gate.datasets.downloading.partials import Origin, PartialFile, publish, unwritable
from sbir_gate.datasets.downloading.responses import BLOCK_BYTES, RemoteFile
from sbir_gate.datasets.downloading.transfers import (
    DownloadOptions,
    Span,
    Transfer,
    Wanted,
    persist,
    read_range,
    sha256_of,
)
from sbir_gate.errors import InputError, NoRoomError
from sbir_gate.files import open_file
from sbir_gate.retrying import TransientError

MEMBER_NAME = re.compile(r"[0-9]{1,20}\.dat(\.gz)?")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_HEADER_MAGIC = b"PK\x03\x04"

FindMember = Callable[[bytes, str | None], str]
"""Called with the content of `toc.dat` and a table (None: the best known); returns the file of the table."""


@dataclass(frozen=True, slots=True)
class DumpOptions:
    """Which table to take, how its member is found, and what it must be (size and SHA-256, where known)."""

    table: str | None
    find_member: FindMember
    size_bytes: int | None = None
    sha256: str | None = None
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the remote zip on its way to the file `target`.

    Its bytes come as they are in the zip; only when all are there are they unpacked and checked.
    """

    remote: RemoteFile
    validator: str | None
    info: zipfile.ZipInfo
    target: Path

    @property
    def partial(self) -> PartialFile:
        """The bytes of the member, as they are in the zip."""
        return PartialFile(self.target)

    def fetch(self, dump: DumpOptions, options: DownloadOptions) -> Fetched:
        """Return the member on disk, whole and checked; one that is there already is not asked for again."""
        if not dump.is_forced and self._is_there():
            return self._checked(dump, 0)
        if dump.size_bytes not in {None, self.info.file_size}:
            raise InputError(
                f"{self.info.filename} has {self.info.file_size:,} bytes, not {dump.size_bytes:,}",
                "the dump was changed: check the source, then sources.recipients.size_bytes in the settings",
                path=self.remote.address,
            )
        self._check_room(options)
        span = Span(self._data_starts_at(options), self.info.compress_size)
        transfer = Transfer(self.remote, self.partial, Wanted(self.target), options, span, self.validator)

        def attempt() -> None:
            if span.size_bytes:
                transfer.attempt()
            else:
                self.partial.restart(Origin(str(self.remote.address), span.first_byte, self.validator, 0))
            self._unpack()

        persist(attempt, self.remote, options, lambda: transfer.farthest)
        return self._checked(dump, transfer.received)

    def _checked(self, dump: DumpOptions, received: int) -> Fetched:
        if dump.sha256 is not None and (found := sha256_of(self.target)) != dump.sha256:
            hint = "the dump was changed: check the source, then sources.recipients.sha256 in the settings"
            raise InputError(f"its SHA-256 is {found}, not {dump.sha256}", hint, path=self.target)
        return Fetched(self.target, self.info.file_size, received, is_verified=True)

    def _is_there(self) -> bool:
        try:
            if self.target.stat().st_size != self.info.file_size:
                return False
            with open_file(self.target) as file:
                return _crc(iter(lambda: file.read(BLOCK_BYTES), b"")) == (self.info.CRC, self.info.file_size)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unwritable(self.target, error) from error

    def _check_room(self, options: DownloadOptions) -> None:
        needed = self.info.compress_size - self.partial.size()
        if self.info.compress_type != zipfile.ZIP_STORED:
            needed += self.info.file_size
        free = options.free_bytes(self.target.parent)
        if needed > free:
            problem = f"{needed:,} bytes are needed, and {free:,} are free"
            hint = "make room, or name an --output on another disk"
            raise NoRoomError(problem, hint, path=self.target.parent)

    def _data_starts_at(self, options: DownloadOptions) -> int:
        """Return where the member's bytes start: after its local header, which contains its own length."""
        first = self.info.header_offset
        header = persist(
            lambda: read_range(self.remote, first, first + _LOCAL_HEADER.size - 1, self.validator),
            self.remote,
            options,
        )
        magic, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
        if magic != _LOCAL_HEADER_MAGIC:
            raise InputError(
                f"the zip is damaged at byte {first:,}", "check the source", path=self.remote.address
            )
        return first + _LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)

    def _unpack(self) -> None:
        """Check what came against CRC-32 and size in the zip, and give it the member's name, unpacked."""
        path = self.partial.path
        unpacked = path.with_name(f"{self.target.name}.unpacked")
        is_stored = self.info.compress_type == zipfile.ZIP_STORED
        try:
            with open_file(path) as file:
                blocks = iter(lambda: file.read(BLOCK_BYTES), b"")
                if is_stored:
                    found = _crc(blocks)
                else:
                    with unpacked.open("wb") as output:
                        found = _crc(_written(_inflated(blocks), output, self.info.file_size))
        except zlib.error:
            found = (0, -1)
        except OSError as error:
            unpacked.unlink(missing_ok=True)  # the room that it took is needed by what is resumed
            raise unwritable(self.target, error) from error
        if found == (self.info.CRC, self.info.file_size):
            publish(path if is_stored else unpacked, self.target)
            self.partial.discard()
            return
        unpacked.unlink(missing_ok=True)
        self.partial.discard()
        raise TransientError(f"the CRC-32 of {self.info.filename} is wrong")


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for block in blocks:
        yield inflater.decompress(block)
    yield inflater.flush()


def _written(blocks: Iterator[bytes], output: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield the blocks as they are written; one that makes them too many is the last, and not written."""
    written = 0
    for block in blocks:
        written += len(block)
        if written <= most:
            output.write(block)
        yield block
        if written > most:
            return


def _crc(blocks: Iterator[bytes]) -> tuple[int, int]:
    """Return CRC-32 and size of all blocks."""
    crc = size = 0
    for block in blocks:
        crc, size = zlib.crc32(block, crc), size + len(block)
    return crc, size
