"""One writer at a time in a folder, whatever becomes of its process."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sbir_gate.errors import OutputError, ToolError

_POLL_SECONDS = 0.5
_DIGITS = 20


def _tell_nobody(_holder: str) -> None:
    """Take no note of who is waited for."""


@contextmanager
def writer_lock(
    path: Path,
    wait_seconds: float,
    tell: Callable[[str], None] = _tell_nobody,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; the folder is made if it is not there.

    Another holder is waited for, at most `wait_seconds`, and `tell` is told its process number once. The
    kernel frees the lock when its process ends, however it ends. Raises ToolError when the time is up,
    OutputError when the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror})", "name a folder that you may write to"
        ) from error
    with file:
        _wait(file, path, wait_seconds, tell, clock, sleep)
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        yield


def _wait(
    file: BinaryIO,
    path: Path,
    wait_seconds: float,
    tell: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    started = clock()
    is_told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise OutputError(
                    f"{path}: cannot be locked ({error.strerror})", "name a folder on a disk that has locks"
                ) from error
        else:
            return
        file.seek(0)
        holder = file.read(_DIGITS).decode("ascii", "replace").strip() or "unknown"
        if clock() - started >= wait_seconds:
            raise ToolError(
                f"{path.parent}: process {holder} has been at work here for {wait_seconds:g} seconds",
                "wait for it or end it; it may belong to a run whose worker was killed",
            )
        if not is_told:
            tell(holder)
            is_told = True
        sleep(_POLL_SECONDS)
