"""How long to wait before GitHub is asked again: pure decisions from what it answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TOO_OFTEN = frozenset({403, 429})
# what a server or something on the way to it may answer otherwise in a moment
_PASSING = frozenset({0, 408, 500, 502, 503, 504})
# for a limit that does not say how long, GitHub asks for at least a minute
_UNSAID_SECONDS = 60.0
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_LIMITED = re.compile(r"rate limit|abuse detection", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how patiently GitHub is asked again; `cap_seconds` is the longest of all waits."""

    retries: int = 3
    base_seconds: float = 1.0
    cap_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success; `status` is 0 if none came. Names of headers are in lower case."""

    status: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_limit(self) -> bool:
        """Say whether GitHub was asked too often: 429, or a 403 that speaks of a limit."""
        if self.status == 403:
            return (
                "retry-after" in self.headers
                or self.headers.get("x-ratelimit-remaining") == "0"
                or bool(_LIMITED.search(self.message))
            )
        return self.status == 429

    @property
    def is_passing(self) -> bool:
        """Say whether the same request may succeed later."""
        return self.is_limit or self.status in _PASSING

    @property
    def is_unsure(self) -> bool:
        """Say whether it may have been done all the same."""
        return self.is_passing and not self.is_limit


def pause_seconds(refusal: Refusal, attempt: int, patience: Patience, now: float) -> float | None:
    """Return how long to wait before attempt number `attempt` + 1; None if it is not worth one.

    `attempt` counts from 1, `now` is in seconds since 1970. A limit is waited for as long as GitHub says
    (Retry-After, or x-ratelimit-reset), and not at all if that is longer than `cap_seconds`: asking earlier
    makes it worse. Else the waits double from `base_seconds`.
    """
    if attempt > patience.retries or not refusal.is_passing:
        return None
    backoff = min(patience.base_seconds * 2.0 ** (attempt - 1), patience.cap_seconds)
    asked = _asked_seconds(refusal, now)
    if asked > patience.cap_seconds:
        return None
    return max(backoff, asked)


def _asked_seconds(refusal: Refusal, now: float) -> float:
    after = _number(refusal.headers.get("retry-after"))
    if after is not None:
        return after
    if not refusal.is_limit:
        return 0.0
    reset = _number(refusal.headers.get("x-ratelimit-reset"))
    if reset is not None and refusal.headers.get("x-ratelimit-remaining") == "0":
        return max(reset - now, 0.0)
    return _UNSAID_SECONDS


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _SECONDS.fullmatch(text.strip()) else None
