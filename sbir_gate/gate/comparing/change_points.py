"""Where a series changed permanently: sudden steps, and slow ramps that no single step gives away.

ruptures (the extra `history`) finds the segments; whether a row of steps in one direction is a ramp, and
where it began, is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
# this price is in tests/unit/comparing/test_change_points.py and docs/history.md.
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

Vector = NDArray[np.float64]


def check_extra() -> None:
    """Raise UsageError if ruptures is not installed."""
    if find_spec("ruptures") is None:  # looked for, not loaded: scipy takes its time
        raise UsageError(
            "change points need ruptures, which is not installed",
            "install the extra: pip install 'sbir-gate[history]'",
        )


def exact_change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return every change of a metric without noise: each is real."""
    return tuple(
        ChangePoint(at, at, at, at, before, after)
        for at, (before, after) in enumerate(pairwise(values), start=1)
        if not math.isclose(before, after, rel_tol=1e-9)
    )


def change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return the changes of a noisy series, the oldest first; values must be above 0.

    On the logarithms, with the noise taken from the differences of neighbours: segments of least squares
    by the PELT algorithm (Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107 (2012) 1590-1598). Steps
    that follow one another in one direction are a ramp if level, straight line, level fits better than
    they do, a parameter for a parameter. Fewer than FEWEST_POINTS points have no change point.

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
    found = []
    for first, last in _moves(levels):
        window = slice(bounds[first], bounds[last + 1])
        steps = [bound - bounds[first] for bound in bounds[first + 1 : last + 1]]
        found += _changes_in(calm[window], steps, bounds[first], noise, penalty)
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


def _changes_in(
    window: Vector, steps: Sequence[int], offset: int, noise: float, penalty: float
) -> list[ChangePoint]:
    """Return a window of steps in one direction as one ramp, or as those steps."""
    bounds = [0, *steps, len(window)]
    residue = sum(_residue(window[start:end]) for start, end in pairwise(bounds))
    fits = _ramp_fits(window)
    ramp_residue = float(fits.residues.min())
    # a ramp has two places and two levels, a row of n steps n places and n + 1 levels
    surplus = 2 * penalty if len(steps) > 1 else penalty
    if ramp_residue + surplus < residue + (len(steps) if len(steps) > 1 else 0) * penalty:
        return [_ramp(window, fits, offset, noise)]
    return [_step(window, bounds[at - 1 : at + 2], offset, noise) for at in range(1, len(bounds) - 1)]


def _residue(values: Vector) -> float:
    return float(((values - values.mean()) ** 2).sum())


@dataclass(frozen=True, slots=True)
class _RampFits:
    """For each place as the last of the old level: the least squares, and the first of the new level."""

    residues: Vector
    lasts: NDArray[np.intp]


def _ramp_fits(window: Vector) -> _RampFits:
    """Return the best ramp from each place; one is at least two runs long.

    Level, straight line, level is a number plus a known shape times another: a regression on the shape,
    whose sums are differences of running sums.
    """
    count = len(window)
    centred = window - window.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    moments = np.concatenate(([0.0], np.cumsum(centred * np.arange(count))))
    total_squares = float((centred**2).sum())
    residues, lasts = np.full(count, np.inf), np.zeros(count, dtype=np.intp)
    for first in range(count - 2):
        last = np.arange(first + 2, count)
        length = last - first
        after = count - 1 - last
        within = moments[last + 1] - moments[first] - first * (sums[last + 1] - sums[first])
        product = within / length + sums[count] - sums[last + 1]
        total = (length + 1) / 2 + after
        squares = (length + 1) * (2 * length + 1) / (6 * length) + after - total**2 / count
        residue = total_squares - product**2 / squares
        best = int(np.argmin(residue))
        residues[first], lasts[first] = residue[best], last[best]
    return _RampFits(residues, lasts)


def _ramp(window: Vector, fits: _RampFits, offset: int, noise: float) -> ChangePoint:
    first = int(np.argmin(fits.residues))
    last = int(fits.lasts[first])
    possible = np.flatnonzero(fits.residues <= fits.residues[first] + _RANGE * noise**2)
    shape = np.clip((np.arange(len(window)) - first) / (last - first), 0.0, 1.0)
    slope, before = np.polyfit(shape, window, 1)
    return ChangePoint(
        start=offset + first + 1,
        earliest=offset + int(possible[0]) + 1,
        latest=offset + int(possible[-1]) + 1,
        end=offset + last,
        before=float(np.exp(before)),
        after=float(np.exp(before + slope)),
    )


def _step(window: Vector, bounds: Sequence[int], offset: int, noise: float) -> ChangePoint:
    start, middle, end = bounds
    around = window[start:end]
    fits = np.array([_residue(around[:at]) + _residue(around[at:]) for at in range(1, len(around))])
    possible = np.flatnonzero(fits <= fits.min() + _RANGE * noise**2)
    best = start + int(np.argmin(fits)) + 1
    return ChangePoint(
        start=offset + best,
        earliest=offset + start + int(possible[0]) + 1,
        latest=offset + start + int(possible[-1]) + 1,
        end=offset + best,
        before=float(np.exp(window[start:middle].mean())),
        after=float(np.exp(window[middle:end].mean())),
    )
