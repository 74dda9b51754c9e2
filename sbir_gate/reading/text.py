"""Text files as chunks of clean UTF-8: plain or gzipped, in whatever encoding they come.

Undecodable bytes never lose a row: a byte that is not UTF-8 is read as cp1252, and as latin-1 where
cp1252 has no such byte. NUL characters become blanks, byte order marks (also in the middle, where
files were joined) are dropped, and every line break is one newline.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from sbir_gate.errors import InputError
from sbir_gate.files import open_file, unreadable
from sbir_gate.retrying import RetryPolicy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_CHARACTERS = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_FOREIGN_MAGIC = {b"PK\x03\x04": "a zip archive", b"PAR1": "a Parquet file"}
_FALLBACK_ERRORS = "sbir-gate-cp1252"

FileOpener = Callable[[Path], BinaryIO]


def _decode_damaged(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    damaged = error.object[error.start : error.end]
    return "".join(_decode_byte(byte) for byte in damaged), error.end


def _decode_byte(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


codecs.register_error(_FALLBACK_ERRORS, _decode_damaged)


class PersistentFile(io.RawIOBase):
    """A file that is opened again, where it stood, when a read fails for a moment."""

    def __init__(self, path: Path, retrying: RetryPolicy, opener: FileOpener = open_file) -> None:
        super().__init__()
        self._path = path
        self._retrying = retrying
        self._opener = opener
        self._position = 0
        self._file: BinaryIO | None = None
        self._retrying.call(self._opened)

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self._position

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into the buffer; return the number of bytes, 0 at the end."""
        view = memoryview(buffer).cast("B")
        data = self._retrying.call(lambda: self._read(len(view)))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self._opener(self._path)
            self._file.seek(self._position)
        return self._file

    def _read(self, size: int) -> bytes:
        try:
            return self._opened().read(size)
        except OSError:
            self._file = None  # a stale handle never recovers: the retry opens the file anew
            raise


class SeekableFile(PersistentFile):
    """A persistent file that a zip reader may jump about in."""

    def seekable(self) -> bool:
        """Say that it can be sought in."""
        return True

    def tell(self) -> int:
        """Return where it is."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        self._position = self._retrying.call(lambda: self._opened().seek(offset, whence))
        return self._position


def text_chunks(
    path: Path,
    retrying: RetryPolicy,
    opener: FileOpener = open_file,
    on_position: Callable[[int], None] = lambda _bytes: None,
    member: str = "",
) -> Generator[bytes, None, None]:
    """Yield the text of the file, or of a member of a zip, as UTF-8 in chunks of about a mebibyte.

    `on_position` is called after each chunk with the number of bytes of the file read so far, compressed or
    not.
    Raises InputError when the file cannot be opened or read, is damaged gzip, or is not text.
    """
    lines = 0
    try:
        with ExitStack() as stack:
            file = (SeekableFile if member else PersistentFile)(path, retrying, opener)
            packed = stack.enter_context(io.BufferedReader(file))
            raw = packed
            if member:
                package = stack.enter_context(zipfile.ZipFile(cast("BinaryIO", packed)))
                unpacked = stack.enter_context(package.open(member))
                raw = stack.enter_context(io.BufferedReader(cast("PersistentFile", unpacked)))
            is_gzip = raw.peek(2).startswith(_GZIP_MAGIC)
            stream = stack.enter_context(gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            encoding, errors = _encoding(stream.peek(1024)[:1024], path)
            text = stack.enter_context(io.TextIOWrapper(stream, encoding, errors, newline=None))
            while chunk := text.read(CHUNK_CHARACTERS):
                lines += chunk.count("\n")
                on_position(file.position)
                yield chunk.replace("\0", " ").replace("\ufeff", "").encode("utf-8", "replace")
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError) as error:
        kind = "zip" if member else "gzip"
        problem = f"the {kind} data is damaged after line {lines:,} ({error})"
        hint = "download or write the file again: it is cut short or was changed on the way"
        raise InputError(problem, hint, path=path) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _encoding(head: bytes, path: Path) -> tuple[str, str]:
    for magic, what in _FOREIGN_MAGIC.items():
        if head.startswith(magic):
            raise InputError(
                f"is {what}, not delimited text", "unpack it, or give it its right suffix", path=path
            )
    # a mark of UTF-32 starts with one of UTF-16
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "replace"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    fours = len(head) // 4
    # without a mark, wide characters show as zeros: the header is ASCII
    for letter, encoding in ((0, "utf-32-le"), (3, "utf-32-be")):
        others = (head[place::4].count(0) for place in range(4) if place != letter)
        if fours and min(others) > fours * 0.9:
            return encoding, "replace"
    pairs = len(head) // 2
    if pairs and head[1::2].count(0) > pairs * 0.9:
        return "utf-16-le", "replace"
    if pairs and head[0::2].count(0) > pairs * 0.9:
        return "utf-16-be", "replace"
    return "utf-8", _FALLBACK_ERRORS
