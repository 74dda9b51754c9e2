"""How good the decisions are: match rate, precision, recall, calibration; pure functions of what was decided.

Definitions (docs/metrics.md):

- match rate: awards with a link / awards. Candidates never count; a missing row lowers it; a doubled row
  never counts twice.
- population match rate: the match rate of all awards that the fixture was drawn from, estimated.
- precision: right links / links of awards with known truth. Where no recipient exists any link is wrong.
- recall: right links / awards that have a recipient. Blocking recall: the right recipient was linked or
  among the candidates. Scoring recall: right links / those. An engine without candidates has neither.
- calibration error: ECE with ten bins of equal width (Guo et al. 2017, equation 3).

An award with several rows is linked if any row links it, and right only if every linking row is right.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.fixture_draw import FixtureDraw, rate_of_all
from sbir_gate.model.matches import Decision, DecisionKind, names_candidates
from sbir_gate.model.records import AwardProfile, LinkedRecipient
from sbir_gate.model.run import PopulationRate, Quality, ReliabilityBin, Stratum
from sbir_gate.model.stratified import EstimatedRate

BINS = 10
Truth = Mapping[str, frozenset[str]]

_DIMENSIONS: tuple[tuple[str, Callable[[AwardProfile], str]], ...] = (
    ("phase", lambda profile: profile.phase.value),
    ("company_size", lambda profile: profile.company_size.value),
    ("identifier_type", lambda profile: profile.identifier_type.value),
)


class _Outcome(NamedTuple):
    """The result of one award: a named tuple, for hundreds of thousands are counted by their hashes."""

    is_linked: bool
    is_known: bool
    is_right: bool
    has_recipient: bool
    is_found: bool


@dataclass(frozen=True, slots=True)
class _Counts:
    """Awards counted by result."""

    awards: int
    links: int
    known_links: int
    right_links: int
    with_recipient: int
    found: int

    @classmethod
    def of(cls, counted: Mapping[_Outcome, int]) -> _Counts:
        """Return the sums over `counted`: how many awards there are of each outcome."""

        def total(wanted: Callable[[_Outcome], bool]) -> int:
            return sum(count for outcome, count in counted.items() if wanted(outcome))

        return cls(
            awards=sum(counted.values()),
            links=total(lambda outcome: outcome.is_linked),
            known_links=total(lambda outcome: outcome.is_linked and outcome.is_known),
            right_links=total(lambda outcome: outcome.is_right),
            with_recipient=total(lambda outcome: outcome.has_recipient),
            found=total(lambda outcome: outcome.is_found),
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
    decisions: Sequence[Decision],
    profiles: Sequence[AwardProfile],
    truth: Truth | None,
    draw: FixtureDraw | None = None,
) -> Quality:
    """Return the quality of the decisions over the awards in `profiles`; rows of other awards are left out.

    `truth` maps an award to its right recipients, an empty set says that none exists, an award that is not
    in it is not known. `draw` says how the awards were drawn, None if that is not known. Zero awards have
    the match rate 0.0; unknown figures are None.
    """
    known = truth or {}
    strata_of = {profile.award_id: profile for profile in profiles}
    judged = [decision for decision in decisions if decision.award_id in strata_of]
    rows = _rows_by_award(judged)
    outcomes = [_outcome(rows.get(award_id, ()), known.get(award_id)) for award_id in strata_of]
    counts = _Counts.of(Counter(outcomes))
    # rows of one award are in file order, and its first link names the method
    first_links = {row.award_id: row.method for row in reversed(judged) if row.kind is DecisionKind.LINK}
    methods = Counter(first_links.values())
    reliability = _reliability(judged, known)
    of_all = rate_of_all(draw, profiles, first_links.keys()) if draw is not None else None
    # without candidates, blocking and scoring cannot be distinguished: both would repeat the recall
    found = counts.found if names_candidates(judged) else None
    return Quality(
        awards=counts.awards,
        links=counts.links,
        match_rate=counts.match_rate,
        links_by_method=dict(sorted(methods.items())),
        precision=counts.precision,
        recall=counts.recall,
        f1=_f1(counts.precision, counts.recall),
        blocking_recall=None if found is None else _ratio(found, counts.with_recipient),
        scoring_recall=None if found is None else _ratio(counts.right_links, found),
        calibration_error=_calibration_error(reliability),
        strata=_strata(strata_of.values(), outcomes),
        reliability=reliability,
        labelled=None if truth is None else sum(outcome.is_known for outcome in outcomes),
        wholes=_wholes(counts, of_all, has_candidates=found is not None),
        population=(
            PopulationRate(draw.population, of_all.rate, of_all.low, of_all.high) if draw and of_all else None
        ),
    )


def _wholes(counts: _Counts, of_all: EstimatedRate | None, *, has_candidates: bool) -> Mapping[str, int]:
    """Return what each rate is a share of; the F1 score and the calibration error are none."""
    effective = of_all.effective if of_all is not None else 0.0
    wholes = {
        "population_match_rate": int(effective) if math.isfinite(effective) else 0,
        "match_rate": counts.awards,
        "precision": counts.known_links,
        "recall": counts.with_recipient,
        "blocking_recall": counts.with_recipient if has_candidates else 0,
        "scoring_recall": counts.found if has_candidates else 0,
    }
    return {name: whole for name, whole in wholes.items() if whole}


def labels_of(
    decisions: Sequence[Decision], profiles: Iterable[AwardProfile], truth: Truth | None
) -> tuple[Label, ...]:
    """Return what the truth says of each decision: a right link is correct, and none where none exists.

    This is the pairing that McNemar's test needs: a wrong link where there is no recipient counts as an
    error like a missed one. A row of no award is never correct.
    """
    if truth is None:
        return (Label.UNLABELLED,) * len(decisions)
    labels = {profile.award_id: Label.UNLABELLED for profile in profiles if profile.award_id not in truth}
    known = _rows_by_award(decision for decision in decisions if decision.award_id in truth)
    for award_id, rows in known.items():
        outcome = _outcome(rows, truth[award_id])
        is_correct = outcome.is_right or (not outcome.is_linked and not outcome.has_recipient)
        labels[award_id] = Label.CORRECT if is_correct else Label.INCORRECT
    return tuple(labels.get(decision.award_id, Label.INCORRECT) for decision in decisions)


def award_records(
    decisions: Sequence[Decision],
    profiles: Sequence[AwardProfile],
    truth: Truth | None,
    recipients: Mapping[str, LinkedRecipient],
) -> tuple[AwardRecord, ...]:
    """Return what a Run keeps of each decision; `recipients` are the linked ones by their ids."""
    profile_of = {profile.award_id: profile for profile in profiles}
    return tuple(
        _record(decision, label, profile_of.get(decision.award_id), recipients.get(decision.link))
        for decision, label in zip(decisions, labels_of(decisions, profiles, truth), strict=True)
    )


def _record(
    decision: Decision, label: Label, profile: AwardProfile | None, recipient: LinkedRecipient | None
) -> AwardRecord:
    return AwardRecord(
        decision,
        label,
        firm_name=profile.firm_name if profile else "",
        recipient_name=recipient.name if recipient else "",
        recipient_uei=recipient.uei if recipient else "",
        phase=profile.phase.value if profile else "",
        company_size=profile.company_size.value if profile else "",
        identifier_type=profile.identifier_type.value if profile else "",
    )


def _rows_by_award(decisions: Iterable[Decision]) -> Mapping[str, Sequence[Decision]]:
    rows: dict[str, list[Decision]] = {}
    for decision in decisions:
        rows.setdefault(decision.award_id, []).append(decision)
    return rows


def _outcome(rows: Sequence[Decision], right_ids: frozenset[str] | None) -> _Outcome:
    """Judge the rows of one award; `right_ids` is None where the truth does not know it."""
    linked_ids = [row.recipient_id for row in rows if row.kind is DecisionKind.LINK]
    wanted = right_ids or frozenset()
    return _Outcome(
        is_linked=bool(linked_ids),
        is_known=right_ids is not None,
        is_right=bool(linked_ids) and wanted.issuperset(linked_ids),
        has_recipient=bool(wanted),
        is_found=any(_names_any(row, wanted) for row in rows),
    )


def _names_any(row: Decision, recipient_ids: frozenset[str]) -> bool:
    return row.recipient_id in recipient_ids or not recipient_ids.isdisjoint(row.candidate_ids)


def _strata(profiles: Collection[AwardProfile], outcomes: Sequence[_Outcome]) -> tuple[Stratum, ...]:
    """Return the slices of the awards; `outcomes` runs parallel to `profiles`."""
    strata = []
    for dimension, value_of in _DIMENSIONS:
        groups: dict[str, Counter[_Outcome]] = defaultdict(Counter)
        for (value, outcome), count in Counter(zip(map(value_of, profiles), outcomes, strict=True)).items():
            groups[value][outcome] += count
        for value, members in sorted(groups.items()):
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
