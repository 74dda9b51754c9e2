"""Change points on planted series: `python -m tests.performance.change_point_trials` prints 20 seeds.

Each seed has two series of 1,000 Runs: one with a step of 8% at Run 600, one that rises by 0.2% a Run from
Run 300 to Run 340. The noise is log-normal, its standard deviation 2 to 4%, another in each series; 2% of the
Runs are disturbed and take 5 to 50% longer. A step is named if it is found as a step with Run 600 in its
range, a rise if it is found as a span that overlaps the true one. A planted change that is found as something
else is missed, and a change elsewhere is another one. The exit status is 1 if another change is found in
more than 2 of 20 seeds, if the step or the rise is missed in more than 3 of 20, or if a series of 10,000 Runs
takes 2 s or longer.
"""

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np

from sbir_gate.gate.comparing.change_points import change_points

RUNS, STEP_AT, RISE_FROM, RISE_TO = 1000, 600, 300, 340
STEP, RISE_PER_RUN = 1.08, 1.002
# a step that is found this near is the planted one, whatever its range
NEAR = 10
MOST_OTHERS, MOST_MISSED = 2 / 20, 3 / 20
LIMIT_SECONDS = 2.0


@dataclass(frozen=True)
class Planted:
    """One series with the changes that were found: the planted one by its name, by another, and others."""

    noise: float
    values: list
    commits: list
    named: tuple
    misnamed: tuple
    others: tuple


@dataclass(frozen=True)
class Trial:
    seed: int
    step: Planted
    rise: Planted

    @property
    def has_others(self):
        return bool(self.step.others or self.rise.others)


def levels(runs=RUNS):
    """Return the true levels of both series: with a step, and with a slow rise."""
    number = np.arange(runs)
    step = np.where(number >= STEP_AT * runs // RUNS, STEP, 1.0)
    return step, RISE_PER_RUN ** np.clip(number - RISE_FROM, 0, RISE_TO - RISE_FROM)


def noisy(generator, true, noise):
    disturbed = generator.random(len(true)) < 0.02
    longer = np.where(disturbed, generator.uniform(1.05, 1.5, len(true)), 1.0)
    return (10 * true * longer * np.exp(generator.normal(0, noise, len(true)))).tolist()


def planted(generator, true, place, is_named):
    noise = generator.uniform(0.02, 0.04)
    values = noisy(generator, true, noise)
    commits = [generator.bytes(20).hex() for _ in values]
    changes = change_points(values)
    near = [change for change in changes if change.earliest <= place[1] and change.latest_end >= place[0]]
    named = tuple(change for change in near if is_named(change))[:1]
    misnamed = tuple(change for change in near if change not in named)
    others = tuple(change for change in changes if change not in near)
    return Planted(noise, values, commits, named, misnamed, others)


def is_the_step(change):
    return not change.is_ramp and change.earliest <= STEP_AT <= change.latest


def is_the_rise(change):
    return change.is_ramp and change.start <= RISE_TO and change.end > RISE_FROM


def trial(seed):
    generator = np.random.default_rng(seed)
    step, rise = levels()
    step_place, rise_place = (STEP_AT - NEAR, STEP_AT + NEAR), (RISE_FROM, RISE_TO)
    return Trial(
        seed,
        planted(generator, step, step_place, is_the_step),
        planted(generator, rise, rise_place, is_the_rise),
    )


def described(change):
    return f"span {change.start}-{change.end}" if change.is_ramp else f"step {change.start}"


def found_as(series):
    return f" ({'; '.join(map(described, series.misnamed)) or 'nothing'})"


def cells_of(found):
    """Return a line of the table."""
    step, rise = found.step, found.rise

    def commit(series, at):
        return series.commits[at][:7]

    step_cells = [f"missed{found_as(step)}", "", "", ""]
    for change in step.named:
        ends = f"{change.earliest}-{change.latest}"
        step_cells = [str(change.start), commit(step, change.start), ends, f"{change.ratio - 1:+.1%}"]
    rise_cells = [f"missed{found_as(rise)}", "", ""]
    for change in rise.named:
        rise_cells = [
            f"{change.start} {commit(rise, change.start)} ({change.earliest}-{change.latest})",
            f"{change.end} {commit(rise, change.end)} ({change.earliest_end}-{change.latest_end})",
            f"{change.ratio - 1:+.1%}",
        ]
    others = [described(change) for change in (*step.others, *rise.others)]
    noise = f"{step.noise:.1%}, {rise.noise:.1%}"
    return [str(found.seed), noise, *step_cells, *rise_cells, "; ".join(others) or "-"]


def summary(trials):
    """Return the counts: steps and rises that are named, and seeds in which another change is."""
    return (
        sum(bool(found.step.named) for found in trials),
        sum(bool(found.rise.named) for found in trials),
        sum(found.has_others for found in trials),
    )


def holding(trials):
    """Return how many steps are exact, and how many named spans hold each true end in its range."""
    steps = [change for found in trials for change in found.step.named]
    rises = [change for found in trials for change in found.rise.named]
    return (
        sum(change.start == STEP_AT for change in steps),
        sum(change.earliest <= RISE_FROM + 1 <= change.latest for change in rises),
        sum(change.earliest_end <= RISE_TO <= change.latest_end for change in rises),
    )


def seconds_of(runs):
    values = noisy(np.random.default_rng(1), levels(runs)[0], 0.03)
    started = time.perf_counter()
    change_points(values)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    seconds_of(100)  # loads ruptures
    trials = [trial(seed) for seed in range(1, options.seeds + 1)]
    if options.seeds <= 50:
        print(
            "| seed | noise | step | commit | range | size | span from (range) | to (range) | size | other |"
        )
        print("|--:|--:|--:|---|---|--:|---|---|--:|---|")
        for found in trials:
            print(f"| {' | '.join(cells_of(found))} |")
    steps, rises, others = summary(trials)
    exact, first_ends, last_ends = holding(trials)
    count = len(trials)
    print(f"step named: {steps} of {count}, at its very Run: {exact}")
    print(f"span named: {rises} of {count}, its first end in its range: {first_ends}, its last: {last_ends}")
    print(f"another change named: {others} of {count} seeds")
    seconds = {runs: seconds_of(runs) for runs in (1_000, 10_000)}
    print("; ".join(f"{runs:,} Runs: {taken:.3f} s" for runs, taken in seconds.items()))
    is_missed = count - min(steps, rises) > MOST_MISSED * count
    return int(is_missed or others > MOST_OTHERS * count or seconds[10_000] >= LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
