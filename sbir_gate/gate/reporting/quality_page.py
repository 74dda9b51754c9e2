"""The quality report as a page of sections: the one view that HTML, Markdown and console print."""

from __future__ import annotations

from collections.abc import Iterator

from sbir_gate.gate.reporting.no_link import reason_text
from sbir_gate.gate.reporting.page_text import render_page_markdown, render_page_text
from sbir_gate.gate.reporting.quality_charts import (
    histogram_chart,
    method_chart,
    reasons_of,
    reliability_chart,
    segment_chart,
    unmatched_chart,
)
from sbir_gate.gate.reporting.quality_tables import (
    band_table,
    firm_table,
    identifier_table,
    link_table,
    method_table,
    review_table,
    unmatched_table,
)
from sbir_gate.gate.reporting.quality_words import (
    DIMENSIONS,
    gap_texts,
    interval_text,
    segment_name,
    share_text,
    shown,
)
from sbir_gate.gate.reporting.quantities import NOTHING, counted, rate
from sbir_gate.model.moments import moment_text
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, Gap, QualityReport, Segment
from sbir_gate.pages.blocks import (
    Block,
    Fact,
    Page,
    Paragraph,
    Section,
    Tone,
)
from sbir_gate.pages.page import render_page

_MARKDOWN_ROWS = 20
_CONSOLE_ROWS = 8

_COMMIT_CHARACTERS = 12


def quality_page(report: QualityReport) -> Page:
    """Return the report as a page; each chart has its figures as a table."""
    has_truth = Gap.TRUTH not in report.gaps
    sections = (
        _segments(report, has_truth=has_truth),
        _methods(report, has_truth=has_truth),
        _calibration(report),
        _unmatched(report),
        _review(report),
        *_firms(report),
        _limits(report),
    )
    return Page(
        title="Quality of the links",
        lead=_lead(report),
        facts=tuple(_facts(report)),
        sections=tuple(section for section in sections if section.blocks),
        notes=tuple(_notes(report)),
    )


def _lead(report: QualityReport) -> str:
    share = report.match_rate
    if not share.whole:
        return "There are no awards."
    verb = "has" if 1 in (share.part, share.whole) else "have"
    of_awards = f"{share.part:,} of {counted(share.whole, 'award')} {verb} a link ({share_text(share.rate)})."
    low = max(
        (segment for segment in report.segments if _is_below(segment, share)),
        key=lambda segment: (_missing(segment, share), segment.value),
        default=None,
    )
    if low is None:
        return of_awards
    named = f"{DIMENSIONS[low.dimension]} {segment_name(low)}"
    of_segment = f"{share_text(low.match_rate.rate)} of {counted(low.match_rate.whole, 'award')}"
    return f"{of_awards} Clearly below that: {named}, with {of_segment}."


def _is_below(segment: Segment, share: Proportion) -> bool:
    """Say whether the intervals of a segment and of all awards do not meet; merged values are none."""
    return not segment.merged and (segment.match_rate.high or 0.0) < (share.low or 0.0)


def _missing(segment: Segment, share: Proportion) -> float:
    """Return how many links a segment lacks to the rate of all awards."""
    return (share.rate or 0.0) * segment.match_rate.whole - segment.match_rate.part


def _facts(report: QualityReport) -> Iterator[Fact]:
    quality, share = report.quality, report.match_rate
    yield Fact("Match rate", share_text(share.rate), f"95% interval: {interval_text(share)}")
    if Gap.TRUTH not in report.gaps:
        yield Fact(
            "Precision", share_text(report.precision.rate), f"95% interval: {interval_text(report.precision)}"
        )
        yield Fact("Recall", share_text(quality.recall), "of the awards that have a recipient")
        labelled = quality.labelled or 0
        yield Fact(
            "Labelled",
            f"{labelled:,}",
            f"{share_text(labelled / share.whole if share.whole else None)} of the awards",
        )
    if (absent := quality.absent_linked) is not None and absent.whole:
        yield Fact(
            "Linked without a recipient",
            share_text(absent.rate),
            f"{absent.part:,} of {counted(absent.whole, 'firm')} without a recipient",
        )
    if quality.calibration_error is not None:
        yield Fact("Calibration error", rate(quality.calibration_error), "confidence against correct share")
    yield Fact(
        "Without a link", f"{share.whole - share.part:,}", f"{report.candidates:,} of them with a candidate"
    )


def _section(key: str, title: str, *blocks: Block | None) -> Section:
    return Section(key, title, tuple(block for block in blocks if block is not None))


def _segments(report: QualityReport, *, has_truth: bool) -> Section:
    charts = (
        segment_chart(dimension, segments, has_truth=has_truth)
        for dimension in sorted(Dimension, key=lambda each: each is Dimension.YEAR)  # its chart is wide
        if (segments := report.segments_of(dimension))
    )
    return _section("segments", "Match rate by segment", *charts)


def _methods(report: QualityReport, *, has_truth: bool) -> Section:
    return _section(
        "methods",
        "Methods, scores and confidence",
        method_chart(report) if report.quality.links_by_method else method_table(report),
        link_table(report, has_truth=has_truth),
        band_table(report, has_truth=has_truth),
        histogram_chart("scores", "Scores", report.scores, 0),
        histogram_chart("confidences", "Confidence", report.confidences, 2),
    )


def _calibration(report: QualityReport) -> Section:
    return _section("calibration", "Reliability", reliability_chart(report))


def _unmatched(report: QualityReport) -> Section:
    reasons = reasons_of(report)
    if not reasons:
        return _section("unmatched", "Awards without a link", unmatched_table(report, (), ()))
    explained = "; ".join(map(reason_text, reasons))
    chart = unmatched_chart(report)
    return _section("unmatched", "Awards without a link", Paragraph(f"{explained}."), chart)


def _review(report: QualityReport) -> Section:
    if Gap.CANDIDATES in report.gaps:
        return _section("review", "Candidates to review")
    found = report.listing
    pairs, awards = counted(found.review, "pair"), counted(found.review_awards, "award")
    said = f"{pairs} of a firm and a candidate, for {awards}."
    return _section(
        "review", "Candidates to review", _first(said, len(report.review), found.review), review_table(report)
    )


def _firms(report: QualityReport) -> Iterator[Section]:
    if Gap.FIRM_NAME not in report.gaps:
        shared, split = identifier_table(report), firm_table(report)
        yield _section("identifiers", "Identifiers with several names", _of_shared(report), shared)
        yield _section("firms", "Firms with several recipients", _of_split(report), split)


def _first(said: str, listed: int, count: int) -> Paragraph:
    return Paragraph(f"{said} The first {listed:,} are listed." if listed < count else said)


def _of_shared(report: QualityReport) -> Paragraph | None:
    count = report.listing.shared_identifiers
    said = f"{counted(count, 'identifier')} with clearly different names of firms."
    return _first(said, len(report.shared_identifiers), count) if count else None


def _of_split(report: QualityReport) -> Paragraph | None:
    count = report.listing.split_firms
    names = counted(count, "name")
    said = f"{names} of firms with links to several recipients; rows of one UEI are one recipient."
    return _first(said, len(report.split_firms), count) if count else None


def _limits(report: QualityReport) -> Section:
    rows = (
        (report.rows_missing, "award", "without a row in the output, counted as not linked"),
        (report.rows_doubled, "row", "that repeat an award, counted once"),
        (report.rows_unknown, "row", "of awards that are not in the input, not counted"),
    )
    said = [f"{counted(count, what)} {words}" for count, what, words in rows if count]
    said += gap_texts(report.gaps)
    blocks = [Paragraph(f"{text[0].upper()}{text[1:]}.", Tone.QUIET) for text in said]
    return _section("limits", "What this report cannot know", *blocks)


def _notes(report: QualityReport) -> Iterator[str]:
    moment, version = moment_text(report.made_at), shown(report.tool_version)
    yield f"Made of {shown(report.enriched)} at {moment} by sbir-gate {version}."
    if report.gate:
        commit = shown(report.source.commit[:_COMMIT_CHARACTERS]) or NOTHING
        dirty = " with changes" if report.source.is_dirty else ""
        yield f"Gate: {shown(report.gate)}. Engine: {shown(report.enricher)}. Commit: {commit}{dirty}."
    yield "Intervals are Wilson's score intervals at 95%. Candidates never count in the match rate."


def render_quality_html(report: QualityReport) -> str:
    """Return the report as one HTML file with charts, which works offline."""
    return render_page(quality_page(report))


def render_quality_markdown(report: QualityReport) -> str:
    """Return the report as Markdown, with the first rows of each table."""
    return render_page_markdown(quality_page(report), _MARKDOWN_ROWS)


def render_quality_console(report: QualityReport, width: int) -> str:
    """Return the report for a terminal of this width, with the first rows of each table."""
    return render_page_text(quality_page(report), width, _CONSOLE_ROWS)
