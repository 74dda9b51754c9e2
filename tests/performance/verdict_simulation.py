"""How often the verdict is right, by simulation: the tables of docs/statistics.md.

    .venv/bin/python -m tests.performance.verdict_simulation --trials 10000

The measurements are simulated (tests/simulation.py); they are judged by the functions that judge real ones.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from statistics import fmean, median, stdev

import numpy as np

from sbir_gate.gate.comparing.signed_ranks import LEVEL, pseudo_median_interval
from sbir_gate.model.finding import Severity
from sbir_gate.model.statistics import Interval, estimate_median, interval, student_quantile
from sbir_gate.model.verdict import Change
from tests.simulation import (
    LOOKS,
    Noise,
    make_job,
    minimum_of_five,
    one_after_the_other,
    pairs_of,
    shares,
    side_by_side,
    single_runs,
    stored,
    stored_with_history,
)

WARN, FAIL = math.log(1.1), math.log(1.25)
SLOWDOWNS = (1.0, 1.3, 1.4, 1.5)
NOISES = {
    "as above": Noise(),
    "quiet, jitter 0.02": Noise(jitter=0.02),
    "loud, jitter 0.20": Noise(jitter=0.20),
    "very loud, jitter 0.40": Noise(jitter=0.40),
    "1 repeat in 10 disturbed": Noise(jitter=0.05, hiccups=0.1),
}


def line(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def share(found: dict[object, float], key: object) -> str:
    return f"{found.get(key, 0.0):.2f} %"


def ways_table(trials: int) -> None:
    """Print how often each way of comparing fails code that is so many times as slow."""
    noise, poor = Noise(), Noise(mismatch=0.15)
    ways: dict[str, Callable[[Random, float], bool]] = {
        "side by side, 5 to 28 pairs": lambda r, s: (
            side_by_side(r, noise, s).change.severity is Severity.FAIL
        ),
        "side by side, 5 pairs": lambda r, s: (
            side_by_side(r, noise, s, (5,)).change.severity is Severity.FAIL
        ),
        "side by side, a look after every pair": lambda r, s: (
            side_by_side(r, noise, s, tuple(range(5, 29))).change.severity is Severity.FAIL
        ),
        "stored baseline, machine of the same kind": lambda r, s: (
            stored(r, noise, s, is_same_kind=True).severity is Severity.FAIL
        ),
        "stored baseline, machine of another kind": lambda r, s: (
            stored(r, noise, s, is_same_kind=False).severity is Severity.FAIL
        ),
        "the same, calibration poorer than assumed (0.15)": lambda r, s: (
            stored(r, poor, s, is_same_kind=False).severity is Severity.FAIL
        ),
        "the same, known from a history of 30 Runs": lambda r, s: (
            stored_with_history(r, poor, s, is_same_kind=False).severity is Severity.FAIL
        ),
        "machine of another kind, and a history of 30 Runs": lambda r, s: (
            stored_with_history(r, noise, s, is_same_kind=False).severity is Severity.FAIL
        ),
        "one job, five repeats and then five": lambda r, s: one_after_the_other(r, noise, s),
        "ratio of two single runs": lambda r, s: single_runs(r, noise, s),
        "fastest of five": lambda r, s: minimum_of_five(r, noise, s),
    }
    line("fails", *(f"{(slowdown - 1) * 100:+.0f} %" for slowdown in SLOWDOWNS))
    line("---", *("--:" for _ in SLOWDOWNS))
    for name, way in ways.items():
        found = [
            shares(lambda random, way=way, slowdown=slowdown: way(random, slowdown), trials)
            for slowdown in SLOWDOWNS
        ]
        line(name, *(share(of_one, True) for of_one in found))


def side_by_side_table(trials: int) -> None:
    """Print what the adaptive measurement comes to, how many pairs it takes, and its coverage."""
    outcomes = ("ok", "ok, not judged", "warn", "inconclusive", "fail")
    line("noise", "slower by", *outcomes, "pairs", "interval holds the truth")
    line("---", *(["--:"] * 8))
    for name, noise in NOISES.items():
        for slowdown in SLOWDOWNS:
            random, found, pairs, covered = Random(1), Counter(), 0, 0
            for _ in range(trials):
                result = side_by_side(random, noise, slowdown)
                found[outcome_of(result.change)] += 1
                pairs += result.pairs
                covered += result.change.ratio_low <= slowdown <= result.change.ratio_high
            line(
                name,
                f"{(slowdown - 1) * 100:.0f} %",
                *(f"{100 * found[outcome] / trials:.2f} %" for outcome in outcomes),
                f"{pairs / trials:.1f}",
                f"{100 * covered / trials:.1f} %",
            )


def outcome_of(change: Change) -> str:
    """Return what became of a row; a warning may be of a metric that was not judged, too."""
    is_blind = change.severity is Severity.OK and not change.is_judged
    return "ok, not judged" if is_blind else change.severity.value


@dataclass(frozen=True)
class Statistic:
    """A candidate: an estimate with an interval, from the differences of pairs."""

    name: str
    found: Callable[[Sequence[float]], Interval]


def mean_interval(values: Sequence[float]) -> Interval:
    width = stdev(values) / math.sqrt(len(values)) * student_quantile((1 + LEVEL) / 2, len(values) - 1)
    return Interval(fmean(values), fmean(values) - width, fmean(values) + width)


def median_interval(values: Sequence[float]) -> Interval:
    return interval(estimate_median(values))


def bootstrap_interval(values: Sequence[float]) -> Interval:
    picks = np.random.default_rng(1).integers(0, len(values), (1000, len(values)))
    low, high = np.quantile(np.median(np.asarray(values)[picks], axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(median(values), float(low), float(high))


def joined_in_twos(values: Sequence[float]) -> Interval:
    return pseudo_median_interval(
        [(first + second) / 2 for at, (first, second) in enumerate(pairwise(values)) if at % 2 == 0]
    )


STATISTICS = (
    Statistic("pseudo-median, signed ranks, 98 %", pseudo_median_interval),
    Statistic("... 95 %", lambda values: pseudo_median_interval(values, 0.95)),
    Statistic("... 99 %", lambda values: pseudo_median_interval(values, 0.99)),
    Statistic("... 98 %, pairs joined in twos", joined_in_twos),
    Statistic("mean, Student's t, 98 %", mean_interval),
    Statistic("median, order statistics, 95 %", median_interval),
    Statistic("median, bootstrap, 98 %", bootstrap_interval),
)


def decide(statistic: Statistic, differences: Sequence[float]) -> tuple[str, int]:
    """Return what the rule of the gate says by this statistic, and after how many pairs."""
    for look in LOOKS:
        found = statistic.found(differences[:look])
        if found.value > FAIL and found.low > WARN:
            return "fail", look
        if found.high <= WARN or (found.value > WARN and found.low > 0 and found.high <= FAIL):
            return "no fail", look
    return "inconclusive" if found.high > FAIL else "no fail", look


def statistics_table(trials: int) -> None:
    """Print the candidates beside one another under each noise: false failures, catches, pairs."""
    line("noise", "statistic", "+0 % fails", "+30 % fails", "+40 % fails", "pairs at +0 %", "holds, 5 pairs")
    line("---", "---", *(["--:"] * 5))
    for noise_name, noise in NOISES.items():
        for statistic in STATISTICS:
            fails, pairs, covered = [], 0, 0
            for slowdown in (1.0, 1.3, 1.4):
                random, found = Random(1), Counter()
                for _ in range(trials):
                    job = make_job(random, noise, 2 * LOOKS[-1])
                    differences = [head - reference for head, reference in pairs_of(job, slowdown)]
                    outcome, look = decide(statistic, differences)
                    found[outcome] += 1
                    if slowdown == 1.0:
                        pairs += look
                        at_five = statistic.found(differences[:5])
                        covered += at_five.low <= 0 <= at_five.high
                fails.append(f"{100 * found['fail'] / trials:.2f} %")
            line(
                noise_name,
                statistic.name,
                *fails,
                f"{pairs / trials:.1f}",
                f"{100 * covered / trials:.1f} %",
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000, help="of each figure")
    trials = parser.parse_args().trials
    for title, table, count in (
        ("How often each way fails the build", ways_table, trials),
        ("Side by side", side_by_side_table, trials),
        ("The choice of the statistic", statistics_table, max(trials // 10, 1)),
    ):
        print(f"\n{title}, {count:,} trials each\n")
        table(count)


if __name__ == "__main__":
    main()
