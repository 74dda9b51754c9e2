"""Trying again what failed for a moment: how often, and after which pauses."""

from __future__ import annotations

import errno
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

TRANSIENT_ERRORS = frozenset({errno.EIO, errno.ESTALE, errno.EAGAIN, errno.ETIMEDOUT})
BACKOFF_KINDS = ("exponential", "constant", "none")


class TransientError(Exception):
    """A fault that may be gone at the next attempt, after `pause_seconds` if a server asks for them.

    `attempts` says, once it is final, how many there were.
    """

    pause_seconds = 0.0
    attempts = 1

    def __init__(self, reason: str, pause_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause_seconds = pause_seconds


def full_pause() -> float:
    """Return the jitter that leaves pauses as long as they are."""
    return 1.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which pauses, a failing action is tried again.

    Retry n = 0, 1, 2... waits base * 2^n (`exponential`) or base (`constant`), at most `cap_seconds`; with
    `none` there is no retry. `jitter`, a source of numbers in 0..1, scales each pause into its upper half:
    workers that failed together do not come back together. No pause ends later than `max_seconds` after the
    first attempt began. Raises ValueError for an unknown kind.
    """

    kind: str
    retries: int
    base_seconds: float
    cap_seconds: float
    max_seconds: float = math.inf
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.kind not in BACKOFF_KINDS:
            raise ValueError(f"unknown back-off {self.kind!r}: one of {', '.join(BACKOFF_KINDS)}")

    def pause_seconds(self, retry: int) -> float:
        """Return the pause before a retry, counted from 0."""
        growth = 2.0 if self.kind == "exponential" else 1.0
        # the exponent is bounded: 2.0 ** 1024 overflows, and the cap is reached long before
        whole = min(self.cap_seconds, self.base_seconds * growth ** min(retry, 64))
        return whole * (0.5 + self.jitter() / 2)

    def delays(self) -> Iterator[float]:
        """Return the pauses before the retries, in seconds; the time runs from this call."""
        return self._delays(self.clock())

    def _delays(self, began: float) -> Iterator[float]:
        for retry in range(0 if self.kind == "none" else self.retries):
            pause = self.pause_seconds(retry)
            if self.clock() - began + pause > self.max_seconds:
                return
            yield pause

    def call(
        self,
        action: Callable[[], T],
        on_pause: Callable[[TransientError | OSError, float], None] = lambda _fault, _pause: None,
        is_further: Callable[[], bool] = lambda: False,
    ) -> T:
        """Return `action()`, called again after a TransientError or a transient OSError of a disk or share.

        `on_pause` is called before each pause. Where `is_further` says so, the count of attempts starts anew.
        Other errors, and the one after the last pause, pass through.
        """
        delays, attempts = self.delays(), 0
        while True:
            attempts += 1
            try:
                return action()
            except (TransientError, OSError) as error:
                is_transient = isinstance(error, TransientError) or error.errno in TRANSIENT_ERRORS
                if is_transient and is_further():
                    delays = self.delays()
                pause = next(delays, None) if is_transient else None
                asked = 0.0
                if isinstance(error, TransientError):
                    error.attempts, asked = attempts, error.pause_seconds
                if pause is None:
                    raise
                pause = max(pause, asked)
                on_pause(error, pause)
            self.sleep(pause)
