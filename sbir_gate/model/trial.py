"""What a trial of the gate showed on one machine: how often it failed unchanged code, and what it caught."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.model.finding import Finding
from sbir_gate.model.verdict import Outcome


class Planted(StrEnum):
    """What was done to links, and what of a program was made worse."""

    LOST = "lost"
    SWAPPED = "swapped"
    TIME = "time"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Ends:
    """How runs of the gate ended for one sort of metric: how many failed, warned or stayed open."""

    runs: int
    failed: int = 0
    warned: int = 0
    inconclusive: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What runs of the gate made of time, or of memory.

    The `separate` runs share no pair with one another. The pairs of the `drawn` ones are drawn again and
    again from the same measured pairs: more runs, but not independent ones. `least_detectable_percent` is
    the smallest regression that would have been detected; None where nothing is known.
    """

    separate: Ends
    drawn: Ends
    least_detectable_percent: float | None


@dataclass(frozen=True, slots=True)
class GateRuns:
    """Runs of the gate with at most this number of pairs.

    `pairs_used` is the mean of the drawn runs, which end once they are decided, and `seconds` their mean
    time, with the warm-ups, reading the fixture and judging.
    """

    pairs: int
    pairs_used: float
    seconds: float
    time: Seen
    memory: Seen


@dataclass(frozen=True, slots=True)
class Case:
    """An engine beside the same engine with a handicap: `percent` more time and memory, 0 for none.

    `pairs` is how many were measured. `time_percent` and `memory_percent` are what the gate estimates from
    all of them. `has_memory` says whether memory was planted too.
    """

    percent: float
    pairs: int
    has_memory: bool
    time_percent: float | None
    memory_percent: float | None
    pair_seconds: float
    warm_up_seconds: float
    runs: tuple[GateRuns, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The smallest planted regression, in percent, that runs with at most this number of pairs find.

    They find every larger one too. None where they do not find the largest that was planted.
    """

    planted: Planted
    pairs: int
    percent: float | None


@dataclass(frozen=True, slots=True)
class PlantedLinks:
    """`count` links lost or swapped at random, `draws` times, and how often the gate failed."""

    planted: Planted
    count: int
    draws: int
    caught: int


@dataclass(frozen=True, slots=True)
class AdvisedSetting:
    """A setting, the value that the trial advises, and the one in force; None for none."""

    key: str
    advised: float
    now: float | None


class LeftOut(StrEnum):
    """What a trial could not do."""

    NO_TIME = "no-time"
    FEWER_PAIRS = "fewer-pairs"
    MEMORY_NOT_PLANTED = "memory-not-planted"
    NO_LINKS = "no-links"
    FEWER_LINKS = "fewer-links"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Omission:
    """One thing that was left out: of the case with this handicap where it is one."""

    reason: LeftOut
    percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """All that is known so far.

    `unchanged` is the gate's verdict on all pairs of unchanged code, with its deciding findings; None before
    there is one. `overhead_seconds` is what a run takes beside its pairs: reading the fixture and judging.
    `needed_seconds` is the budget that everything would take, 0 if nothing was left out.
    """

    gate: str
    engine: str
    awards: int
    seed: int
    budget_seconds: float
    engine_seconds: float
    engine_mib: float
    overhead_seconds: float
    spent_seconds: float = 0.0
    needed_seconds: float = 0.0
    unchanged: Outcome | None = None
    findings: tuple[Finding, ...] = ()
    cases: tuple[Case, ...] = ()
    found: tuple[Found, ...] = ()
    links: tuple[PlantedLinks, ...] = ()
    advice: tuple[AdvisedSetting, ...] = ()
    left_out: tuple[Omission, ...] = ()
