"""One process at a time: a lock file that the kernel unlocks when its holder ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.5
_DIGITS = 20
_HELD = (errno.EAGAIN, errno.EACCES)


class LockedError(Exception):
    """Another process holds the lock; `holder` is its process number, or "unknown"."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by process {holder}")
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds to wait for another holder, and a callback for its process number, called once."""

    seconds: float = 0.0
    notify: Callable[[str], None] = lambda _holder: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@contextmanager
def locked(
    path: Path, waiting: Waiting | None = None, flock: Callable[[int, int], None] = fcntl.flock
) -> Iterator[None]:
    """Hold the lock file `path`, which contains the holder's process number, while the block runs.

    It is made, and removed afterwards; a link of that name is not followed. Raises LockedError when the time
    is up (at once without `waiting`), OSError when the file cannot be made or locked.
    """
    descriptor = _acquired(path, waiting or Waiting(), flock)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Hold an existing lock file, together with other users of what it protects.

    Raises OSError when the file is not there or cannot be locked.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def out_of_use(path: Path) -> Iterator[bool]:
    """Keep others from `in_use` while the block runs; give False where one is there.

    So it does where that is unknown.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        except OSError:
            is_free = False
        yield is_free
    finally:
        os.close(descriptor)


def is_abandoned(path: Path) -> bool:
    """Say whether a lock file was left by a process that was killed. Raises OSError where there is none.

    An empty one belongs to a process that is about to lock it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_size > 0
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _acquired(path: Path, waiting: Waiting, flock: Callable[[int, int], None]) -> int:
    started, is_notified = waiting.clock(), False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # who had it before may have removed the file in between: then this lock is on nothing
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                kept, descriptor = descriptor, -1
                return kept
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in _HELD:
                raise
            holder = os.read(descriptor, _DIGITS).decode("ascii", "replace").strip() or "unknown"
            if waiting.clock() - started >= waiting.seconds:
                raise LockedError(holder) from error
            if not is_notified:
                waiting.notify(holder)
                is_notified = True
            waiting.sleep(_POLL_SECONDS)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
