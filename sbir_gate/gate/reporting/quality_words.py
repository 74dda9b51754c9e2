"""What the quality report calls its segments, reasons, bands and gaps, and how it prints shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import NOTHING
from sbir_gate.model.matches import Method, PlaceEvidence
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Band, Dimension, Gap, Segment

NOT_STATED = "not stated"
_TEXT_CHARACTERS = 120

DIMENSIONS: Mapping[Dimension, str] = MappingProxyType(
    {
        Dimension.PHASE: "phase",
        Dimension.COMPANY_SIZE: "company size",
        Dimension.IDENTIFIER_TYPE: "identifier type",
        Dimension.AGENCY: "agency",
        Dimension.PROGRAM: "program",
        Dimension.YEAR: "award year",
        Dimension.STATE: "state",
    }
)

_VALUES: Mapping[tuple[Dimension, str], str] = MappingProxyType(
    {
        (Dimension.PHASE, "other"): "other or not stated",
        (Dimension.COMPANY_SIZE, "micro"): "micro (below 10)",
        (Dimension.COMPANY_SIZE, "small"): "small (10 to 49)",
        (Dimension.COMPANY_SIZE, "medium"): "medium (50 to 249)",
        (Dimension.COMPANY_SIZE, "large"): "large (250 or more)",
        (Dimension.COMPANY_SIZE, "unknown"): NOT_STATED,
        (Dimension.IDENTIFIER_TYPE, "both"): "UEI and DUNS",
        (Dimension.IDENTIFIER_TYPE, "uei-only"): "UEI only",
        (Dimension.IDENTIFIER_TYPE, "duns-only"): "DUNS only",
        (Dimension.IDENTIFIER_TYPE, "neither"): "neither",
    }
)

BANDS: Mapping[Band, str] = MappingProxyType(
    {
        Band.HIGH: "high (0.90 or more)",
        Band.MEDIUM: "medium (0.75 to 0.90)",
        Band.LOW: "low (below 0.75)",
        Band.UNKNOWN: NOT_STATED,
    }
)

GAPS: Mapping[Gap, str] = MappingProxyType(
    {
        Gap.CONFIDENCE: "no confidence column (match_confidence): no bands and no reliability diagram",
        Gap.CANDIDATES: "no candidates (match_decision, match_candidates): nothing to review, and the reason"
        " for most missing links is not known",
        Gap.TRUTH: "no truth: precision, recall and the reliability diagram are not known (--truth)",
        Gap.RECIPIENT_NAME: "no names of recipients (recipient_name): name the table with --recipients",
    }
)

AWARD_GAPS: Mapping[Gap, str] = MappingProxyType(
    {
        Gap.FIRM_NAME: "name",
        Gap.PHASE: "phase",
        Gap.COMPANY_SIZE: "number of employees",
        Gap.IDENTIFIER_TYPE: "readable UEI or DUNS",
        Gap.AGENCY: "agency",
        Gap.PROGRAM: "program",
        Gap.YEAR: "award year",
        Gap.STATE: "state",
    }
)

_METHODS: Mapping[str, str] = MappingProxyType(
    {
        Method.UEI_EXACT.value: "UEI",
        Method.DUNS_EXACT.value: "DUNS",
        Method.NAME_EXACT.value: "exact name",
        Method.NAME_FUZZY.value: "fuzzy name",
        Method.ALIAS.value: "alias",
    }
)


_PLACES: Mapping[PlaceEvidence, str] = MappingProxyType(
    {
        PlaceEvidence.CONFIRMS: "confirms",
        PlaceEvidence.SAME_STATE: "same state",
        PlaceEvidence.UNKNOWN: "unknown",
        PlaceEvidence.CONTRADICTS: "contradicts",
    }
)


def segment_name(segment: Segment) -> str:
    """Return what a segment is called: "Phase I", "small (10 to 49)", "12 other values"."""
    if segment.merged:
        return f"{segment.merged:,} other values"
    return value_name(segment.dimension, segment.value)


def value_name(dimension: Dimension, value: str) -> str:
    """Return what a value of a dimension is called."""
    known = _VALUES.get((dimension, value))
    if known is None and dimension is Dimension.PHASE and value:
        return f"Phase {shown(value)}"
    return known or shown(value) or NOT_STATED


def gap_texts(gaps: Sequence[Gap]) -> Iterator[str]:
    """Yield what a report cannot know, and how it could: what the awards lack in one text."""
    yield from (GAPS[gap] for gap in gaps if gap in GAPS)
    lacking = [AWARD_GAPS[gap] for gap in gaps if gap in AWARD_GAPS]
    if lacking:
        yield f"no award has a value for: {', '.join(lacking)} (--awards)"


def place_name(place: PlaceEvidence | None) -> str:
    """Return what the place of a link says, or a dash."""
    return NOTHING if place is None else _PLACES[place]


def method_name(method: str) -> str:
    """Return what a method is called; one of another engine as it calls it."""
    return _METHODS.get(method) or shown(method) or NOT_STATED


def shown(text: str) -> str:
    """Return a text from data as one harmless line."""
    return plain(text, _TEXT_CHARACTERS)


def share_text(share: float | None) -> str:
    """Return a share of 0 to 1 in percent: "88.5%"; 100.0% is every single one, 0.0% none."""
    if share is None:
        return NOTHING
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        return "> 99.9%"
    return "< 0.1%" if text == "0.0" and share > 0 else f"{text}%"


def interval_text(share: Proportion) -> str:
    """Return the interval of a proportion: "88.3 to 88.6%"."""
    if share.low is None or share.high is None:
        return NOTHING
    return f"{100 * share.low:.1f} to {100 * share.high:.1f}%"
