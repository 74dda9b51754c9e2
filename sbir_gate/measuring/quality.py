"""How good the decisions are: match rate, precision, recall, calibration; pure functions of what was decided.

Definitions (docs/metrics.md):

- match rate: awards with a link / awards. Candidates never count; a missing row lowers it; a doubled row
  never counts twice.
- precision: right links / links of awards with known truth. Where no recipient exists any link is wrong.
- recall: right links / awards that have a recipient. Blocking recall: the right recipient was linked or
  among the candidates. Scoring recall: right links / those.
- calibration error: ECE with ten bins of equal width (Guo et al. 2017, equation 3).

An award with several rows is linked if any row links it, and right only if every linking row is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.records import AwardProfile
from sbir_gate.model.run import Quality, ReliabilityBin, Stratum

BINS = 10
Truth = Mapping[str, frozenset[str]]

_DIMENSIONS: tuple[tuple[str, Callable[[AwardProfile], str]], ...] = (
    ("phase", lambda profile: profile.phase.value),
    ("company_size", lambda profile: profile.company_size.value),
    ("identifier_type", lambda profile: profile.identifier_type.value),
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one award; `right_ids` is None where the truth does not know it."""

    linked_ids: frozenset[str]
    considered_ids: frozenset[str]
    method: str
    right_ids: frozenset[str] | None

    @property
    def is_linked(self) -> bool:
        return bool(self.linked_ids)

    @property
    def is_right_link(self) -> bool:
        return self.is_linked and self.right_ids is not None and self.linked_ids <= self.right_ids

    @property
    def has_recipient(self) -> bool:
        return bool(self.right_ids)

    @property
    def is_found(self) -> bool:
        return self.right_ids is not None and bool(self.right_ids & self.considered_ids)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Awards counted by what became of them."""

    awards: int
    links: int
    known_links: int
    right_links: int
    with_recipient: int
    found: int

    @classmethod
    def of(cls, outcomes: Sequence[_Outcome]) -> _Counts:
        return cls(
            awards=len(outcomes),
            links=sum(outcome.is_linked for outcome in outcomes),
            known_links=sum(outcome.is_linked and outcome.right_ids is not None for outcome in outcomes),
            right_links=sum(outcome.is_right_link for outcome in outcomes),
            with_recipient=sum(outcome.has_recipient for outcome in outcomes),
            found=sum(outcome.is_found for outcome in outcomes),
        )

    @property
    def match_rate(self) -> float:
        return self.links / self.awards if self.awards else 0.0

    @property
    def precision(self) -> float | None:
        return _ratio(self.right_links, self.known_links)

    @property
    def recall(self) -> float | None:
        return _ratio(self.right_links, self.with_recipient)


def measure_quality(
    decisions: Sequence[Decision], profiles: Sequence[AwardProfile], truth: Truth | None
) -> Quality:
    """Return the quality of the decisions over the awards in `profiles`; rows of other awards are left out.

    `truth` maps an award to its right recipients, an empty set says that none exists, an award that is not
    in it is not known. Zero awards have the match rate 0.0; what cannot be told is None.
    """
    known = truth or {}
    strata_of = {profile.award_id: profile for profile in profiles}
    judged = [decision for decision in decisions if decision.award_id in strata_of]
    outcomes = _outcomes(judged, strata_of, known)
    counts = _Counts.of(list(outcomes.values()))
    methods = Counter(outcome.method for outcome in outcomes.values() if outcome.is_linked)
    reliability = _reliability(judged, known)
    return Quality(
        awards=counts.awards,
        links=counts.links,
        match_rate=counts.match_rate,
        links_by_method=dict(sorted(methods.items())),
        precision=counts.precision,
        recall=counts.recall,
        f1=_f1(counts.precision, counts.recall),
        blocking_recall=_ratio(counts.found, counts.with_recipient),
        scoring_recall=_ratio(counts.right_links, counts.found),
        calibration_error=_calibration_error(reliability),
        strata=_strata(strata_of.values(), outcomes),
        reliability=reliability,
    )


def right_award_ids(decisions: Sequence[Decision], truth: Truth) -> tuple[str, ...]:
    """Return the awards that were judged right, sorted: a right link, or none made where none exists.

    This is the pairing that McNemar's test needs: a wrong link where there is no recipient counts as an
    error like a missed one. An award without any row is never right.
    """
    rows: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.award_id in truth:
            rows[decision.award_id].append(decision)
    right = []
    for award_id, own_rows in rows.items():
        outcome = _outcome(own_rows, truth[award_id])
        if outcome.is_right_link or (not outcome.is_linked and not outcome.has_recipient):
            right.append(award_id)
    return tuple(sorted(right))


def _outcomes(decisions: Iterable[Decision], award_ids: Iterable[str], truth: Truth) -> dict[str, _Outcome]:
    rows: dict[str, list[Decision]] = {award_id: [] for award_id in award_ids}
    for decision in decisions:
        rows[decision.award_id].append(decision)
    return {award_id: _outcome(own_rows, truth.get(award_id)) for award_id, own_rows in rows.items()}


def _outcome(rows: Sequence[Decision], right_ids: frozenset[str] | None) -> _Outcome:
    links = [row for row in rows if row.kind is DecisionKind.LINK]
    considered = {id_ for row in rows for id_ in (row.recipient_id, *row.candidate_ids)} - {""}
    return _Outcome(
        linked_ids=frozenset(link.recipient_id for link in links),
        considered_ids=frozenset(considered),
        method=links[0].method if links else "",
        right_ids=right_ids,
    )


def _strata(profiles: Iterable[AwardProfile], outcomes: Mapping[str, _Outcome]) -> tuple[Stratum, ...]:
    groups: dict[tuple[str, str], list[_Outcome]] = defaultdict(list)
    for profile in profiles:
        for dimension, value_of in _DIMENSIONS:
            groups[dimension, value_of(profile)].append(outcomes[profile.award_id])
    strata = []
    for dimension, _ in _DIMENSIONS:
        for (group_dimension, value), members in sorted(groups.items(), key=lambda item: item[0]):
            if group_dimension == dimension:
                counts = _Counts.of(members)
                figures = (counts.awards, counts.links, counts.match_rate, counts.precision, counts.recall)
                strata.append(Stratum(dimension, value, *figures))
    return tuple(strata)


def _reliability(decisions: Iterable[Decision], truth: Truth) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold anything; the last one includes a confidence of 1."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for decision in decisions:
        if decision.confidence is not None and decision.recipient_id and decision.award_id in truth:
            is_right = decision.recipient_id in truth[decision.award_id]
            place = min(int(decision.confidence * BINS), BINS - 1)
            bins[place].append((decision.confidence, is_right))
    return tuple(
        ReliabilityBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            count=len(members),
            mean_confidence=sum(confidence for confidence, _ in members) / len(members),
            share_right=sum(is_right for _, is_right in members) / len(members),
        )
        for place, members in sorted(bins.items())
    )


def _calibration_error(bins: Sequence[ReliabilityBin]) -> float | None:
    total = sum(bin_.count for bin_ in bins)
    if not total:
        return None
    return sum(bin_.count * abs(bin_.mean_confidence - bin_.share_right) for bin_ in bins) / total


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _f1(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
