"""The quality report: what is counted of an enriched file, so that the file is not needed later."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sbir_gate.model.matches import NoLinkReason
from sbir_gate.model.moments import is_plausible, utc
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.run import Quality, Source

HIGH_CONFIDENCE = 0.90
MEDIUM_CONFIDENCE = 0.75

# a dimension with more values than these has the rest of them in one segment
MOST_SEGMENTS = 60
# what is listed for people to look at: the first of each list, which knows how many there are
MOST_LISTED = 300
MOST_NAMED = 5


class Dimension(StrEnum):
    """What awards are grouped by."""

    PHASE = "phase"
    COMPANY_SIZE = "company_size"
    IDENTIFIER_TYPE = "identifier_type"
    AGENCY = "agency"
    PROGRAM = "program"
    YEAR = "award_year"
    STATE = "state"


class Band(StrEnum):
    """How sure the engine is: high from 0.90, medium from 0.75, else low; unknown without a confidence."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


class Gap(StrEnum):
    """What a report does not know, because its input does not hold it."""

    CONFIDENCE = "confidence"
    CANDIDATES = "candidates"
    TRUTH = "truth"
    FIRM_NAME = "firm_name"
    RECIPIENT_NAME = "recipient_name"
    PHASE = "phase"
    COMPANY_SIZE = "company_size"
    IDENTIFIER_TYPE = "identifier_type"
    AGENCY = "agency"
    PROGRAM = "program"
    YEAR = "award_year"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Segment:
    """The awards of one value of a dimension, which is empty where an award has none.

    `match_rate` is links of awards, `precision` correct links of links with a label. `merged` counts the
    values in a segment of all that are beyond MOST_SEGMENTS; it is 0 in a segment of one value.
    """

    dimension: Dimension
    value: str
    match_rate: Proportion
    precision: Proportion
    merged: int = 0


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """Links and candidates with a value in [low, high); the last bin includes its high end."""

    low: float
    high: float
    links: int
    candidates: int


@dataclass(frozen=True, slots=True)
class BandCount:
    """Links and candidates of one band of confidence; `precision` is of its links with a label."""

    band: Band
    links: int
    candidates: int
    precision: Proportion


@dataclass(frozen=True, slots=True)
class UnmatchedCount:
    """Awards without a link of one phase, for one reason; the phase is empty where it is not known."""

    phase: str
    reason: NoLinkReason
    awards: int


@dataclass(frozen=True, slots=True)
class ReviewCandidate:
    """A firm without a link and its best candidate; `awards` counts its awards, `award_id` is the first."""

    award_id: str
    awards: int
    firm_name: str
    state: str
    phase: str
    agency: str
    reason: NoLinkReason
    method: str
    score: float
    confidence: float | None
    recipient_id: str
    recipient_name: str


@dataclass(frozen=True, slots=True)
class SharedIdentifier:
    """A UEI or DUNS under which awards have several names; `names` are the first of `name_count`."""

    kind: str
    identifier: str
    awards: int
    name_count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitRecipient:
    """One of the recipients of a firm; rows of one UEI are one recipient."""

    recipient_id: str
    recipient_name: str
    awards: int


@dataclass(frozen=True, slots=True)
class SplitFirm:
    """A name whose awards are linked to several recipients; `recipients` are the first, by their awards."""

    firm_name: str
    awards: int
    recipient_count: int
    recipients: tuple[SplitRecipient, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """How many entries each list has in all, of which it holds the first MOST_LISTED."""

    review: int
    review_awards: int
    shared_identifiers: int
    split_firms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What is known of the links of one enriched file.

    `enriched` names it. `gate`, `enricher`, `source` and `fixture` (its fingerprint) are those of the Run,
    and empty for a file alone. `rows` counts its rows, of which `rows_doubled` repeat an award and
    `rows_unknown` are of no award; `rows_missing` awards have none. `gaps` is what cannot be known of it.
    Histograms and bands are of links and candidates.
    """

    made_at: datetime
    tool_version: str
    enriched: str
    quality: Quality
    match_rate: Proportion
    precision: Proportion
    candidates: int
    rows: int
    rows_doubled: int
    rows_missing: int
    rows_unknown: int
    segments: tuple[Segment, ...]
    scores: tuple[HistogramBin, ...]
    confidences: tuple[HistogramBin, ...]
    bands: tuple[BandCount, ...]
    unmatched: tuple[UnmatchedCount, ...]
    review: tuple[ReviewCandidate, ...]
    shared_identifiers: tuple[SharedIdentifier, ...]
    split_firms: tuple[SplitFirm, ...]
    listing: Listing
    gaps: tuple[Gap, ...] = ()
    gate: str = ""
    enricher: str = ""
    source: Source = field(default_factory=Source)
    fixture: str = ""

    def __post_init__(self) -> None:
        """Bring the moment to UTC. Raises ValueError for one that is out of range there."""
        object.__setattr__(self, "made_at", utc(self.made_at))

    def segments_of(self, dimension: Dimension) -> tuple[Segment, ...]:
        """Return the segments of one dimension, in their order."""
        return tuple(segment for segment in self.segments if segment.dimension is dimension)

    def without_lists(self) -> QualityReport:
        """Return the counts alone: nothing of a single firm or recipient."""
        return replace(self, review=(), shared_identifiers=(), split_firms=())


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """The match rate of a segment in two reports, None where one does not have it.

    `dimension` is None for all awards together.
    """

    dimension: Dimension | None
    value: str
    before: Proportion | None
    after: Proportion | None

    @property
    def delta(self) -> float | None:
        """The difference of the rates, None where one is not known."""
        if self.before is None or self.after is None or self.before.rate is None or self.after.rate is None:
            return None
        return self.after.rate - self.before.rate


@dataclass(frozen=True, slots=True)
class QualityComparison:
    """Two quality reports, and where their match rates differ, the largest difference first."""

    before: QualityReport
    after: QualityReport
    changes: tuple[SegmentChange, ...]


def band_of(confidence: float | None) -> Band:
    """Return the band of a confidence of 0 to 1."""
    if confidence is None:
        return Band.UNKNOWN
    if confidence >= HIGH_CONFIDENCE:
        return Band.HIGH
    return Band.MEDIUM if confidence >= MEDIUM_CONFIDENCE else Band.LOW


def count_fault(report: QualityReport) -> str:
    """Return the first count that contradicts another, or the time if it cannot be; empty for neither."""
    if not is_plausible(report.made_at):
        return f"made_at: {report.made_at:%Y-%m-%d}: a report cannot have been made then"
    awards, links = report.match_rate.whole, report.match_rate.part
    if (report.quality.awards, report.quality.links) != (awards, links):
        return f"quality and match_rate do not count the same awards and links ({links} of {awards})"
    unmatched = sum(count.awards for count in report.unmatched)
    if unmatched != awards - links:
        return f"unmatched counts {unmatched} awards, but {awards - links} have no link"
    for dimension in Dimension:
        counted = [segment.match_rate for segment in report.segments_of(dimension)]
        totals = sum(share.part for share in counted), sum(share.whole for share in counted)
        if counted and totals != (links, awards):
            return f"the segments of {dimension} count {totals[0]} links of {totals[1]} awards"
    shares = [report.match_rate, report.precision]
    shares += [share for segment in report.segments for share in (segment.match_rate, segment.precision)]
    shares += [count.precision for count in report.bands]
    wrong = next((share for share in shares if not share.is_sound), None)
    return f"{wrong.part} of {wrong.whole} is not {wrong.rate}" if wrong else ""
