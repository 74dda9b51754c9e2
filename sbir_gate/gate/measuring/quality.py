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
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import NamedTuple, TypeVar

from sbir_gate.gate.measuring.link_strata import absent_linked, link_strata
from sbir_gate.model.award_columns import AwardColumns, AwardRecords, placed, said_places
from sbir_gate.model.awards import Label
from sbir_gate.model.by_award import ByAward
from sbir_gate.model.fixture_draw import FixtureDraw, rate_of_all
from sbir_gate.model.matches import Decision, DecisionKind, names_candidates
from sbir_gate.model.records import AwardProfile, LinkedRecipient
from sbir_gate.model.run import PopulationRate, Quality, ReliabilityBin, Stratum
from sbir_gate.model.stratified import EstimatedRate

BINS = 10
Truth = Mapping[str, frozenset[str]]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_DIMENSIONS = ("phase", "company_size", "identifier_type")
_Strata = tuple[str, str, str]
_NO_STRATA = ("", "", "")


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


class _Asked(NamedTuple):
    """What the quality of an award depends on: its slice, the answers of its rows, its right recipients."""

    strata: _Strata
    rows: tuple[int, ...]
    right_ids: frozenset[str] | None


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
    answered = ByAward.of(decisions)
    strata_of = _strata_by_award(profiles)
    rows = _rows_by_award(answered) if known else {}
    unlabelled_rows = _rows_by_award(_alike(answered))
    # thousands of awards are asked and answered alike: what follows looks at each such case once
    counted = Counter(
        zip(
            strata_of.values(),
            ((rows if award_id in known else unlabelled_rows).get(award_id, ()) for award_id in strata_of),
            map(known.get, strata_of),
            strict=True,
        )
    )
    cases = {_Asked(*asked): count for asked, count in counted.items()}
    judged = {asked.rows: tuple(answered.distinct[place] for place in asked.rows) for asked in cases}
    outcomes = {asked: _outcome(judged[asked.rows], asked.right_ids) for asked in cases}
    counts = _Counts.of(_counted((outcomes[asked], count) for asked, count in cases.items()))
    reliability = _reliability(answered, strata_of, known)
    of_all = _rate_of_all(draw, profiles, answered)
    # without candidates, blocking and scoring cannot be distinguished: both would repeat the recall
    found = counts.found if names_candidates(chain.from_iterable(judged.values())) else None
    return Quality(
        awards=counts.awards,
        links=counts.links,
        match_rate=counts.match_rate,
        links_by_method=_links_by_method((judged[asked.rows], count) for asked, count in cases.items()),
        precision=counts.precision,
        recall=counts.recall,
        f1=_f1(counts.precision, counts.recall),
        blocking_recall=None if found is None else _ratio(found, counts.with_recipient),
        scoring_recall=None if found is None else _ratio(counts.right_links, found),
        calibration_error=_calibration_error(reliability),
        strata=_strata((asked.strata, outcomes[asked], count) for asked, count in cases.items()),
        reliability=reliability,
        labelled=None
        if truth is None
        else sum(count for asked, count in cases.items() if asked.right_ids is not None),
        wholes=_wholes(counts, of_all, has_candidates=found is not None),
        population=(
            PopulationRate(draw.population, of_all.rate, of_all.low, of_all.high) if draw and of_all else None
        ),
        link_strata=link_strata(answered, strata_of, known),
        absent_linked=absent_linked(answered, profiles, truth),
    )


def _rate_of_all(
    draw: FixtureDraw | None, profiles: Sequence[AwardProfile], answered: ByAward[Decision]
) -> EstimatedRate | None:
    if draw is None:
        return None
    links = [answer.kind is DecisionKind.LINK for answer in answered.distinct]
    rows = zip(answered.award_ids, answered.places, strict=True)
    return rate_of_all(draw, profiles, {award_id for award_id, place in rows if links[place]})


def _alike(answered: ByAward[Decision]) -> ByAward[Decision]:
    """Return the decisions with one answer for all that count as the same without a truth."""
    first: dict[tuple[str, str, bool], int] = {}
    places = [
        first.setdefault((answer.kind, answer.method, bool(answer.candidate_ids)), place)
        for place, answer in enumerate(answered.distinct)
    ]
    return ByAward(answered.award_ids, answered.distinct, [places[place] for place in answered.places])


def _counted(found: Iterable[tuple[K, int]]) -> Counter[K]:
    counts: Counter[K] = Counter()
    for key, count in found:
        counts[key] += count
    return counts


def _links_by_method(found: Iterable[tuple[Sequence[Decision], int]]) -> Mapping[str, int]:
    """Return the links by method: rows of one award are in file order, and its first link names it."""
    firsts = (
        (row.method, count)
        for rows, count in found
        for row in [row for row in rows if row.kind is DecisionKind.LINK][:1]
    )
    return dict(sorted(_counted(firsts).items()))


def _strata_by_award(profiles: Sequence[AwardProfile]) -> Mapping[str, _Strata]:
    """Return the slices of each award, in the order of the dimensions."""
    asked = ByAward.of(profiles)
    strata = list(map(_strata_of, asked.distinct))
    return {award_id: strata[place] for award_id, place in zip(asked.award_ids, asked.places, strict=True)}


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
    decisions: Sequence[Decision], profiles: Sequence[AwardProfile], truth: Truth | None
) -> tuple[Label, ...]:
    """Return what the truth says of each decision: a right link is correct, and none where none exists.

    This is the pairing that McNemar's test needs: a wrong link where there is no recipient counts as an
    error like a missed one. A row of no award is never correct.
    """
    if truth is None:
        return (Label.UNLABELLED,) * len(decisions)
    answered, asked = ByAward.of(decisions), frozenset(ByAward.of(profiles).award_ids)
    rows = _rows_by_award(answered)

    @cache
    def label(rows: tuple[int, ...], right_ids: frozenset[str]) -> Label:
        outcome = _outcome([answered.distinct[place] for place in rows], right_ids)
        is_correct = outcome.is_right or (not outcome.is_linked and not outcome.has_recipient)
        return Label.CORRECT if is_correct else Label.INCORRECT

    def label_of(award_id: str) -> Label:
        right_ids = truth.get(award_id)
        if right_ids is not None:
            return label(rows[award_id], right_ids)
        return Label.UNLABELLED if award_id in asked else Label.INCORRECT

    return tuple(map(label_of, answered.award_ids))


def award_records(
    decisions: Sequence[Decision],
    profiles: Sequence[AwardProfile],
    truth: Truth | None,
    recipients: Mapping[str, LinkedRecipient],
) -> AwardRecords:
    """Return what a Run keeps of each decision; `recipients` are the linked ones by their ids."""
    answered, asked = ByAward.of(decisions), ByAward.of(profiles)
    # the last is that of a row of no award
    firm_names = [*(profile.firm_name for profile in asked.distinct), ""]
    strata, strata_at = placed([*map(_strata_of, asked.distinct), _NO_STRATA])
    place_of = dict(zip(asked.award_ids, asked.places, strict=True))
    asked_at = [place_of.get(award_id, -1) for award_id in answered.award_ids]
    decided, decided_at = placed((answer.kind, answer.method, answer.place) for answer in answered.distinct)
    named = [_recipient(answer, recipients.get(answer.link)) for answer in answered.distinct]
    firms, firm = placed(map(firm_names.__getitem__, asked_at))
    known, recipient = placed(map(named.__getitem__, answered.places))
    kinds, kind = placed(
        zip(
            map(decided_at.__getitem__, answered.places),
            labels_of(answered, asked, truth),
            map(strata_at.__getitem__, asked_at),
            strict=True,
        )
    )

    def each(value_of: Callable[[Decision], V]) -> tuple[V, ...]:
        return tuple(map(list(map(value_of, answered.distinct)).__getitem__, answered.places))

    return AwardRecords(
        AwardColumns(
            firms=firms,
            recipients=known,
            kinds=tuple((*decided[place][:2], label, *strata[at]) for place, label, at in kinds),
            award_id=tuple(answered.award_ids),
            firm=firm,
            recipient=recipient,
            kind=kind,
            score=each(lambda answer: answer.score),
            confidence=each(lambda answer: answer.confidence),
            candidate_ids=each(lambda answer: answer.candidate_ids),
            places=said_places(decided[place][2] for place, _, _ in kinds),
        )
    )


def _recipient(answer: Decision, linked: LinkedRecipient | None) -> tuple[str, str, str]:
    return answer.recipient_id, linked.name if linked else "", linked.uei if linked else ""


def _strata_of(profile: AwardProfile) -> _Strata:
    """Return the slices of an award, in the order of the dimensions."""
    # `value` of an enum takes ten times as long
    return str(profile.phase), str(profile.company_size), str(profile.identifier_type)


def _rows_by_award(decisions: ByAward[Decision]) -> Mapping[str, tuple[int, ...]]:
    """Return the places of the answers of each award, in the order of its rows."""
    alone = [(place,) for place in range(len(decisions.distinct))]
    rows: dict[str, tuple[int, ...]] = {}
    for award_id, place in zip(decisions.award_ids, decisions.places, strict=True):
        before = rows.get(award_id)
        rows[award_id] = alone[place] if before is None else (*before, place)
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


def _strata(found: Iterable[tuple[_Strata, _Outcome, int]]) -> tuple[Stratum, ...]:
    """Return the slices of the awards: of each case the slices of its awards, their outcome and number."""
    groups: dict[tuple[str, str], Counter[_Outcome]] = defaultdict(Counter)
    for values, outcome, count in found:
        for dimension, value in zip(_DIMENSIONS, values, strict=True):
            groups[dimension, value][outcome] += count
    strata = []
    for dimension, value in sorted(groups, key=lambda key: (_DIMENSIONS.index(key[0]), key[1])):
        counts = _Counts.of(groups[dimension, value])
        figures = (counts.awards, counts.links, counts.match_rate, counts.precision, counts.recall)
        strata.append(Stratum(dimension, value, *figures))
    return tuple(strata)


def _reliability(
    decisions: ByAward[Decision], award_ids: Container[str], truth: Truth
) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold anything; the last one includes a confidence of 1."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for award_id, place in zip(decisions.award_ids, decisions.places, strict=True):
        decision = decisions.distinct[place]
        is_known = award_id in truth and award_id in award_ids
        if is_known and decision.confidence is not None and decision.recipient_id:
            is_right = decision.recipient_id in truth[award_id]
            at = min(int(decision.confidence * BINS), BINS - 1)
            bins[at].append((decision.confidence, is_right))
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
