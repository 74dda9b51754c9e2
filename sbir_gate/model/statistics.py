"""Intervals for medians of a few noisy repeats and for rates, and the exact McNemar test.

Everything here is a closed formula: the same samples always give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, median

from sbir_gate.model.proportion import score_interval
from sbir_gate.model.run import Metric, MetricKind

CONFIDENCE_LEVEL = 0.95

# Below two repeats nothing is known of the noise.
FEWEST_REPEATS = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error; `freedom` is the degrees of freedom behind that error."""

    value: float
    error: float
    freedom: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the bounds of its interval."""

    value: float
    low: float
    high: float

    def covers(self, point: float) -> bool:
        """Say whether the point lies within the bounds, bounds included."""
        return self.low <= point <= self.high


def half_width(found: Interval) -> float:
    """Return the distance of the value from the bound that is farther."""
    return max(found.high - found.value, found.value - found.low)


def estimate_median(values: Sequence[float]) -> Estimate:
    """Return the median with a standard error from two order statistics.

    The error is the distance of the c-th smallest from the c-th largest value over twice the
    normal quantile of the pair, c = (n + 1) / 2 - sqrt(n) rounded, at least 1. It
    assumes no shape of the noise. Source: Price and Bonett, "Estimating the variance of the sample
    median", J. Stat. Comput. Simul. 68 (2001) 295-305.

    Raises ValueError with fewer than FEWEST_REPEATS values.
    """
    count = len(values)
    if count < FEWEST_REPEATS:
        raise ValueError(f"{count} values; the error of a median needs at least {FEWEST_REPEATS}")
    ordered = sorted(values)
    rank, quantile = _error_rank(count)
    error = (ordered[count - rank] - ordered[rank - 1]) / (2 * quantile)
    return Estimate(median(ordered), error, count - 1)


@cache
def _error_rank(count: int) -> tuple[int, float]:
    """Return which smallest value the error is taken from, and its normal quantile."""
    rank = max(1, round((count + 1) / 2 - math.sqrt(count)))
    tail, ways = 0, 1
    for smaller in range(rank):
        tail += ways
        ways = ways * (count - smaller) // (smaller + 1)
    return rank, -NormalDist().inv_cdf(tail / 2**count)


def estimate_log_median(values: Sequence[float]) -> Estimate:
    """Return the natural log of the median with the error of `estimate_median` on the logs.

    All values must be above 0. Raises ValueError with fewer than FEWEST_REPEATS values.
    """
    of_logs = estimate_median([math.log(value) for value in values])
    return Estimate(math.log(median(values)), of_logs.error, of_logs.freedom)


def difference(minuend: Estimate, subtrahend: Estimate) -> Estimate:
    """Return minuend minus subtrahend, taken as independent of one another.

    On logarithms this is the log of a ratio of medians. Source: Price and Bonett, "Distribution-free
    confidence intervals for difference and ratio of medians", J. Stat. Comput. Simul. 72 (2002) 119-124.
    """
    return Estimate(
        minuend.value - subtrahend.value,
        math.hypot(minuend.error, subtrahend.error),
        minuend.freedom + subtrahend.freedom,
    )


def interval(estimate: Estimate) -> Interval:
    """Return the two-sided interval of an estimate at CONFIDENCE_LEVEL.

    Student's quantile replaces the normal one of the source: with three repeats a side the
    error itself is uncertain, and the normal quantile would promise too much.
    """
    half_width = estimate.error * student_quantile((1 + CONFIDENCE_LEVEL) / 2, estimate.freedom)
    return Interval(estimate.value, estimate.value - half_width, estimate.value + half_width)


def metric_interval(metric: Metric) -> tuple[float, float] | None:
    """Return the bounds of one metric by itself, at CONFIDENCE_LEVEL; None where they are not known.

    Of a noisy metric they are those of the median of its repeats, from which the verdict takes the interval
    of a change; of a rate, Wilson's.
    """
    values = metric.values
    if metric.kind is MetricKind.NOISY and len(values) >= FEWEST_REPEATS:
        if min(values) <= 0:
            found = interval(estimate_median(values))
            return found.low, found.high
        found = interval(estimate_log_median(values))
        try:
            return math.exp(found.low), math.exp(found.high)
        except OverflowError:  # repeats that have nothing to do with one another
            return None
    if metric.whole > 0 and values and 0 <= values[0] <= 1:
        return score_interval(values[0], metric.whole)
    return None


@cache
def student_quantile(probability: float, freedom: int) -> float:
    """Return Student's t quantile, exact to about ten digits.

    The distribution is a finite sum of powers of the cosine of an angle, and t is the square root of the
    degrees of freedom times its tangent; the angle is found by bisection. Source: Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    low, high = -math.pi / 2, math.pi / 2
    while (angle := (low + high) / 2) not in {low, high}:
        if _student_probability(angle, freedom) < probability:
            low = angle
        else:
            high = angle
    return math.sqrt(freedom) * math.tan(angle)


def _student_probability(angle: float, freedom: int) -> float:
    """Return how often Student's t is below the square root of `freedom` times the tangent of the angle."""
    cosine, is_odd = math.cos(angle), freedom % 2
    total, term = 0.0, cosine if is_odd else 1.0
    for power in range(1 + is_odd, freedom, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    if is_odd:
        return 0.5 + (angle + math.sin(angle) * total) / math.pi
    return 0.5 + math.sin(angle) * total / 2


def mcnemar_p_value(worsened: int, improved: int) -> float:
    """Return the two-sided p-value of the exact McNemar test on two counts of changed records.

    Under "no change" each changed record is as likely to have worsened as improved, so the smaller
    count is binomial(n, 1/2); its lower tail is doubled and capped at 1. Summed in logarithms, so
    hundreds of thousands of records neither overflow nor underflow to an error.
    Source: McNemar, Psychometrika 12 (1947) 153-157.

    Raises ValueError for a negative count.
    """
    if worsened < 0 or improved < 0:
        raise ValueError(f"counts cannot be negative: {worsened}, {improved}")
    changed = worsened + improved
    smaller = min(worsened, improved)
    log_terms = [
        math.lgamma(changed + 1) - math.lgamma(hits + 1) - math.lgamma(changed - hits + 1)
        for hits in range(smaller + 1)
    ]
    largest = log_terms[-1]
    log_tail = largest + math.log(math.fsum(math.exp(term - largest) for term in log_terms))
    return min(1.0, 2 * math.exp(log_tail - changed * math.log(2)))
