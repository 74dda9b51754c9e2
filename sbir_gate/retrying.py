"""Waiting and trying again when a disk or network share fails for a moment."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

TRANSIENT_ERRORS = frozenset({errno.EIO, errno.ESTALE, errno.EAGAIN, errno.ETIMEDOUT})
BACKOFF_KINDS = ("exponential", "constant", "none")


def backoff_delays(
    kind: str, base_seconds: float, cap_seconds: float, retries: int, jitter: Callable[[], float]
) -> Iterator[float]:
    """Yield the pause before each retry, in seconds, at most `cap_seconds`; nothing if the kind is none.

    Retry n = 0, 1, 2... waits base * 2^n (`exponential`) or base (`constant`), scaled into its upper
    half by `jitter`, a source of numbers in [0, 1): workers that failed together don't come back
    together. Raises ValueError for an unknown kind.
    """
    if kind not in BACKOFF_KINDS:
        raise ValueError(f"unknown back-off {kind!r}: one of {', '.join(BACKOFF_KINDS)}")
    growth = 2.0 if kind == "exponential" else 1.0
    attempts = range(0 if kind == "none" else retries)
    # the exponent is bounded: 2.0 ** 1024 overflows, and the cap is reached long before
    return (min(cap_seconds, base_seconds * growth ** min(n, 64)) * (0.5 + jitter() / 2) for n in attempts)


def with_retries(action: Callable[[], T], delays: Iterable[float], sleep: Callable[[float], None]) -> T:
    """Return `action()`; after a transient OSError sleep for the next delay and try again.

    Other errors, and the one after the last delay, pass through.
    """
    pauses = iter(delays)
    while True:
        try:
            return action()
        except OSError as error:
            pause = next(pauses, None) if error.errno in TRANSIENT_ERRORS else None
            if pause is None:
                raise
            sleep(pause)


def _jitter() -> float:
    return random.random()  # noqa: S311 -- spreads retries in time, keeps no secret


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a failing read is tried again; `sleep` and `jitter` are its edges."""

    kind: str = "exponential"
    base_seconds: float = 0.1
    cap_seconds: float = 5.0
    retries: int = 4
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _jitter

    def delays(self) -> Iterator[float]:
        """Yield the pause before each new attempt, in seconds."""
        return backoff_delays(self.kind, self.base_seconds, self.cap_seconds, self.retries, self.jitter)

    def call(self, action: Callable[[], T]) -> T:
        """Return `action()`, tried again as this policy says."""
        return with_retries(action, self.delays(), self.sleep)
