"""A share of a count, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

# the two-sided 95% quantile of the normal distribution
_NORMAL_QUANTILE = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """`part` of `whole`: the rate, and its 95% interval; None where there is nothing to count.

    The interval is Wilson's score interval, which stays within 0 and 1 and holds for rates near them and for
    few awards. Source: Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22 (1927) 209-212.
    """

    part: int
    whole: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, part: int, whole: int) -> Proportion:
        """Return the proportion of two counts. Raises ValueError unless 0 <= part <= whole."""
        if not 0 <= part <= whole:
            raise ValueError(f"{part} of {whole} is not a proportion")
        if not whole:
            return cls(0, 0, None, None, None)
        rate = part / whole
        return cls(part, whole, rate, *score_interval(rate, whole))

    @property
    def is_sound(self) -> bool:
        """Say whether the counts are possible, and give the rate, which lies within the interval."""
        if self.rate is None or self.low is None or self.high is None:
            return self.part == self.whole == 0
        is_possible = 0 <= self.part <= self.whole and 0 <= self.low <= self.rate <= self.high <= 1
        return is_possible and self.whole > 0 and math.isclose(self.rate, self.part / self.whole)


def score_interval(rate: float, count: float) -> tuple[float, float]:
    """Return Wilson's 95% interval of a rate among `count`, which may be an effective number."""
    square = _NORMAL_QUANTILE**2
    middle = rate + square / (2 * count)
    half = _NORMAL_QUANTILE * math.sqrt(rate * (1 - rate) / count + square / (4 * count**2))
    scale = 1 + square / count
    # rounding must not put the rate outside of its interval
    return max(0.0, min((middle - half) / scale, rate)), min(1.0, max((middle + half) / scale, rate))
