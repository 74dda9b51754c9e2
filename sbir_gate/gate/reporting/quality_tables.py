"""The tables of the quality report: what is counted, and what people should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sbir_gate.gate.reporting.no_link import REASONS
from sbir_gate.gate.reporting.quality_words import (
    BANDS,
    DIMENSIONS,
    NOT_STATED,
    interval_text,
    method_name,
    place_name,
    segment_name,
    share_text,
    shown,
    value_name,
)
from sbir_gate.gate.reporting.quantities import NOTHING
from sbir_gate.model.matches import NoLinkReason
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import (
    Dimension,
    HistogramBin,
    QualityReport,
    Segment,
    SplitRecipient,
)
from sbir_gate.pages.blocks import Cell, Column, Table

_NUMBER = True


def number(value: float) -> Cell:
    """Return a cell with a count."""
    return Cell(f"{value:,}", float(value))


def share_cell(share: Proportion | float | None) -> Cell:
    """Return a cell with a share in percent."""
    rate = share.rate if isinstance(share, Proportion) else share
    return Cell(share_text(rate), None if rate is None else rate)


def text_cell(text: str) -> Cell:
    """Return a cell with a text from data, or a dash."""
    return Cell(shown(text) or NOTHING)


def segment_table(dimension: Dimension, segments: Sequence[Segment], *, has_truth: bool) -> Table:
    """Return awards, links and match rate of each segment, and its precision where there is a truth."""
    truth = (Column("Precision", _NUMBER),) if has_truth else ()
    return Table(
        key=f"by-{dimension.value.replace('_', '-')}",
        caption=f"Match rate by {DIMENSIONS[dimension]}",
        columns=(
            Column(DIMENSIONS[dimension].capitalize()),
            Column("Awards", _NUMBER),
            Column("Links", _NUMBER),
            Column("Match rate", _NUMBER),
            Column("95% interval", _NUMBER),
            *truth,
        ),
        rows=tuple(
            (
                segment_name(segment),
                number(segment.match_rate.whole),
                number(segment.match_rate.part),
                share_cell(segment.match_rate),
                Cell(interval_text(segment.match_rate), segment.match_rate.low),
                *((share_cell(segment.precision),) if has_truth else ()),
            )
            for segment in segments
        ),
    )


def method_table(report: QualityReport) -> Table:
    """Return the links of each method and their share."""
    links = report.match_rate.part
    methods = sorted(report.quality.links_by_method.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        key="links-by-method",
        caption="Links by method",
        columns=(Column("Method"), Column("Links", _NUMBER), Column("Share", _NUMBER)),
        rows=tuple(
            (method_name(method), number(count), share_cell(count / links)) for method, count in methods
        ),
        empty="no links",
    )


_PRECISION = (Column("Precision", _NUMBER), Column("95% interval", _NUMBER))


def _precision_cells(share: Proportion) -> tuple[Cell, Cell]:
    return share_cell(share), Cell(interval_text(share), share.low)


def link_table(report: QualityReport, *, has_truth: bool) -> Table | None:
    """Return the links by method and place, with the precision that they state, and the measured one."""
    if not report.quality.link_strata:
        return None
    return Table(
        key="link-strata",
        caption="Stated and measured precision by method and place",
        columns=(
            Column("Method"),
            Column("Place"),
            Column("Links", _NUMBER),
            Column("Stated", _NUMBER),
            *(_PRECISION if has_truth else ()),
        ),
        rows=tuple(
            (
                method_name(stratum.method),
                place_name(stratum.place),
                number(stratum.links),
                share_cell(stratum.stated),
                *(_precision_cells(stratum.precision) if has_truth else ()),
            )
            for stratum in report.quality.link_strata
        ),
    )


def histogram_table(key: str, caption: str, bins: Sequence[HistogramBin], digits: int) -> Table:
    """Return links and candidates of each bin that has any."""
    return Table(
        key=key,
        caption=caption,
        columns=(Column("From"), Column("To"), Column("Links", _NUMBER), Column("Candidates", _NUMBER)),
        rows=tuple(
            (
                Cell(f"{found.low:.{digits}f}", found.low),
                Cell(f"{found.high:.{digits}f}", found.high),
                number(found.links),
                number(found.candidates),
            )
            for found in bins
            if found.links or found.candidates
        ),
    )


def band_table(report: QualityReport, *, has_truth: bool) -> Table:
    """Return links and candidates of each band of confidence."""
    return Table(
        key="bands",
        caption="Confidence bands",
        columns=(
            Column("Confidence"),
            Column("Links", _NUMBER),
            Column("Candidates", _NUMBER),
            *(_PRECISION if has_truth else ()),
        ),
        rows=tuple(
            (
                BANDS[count.band],
                number(count.links),
                number(count.candidates),
                *(_precision_cells(count.precision) if has_truth else ()),
            )
            for count in report.bands
        ),
        empty="no links and no candidates",
    )


def reliability_table(report: QualityReport) -> Table:
    """Return how sure the engine is, and how often it is correct, in bins of its confidence."""
    return Table(
        key="reliability-figures",
        caption="Stated confidence and correct share, of links and candidates with a label",
        columns=(
            Column("Confidence"),
            Column("Awards", _NUMBER),
            Column("Mean confidence", _NUMBER),
            Column("Correct", _NUMBER),
        ),
        rows=tuple(
            (
                Cell(f"{found.low:.1f} to {found.high:.1f}", found.low),
                number(found.count),
                Cell(f"{found.mean_confidence:.3f}", found.mean_confidence),
                share_cell(found.share_right),
            )
            for found in report.quality.reliability
        ),
    )


def unmatched_table(report: QualityReport, reasons: Sequence[NoLinkReason], phases: Sequence[str]) -> Table:
    """Return the awards without a link: a row for each phase, a column for each reason."""
    counts = Counter({(count.phase, count.reason): count.awards for count in report.unmatched})
    totals = {segment.value: segment.match_rate.whole for segment in report.segments_of(Dimension.PHASE)}
    return Table(
        key="unmatched-figures",
        caption="Awards without a link, by phase and likeliest reason",
        columns=(
            Column("Phase"),
            *(Column(REASONS[reason].capitalize(), _NUMBER) for reason in reasons),
            Column("Together", _NUMBER),
            Column("Of the awards", _NUMBER),
        ),
        rows=tuple(
            (
                value_name(Dimension.PHASE, phase),
                *(number(counts[phase, reason]) for reason in reasons),
                number(together := sum(counts[phase, reason] for reason in reasons)),
                share_cell(together / totals[phase] if totals.get(phase) else None),
            )
            for phase in phases
        ),
        empty="every award has a link",
    )


def review_table(report: QualityReport) -> Table:
    """Return the best candidates of firms without a link, the surest first."""
    return Table(
        key="candidates",
        caption="Firms without a link and their best candidate",
        columns=(
            Column("Firm"),
            Column("Candidate"),
            Column("Confidence", _NUMBER),
            Column("Score", _NUMBER),
            Column("Reason", has_choices=True),
            Column("Method", has_choices=True),
            Column("State", has_choices=True),
            Column("Agency", has_choices=True),
            Column("Phase", has_choices=True),
            Column("Awards", _NUMBER),
            Column("Award"),
            Column("Recipient"),
        ),
        rows=tuple(
            (
                text_cell(entry.firm_name),
                text_cell(entry.recipient_name),
                Cell(NOTHING if entry.confidence is None else f"{entry.confidence:.3f}", entry.confidence),
                Cell(f"{entry.score:.1f}", entry.score),
                REASONS[entry.reason],
                method_name(entry.method),
                shown(entry.state) or NOT_STATED,
                shown(entry.agency) or NOT_STATED,
                value_name(Dimension.PHASE, entry.phase),
                number(entry.awards),
                Cell(shown(entry.award_id), is_code=True),
                Cell(shown(entry.recipient_id), is_code=True),
            )
            for entry in report.review
        ),
        has_filter=True,
        empty="no candidates",
    )


def identifier_table(report: QualityReport) -> Table:
    """Return the identifiers under which awards have several names."""
    return Table(
        key="shared",
        caption="Identifiers with several names",
        columns=(
            Column("Identifier"),
            Column("Kind", has_choices=True),
            Column("Names", _NUMBER),
            Column("Awards", _NUMBER),
            Column("First names"),
        ),
        rows=tuple(
            (
                Cell(shown(entry.identifier), is_code=True),
                shown(entry.kind),
                number(entry.name_count),
                number(entry.awards),
                _listed([shown(name) for name in entry.names], entry.name_count),
            )
            for entry in report.shared_identifiers
        ),
        has_filter=True,
        empty="no identifier has several names",
    )


def firm_table(report: QualityReport) -> Table:
    """Return the names whose awards are linked to several recipients."""
    return Table(
        key="split",
        caption="Firms with several recipients",
        columns=(
            Column("Firm"),
            Column("Recipients", _NUMBER),
            Column("Awards", _NUMBER),
            Column("First recipients"),
        ),
        rows=tuple(
            (
                text_cell(firm.firm_name),
                number(firm.recipient_count),
                number(firm.awards),
                _listed([_recipient(found) for found in firm.recipients], firm.recipient_count),
            )
            for firm in report.split_firms
        ),
        has_filter=True,
        empty="no firm has several recipients",
    )


def _recipient(found: SplitRecipient) -> str:
    return f"{shown(found.recipient_name) or NOTHING} ({shown(found.recipient_id)}, {found.awards:,})"


def _listed(texts: Sequence[str], count: int) -> str:
    more = f"; and {count - len(texts):,} more" if count > len(texts) else ""
    return "; ".join(texts) + more
