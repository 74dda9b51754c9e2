"""The charts of the quality report, each with its figures as a table."""

from __future__ import annotations

from collections.abc import Sequence

from sbir_gate.gate.reporting.no_link import REASONS
from sbir_gate.gate.reporting.quality_tables import (
    histogram_table,
    method_table,
    reliability_table,
    segment_table,
    unmatched_table,
)
from sbir_gate.gate.reporting.quality_words import (
    DIMENSIONS,
    interval_text,
    method_name,
    segment_name,
    share_text,
    value_name,
)
from sbir_gate.gate.reporting.quantities import counted, rate
from sbir_gate.model.matches import NoLinkReason
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, HistogramBin, QualityReport, Segment
from sbir_gate.model.records import Phase
from sbir_gate.pages.blocks import Axis, Chart, Mark, Scale, Series, Tone

_PERCENT = (0.0, 100.0)
_BAR_PIXELS = 28
_AXES_PIXELS = 80
# a chart shows this many of the largest; the table has them all
_MOST_BARS = 20


def segment_chart(dimension: Dimension, segments: Sequence[Segment], *, has_truth: bool) -> Chart:
    """Return the match rates of a dimension with their intervals: years as a line, the rest as bars."""
    name, table = DIMENSIONS[dimension], segment_table(dimension, segments, has_truth=has_truth)
    is_course = dimension is Dimension.YEAR
    drawn = segments if is_course else segments[:_MOST_BARS]
    ordered = sorted(drawn, key=lambda segment: segment.match_rate.rate or 0.0)
    lowest, highest = ordered[0].match_rate.rate, ordered[-1].match_rate.rate
    said = [f"The {len(drawn)} largest of {len(segments)}."] if len(drawn) < len(segments) else []
    if share_text(lowest) != share_text(highest):
        said.append(f"{_named(ordered[-1])} has the highest, {_named(ordered[0])} the lowest.")
    shares = [segment.match_rate for segment in drawn]
    series = Series(
        "Match rate",
        Mark.LINE_AND_POINTS if is_course else Mark.BAR,
        tuple(segment_name(segment) for segment in drawn),
        _percents([share.rate for share in shares]),
        low=_percents([share.low for share in shares]),
        high=_percents([share.high for share in shares]),
        texts=tuple(_hover(segment) for segment in drawn),
    )
    return Chart(
        key=f"chart-{table.key}",
        title=f"Match rate by {name}",
        summary=" ".join(said),
        series=(series,),
        table=table,
        x=Axis(scale=Scale.CATEGORY),
        y=Axis("awards with a link", suffix="%", ends=None if is_course else _PERCENT),
        height_pixels=300 if is_course else _AXES_PIXELS + _BAR_PIXELS * len(drawn),
        is_horizontal=not is_course,
        is_wide=is_course,
    )


def _named(segment: Segment) -> str:
    return f"{segment_name(segment)} ({share_text(segment.match_rate.rate)})"


def _hover(segment: Segment) -> str:
    share = segment.match_rate
    figures = f"{share_text(share.rate)}: {share.part:,} of {counted(share.whole, 'award')}"
    return f"{segment_name(segment)}\n{figures}\n95% interval: {interval_text(share)}"


def _percents(shares: Sequence[float | None]) -> tuple[float | None, ...]:
    return tuple(None if share is None else 100 * share for share in shares)


def method_chart(report: QualityReport) -> Chart:
    """Return the links of each method as a pie."""
    table = method_table(report)
    methods = sorted(report.quality.links_by_method.items(), key=lambda item: (-item[1], item[0]))
    pie = Series(
        "Links",
        Mark.PIE,
        tuple(method_name(method) for method, _ in methods),
        tuple(float(count) for _, count in methods),
    )
    return Chart(
        key="chart-methods",
        title="Links by method",
        summary=f"Most by {method_name(methods[0][0])}." if methods else "There are no links.",
        series=(pie,),
        table=table,
    )


def histogram_chart(key: str, title: str, bins: Sequence[HistogramBin], digits: int) -> Chart | None:
    """Return links and candidates by score or confidence; None without any."""
    if not bins:
        return None
    links, candidates = sum(found.links for found in bins), sum(found.candidates for found in bins)
    return Chart(
        key=f"chart-{key}",
        title=title,
        summary=f"{counted(links, 'link')} and {counted(candidates, 'candidate')}.",
        series=(
            _bars("links", bins, [found.links for found in bins], digits),
            _bars("candidates", bins, [found.candidates for found in bins], digits),
        ),
        table=histogram_table(key, f"{title} of links and candidates", bins, digits),
        x=Axis(title.lower(), ends=(bins[0].low, bins[-1].high)),
        # nearly all are in the last bin: the others would not be seen beside it
        y=Axis("awards (log scale)", Scale.LOG),
    )


def _bars(name: str, bins: Sequence[HistogramBin], counts: Sequence[int], digits: int) -> Series:
    middles = tuple((found.low + found.high) / 2 for found in bins)
    texts = tuple(
        f"{found.low:.{digits}f} to {found.high:.{digits}f}\n{name}: {count:,}"
        for found, count in zip(bins, counts, strict=True)
    )
    return Series(name, Mark.BAR, middles, tuple(float(count) or None for count in counts), texts=texts)


def reliability_chart(report: QualityReport) -> Chart | None:
    """Return how often the engine is correct, by how sure it says that it is; None without a label."""
    bins = report.quality.reliability
    if not bins:
        return None
    shares = [Proportion.of(round(found.share_right * found.count), found.count) for found in bins]
    points = Series(
        "links and candidates",
        Mark.LINE_AND_POINTS,
        tuple(found.mean_confidence for found in bins),
        _percents([found.share_right for found in bins]),
        low=_percents([share.low for share in shares]),
        high=_percents([share.high for share in shares]),
        texts=tuple(
            f"confidence {found.mean_confidence:.2f}: {share_text(found.share_right)} correct\n"
            f"{counted(found.count, 'award')}\n95% interval: {interval_text(share)}"
            for found, share in zip(bins, shares, strict=True)
        ),
    )
    line = Series("perfect calibration", Mark.LINE, (0.0, 1.0), _PERCENT, tone=Tone.QUIET, is_dashed=True)
    error = rate(report.quality.calibration_error)
    return Chart(
        key="chart-reliability",
        title="Reliability diagram",
        summary=f"Mean distance of the stated confidence from the correct share: {error}.",
        series=(points, line),
        table=reliability_table(report),
        x=Axis("stated confidence", ends=(0.0, 1.0)),
        y=Axis("correct", suffix="%", ends=(0.0, 104.0)),
        is_wide=True,
    )


def reasons_of(report: QualityReport) -> list[NoLinkReason]:
    """Return the reasons of the awards without a link, in their order."""
    return [reason for reason in NoLinkReason if any(count.reason is reason for count in report.unmatched)]


def unmatched_chart(report: QualityReport) -> Chart:
    """Return the awards without a link, of which there are some: a bar per phase, a color per reason."""
    reasons = reasons_of(report)
    counts = {(count.phase, count.reason): count.awards for count in report.unmatched}
    phases = [phase.value for phase in Phase if any(known == phase.value for known, _ in counts)]
    names = tuple(value_name(Dimension.PHASE, phase) for phase in phases)
    totals = {reason: sum(counts.get((phase, reason), 0) for phase in phases) for reason in reasons}
    most = max(reasons, key=lambda reason: totals[reason])
    return Chart(
        key="chart-unmatched",
        title="Awards without a link, by phase",
        summary=f"The likeliest reason of most: {REASONS[most]} ({totals[most]:,}).",
        series=tuple(
            Series(
                REASONS[reason],
                Mark.BAR,
                names,
                tuple(float(counts.get((phase, reason), 0)) for phase in phases),
            )
            for reason in reasons
        ),
        table=unmatched_table(report, reasons, phases),
        x=Axis(scale=Scale.CATEGORY),
        y=Axis("awards"),
        is_stacked=True,
        is_wide=True,
    )
