"""The quality report of decisions: counted by segment, score, confidence and reason; a pure function."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sbir_gate import __version__
from sbir_gate.gate.measuring.review_lists import review_candidates, shared_identifiers, split_firms
from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.matches import DecisionKind, Method, NoLinkReason
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import (
    MOST_LISTED,
    MOST_SEGMENTS,
    Band,
    BandCount,
    Dimension,
    Gap,
    HistogramBin,
    Listing,
    QualityReport,
    Segment,
    UnmatchedCount,
    band_of,
)
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, LinkedRecipient, Phase
from sbir_gate.model.run import Quality

_SCORE_BINS = 20
_CONFIDENCE_BINS = 20
_HIGHEST_SCORE = 100.0

_VALUE_OF: Mapping[Dimension, Callable[[AwardProfile], str]] = {
    Dimension.PHASE: lambda profile: str(profile.phase),
    Dimension.COMPANY_SIZE: lambda profile: str(profile.company_size),
    Dimension.IDENTIFIER_TYPE: lambda profile: str(profile.identifier_type),
    Dimension.AGENCY: lambda profile: profile.agency,
    Dimension.PROGRAM: lambda profile: profile.program,
    Dimension.YEAR: lambda profile: profile.year,
    Dimension.STATE: lambda profile: profile.state,
}
# a dimension of which every award has this value is not known
_NOTHING = {
    Dimension.PHASE: Phase.OTHER.value,
    Dimension.COMPANY_SIZE: CompanySize.UNKNOWN.value,
    Dimension.IDENTIFIER_TYPE: IdentifierType.NEITHER.value,
}
_FIXED_ORDER: Mapping[Dimension, Sequence[str]] = {
    Dimension.PHASE: tuple(phase.value for phase in Phase),
    Dimension.COMPANY_SIZE: tuple(size.value for size in CompanySize),
    Dimension.IDENTIFIER_TYPE: tuple(kind.value for kind in IdentifierType),
}
_BY_METHOD: Mapping[str, NoLinkReason] = {
    Method.UEI_EXACT.value: NoLinkReason.IDENTIFIER_CONFLICT,
    Method.DUNS_EXACT.value: NoLinkReason.IDENTIFIER_CONFLICT,
    Method.NAME_EXACT.value: NoLinkReason.NAME_FREQUENCY,
    Method.ALIAS.value: NoLinkReason.ALIAS,
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Of what, and when, a report is made."""

    made_at: datetime
    enriched: str


class _Outcome(NamedTuple):
    """What is counted of one award."""

    is_linked: bool
    is_labelled: bool
    is_correct: bool


def quality_report(
    quality: Quality,
    records: Sequence[AwardRecord],
    profiles: Sequence[AwardProfile],
    names: Mapping[str, LinkedRecipient],
    provenance: Provenance,
    *,
    has_candidates: bool,
) -> QualityReport:
    """Return the report of the decisions in `records` on the awards in `profiles`.

    `quality` is what `measure_quality` returns of the same decisions, `names` are recipients by their ids, as
    far as they are known. `has_candidates` says whether the engine names what it considered, even if it found
    nothing. An award with several rows counts once, by its first link; rows of no award are counted apart.
    """
    profiles = tuple(profiles)  # they are walked several times
    known = {profile.award_id for profile in profiles}
    best, doubled, unknown = _best_rows(records, known)
    decided = [(profile, best.get(profile.award_id)) for profile in profiles]
    outcomes = [_outcome(record) for _, record in decided]
    gaps = _gaps(quality, records, profiles, names, has_candidates=has_candidates)
    has_names = Gap.FIRM_NAME not in gaps or Gap.IDENTIFIER_TYPE not in gaps
    unmatched = [
        (profile, record, _reason(record, profile, has_candidates=has_candidates, has_names=has_names))
        for profile, record in decided
        if record is None or not record.link
    ]
    chosen = [record for _, record in decided if record is not None and record.decision.recipient_id]
    review = review_candidates(((profile, row, why) for profile, row, why in unmatched if row), names)
    shared = shared_identifiers(profiles)
    split = split_firms(((profile, row) for profile, row in decided if row and row.link), names)
    return QualityReport(
        made_at=provenance.made_at,
        tool_version=__version__,
        enriched=provenance.enriched,
        quality=quality,
        match_rate=Proportion.of(sum(outcome.is_linked for outcome in outcomes), len(outcomes)),
        precision=_precision(Counter(outcomes)),
        candidates=sum(record.decision.kind is DecisionKind.CANDIDATE for record in chosen),
        rows=len(records),
        rows_doubled=doubled,
        rows_missing=len(profiles) - len(best),
        rows_unknown=unknown,
        segments=tuple(_segments(profiles, outcomes, gaps)),
        scores=_histogram(chosen, lambda row: row.decision.score, _SCORE_BINS, _HIGHEST_SCORE),
        confidences=_histogram(chosen, lambda row: row.decision.confidence, _CONFIDENCE_BINS, 1.0),
        bands=tuple(_bands(chosen)),
        unmatched=_unmatched(unmatched),
        review=review[:MOST_LISTED],
        shared_identifiers=shared[:MOST_LISTED],
        split_firms=split[:MOST_LISTED],
        listing=Listing(len(review), sum(entry.awards for entry in review), len(shared), len(split)),
        gaps=gaps,
    )


def _best_rows(records: Sequence[AwardRecord], known: set[str]) -> tuple[dict[str, AwardRecord], int, int]:
    """Return the first link, else the first row, of each award, and how many rows are doubled and unknown."""
    best: dict[str, AwardRecord] = {}
    doubled = unknown = 0
    for record in records:
        award_id = record.award_id
        if award_id not in known:
            unknown += 1
            continue
        before = best.setdefault(award_id, record)
        if before is not record:
            doubled += 1
            if record.link and not before.link:
                best[award_id] = record
    return best, doubled, unknown


def _outcome(record: AwardRecord | None) -> _Outcome:
    if record is None or not record.link:
        return _Outcome(is_linked=False, is_labelled=False, is_correct=False)
    label = record.label
    return _Outcome(
        is_linked=True, is_labelled=label is not Label.UNLABELLED, is_correct=label is Label.CORRECT
    )


def _precision(counted: Mapping[_Outcome, int]) -> Proportion:
    labelled = sum(count for outcome, count in counted.items() if outcome.is_labelled)
    return Proportion.of(sum(count for outcome, count in counted.items() if outcome.is_correct), labelled)


def _gaps(
    quality: Quality,
    records: Sequence[AwardRecord],
    profiles: Sequence[AwardProfile],
    names: Mapping[str, LinkedRecipient],
    *,
    has_candidates: bool,
) -> tuple[Gap, ...]:
    is_known = {
        Gap.CONFIDENCE: any(record.decision.confidence is not None for record in records),
        Gap.CANDIDATES: has_candidates,
        Gap.TRUTH: quality.labelled is not None,
        Gap.FIRM_NAME: any(profile.firm_name for profile in profiles),
        Gap.RECIPIENT_NAME: any(found.name for found in names.values())
        or any(record.recipient_name for record in records),
        **{
            Gap(dimension.value): any(
                value_of(profile) != _NOTHING.get(dimension, "") for profile in profiles
            )
            for dimension, value_of in _VALUE_OF.items()
        },
    }
    return tuple(gap for gap, is_there in is_known.items() if not is_there)


def _reason(
    record: AwardRecord | None, profile: AwardProfile, *, has_candidates: bool, has_names: bool
) -> NoLinkReason:
    if record is None:
        return NoLinkReason.NO_ROW
    decision = record.decision
    if decision.kind is DecisionKind.CANDIDATE:
        return _BY_METHOD.get(decision.method, NoLinkReason.BELOW_LIMIT)
    if decision.candidate_ids:
        return NoLinkReason.BELOW_LIMIT
    if has_names and profile.identifier_type is IdentifierType.NEITHER:
        if profile.is_placeholder:
            return NoLinkReason.PLACEHOLDER
        if not profile.firm_name:
            return NoLinkReason.UNREADABLE
    return NoLinkReason.NO_CANDIDATE if has_candidates else NoLinkReason.NOT_REPORTED


def _segments(
    profiles: Sequence[AwardProfile], outcomes: Sequence[_Outcome], gaps: Sequence[Gap]
) -> Iterable[Segment]:
    for dimension, value_of in _VALUE_OF.items():
        if dimension.value in gaps:
            continue
        counts: dict[str, Counter[_Outcome]] = defaultdict(Counter)
        for (value, outcome), count in Counter(zip(map(value_of, profiles), outcomes, strict=True)).items():
            counts[value][outcome] += count
        largest = sorted(counts, key=lambda value: (not value, -counts[value].total(), value))
        shown = _ordered(dimension, largest[:MOST_SEGMENTS])
        yield from (_segment(dimension, value, counts[value]) for value in shown)
        if rest := largest[MOST_SEGMENTS:]:
            merged: Counter[_Outcome] = Counter()
            for value in rest:
                merged += counts[value]
            yield _segment(dimension, "", merged, len(rest))


def _ordered(dimension: Dimension, values: Sequence[str]) -> Sequence[str]:
    """Return values that have an order of their own in it; others stay as they are, the largest first."""
    if dimension is Dimension.YEAR:
        return sorted(values, key=lambda value: (not value, value))
    return sorted(values, key=_FIXED_ORDER[dimension].index) if dimension in _FIXED_ORDER else values


def _segment(dimension: Dimension, value: str, counted: Counter[_Outcome], merged: int = 0) -> Segment:
    links = sum(count for outcome, count in counted.items() if outcome.is_linked)
    return Segment(dimension, value, Proportion.of(links, counted.total()), _precision(counted), merged)


def _histogram(
    chosen: Iterable[AwardRecord],
    value_of: Callable[[AwardRecord], float | None],
    bins: int,
    highest: float,
) -> tuple[HistogramBin, ...]:
    """Return bins of equal width over 0 to `highest`; none where no value is known."""
    counts: Counter[tuple[int, DecisionKind]] = Counter()
    for record in chosen:
        value = value_of(record)
        if value is not None:
            counts[min(int(value / highest * bins), bins - 1), record.decision.kind] += 1
    if not counts:
        return ()
    return tuple(
        HistogramBin(
            place * highest / bins,
            (place + 1) * highest / bins,
            counts[place, DecisionKind.LINK],
            counts[place, DecisionKind.CANDIDATE],
        )
        for place in range(bins)
    )


def _bands(chosen: Iterable[AwardRecord]) -> Iterable[BandCount]:
    links: dict[Band, Counter[_Outcome]] = defaultdict(Counter)
    candidates: Counter[Band] = Counter()
    for record in chosen:
        band = band_of(record.decision.confidence)
        if record.link:
            links[band][_outcome(record)] += 1
        else:
            candidates[band] += 1
    for band in Band:
        if links[band] or candidates[band]:
            yield BandCount(band, links[band].total(), candidates[band], _precision(links[band]))


def _unmatched(
    awards: Iterable[tuple[AwardProfile, AwardRecord | None, NoLinkReason]],
) -> tuple[UnmatchedCount, ...]:
    counts = Counter((profile.phase, reason) for profile, _, reason in awards)
    return tuple(
        UnmatchedCount(phase.value, reason, counts[phase, reason])
        for phase in Phase
        for reason in NoLinkReason
        if counts[phase, reason]
    )
