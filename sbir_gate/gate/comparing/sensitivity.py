"""What a measurement could have seen, and how many more repeats would have decided.

All on logarithms and counted for the worse: above 0 is worse, whichever way the metric should go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sbir_gate.gate.comparing.ratios import Ratio
from sbir_gate.model.verdict import Direction, MetricLimit

# Fewer pairs say too little of the noise to work out anything from it.
FEWEST_TELLING_PAIRS = 5

# More repeats than this are not suggested.
_MOST_REPEATS = 1000


@dataclass(frozen=True, slots=True)
class Worsening:
    """A ratio on the scale of the worse: the estimate, the bound nearer to no change, the farther one."""

    value: float
    near: float
    far: float


def worsening_of(ratio: Ratio, direction: Direction) -> Worsening | None:
    """Return how much worse it became; None where there is no ratio or no interval."""
    if ratio.value is None or ratio.low is None or ratio.high is None or ratio.value <= 0:
        return None
    low, value, high = _log(ratio.low), _log(ratio.value), _log(ratio.high)
    if direction is Direction.LOWER_IS_BETTER:
        return Worsening(value, low, high)
    return Worsening(-value, -high, -low)


def limit_log(percent: float, direction: Direction) -> float:
    """Return a limit in percent of the reference on the scale of the worse.

    A fall by 100% or more is infinitely far: no value above 0 gets there.
    """
    share = percent / 100
    return _log(1 + share) if direction is Direction.LOWER_IS_BETTER else -_log(1 - share)


def warn_guard(limit: MetricLimit) -> float:
    """Return what the interval must exclude for a failure: the warn limit, or no change without one.

    A warn limit above the fail limit counts as the fail limit, or it would switch failing off.
    """
    given = [percent for percent in (limit.warn_percent, limit.fail_percent) if percent is not None]
    return limit_log(min(given), limit.direction) if limit.warn_percent is not None else 0.0


def has_few_pairs(ratio: Ratio) -> bool:
    """Say whether there are too few pairs to estimate their sensitivity, or how many more are needed."""
    return ratio.is_paired and 0 < ratio.repeats < FEWEST_TELLING_PAIRS


def smallest_detectable(ratio: Ratio, direction: Direction) -> float | None:
    """Return the smallest regression that would have been detected, as a share (0.1 is 10%).

    It is as far from no change as the estimate from the nearer bound of its interval, or as the noise
    of pairs of the same code where that is more. None where there is no interval, or too few pairs.
    """
    worsening = worsening_of(ratio, direction)
    if worsening is None or math.isinf(worsening.near) or has_few_pairs(ratio):
        return None
    reach = max(worsening.value - worsening.near, ratio.noise_floor_log)
    return math.expm1(reach) if direction is Direction.LOWER_IS_BETTER else -math.expm1(-reach)


def more_repeats(ratio: Ratio, limit: MetricLimit) -> int | None:
    """Return about how many more repeats (or pairs) would tell whether the fail limit is broken.

    The width of an interval shrinks with the square root of the repeats, except for the part that
    repeats don't touch (another machine). None if no sensible number would, or it cannot be known.
    """
    worsening = worsening_of(ratio, limit.direction)
    if worsening is None or limit.fail_percent is None or ratio.repeats == 0 or has_few_pairs(ratio):
        return None
    fail = limit_log(limit.fail_percent, limit.direction)
    if worsening.value > fail:
        needed, width = worsening.value - warn_guard(limit), worsening.value - worsening.near
    else:
        needed, width = fail - worsening.value, worsening.far - worsening.value
    needed, width = needed - ratio.fixed_log, width - ratio.fixed_log
    if needed <= 0 or math.isinf(width):
        return None
    wanted = math.ceil(ratio.repeats * (width / needed) ** 2)
    return max(wanted - ratio.repeats, 1) if wanted <= _MOST_REPEATS else None


def _log(ratio: float) -> float:
    return math.log(ratio) if ratio > 0 else -math.inf
