"""The awards that are worth a person's time: a stratified random sample, more of it where doubt is.

Each stratum (decision and confidence, identifier type, phase) is sampled at random without replacement, with
the seed alone deciding; Neyman's allocation gives a stratum awards in proportion to its size and to the
spread of right and wrong that is expected in it. Source: Cochran, Sampling Techniques, 3rd ed., section 5.5.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sbir_gate.model.labelling import DrawnAward, LabelSample
from sbir_gate.model.matches import Decision, DecisionKind

# the standard deviation of correct (1) and wrong (0) that is expected in a band: half of even odds at most
_SPREAD = {"none": 0.25, "candidate": 0.5, "borderline": 0.5, "likely": 0.3, "certain": 0.12}
_BORDERLINE_BELOW = 0.95
_LIKELY_BELOW = 0.99
# a smaller stratum is joined with the others of its band: two awards of it would be nearly all
_LEAST_IN_STRATUM = 12
# the least that has a variance
_LEAST_DRAWN = 2


@dataclass(frozen=True, slots=True)
class SampledFrom:
    """An award that may be drawn: its decision, and what it is grouped by."""

    decision: Decision
    phase: str
    identifier_type: str


def draw_sample(awards: Iterable[SampledFrom], count: int, seed: int) -> LabelSample:
    """Draw about `count` awards, the least certain first: at least two of each stratum, or all there are."""
    strata = _strata(awards)
    whole = sum(map(len, strata.values()))
    total = sum(len(members) * _spread(name) for name, members in strata.items())
    drawn: list[tuple[float, DrawnAward]] = []
    for name, members in strata.items():
        share = count * len(members) * _spread(name) / total
        size = len(members) if whole <= count else min(len(members), max(_LEAST_DRAWN, round(share)))
        for award in _shuffled(members, seed)[:size]:
            decision = award.decision
            found = DrawnAward(decision.award_id, name, size / len(members), decision.link)
            drawn.append((_doubt(decision), found))
    drawn.sort(key=lambda pair: (-pair[0], seeded_place(pair[1].award_id, seed)))
    sizes = tuple((name, len(members)) for name, members in sorted(strata.items()))
    return LabelSample(seed, whole, sizes, tuple(award for _, award in drawn))


def _strata(awards: Iterable[SampledFrom]) -> Mapping[str, Sequence[SampledFrom]]:
    fine: dict[tuple[str, str, str], list[SampledFrom]] = defaultdict(list)
    for award in awards:
        fine[_band(award.decision), award.identifier_type, award.phase].append(award)
    strata: dict[str, list[SampledFrom]] = defaultdict(list)
    for (band, identifier_type, phase), members in fine.items():
        is_large = len(members) >= _LEAST_IN_STRATUM
        name = f"{band}, {identifier_type or 'unknown'}, phase {phase or 'unknown'}" if is_large else band
        strata[name].extend(members)
    return strata


def _band(decision: Decision) -> str:
    if decision.kind is not DecisionKind.LINK:
        return decision.kind.value
    confidence = decision.score / 100 if decision.confidence is None else decision.confidence
    if confidence < _BORDERLINE_BELOW:
        return "borderline"
    return "likely" if confidence < _LIKELY_BELOW else "certain"


def _spread(stratum: str) -> float:
    return _SPREAD[stratum.partition(",")[0]]


def _doubt(decision: Decision) -> float:
    """Return how near a decision is to the other one, 0..1."""
    if decision.kind is DecisionKind.NONE:
        return 0.0
    confidence = decision.score / 100 if decision.confidence is None else decision.confidence
    return 1.0 - confidence if decision.kind is DecisionKind.LINK else confidence


def _shuffled(members: Sequence[SampledFrom], seed: int) -> list[SampledFrom]:
    return sorted(members, key=lambda award: seeded_place(award.decision.award_id, seed))


def seeded_place(award_id: str, seed: int) -> bytes:
    """Return a random place that depends on the seed and the id alone, on every machine: a draw is a sort."""
    return hashlib.sha256(f"{seed}\0{award_id}".encode()).digest()
