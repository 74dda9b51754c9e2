"""The trend of a series: how steep it is, and whether chance explains it. No assumption on the noise."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from sbir_gate.model.history import Trend

FEWEST_POINTS = 4

# The slopes of all pairs of 1,000 points are half a million; of more points an even choice is taken.
_MOST_POINTS = 1000


def trend(values: Sequence[float]) -> Trend | None:
    """Return the trend of a series, or None with fewer than FEWEST_POINTS values.

    The slope is the median of the slopes of all pairs. Source: Sen, J. Am. Stat. Assoc. 63 (1968) 1379-1389,
    after Theil (1950).
    """
    if len(values) < FEWEST_POINTS:
        return None
    return Trend(_slope(values), _p_value(values))


def _slope(values: Sequence[float]) -> float:
    count = len(values)
    steps = np.unique(np.linspace(0, count - 1, min(count, _MOST_POINTS)).round().astype(int))
    chosen = np.asarray(values, dtype=float)[steps]
    earlier, later = np.triu_indices(len(steps), k=1)
    return float(np.median((chosen[later] - chosen[earlier]) / (steps[later] - steps[earlier])))


def _p_value(values: Sequence[float]) -> float:
    """Return the two-sided p-value of the Mann-Kendall test, by the normal approximation with ties.

    It takes the runs as independent. Sources: Mann, Econometrica 13 (1945) 245-259; Kendall, Rank Correlation
    Methods, 4th ed. (1975).
    """
    score = 0
    before: list[float] = []
    for value in values:
        score += bisect_left(before, value) - (len(before) - bisect_right(before, value))
        insort(before, value)

    def weight(count: int) -> int:
        return count * (count - 1) * (2 * count + 5)

    variance = (weight(len(values)) - sum(weight(ties) for ties in Counter(values).values())) / 18
    if variance <= 0 or score == 0:
        return 1.0
    return 2 * (1 - NormalDist().cdf((abs(score) - 1) / math.sqrt(variance)))
