"""Download into a partial file: resumed, retried and verified."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sbir_gate import files
from sbir_gate.datasets.downloading.partials import Origin, PartialFile
from sbir_gate.datasets.downloading.responses import FileChangedError, RangeResponse, RemoteFile
from sbir_gate.errors import InputError, NoRoomError, ToolError
from sbir_gate.reading.options import MIB
from sbir_gate.retrying import RetryPolicy, TransientError

# an attempt that got this much further starts the count of attempts anew: a long way has many cuts
_PROGRESS_BYTES = MIB
_HEAD_BYTES = 64
# the real directory of a zip of some hundred members is kilobytes, the real toc.dat megabytes
_MOST_IN_MEMORY_BYTES = 256 * MIB
_MAGIC = {b"PK": ".zip", b"\x1f\x8b": ".gz", b"PAR1": ".parquet"}

T = TypeVar("T")


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How downloads are made.

    `retrying` says how often and how patiently they are tried again. `progress` is called with the bytes
    received and the total, if known; `say` with one line for the user; `free_bytes` returns the free space of
    a folder. These three and the policy's `sleep` are the edges.
    """

    retrying: RetryPolicy
    progress: Callable[[int, int | None], None] = lambda _done, _total: None
    say: Callable[[str], None] = lambda _words: None
    free_bytes: Callable[[Path], int] = _free_bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to have on disk, and what it must be: its size and SHA-256 (hexadecimal), where known."""

    target: Path
    size_bytes: int | None = None
    sha256: str | None = None
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a remote file from `first_byte` on; `size_bytes` is None for all that follow."""

    first_byte: int = 0
    size_bytes: int | None = None


def persist(
    action: Callable[[], T],
    remote: RemoteFile,
    options: DownloadOptions,
    reached: Callable[[], int] = lambda: 0,
) -> T:
    """Return `action()`; after a transient error, wait and retry according to the policy.

    `reached` returns the progress in bytes. Raises ToolError when the attempts are used up.
    """
    mark = reached()

    def is_further() -> bool:
        nonlocal mark
        before, mark = mark, max(mark, reached()) if reached() - mark >= _PROGRESS_BYTES else mark
        return mark > before

    try:
        return options.retrying.call(
            action, lambda fault, pause: options.say(f"{fault}; trying again in {pause:.1f} s"), is_further
        )
    except TransientError as fault:
        raise ToolError(
            f"{fault.reason} (tried {fault.attempts} times)",
            "run the same command again to resume; "
            "enrichment.performance.max_retries sets the number of retries",
            path=remote.address,
        ) from None


def read_range(remote: RemoteFile, first: int, last: int, validator: str | None) -> bytes:
    """Return the bytes from `first` to `last`, included. Raises what `RemoteFile.ask` does."""
    size = last - first + 1
    if size > _MOST_IN_MEMORY_BYTES:
        problem = f"the directory of the zip, or its toc.dat, has {size:,} bytes"
        hint = "this is not a USAspending dump: check the URL"
        raise InputError(problem, hint, path=remote.address)
    with remote.ask(first, last, validator) as response:
        if not response.is_partial or response.first_byte != first:
            raise FileChangedError
        body = bytearray()
        for block in response.blocks():
            body += block
            if len(body) > size:
                raise FileChangedError
    if len(body) < size:
        raise TransientError(f"{len(body):,} bytes came instead of {size:,}")
    return bytes(body)


def read_whole(remote: RemoteFile, most_bytes: int) -> bytes:
    """Return a small file. Raises what `RemoteFile.ask` does, and InputError for a large one."""
    with remote.ask() as response:
        body = bytearray()
        for block in response.blocks():
            body += block
            if len(body) > most_bytes:
                raise InputError(f"has more than {most_bytes:,} bytes", "check the URL", path=remote.address)
    return bytes(body)


class Transfer:
    """One span of a remote file on its way into a partial file; each attempt resumes the last.

    `farthest` is the most bytes that there ever were, `received` those that came over the network, and
    `modified_at` the time of the file on the server, in seconds since 1970.
    """

    def __init__(
        self,
        remote: RemoteFile,
        partial: PartialFile,
        wanted: Wanted,
        options: DownloadOptions,
        span: Span | None = None,
        validator: str | None = None,
    ) -> None:
        """Of a span, `validator` is the version of the file that it was found in."""
        self._remote, self._partial, self._wanted, self._options = remote, partial, wanted, options
        self._span = span or Span()
        self._is_whole = span is None
        self._validator = validator
        self._is_resumed = False
        self.farthest = partial.size()
        self.received = 0
        self.modified_at: float | None = None

    def verified(self) -> None:
        """Make one attempt, and hold what came against size and SHA-256.

        Raises what `attempt` does, and InputError for content that is not what is wanted.
        """
        self.attempt()
        wanted, size = self._wanted, self._partial.size()
        if wanted.size_bytes not in {None, size}:
            self._partial.discard()
            raise self._wrong_size(size)
        if wanted.sha256 is not None and (found := sha256_of(self._partial.path)) != wanted.sha256:
            self._partial.discard()
            if self._is_resumed:
                # the older part may be of another version, or damaged: whole and anew it can still be right
                self._is_resumed = False
                raise TransientError("the SHA-256 of the resumed download is wrong")
            hint = "the file was changed or damaged: check the source, then sources.*.sha256 in the settings"
            raise InputError(f"its SHA-256 is {found}, not {wanted.sha256}", hint, path=self._remote.address)

    def attempt(self) -> None:
        """Bring what is missing, in one request or, from a server that sends less than is asked, in more.

        Raises TransientError for what a retry may fix, InputError for content that is wrong, and, of a
        part, FileChangedError if the file is no longer that of the validator.
        """
        while not self._is_complete():
            try:
                self._request()
            except FileChangedError:
                if not self._is_whole:
                    raise
                self._partial.discard()
                raise TransientError(
                    "the file on the server has changed: starting from its beginning"
                ) from None

    def _is_complete(self) -> bool:
        origin, size = self._fitting_origin(), self._partial.size()
        if origin is None or size == 0:
            return False
        return size == (origin.total_bytes if self._is_whole else self._span.size_bytes)

    def _fitting_origin(self) -> Origin | None:
        """Return what the partial file is of, if that is what is on its way here."""
        origin = self._partial.origin()
        place = (str(self._remote.address), self._span.first_byte)
        if origin is None or (origin.address, origin.first_byte) != place:
            return None
        return origin if self._is_whole or origin.validator == self._validator else None

    def _offset(self) -> int:
        """Return how many bytes of the span are there; 0 if what is there cannot be relied upon."""
        origin, size = self._fitting_origin(), self._partial.size()
        # without a validator only a checksum can tell, in the end, that both parts are of one version
        if origin is None or (origin.validator is None and self._is_whole and self._wanted.sha256 is None):
            return 0
        end = origin.total_bytes if self._is_whole else self._span.size_bytes
        return size if end is None or size <= end else 0

    def _request(self) -> None:
        offset, origin = self._offset(), self._partial.origin()
        validator = origin.validator if origin is not None and self._is_whole else self._validator
        if offset:
            self._is_resumed = True
            first, last = self._span.first_byte + offset, self._last_byte()
            with self._remote.ask(first, last, validator) as response:
                self._take(response, offset)
        elif self._is_whole:
            if self._partial.size():
                self._options.say(
                    "starting over: the server does not identify the version of the partial file"
                )
            with self._remote.ask() as response:
                self._take(response, 0)
        else:
            with self._remote.ask(self._span.first_byte, self._last_byte(), validator) as response:
                self._take(response, 0)

    def _last_byte(self) -> int | None:
        size = self._span.size_bytes
        return None if size is None else self._span.first_byte + size - 1

    def _take(self, response: RangeResponse, offset: int) -> None:
        """Write the body of a response behind the `offset` bytes that there are."""
        if not response.is_partial and not self._is_whole:
            raise FileChangedError
        if response.is_partial:
            self._check_part(response, offset)
        elif offset:
            origin = self._partial.origin()
            is_same = origin is not None and response.validator == origin.validator
            self._options.say(
                "the server does not send parts of files: starting from the beginning"
                if is_same
                else "the file on the server has changed: starting from its beginning"
            )
            offset = 0
        self._check_announced(response)
        if not response.has_end and self._wanted.sha256 is None:
            self._options.say(
                "the server does not say how long the file is: a cut at its end would not be noticed"
            )
        blocks = response.blocks()
        if offset == 0:
            blocks = self._checked_head(blocks) if self._is_whole else blocks
            self._partial.restart(self._origin(response, response.total_bytes))
        self.modified_at = response.modified_at
        self._write(blocks, response, offset)

    def _origin(self, response: RangeResponse, total_bytes: int | None) -> Origin:
        validator = response.validator if self._is_whole else self._validator
        return Origin(str(self._remote.address), self._span.first_byte, validator, total_bytes)

    def _check_part(self, response: RangeResponse, offset: int) -> None:
        """Raise FileChangedError if a part is not the one asked for, or of another version of the file."""
        origin = self._partial.origin()
        known = (origin.total_bytes, origin.validator) if origin is not None and self._is_whole else ()
        announced = (response.total_bytes, response.validator)
        has_changed = any(
            None not in {old, new} and old != new for old, new in zip(known, announced, strict=False)
        )
        if response.first_byte != self._span.first_byte + offset or has_changed:
            raise FileChangedError

    def _check_announced(self, response: RangeResponse) -> None:
        """Refuse, before a byte is written, what is compressed, of a wrong size, or too much for the disk."""
        if response.encoding not in {"", "identity"} and not self._wanted.target.name.endswith(".gz"):
            problem = f"the server sends the file compressed ({response.encoding})"
            hint = f"name --output {self._wanted.target.name}.gz if that is gzip"
            raise InputError(problem, hint, path=self._remote.address)
        total = response.total_bytes if self._is_whole else self._span.size_bytes
        if total is None:
            return
        if self._is_whole and self._wanted.size_bytes not in {None, total}:
            raise self._wrong_size(total)
        missing, free = total - self._partial.size(), self._options.free_bytes(self._partial.path.parent)
        if missing > free:
            problem = f"{missing:,} bytes are still to come, and {free:,} are free"
            hint = "make room, or name an --output on another disk"
            raise NoRoomError(problem, hint, path=self._partial.path.parent)

    def _wrong_size(self, size: int) -> InputError:
        problem = f"has {size:,} bytes, not {self._wanted.size_bytes:,}"
        hint = "the file was changed or damaged: check the source, then sources.*.size_bytes in the settings"
        return InputError(problem, hint, path=self._remote.address)

    def _checked_head(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Return the blocks, after a look at the first bytes: an error page is not data."""
        head = b""
        for block in blocks:
            head += block
            if len(head) >= _HEAD_BYTES:
                break
        check_head(head, self._wanted.target, str(self._remote.address))
        return _after(head, blocks)

    def _write(self, blocks: Iterator[bytes], response: RangeResponse, offset: int) -> None:
        end = response.total_bytes if self._is_whole else self._span.size_bytes
        limit = end if end is not None else self._wanted.size_bytes
        done = offset
        with self._partial.appending() as file:
            for block in blocks:
                if limit is not None and done + len(block) > limit:
                    raise self._more_than(limit)
                self._partial.write(file, block)
                done += len(block)
                self.received += len(block)
                self.farthest = max(self.farthest, done)
                self._options.progress(done, limit)
        if done == 0 and not end:
            self._partial.discard()
            raise InputError("the file on the server is empty", "check the URL", path=self._remote.address)
        origin = self._partial.origin()
        if self._is_whole and origin is not None and origin.total_bytes is None:
            # from now on the size is known: where it was never announced, by the end of the body
            self._partial.describe(self._origin(response, done if end is None else end))
        if done == offset:
            raise TransientError("the server sent nothing")

    def _more_than(self, limit: int) -> InputError:
        self._partial.discard()
        problem = f"the server sends more than the {limit:,} bytes of the file"
        hint = "the server or the size in the settings is wrong: check the source"
        return InputError(problem, hint, path=self._remote.address)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises InputError if it cannot be read."""
    try:
        return files.sha256_of(path)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", "check its permissions", path=path) from error


def _after(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from blocks


def check_head(head: bytes, target: Path, source: str) -> None:
    """Hold the first bytes of a file against the suffix of its name. Raises InputError if they disagree."""
    suffix = {".pq": ".parquet"}.get(target.suffix.lower(), target.suffix.lower())
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        what = "a page (HTML or XML)"
        hint = "open the URL in a browser, and give the one of the file"
        raise InputError(f"{what} came instead of the file", hint, path=source)
    found = next((known for magic, known in _MAGIC.items() if head.startswith(magic)), None)
    if suffix in _MAGIC.values() and found != suffix:
        raise InputError(
            f"what came is no {suffix} file", "check the URL, or name another --output", path=source
        )
    if suffix in {".csv", ".tsv", ".txt"} and found:
        raise InputError(
            f"what came is a {found} file", f"name an --output that ends in {found}", path=source
        )
