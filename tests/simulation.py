"""Simulated measurements with known noise, judged by the functions that judge real ones.

Times are log-normal, and all spreads are log standard deviations. A job is one run of CI on one machine:
its speed differs from job to job, drifts while it runs, and every repeat has a jitter of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from statistics import median

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.deciding import undecided
from sbir_gate.gate.comparing.known_noise import known_spread
from sbir_gate.model.run import Metric, Run
from sbir_gate.model.verdict import Change, Policy
from tests.factories import MACHINE, NOISY, OTHER_MACHINE, make_limit, make_run
from tests.factories_history import make_points

LOOKS = (5, 7, 10, 14, 20, 28)
POLICY = Policy((make_limit("wall_seconds"),))
FAIL_LOG = math.log(1.25)

EMPTY = make_run(metrics=())


@dataclass(frozen=True)
class Noise:
    """`spread` is from job to job, `drift` from the start of a job to its end, `jitter` per repeat.

    `mismatch` is how far the calibration workload's speed differs from the enricher's, from job to job;
    `calibration_jitter` is per timing. `hiccups` is the share of repeats that something else slowed down,
    by a third to two and a half times.
    """

    spread: float = 0.22
    drift: float = 0.06
    jitter: float = 0.08
    mismatch: float = 0.08 / math.sqrt(2)
    calibration_jitter: float = 0.04
    hiccups: float = 0.0


@dataclass(frozen=True)
class Job:
    """Log times of `slots` repeats, and of the calibration workload before each and after the last."""

    repeats: list[float]
    calibrations: list[float]


def make_job(random: Random, noise: Noise, slots: int) -> Job:
    speed = random.gauss(0, noise.spread)
    drift = random.gauss(0, noise.drift)
    workload = speed + random.gauss(0, noise.mismatch)

    def at(slot: float) -> float:
        return drift * slot / slots

    def hiccup() -> float:
        return random.uniform(0.3, 0.9) if random.random() < noise.hiccups else 0.0

    return Job(
        [speed + at(slot) + random.gauss(0, noise.jitter) + hiccup() for slot in range(slots)],
        [
            workload + at(slot) + random.gauss(0, noise.calibration_jitter) - math.log(10)
            for slot in range(slots + 1)
        ],
    )


def as_run(logs: list[float], **changes: object) -> Run:
    """Return a Run whose only metric is the wall time, with these logs."""
    wall = Metric("wall_seconds", "s", NOISY, tuple(map(math.exp, logs)))
    return replace(EMPTY, metrics=(wall,), **changes)


def pairs_of(job: Job, slowdown: float) -> Iterator[tuple[float, float]]:
    """Yield head and reference of each pair: head first, reference first, and so on in turn."""
    for pair, (first, second) in enumerate(zip(job.repeats[::2], job.repeats[1::2], strict=True)):
        head, reference = (second, first) if pair % 2 else (first, second)
        yield head + math.log(slowdown), reference


@dataclass(frozen=True)
class SideBySide:
    """What a measurement side by side came to: the row of the verdict, and after how many pairs."""

    change: Change
    pairs: int


def side_by_side(random: Random, noise: Noise, slowdown: float, looks: tuple[int, ...] = LOOKS) -> SideBySide:
    """Measure pairs until the verdict is clear or the last look is done."""
    pairs = list(pairs_of(make_job(random, noise, 2 * looks[-1]), slowdown))
    for look in looks:
        heads, references = (list(side) for side in zip(*pairs[:look], strict=True))
        changes = compare_metrics(as_run(heads, session="s"), as_run(references, session="s"), POLICY).changes
        if not undecided(changes, POLICY):
            break
    return SideBySide(changes[0], look)


def stored(
    random: Random,
    noise: Noise,
    slowdown: float,
    *,
    is_same_kind: bool,
    spread: Mapping[str, float] | None = None,
) -> Change:
    """Compare five repeats of one job with five of another, as with a baseline from main."""
    head, reference = _two_jobs(random, noise, slowdown, is_same_kind)
    return compare_metrics(head, reference, POLICY, spread or {}).changes[0]


def stored_with_history(
    random: Random, noise: Noise, slowdown: float, *, is_same_kind: bool, runs: int = 30
) -> Change:
    """Compare like `stored`, with what a history of so many Runs of unchanged code tells of the noise."""
    head, reference = _two_jobs(random, noise, slowdown, is_same_kind)
    jobs = [make_job(random, noise, 5) for _ in range(runs)]
    times = [math.exp(median(job.repeats)) for job in jobs]
    points = [
        replace(point, row=replace(point.row, calibration_seconds=math.exp(median(job.calibrations))))
        for point, job in zip(make_points(times), jobs, strict=True)
    ]
    known = known_spread(points, head, reference)
    return compare_metrics(head, reference, POLICY, {} if known is None else {"wall_seconds": known}).changes[
        0
    ]


def _two_jobs(random: Random, noise: Noise, slowdown: float, is_same_kind: bool) -> tuple[Run, Run]:
    head, reference = make_job(random, noise, 5), make_job(random, noise, 5)
    return as_run(
        [log + math.log(slowdown) for log in head.repeats],
        machine=MACHINE if is_same_kind else OTHER_MACHINE,
        calibration_seconds=tuple(map(math.exp, head.calibrations)),
    ), as_run(reference.repeats, calibration_seconds=tuple(map(math.exp, reference.calibrations)))


def single_runs(random: Random, noise: Noise, slowdown: float) -> bool:
    """Say whether the ratio of two single runs, each of its own job, is above the fail limit."""
    head, reference = make_job(random, noise, 1), make_job(random, noise, 1)
    return head.repeats[0] + math.log(slowdown) - reference.repeats[0] > FAIL_LOG


def minimum_of_five(random: Random, noise: Noise, slowdown: float) -> bool:
    """Say whether the ratio of the fastest of five repeats, each of its own job, is above the fail limit."""
    head, reference = make_job(random, noise, 5), make_job(random, noise, 5)
    return min(head.repeats) + math.log(slowdown) - min(reference.repeats) > FAIL_LOG


def one_after_the_other(random: Random, noise: Noise, slowdown: float) -> bool:
    """Say whether the medians of five repeats and then five more, in one job, differ beyond the limit."""
    repeats = make_job(random, noise, 10).repeats
    first, second = sorted(repeats[:5]), sorted(repeats[5:])
    return second[2] + math.log(slowdown) - first[2] > FAIL_LOG


def shares(trial: Callable[[Random], object], trials: int, seed: int = 1) -> dict[object, float]:
    """Return how often, in percent, the trial came to each of its results."""
    random = Random(seed)
    found = Counter(trial(random) for _ in range(trials))
    return {result: 100 * count / trials for result, count in found.items()}
