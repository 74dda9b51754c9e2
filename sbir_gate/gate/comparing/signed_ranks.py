"""The pseudo-median of differences between pairs, with an interval that few pairs can bear.

No random numbers: the same samples always give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist, median, stdev

import numpy as np

from sbir_gate.model.statistics import FEWEST_REPEATS, Interval, student_quantile

# One interval in fifty misses. Stricter than the 95% of stored baselines, because more pairs are
# measured until the verdict is clear: each look is one more chance to be wrong. Of 95, 98, 99 and 99.5% it is
# the level that keeps false alarms rare on a busy machine without needing half as many
# pairs again (docs/statistics.md).
LEVEL = 0.98


# Up to this number of values all means of two are listed and the test is exact; with more, both are found
# without.
MOST_LISTED = 100
# each halving leaves half the distance; after these the bounds are within 1e-15 of the range of the values
_HALVINGS = 50


def pseudo_median_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the pseudo-median with its interval at a level.

    The pseudo-median is the median of the means of all pairs of values, each value with itself included. It
    bears outliers nearly as well as the median, and is nearly as exact as the mean. Source: Hodges and
    Lehmann, "Estimates of location based on rank tests", Ann. Math. Stat. 34 (1963) 598-611.

    With enough values (seven for LEVEL) the bounds are those means of pairs that Wilcoxon's signed-rank
    test would just not reject: exact for any noise that is symmetric about its middle, as the difference
    of two measurements of the same code is, whatever the shape of their noise. With fewer values no such
    bound reaches the level (five of one sign happen by chance in 2 of 32 cases), so Student's t about
    the pseudo-median stands in. Sources: Wilcoxon, Biometrics Bull. 1 (1945) 80-83; the inversion of
    the test is Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, section 3.3.

    Raises ValueError with fewer than FEWEST_REPEATS values.
    """
    count = len(values)
    if count < FEWEST_REPEATS:
        raise ValueError(f"{count} differences; an interval needs at least {FEWEST_REPEATS}")
    means = _MeansOfTwo(values)
    middle = means.middle()
    rank = critical_rank(count, level)
    if rank:
        return Interval(middle, *means.bounds(rank))
    half_width = stdev(values) / math.sqrt(count) * student_quantile((1 + level) / 2, count - 1)
    return Interval(middle, middle - half_width, middle + half_width)


class _MeansOfTwo:
    """The means of all pairs of values, each value with itself included, in ascending order.

    Of many values they are not listed: how many of them are below a point takes one search per value, and the
    point with a given number below it is found by bisection.
    """

    def __init__(self, values: Sequence[float]) -> None:
        # halves, because the sum of two large values may be endless
        self._halves = np.sort(np.asarray(values, dtype=np.float64)) / 2
        self._count = len(values) * (len(values) + 1) // 2
        self._listed: list[float] = []
        if len(values) <= MOST_LISTED:
            ordered = sorted(values)
            self._listed = sorted(
                (first + second) / 2 for at, first in enumerate(ordered) for second in ordered[at:]
            )

    def middle(self) -> float:
        """Return their median."""
        if self._listed or not self._count:
            return median(self._listed)
        low, _ = self._around((self._count + 1) // 2)
        _, high = self._around(self._count // 2 + 1)
        return (low + high) / 2

    def bounds(self, rank: int) -> tuple[float, float]:
        """Return the smallest but `rank` - 1 and the largest but as many; where in doubt, the outer value."""
        if self._listed:
            return self._listed[rank - 1], self._listed[-rank]
        return self._around(rank)[0], self._around(self._count + 1 - rank)[1]

    def _around(self, rank: int) -> tuple[float, float]:
        """Return two values, next to one another, between which the mean of this rank lies."""
        low, high = 2 * float(self._halves[0]), 2 * float(self._halves[-1])
        for _ in range(_HALVINGS):
            point = low / 2 + high / 2
            if self._up_to(point) >= rank:
                high = point
            else:
                low = point
        return low, high

    def _up_to(self, point: float) -> int:
        """Return how many means are not above the point: of each pair that is not one value twice, one."""
        pairs = int(np.searchsorted(self._halves, point - self._halves, side="right").sum())
        with_itself = int(np.searchsorted(self._halves, point / 2, side="right"))
        return (pairs + with_itself) // 2


@cache
def critical_rank(count: int, level: float) -> int:
    """Return which smallest mean bounds the interval, or 0 if none of them reaches the level.

    The rank sum of the negative values is the sum of a random choice of 1..count, if nothing changed. Its
    distribution is exact up to MOST_LISTED values; beyond, it is the normal one with the correction for its
    kurtosis (Edgeworth's series), which is never more than one rank away.
    """
    if count <= MOST_LISTED:
        return exact_rank(count, level)
    z = NormalDist().inv_cdf((1 - level) / 2)
    variance = count * (count + 1) * (2 * count + 1) / 24
    fourth = -sum(rank**4 for rank in range(1, count + 1)) / 8
    z += fourth / variance**2 / 24 * (z**3 - 3 * z)
    return math.floor(count * (count + 1) / 4 + z * math.sqrt(variance) + 0.5)


def exact_rank(count: int, level: float) -> int:
    """Return what `critical_rank` does from all choices of 1..count: a list as long as count squared."""
    ways = [1]
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for total, number in enumerate(ways):
            longer[total + rank] += number
        ways = longer
    allowed = (1 - level) / 2 * 2**count
    below, found = 0, 0
    for number in ways:
        below += number
        if below > allowed:
            return found
        found += 1
    return found
