"""What a fixture shows of all awards: its age, shares that differ, and the losses that it cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sbir_gate.model.fixture_draw import DrawnStratum, FixtureDraw


class ShareOf(StrEnum):
    """What the awards of a fixture and of a full run are compared by."""

    PHASE = "phase"
    YEAR = "award_year"
    IDENTIFIER_TYPE = "identifier_type"
    METHOD = "method"


Counts = Mapping[ShareOf, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class FullData:
    """A full run: the document that it is from, and its awards counted, by what is known of them."""

    name: str
    started_at: datetime
    awards: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class ShareComparison:
    """The share of one value among all awards, as the fixture has it (weighted) and as the full run has it.

    `is_beyond_chance` says that a fixture of this size, drawn from the full run, would rarely differ as much;
    `p_value` is corrected for the number of values (Holm).
    """

    dimension: ShareOf
    value: str
    fixture: float
    full: float
    p_value: float
    is_beyond_chance: bool


@dataclass(frozen=True, slots=True)
class BlindStratum:
    """A stratum with few awards in the fixture: a loss of up to `unseen` of its links is not seen."""

    stratum: DrawnStratum
    unseen: int


@dataclass(frozen=True, slots=True)
class FixtureStatus:
    """The fixture as it is now.

    `draw` and `age_days` are None where it is not known how it was drawn; then each award counts once, and
    the strata are those of the fixture itself. `full` is None without a full run. `unknown` is what the two
    cannot be compared by. A loss of `seen_from` links in one stratum fails the gate; `blind` are the strata
    with fewer than `least` awards, of `strata` in all.
    """

    awards: int
    labelled: int
    draw: FixtureDraw | None
    age_days: int | None
    full: FullData | None
    shares: tuple[ShareComparison, ...]
    unknown: tuple[ShareOf, ...]
    seen_from: int
    least: int
    strata: int
    blind: tuple[BlindStratum, ...]
