"""Base and head measured side by side: in pairs of alternating order, on the same machine.

What a machine does over minutes (other jobs, heat, a noisy neighbour) meets both sides alike, so that
it cancels within a pair; and a slow drift cancels between a pair and the next, because the order turns
(ABBA). Another job on another machine cancels with nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from sbir_gate.errors import ConfigurationError, EnricherError
from sbir_gate.gate.measuring.benchmark import Bench, BenchmarkPlan, BenchmarkResult, Calibrate, Launch, Tally

# Between two looks the number of pairs grows by this factor: each look is one more chance to err, and a look
# after every pair would tell little more than the one before.
_GROWTH = math.sqrt(2)


class Side(StrEnum):
    """Which of the two is measured."""

    BASE = "base"
    HEAD = "head"


class Stop(StrEnum):
    """Why no more pairs were measured."""

    DECIDED = "decided"
    MAX_PAIRS = "max-pairs"
    MAX_SECONDS = "max-seconds"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many pairs: at least, at most, and the seconds that warm-ups and pairs may take together."""

    min_pairs: int
    max_pairs: int
    max_seconds: float


@dataclass(frozen=True, slots=True)
class SidesResult:
    """What both sides learned: equally many samples, sample i of the one paired with sample i of the other.

    `seconds` is the time that it took, `pair_seconds` the longest time of one pair.
    """

    head: BenchmarkResult
    base: BenchmarkResult
    stop: Stop
    seconds: float
    pair_seconds: float

    @property
    def pairs(self) -> int:
        """The number of pairs."""
        return len(self.head.samples)


# head's result, base's result: says whether more pairs could change nothing
IsDecided = Callable[[BenchmarkResult, BenchmarkResult], bool]
# called before each process with the number of the pair (0: warm-up) and the side
ReportPair = Callable[[int, Side], None]
# looks after a run of a side for what it must not have changed, and raises EnricherError
CheckSide = Callable[[Side], None]


class BaseFailure(EnricherError):  # noqa: N818 -- it is the base that failed; "error" is what it caused
    """The base's enricher broke. Head is not to blame for it, but nothing can be compared."""


def planned_looks(min_pairs: int, max_pairs: int) -> tuple[int, ...]:
    """Return after how many pairs it is looked whether the verdict is decided, ascending.

    The first is `min_pairs`, the last `max_pairs`, and between them each is about 1.4 times the one
    before: 5, 7, 10, 14, 20, 28, 40.
    """
    steps = math.ceil(math.log(max_pairs / min_pairs, _GROWTH)) + 1
    looks = {round(min_pairs * _GROWTH**step) for step in range(steps)}
    return (*sorted(look for look in looks if look < max_pairs), max_pairs)


def order_of(pair: int) -> tuple[Side, Side]:
    """Return who goes first in a pair, counted from 1: head, base, base, head, and so on.

    Head begins, so that a failure of both sides is reported as head's own.
    """
    return (Side.HEAD, Side.BASE) if pair % 2 else (Side.BASE, Side.HEAD)


def has_time(spent_seconds: float, longest_seconds: float, max_seconds: float) -> bool:
    """Say whether one more pair, as slow as the slowest so far, would end within the budget.

    A pair is never interrupted, so the budget is kept by not starting what would not end in time, even
    where that leaves fewer pairs than the least number.
    """
    return spent_seconds + longest_seconds <= max_seconds


def run_side_by_side(
    head: BenchmarkPlan,
    base: BenchmarkPlan,
    budget: Budget,
    launch: Launch,
    calibrate: Calibrate,
    clock: Callable[[], float],
    is_decided: IsDecided,
    progress: ReportPair,
    check_side: CheckSide = lambda _side: None,
) -> SidesResult:
    """Measure both plans in turn, each run a fresh process, and return what was learned.

    Warm-ups of both come first. `repeats` of the plans count for nothing: there are as many pairs as
    `budget` says, fewer once `is_decided` says so at a planned look. The first pair is always run. The
    calibration is timed before every pair and at the end, and is that of both sides. `clock` gives seconds.

    Raises BaseFailure if the base's enricher breaks; what `run_benchmark` raises if head's does.
    """
    _check(budget)
    benches = {
        Side.HEAD: Bench(head, launch, partial(check_side, Side.HEAD)),
        Side.BASE: Bench(base, launch, partial(check_side, Side.BASE)),
    }
    session = _Session(benches, calibrate, clock, progress)
    session.warm_up(max(head.warmups, base.warmups))
    looks = frozenset(planned_looks(budget.min_pairs, budget.max_pairs))
    while True:
        session.run_pair()
        is_look = session.pairs in looks
        stop = _spent(session, budget)
        if not (is_look or stop):
            continue
        results = session.results()
        if stop:
            return session.ended(stop, *results)
        if is_decided(*results):
            return session.ended(Stop.DECIDED, *results)


def _spent(session: _Session, budget: Budget) -> Stop | None:
    """Return what of the budget is at its end, if anything is."""
    if session.pairs >= budget.max_pairs:
        return Stop.MAX_PAIRS
    if not has_time(session.seconds(), session.longest_seconds, budget.max_seconds):
        return Stop.MAX_SECONDS
    return None


def _check(budget: Budget) -> None:
    if budget.min_pairs < 1 or budget.max_pairs < budget.min_pairs:
        raise ConfigurationError(
            f"benchmark.min_pairs is {budget.min_pairs} and benchmark.max_pairs {budget.max_pairs}",
            "measure at least one pair, and let max_pairs not be below min_pairs",
        )
    if not budget.max_seconds > 0:
        raise ConfigurationError(f"benchmark.max_seconds is {budget.max_seconds}", "use a time above 0")


class _Session:
    """The two enrichers at work, and the time that they take."""

    def __init__(
        self,
        benches: Mapping[Side, Bench],
        calibrate: Calibrate,
        clock: Callable[[], float],
        progress: ReportPair,
    ) -> None:
        self._benches = benches
        self._tallies = {side: Tally(bench.plan.award_ids) for side, bench in benches.items()}
        self._calibrate = calibrate
        self._clock = clock
        self._progress = progress
        self._started = clock()
        self.pairs = 0
        self.longest_seconds = 0.0

    def seconds(self) -> float:
        """Return the time since the session began."""
        return self._clock() - self._started

    def warm_up(self, times: int) -> None:
        """Run both sides `warm_ups` times, uncounted.

        The base begins: programs that are read from a cold disk must not lengthen head's first run. Where
        the base breaks there, head is run all the same, so that a failure of both is reported as head's own.
        """
        fault: BaseFailure | None = None
        for number in range(times):
            for side in order_of(number):
                self._progress(0, side)
                try:
                    with blamed_on(side):
                        self._tallies[side].warm_up(self._benches[side].run_once())
                except BaseFailure as error:
                    fault = error
            if fault is not None:
                raise fault

    def run_pair(self) -> None:
        """Run one more pair."""
        started = self._clock()
        self.pairs += 1
        calibration = self._calibrate()
        for side in order_of(self.pairs):
            self._progress(self.pairs, side)
            with blamed_on(side):
                repeat = self._benches[side].run_once()
            self._tallies[side].add(repeat, calibration)
        self.longest_seconds = max(self.longest_seconds, self._clock() - started)

    def results(self) -> tuple[BenchmarkResult, BenchmarkResult]:
        """Return what head and base learned so far."""
        last = self._calibrate()
        return self._tallies[Side.HEAD].result(last), self._tallies[Side.BASE].result(last)

    def ended(self, stop: Stop, head: BenchmarkResult, base: BenchmarkResult) -> SidesResult:
        """Return all that was learned."""
        return SidesResult(head, base, stop, self.seconds(), self.longest_seconds)


@contextmanager
def blamed_on(side: Side) -> Iterator[None]:
    """Attribute a failure of the base's enricher to the base."""
    try:
        yield
    except EnricherError as error:
        if side is Side.HEAD:
            raise
        raise error.within(
            "the base",
            BaseFailure,
            "head is not to blame, but cannot be compared: fix the base, or omit --base to compare with the "
            "stored baseline",
        ) from error
