"""How long an enrichment still takes: what its stages cost at several sizes, corrected by its own pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

QUALITY = "quality"
WRITE = "write"
INDEX = "index-recipients"
READ_AWARDS = "read-awards"
READ_RECIPIENTS = "read-recipients"


@dataclass(frozen=True, slots=True)
class StageCost:
    """Seconds of a stage where it was measured: fixed, per million awards and per million recipients."""

    fixed: float
    awards: float = 0.0
    recipients: float = 0.0

    def seconds(self, awards: int, recipients: int) -> float:
        """Return the seconds for the given numbers of awards and recipients."""
        return self.fixed + (self.awards * awards + self.recipients * recipients) / 1e6


# fitted by `python -m tests.performance.time_left` to stage times of 1,000 x 25,000 to 220,000 x 3,400,000
STAGE_COSTS: Mapping[str, StageCost] = MappingProxyType(
    {
        READ_AWARDS: StageCost(0.0349, 9.73),
        READ_RECIPIENTS: StageCost(0.126, 0.407, 2.26),
        INDEX: StageCost(0.0134, 0.114, 0.186),
        "firms": StageCost(0.0207, 1.26),
        "identifiers": StageCost(0.0298, 2.3, 0.253),
        "candidates": StageCost(0.0709, 5.67, 1.41),
        "words": StageCost(0.069, 3.45, 0.31),
        "training": StageCost(0.0228, 4.82, 0.264),
        "similarity": StageCost(0.0267, 18.9, 0.306),
        "decisions": StageCost(0.00225, 3.46),
        WRITE: StageCost(0.0312, 11.2),
        QUALITY: StageCost(0.308, 9.14, 0.371),
    }
)

_READING = frozenset({READ_AWARDS, READ_RECIPIENTS})
# seconds at the usual pace that the run's own pace is weighed against: the first moments prove little
_PRIOR_SECONDS = 0.03
# how long a stage that exceeds its expected time is assumed to go on, as a share of what it has taken
_OVERDUE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class StageState:
    """The stage that is being done, since when, and the share (0..1) that is done, `reused` of it before."""

    name: str
    seconds: float = 0.0
    share: float = 0.0
    reused: float = 0.0


def seconds_left(
    awards: int,
    recipients: int,
    finished: Mapping[str, float],
    current: StageState,
    planned: Collection[str] = STAGE_COSTS.keys(),
) -> float:
    """Return the seconds until all `planned` stages are done; a stage with no known cost counts as none.

    `finished` are the seconds that stages took, `recipients` what the source holds in all. A stage whose
    share is known is predicted by its own rate, the others by their usual cost times the pace of this run.
    """
    costs = {name: cost.seconds(awards, recipients) for name, cost in STAGE_COSTS.items()}
    fresh = max(current.share - current.reused, 0.0)
    seen = {name: (seconds, costs[name]) for name, seconds in finished.items() if name in costs}
    if fresh > 0:
        seen[current.name] = (current.seconds, costs.get(current.name, 0.0) * fresh)
    later = sum(costs.get(name, 0.0) for name in planned if name not in finished and name != current.name)
    pace = _pace(seen)
    if fresh > 0:
        here = current.seconds * (1 - current.share) / fresh
    else:
        expected = costs.get(current.name, 0.0) * pace
        here = max(expected - current.seconds, _OVERDUE_SHARE * current.seconds) if expected else 0.0
    return here + later * pace


def _pace(seen: Mapping[str, tuple[float, float]]) -> float:
    """Return how much longer than usual this run takes, by what it took and what is usual.

    The pace of reading is where that of the matching starts. Format, disk and small chunks slow it down and
    say nothing of the matching, so the faster of the two sources counts.
    """
    reading = [_ratio([times], 1.0) for name, times in seen.items() if name in _READING]
    matching = [times for name, times in seen.items() if name not in _READING]
    return _ratio(matching, min(reading, default=1.0))


def _ratio(times: Collection[tuple[float, float]], start: float) -> float:
    taken = sum(seconds for seconds, _ in times)
    usual = sum(expected for _, expected in times)
    return (taken + start * _PRIOR_SECONDS) / (usual + _PRIOR_SECONDS)
