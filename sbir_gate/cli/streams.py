"""Standard output and standard error that survive a closed reader or a full disk."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STANDARD = (0, 1, 2)


def guard_streams() -> Sink | None:
    """Keep working when standard output or error is closed or full; return standard output's sink.

    None if standard output is not a system file. Characters that a stream cannot encode are escaped.
    """
    _reserve_descriptors()
    sys.stderr, _ = _guarded(sys.stderr, 2)
    sys.stdout, sink = _guarded(sys.stdout, 1)
    return sink


def _reserve_descriptors() -> None:
    """Put the null device where standard input, output or error is closed.

    Else the next file that is opened would take the number, and what a library prints would go into it.
    """
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one


class Sink(io.RawIOBase):
    """Bytes on their way to a descriptor; after the first failure they go nowhere.

    A reader that has had enough (`sbir-gate run | head`) changes neither the work nor the exit status. Any
    other `fault`, such as a full disk, is kept for the end of the program.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._file = io.FileIO(descriptor, "w", closefd=False)
        self._is_over = False
        self.fault: OSError | None = None

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return self._file.isatty()

    def write(self, data: ReadableBuffer) -> int | None:
        """Write the bytes, or drop them once that has failed."""
        if not self._is_over:
            try:
                return self._file.write(data)
            except OSError as error:
                self._is_over = True
                self.fault = None if isinstance(error, BrokenPipeError) else error
        return memoryview(data).nbytes


def _guarded(stream: TextIO | None, descriptor: int) -> tuple[TextIO, Sink | None]:
    """Return the stream over a sink, and the sink; for a closed stream, one to the null device."""
    if stream is not None and not isinstance(stream, io.TextIOWrapper):
        return stream, None
    if stream is not None:
        with suppress(OSError):
            stream.flush()
        descriptor = stream.fileno()
    sink = Sink(descriptor)
    guarded = io.TextIOWrapper(
        io.BufferedWriter(sink),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=stream is not None and stream.line_buffering,
    )
    return guarded, sink
