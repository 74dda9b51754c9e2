"""Waivers: accepted regressions, each with an owner, a cap and an expiry date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# The metric of a waiver for awards that worsened; its limit is a number of awards.
AWARDS = "awards"

# Names that waivers had in earlier versions; they are still read.
FORMER_NAMES = {"records": AWARDS}

# The metric of a waiver for a fixture edit that cannot be judged on the base's fixture; its limit is a number
# of rows and labels.
FIXTURE_EDIT = "fixture-edit"

# Texts of the waiver to copy from a comment; a waiver that still has one is refused.
PLACEHOLDERS = {"reason": "why this regression is accepted", "owner": "name@example.org"}

# The enricher did not do its work. No waiver covers that.
NEVER_WAIVED = frozenset({"rows_missing", "rows_doubled", "rows_unknown", "disagreements"})

# Metrics that the engine reports: a change of the engine may remove them, with a waiver.
MAY_BE_GONE = ("work/", "stage_seconds/", "stage_peak_mib/")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One regression that warns instead of failing.

    `limit` is the cap: percent for the worse, of the reference or of the exceeded absolute limit; for
    `awards`, awards that worsened; for `fixture-edit`, rows of the base's fixture. `expires` is the last
    valid day. `pr` is the pull request that agreed on it, a number or URL. `origin` is its file and line,
    e.g. config/waivers.yaml:3. `former_name` is the outdated name that the file uses, if any.
    """

    metric: str
    limit: float
    reason: str
    owner: str
    expires: date
    pr: str
    origin: str = ""
    former_name: str = ""


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of a verdict, and the day for which their expiry is checked."""

    entries: tuple[Waiver, ...]
    today: date
