"""The pseudo-median of differences between pairs, with an interval that few pairs can bear.

Everything here is a closed formula: the same samples always give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import median, stdev

from sbir_gate.comparing.statistics import FEWEST_REPEATS, Interval, student_quantile

# One interval in fifty misses. Stricter than the 95 % of stored baselines, because more pairs are
# measured until the verdict is clear: each look is one more chance to be wrong. Of 95, 98, 99 and
# 99.5 % it is the level that keeps false alarms rare on a busy machine without needing half as many
# pairs again (docs/statistics.md).
LEVEL = 0.98


def pseudo_median(values: Sequence[float]) -> float:
    """Return the median of the means of all pairs of values, each value with itself included.

    It bears outliers nearly as well as the median, and is nearly as exact as the mean. Source: Hodges
    and Lehmann, "Estimates of location based on rank tests", Ann. Math. Stat. 34 (1963) 598-611.
    Raises StatisticsError without a value.
    """
    return median(_walsh_averages(values))


def pseudo_median_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the pseudo-median with its interval at a level.

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
    averages = _walsh_averages(values)
    middle = median(averages)
    rank = _critical_rank(count, level)
    if rank:
        return Interval(middle, averages[rank - 1], averages[-rank])
    half_width = stdev(values) / math.sqrt(count) * student_quantile((1 + level) / 2, count - 1)
    return Interval(middle, middle - half_width, middle + half_width)


def _walsh_averages(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return sorted((first + second) / 2 for at, first in enumerate(ordered) for second in ordered[at:])


@cache
def _critical_rank(count: int, level: float) -> int:
    """Return which smallest mean bounds the interval, or 0 if none of them reaches the level.

    The rank sum of the negative values is the sum of a random choice of 1..count, if nothing changed.
    """
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
