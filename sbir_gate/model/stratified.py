"""A rate of all awards, estimated from a stratified random sample of them, with its 95% interval.

Each drawn award counts as many as it was drawn for (Horvitz and Thompson, J. Am. Stat. Assoc. 47 (1952)
663-685). A rate is the ratio of two such totals; its variance is that of the linearised ratio within the
strata, with the correction for a finite population (Sarndal, Swensson and Wretman, Model Assisted Survey
Sampling, section 5.6). Where every award counts, that is the variance of Cochran, Sampling Techniques, 3rd
ed., section 5.10. The interval is Wilson's at the effective number of drawn awards (Dean and Pagano, J. Surv.
Stat. Methodol. 3 (2015) 484-503): the smaller one of what the variance says, and the weights (Kish, Survey
Sampling, section 11.7). It holds near 0 and 1, and where strata are so small that their few awards agree by
chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sbir_gate.model.proportion import score_interval


@dataclass(frozen=True, slots=True)
class StratumSample:
    """Of the `size` awards of a stratum, `drawn` were drawn at random, and a rate is of `counted` of these.

    `hits` of the counted are what the rate counts: links, correct links.
    """

    size: int
    drawn: int
    counted: int
    hits: int

    @property
    def weight(self) -> float:
        """How many awards each drawn one was drawn for."""
        return self.size / self.drawn

    @property
    def left_out(self) -> float:
        """The share of the stratum that was not drawn: without it nothing is left to chance."""
        return max(0.0, 1 - self.drawn / self.size)


@dataclass(frozen=True, slots=True)
class EstimatedRate:
    """A rate with its 95% interval; `effective` is the size of a simple random sample that says as much.

    It is infinite, and the interval a point, where all awards were drawn.
    """

    rate: float
    low: float
    high: float
    effective: float


def estimated_rate(strata: Iterable[StratumSample]) -> EstimatedRate | None:
    """Return the rate of hits among what counts in all awards; None where nothing that counts was drawn.

    A stratum of which nothing was drawn is taken as like the others.
    """
    drawn = [stratum for stratum in strata if stratum.drawn]
    total = math.fsum(stratum.weight * stratum.counted for stratum in drawn)
    if not total:
        return None
    rate = math.fsum(stratum.weight * stratum.hits for stratum in drawn) / total
    rate = min(1.0, rate)
    variance = math.fsum(_variance(stratum, rate) for stratum in drawn) / total**2
    spread = math.fsum(stratum.weight**2 * stratum.counted * stratum.left_out for stratum in drawn)
    if not spread:
        return EstimatedRate(rate, rate, rate, math.inf)
    effective = total**2 / spread
    if variance > 0:
        effective = min(effective, rate * (1 - rate) / variance)
    effective = max(effective, 1.0)
    return EstimatedRate(rate, *score_interval(rate, effective), effective)


def _variance(stratum: StratumSample, rate: float) -> float:
    """Return the variance of the estimated total of the residuals: hit minus rate for what counts, else 0."""
    drawn, misses = stratum.drawn, stratum.counted - stratum.hits
    squares = stratum.hits * (1 - rate) ** 2 + misses * rate**2
    if drawn == 1:
        # one award shows no dispersion: that of awards like all others is taken
        within = rate * (1 - rate)
    else:
        mean = (stratum.hits * (1 - rate) - misses * rate) / drawn
        within = max(0.0, (squares - drawn * mean**2) / (drawn - 1))
    return stratum.size**2 * stratum.left_out * within / drawn
