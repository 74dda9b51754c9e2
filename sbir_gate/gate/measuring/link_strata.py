"""How precise each kind of link is, and how often a firm without a recipient is linked."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Container, Hashable, Mapping, Sequence

from sbir_gate.model.by_award import ByAward
from sbir_gate.model.matches import Decision, DecisionKind, PlaceEvidence
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.records import AwardProfile
from sbir_gate.model.run import LinkStratum

_Truth = Mapping[str, frozenset[str]]
_PLACES = (*PlaceEvidence, None)


def link_strata(
    answered: ByAward[Decision], award_ids: Container[str], truth: _Truth
) -> tuple[LinkStratum, ...]:
    """Return the links of the awards by method and place.

    The first link of an award names its stratum, and it is correct only if all of its links are.
    """
    linked = _links(answered)
    confidences: dict[tuple[str, PlaceEvidence | None], Counter[float | None]] = defaultdict(Counter)
    labels: dict[tuple[str, PlaceEvidence | None], Counter[bool]] = defaultdict(Counter)
    for award_id, links in linked.items():
        if award_id not in award_ids:
            continue
        first = links[0]
        stratum = first.method, first.place
        confidences[stratum][first.confidence] += 1
        right_ids = truth.get(award_id)
        if right_ids is not None:
            labels[stratum][all(link.recipient_id in right_ids for link in links)] += 1
    ordered = sorted(confidences, key=lambda key: (key[0], _PLACES.index(key[1])))
    return tuple(
        LinkStratum(
            *stratum,
            links=confidences[stratum].total(),
            stated=_mean(confidences[stratum]),
            precision=Proportion.of(labels[stratum][True], labels[stratum].total()),
        )
        for stratum in ordered
    )


def absent_linked(
    answered: ByAward[Decision], profiles: Sequence[AwardProfile], truth: _Truth | None
) -> Proportion | None:
    """Return how many firms have a link of those without a recipient by the truth; None without a truth.

    A firm is what has one name, state and identifiers; an award without any of these is one of its own.
    """
    if truth is None:
        return None
    linked, asked = _links(answered), ByAward.of(profiles)
    is_linked: dict[Hashable, bool] = {}
    for award_id, place in zip(asked.award_ids, asked.places, strict=True):
        if truth.get(award_id) == frozenset():
            profile = asked.distinct[place]
            names = (profile.firm_name, profile.uei, profile.duns)
            firm = (*names, profile.state) if any(names) else award_id
            is_linked[firm] = is_linked.get(firm, False) or award_id in linked
    return Proportion.of(sum(is_linked.values()), len(is_linked))


def _links(answered: ByAward[Decision]) -> dict[str, list[Decision]]:
    is_link = [answer.kind is DecisionKind.LINK for answer in answered.distinct]
    linked: dict[str, list[Decision]] = defaultdict(list)
    for award_id, place in zip(answered.award_ids, answered.places, strict=True):
        if is_link[place]:
            linked[award_id].append(answered.distinct[place])
    return linked


def _mean(confidences: Mapping[float | None, int]) -> float | None:
    known = [(value, count) for value, count in confidences.items() if value is not None]
    count = sum(count for _, count in known)
    return math.fsum(value * count for value, count in known) / count if count else None
