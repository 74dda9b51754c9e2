"""Waivers: regressions that somebody answers for, up to a cap and until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# What a waiver names to let awards lose their link; its limit is then a number of awards. The metric of
# that name (awards that were read) can only be at fault, so there is nothing to confuse it with.
RECORDS = "records"

# What a waiver names to let a change pass that edits the fixture so that it cannot be judged on the base's;
# its limit is then a number of rows and labels.
FIXTURE_EDIT = "fixture-edit"

# These say that the enricher did not do its work. No waiver makes that right.
NEVER_WAIVED = frozenset({"rows_missing", "rows_doubled", "rows_unknown", "disagreements"})

# What an engine reports of itself: whoever changes the engine may change it, if somebody answers for it.
MAY_BE_GONE = ("work/", "stage_seconds/", "stage_peak_mib/")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One regression that may pass with a warning.

    `limit` is the cap: percent for the worse, of the reference or of the absolute limit that is broken;
    for `records`, awards that worsened; for `fixture-edit`, rows of the base's fixture. `expires` is the last
    day on which it holds. `pr` is where it was agreed, a number or an address. `origin` is where it stands,
    e.g. config/waivers.yaml:3.
    """

    metric: str
    limit: float
    reason: str
    owner: str
    expires: date
    pr: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers that a verdict may use, and the day by which they are held to have expired."""

    entries: tuple[Waiver, ...]
    today: date
