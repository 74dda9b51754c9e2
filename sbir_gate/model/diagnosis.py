"""What the doctor finds wrong with a set-up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """An error is a set-up that cannot work; a warning is one that does less than it seems to.

    A note is a fact about a sound set-up.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong: where (a file and line where known), what, and what to do about it."""

    gravity: Gravity
    place: str
    problem: str
    cure: str
