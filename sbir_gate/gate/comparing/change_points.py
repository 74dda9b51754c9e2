"""Where a series changed permanently: sudden steps, and slow ramps that no single step gives away.

ruptures (the extra `history`) finds the segments; whether a row of steps in one direction is a ramp, and
where it began, is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from sbir_gate.errors import UsageError
from sbir_gate.gate.comparing.series import scatter
from sbir_gate.model.history import ChangePoint

FEWEST_POINTS = 8

# Fewer runs than this are not a new level.
_SHORTEST_SEGMENT = 4
# The price of a change, in units of the noise's variance times log n, chosen by simulation: 2, as the Schwarz
# criterion has it, is for noise that is normal and known. How often series without a change raise an alarm at
# this price is in tests/unit/gate/comparing/test_change_points.py and docs/history.md.
_PENALTY = 4.0
# Points further than this many standard deviations from the median of their neighbours are brought nearer:
# one disturbed run is not a change. The idea: Fearnhead and Rigaill, J. Am. Stat. Assoc. 114 (2019) 169-183.
_MOST_DEVIATIONS = 3.0
_NEIGHBOURS = 7
# Differences of floats that were computed in two ways.
_LEAST_NOISE = 1e-6
# In few points the noise itself is uncertain: they pay the price of this many.
_FEW_POINTS = 60
# A smaller change may be real, but is not useful to know.
_SMALLEST_CHANGE = math.log(1.01)
# How much worse, in units of the variance, another beginning may fit before it is ruled out: the 99% point of
# chi-square (df = 1), which holds the true one in about 95 of 100 simulated series.
_RANGE = 6.63

# A ramp is as likely as a step beforehand; each of this number of lengths is equally likely. By simulation
# (tests/performance/change_point_trials.py), 1 to 3 of 100 steps are called ramps at noise of 2 to 4%.
_RAMP_LENGTHS = 200
# Places that fit worse than the best by more than this, in units of the variance, have no weight.
_NEGLIGIBLE = 20.0
# Points of the grid on which each end of a ramp is searched, and how often the grid is refined.
_GRID_POINTS = 250
_REFINEMENTS = 2

Vector = NDArray[np.float64]
Places = NDArray[np.intp]


def check_extra() -> None:
    """Raise UsageError if ruptures is not installed."""
    if find_spec("ruptures") is None:  # looked for, not loaded: scipy takes its time
        raise UsageError(
            "change points need ruptures, which is not installed",
            "install the extra `history`, or: pip install ruptures",
        )


def exact_change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return every change of a metric without noise: each is real."""
    return tuple(
        ChangePoint(at, at, at, at, at, at, before, after)
        for at, (before, after) in enumerate(pairwise(values), start=1)
        if not math.isclose(before, after, rel_tol=1e-9)
    )


def change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return the changes of a noisy series, the oldest first; values must be above 0.

    On the logarithms, with the noise taken from the differences of neighbours: segments of least squares
    by the PELT algorithm (Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107 (2012) 1590-1598). A step,
    or several in one direction, is a ramp if level, straight line, level is more likely, wherever its ends
    are: a Bayes factor (Kass and Raftery, J. Am. Stat. Assoc. 90 (1995) 773-795), not the best fit alone,
    because a slow ramp fits about equally well in many places. Fewer than FEWEST_POINTS points have no
    change point.

    Raises UsageError if the extra `history` is not installed.
    """
    check_extra()
    if len(values) < FEWEST_POINTS:
        return ()
    logs = np.log(np.asarray(values, dtype=float))
    calm, noise = _without_outliers(logs)
    penalty = _PENALTY * noise**2 * math.log(max(len(calm), _FEW_POINTS))
    bounds = [0, *_segment_ends(calm, penalty)]
    levels = [float(calm[start:end].mean()) for start, end in pairwise(bounds)]
    found = [
        change
        for first, last in _moves(levels)
        for change in _changes_in(calm, bounds[first : last + 2], noise, penalty)
    ]
    return tuple(
        change for change in found if abs(math.log(change.after / change.before)) >= _SMALLEST_CHANGE
    )


def _without_outliers(logs: Vector) -> tuple[Vector, float]:
    """Return the series with outliers brought nearer, and the standard deviation of its noise.

    The first guess of the noise takes the middle half of the differences only, and is too small for noise
    with a long tail; the second takes all of them, cut where the guess says that they are not noise.
    """
    guess = max(scatter(logs.tolist()), _LEAST_NOISE)
    reach = _NEIGHBOURS // 2
    padded = np.pad(logs, reach, mode="reflect")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    calm = np.clip(logs, usual - _MOST_DEVIATIONS * guess, usual + _MOST_DEVIATIONS * guess)
    most = _MOST_DEVIATIONS * guess * math.sqrt(2)
    differences = np.clip(np.diff(calm), -most, most)
    return calm, max(guess, float(np.sqrt((differences**2).mean() / 2)))


def _segment_ends(calm: Vector, penalty: float) -> list[int]:
    import ruptures  # noqa: PLC0415 -- an extra: not everybody has it

    # with the linear kernel its cost is the squares about the mean, and PELT runs in C
    search = ruptures.KernelCPD(kernel="linear", min_size=_SHORTEST_SEGMENT).fit(calm.reshape(-1, 1))
    return [int(end) for end in search.predict(pen=penalty)]


def _moves(levels: Sequence[float]) -> list[tuple[int, int]]:
    """Return, for each run of steps in one direction, the numbers of its first and its last segment."""
    directions = [later > earlier for earlier, later in pairwise(levels)]
    found, at = [], 0
    for _, steps in groupby(directions):
        count = len(list(steps))
        found.append((at, at + count))
        at += count
    return found


def _changes_in(calm: Vector, bounds: Sequence[int], noise: float, penalty: float) -> Iterator[ChangePoint]:
    """Yield the steps between some segments, all in one direction; as one ramp where that is more likely.

    Steps that are not one ramp are looked at again in two parts, which share the longest level between them.
    """
    window = calm[bounds[0] : bounds[-1]]
    ramps = _ramps(window, noise)
    parts = list(zip(bounds, bounds[2:], strict=False))
    steps = [_steps(calm[start:end]) for start, end in parts]
    residue = sum(_residue(calm[start:end]) for start, end in pairwise(bounds))
    for each in steps:
        residue += _deviance(each, noise) - float(each.residues.min())
    surplus = (len(steps) - 1) * penalty - 2 * noise**2 * math.log(_RAMP_LENGTHS)
    if _deviance(ramps, noise) < residue + surplus:
        yield _change(window, ramps, noise, bounds[0])
    elif len(steps) == 1:
        yield _change(window, steps[0], noise, bounds[0])
    else:
        middle = max(range(1, len(steps)), key=lambda at: bounds[at + 1] - bounds[at])
        yield from _changes_in(calm, bounds[: middle + 2], noise, penalty)
        yield from _changes_in(calm, bounds[middle:], noise, penalty)


def _residue(values: Vector) -> float:
    return float(((values - values.mean()) ** 2).sum())


@dataclass(frozen=True, slots=True)
class _Fits:
    """Changes from level to level along a straight line, and the squares about each; parallel arrays.

    `olds` are the last runs of the old level, `news` the first ones of the new. A step is a line of length 1.
    Each fit has the weight of `weight` neighbors on the refined grid.
    """

    olds: Places
    news: Places
    residues: Vector
    weight: float = 1.0


def _steps(window: Vector) -> _Fits:
    olds = np.arange(len(window) - 1)
    return _Fits(olds, olds + 1, _residues(window, olds, olds + 1))


def _ramps(window: Vector, noise: float) -> _Fits:
    """Return the ramps that matter, two runs long or longer.

    All pairs of ends are too many in a long window: a coarse grid of them comes first, then finer ones around
    those that are not negligible.
    """
    old_grid = new_grid = _grid(0, len(window) - 1)
    for refinement in range(_REFINEMENTS + 1):
        olds, news = (each.ravel() for each in np.meshgrid(old_grid, new_grid))
        is_ramp = news - olds >= 2
        olds, news = olds[is_ramp], news[is_ramp]
        residues = _residues(window, olds, news)
        if refinement < _REFINEMENTS:
            near = residues <= residues.min() + _NEGLIGIBLE * noise**2
            old_grid, new_grid = _refined(old_grid, olds[near]), _refined(new_grid, news[near])
    return _Fits(olds, news, residues, _distance(old_grid) * _distance(new_grid))


def _grid(low: int, high: int) -> Places:
    return np.unique(np.linspace(low, high, min(high - low + 1, _GRID_POINTS)).round().astype(np.intp))


def _refined(grid: Places, chosen: Places) -> Places:
    """Return a grid from the neighbour of the lowest that was chosen to the neighbour of the highest."""
    first, last = np.searchsorted(grid, (chosen.min(), chosen.max()))
    return _grid(int(grid[max(first - 1, 0)]), int(grid[min(last + 1, len(grid) - 1)]))


def _distance(grid: Places) -> float:
    return float(grid[-1] - grid[0]) / max(len(grid) - 1, 1)


def _residues(window: Vector, olds: Places, news: Places) -> Vector:
    """Return the squares about level, straight line, level, for each pair of its ends.

    That is a number plus a known shape times another: a regression on the shape, whose sums are differences
    of running sums.
    """
    count = len(window)
    centred = window - window.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    moments = np.concatenate(([0.0], np.cumsum(centred * np.arange(count))))
    length = news - olds
    after = count - 1 - news
    within = moments[news + 1] - moments[olds] - olds * (sums[news + 1] - sums[olds])
    product = within / length + sums[count] - sums[news + 1]
    total = (length + 1) / 2 + after
    squares = (length + 1) * (2 * length + 1) / (6 * length) + after - total**2 / count
    residues: Vector = (centred**2).sum() - product**2 / squares
    return residues


def _deviance(fits: _Fits, noise: float) -> float:
    """Return the squares that have the likelihood of all the fits together, each equally likely."""
    least = float(fits.residues.min())
    shares = np.exp((least - fits.residues) / (2 * noise**2))
    return least - 2 * noise**2 * math.log(fits.weight * float(shares.sum()))


def _change(window: Vector, fits: _Fits, noise: float, offset: int) -> ChangePoint:
    """Return the best of the fits, with the range of each end that is not ruled out."""
    best = int(fits.residues.argmin())
    old, new = int(fits.olds[best]), int(fits.news[best])
    possible = fits.residues <= fits.residues[best] + _RANGE * noise**2
    olds, news = fits.olds[possible], fits.news[possible]
    shape = np.clip((np.arange(len(window)) - old) / (new - old), 0.0, 1.0)
    slope, before = np.polyfit(shape, window, 1)
    return ChangePoint(
        start=offset + old + 1,
        earliest=offset + int(olds.min()) + 1,
        latest=offset + int(olds.max()) + 1,
        end=offset + new,
        earliest_end=offset + int(news.min()),
        latest_end=offset + int(news.max()),
        before=float(np.exp(before)),
        after=float(np.exp(before + slope)),
    )
