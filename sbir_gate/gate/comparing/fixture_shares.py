"""A fixture beside a full run: shares that differ beyond chance, and strata too small to show a loss."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sbir_gate.model.fixture_draw import DrawnStratum, FixtureDraw, rate_of_all, stratum_key
from sbir_gate.model.fixture_status import BlindStratum, Counts, ShareComparison, ShareOf
from sbir_gate.model.records import AwardProfile
from sbir_gate.model.statistics import CONFIDENCE_LEVEL, mcnemar_p_value
from sbir_gate.model.stratified import EstimatedRate, StratumSample, estimated_rate
from sbir_gate.model.verdict import Policy

Values = Mapping[ShareOf, Mapping[str, str]]
"""By what is compared, the value of each award."""

# without weights each award counts once, as of a simple sample of very many
_MANY = 10**9


def values_of(awards: Iterable[AwardProfile], methods: Mapping[str, str] | None) -> Values:
    """Return the values of the fixture's awards; `methods` by award are None where no Run of it is known."""
    listed = tuple(awards)
    found: dict[ShareOf, Mapping[str, str]] = {
        ShareOf.PHASE: {award.award_id: award.phase.value for award in listed},
        ShareOf.YEAR: {award.award_id: award.year for award in listed},
        ShareOf.IDENTIFIER_TYPE: {award.award_id: award.identifier_type.value for award in listed},
    }
    return found if methods is None else {**found, ShareOf.METHOD: methods}


def compare_shares(
    awards: Sequence[AwardProfile], values: Values, draw: FixtureDraw | None, full: Counts
) -> tuple[ShareComparison, ...]:
    """Compare the shares of each value that both know something of, the least likely first.

    The test is the exact binomial one, both sides, against the share of the full run, at the effective number
    of awards, with the correction of Holm, Scand. J. Stat. 6 (1979) 65-70, for all values together.
    """
    found: list[tuple[float, ShareOf, str, float, float]] = []
    for dimension in ShareOf:
        counts, own = full.get(dimension), values.get(dimension)
        if counts is None or own is None or not sum(counts.values()):
            continue
        total = sum(counts.values())
        by_value: defaultdict[str, set[str]] = defaultdict(set)
        for award_id, value in own.items():
            by_value[value].add(award_id)
        for value in sorted(counts.keys() | by_value.keys()):
            estimate = _share(awards, by_value[value], draw)
            if estimate is not None:
                share = counts.get(value, 0) / total
                p_value = _p_value(estimate, share, len(awards))
                found.append((p_value, dimension, value, estimate.rate, share))
    return tuple(_corrected(sorted(found)))


def _corrected(found: Sequence[tuple[float, ShareOf, str, float, float]]) -> Iterator[ShareComparison]:
    largest = 0.0
    for place, (p_value, dimension, value, own, full) in enumerate(found):
        largest = min(1.0, max(largest, p_value * (len(found) - place)))
        yield ShareComparison(dimension, value, own, full, largest, largest < 1 - CONFIDENCE_LEVEL)


def _share(awards: Sequence[AwardProfile], hits: set[str], draw: FixtureDraw | None) -> EstimatedRate | None:
    if draw is not None:
        return rate_of_all(draw, awards, hits)
    return estimated_rate([StratumSample(max(_MANY, len(awards)), len(awards), len(awards), len(hits))])


def _p_value(own: EstimatedRate, full: float, awards: int) -> float:
    """Return how often a share of a sample is as far from that of the full run by chance."""
    if math.isclose(own.rate, full, abs_tol=1e-12):
        return 1.0
    if full in {0.0, 1.0}:
        return 0.0
    count = max(1, round(own.effective if math.isfinite(own.effective) else awards))
    hits = round(own.rate * count)
    up_to = _binomial(count, full, range(hits + 1))
    from_there = _binomial(count, full, range(hits, count + 1))
    return min(1.0, 2 * min(up_to, from_there))


def _binomial(count: int, share: float, hits: Iterable[int]) -> float:
    """Return the probability of any of these numbers of hits in `count` draws."""
    whole = math.lgamma(count + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(each + 1)
            - math.lgamma(count - each + 1)
            + each * math.log(share)
            + (count - each) * math.log1p(-share)
        )
        for each in hits
    )


def least_seen_loss(policy: Policy) -> int:
    """Return how many awards must lose their link for the gate to fail, if nothing else changes."""
    lost = 1
    while lost <= policy.max_lost and mcnemar_p_value(lost, 0) >= policy.significance:
        lost += 1
    return lost


def blind_strata(
    awards: Iterable[AwardProfile], draw: FixtureDraw | None, seen_from: int, least: int
) -> tuple[int, tuple[BlindStratum, ...]]:
    """Return how many strata there are, and those with fewer than `least` awards, the most unseen first.

    In a stratum with fewer awards than `seen_from` all links can be lost unseen; in a larger one the share of
    its awards that is below it.
    """
    if draw is not None:
        strata = draw.strata
    else:
        counted = Counter(map(stratum_key, awards))
        strata = tuple(DrawnStratum(*key, count, count) for key, count in sorted(counted.items()))
    blind = [
        BlindStratum(each, each.awards * min(each.drawn, seen_from - 1) // each.drawn)
        for each in strata
        if each.drawn < least
    ]
    return len(strata), tuple(sorted(blind, key=lambda each: (-each.unseen, each.stratum.key)))
