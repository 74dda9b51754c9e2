"""Kept quality reports as a table, as CSV and as JSON, with what the newest changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from sbir_gate.gate.reporting.history import HistoryFormat, Record, render_records
from sbir_gate.gate.reporting.quality_words import DIMENSIONS, share_text, shown, value_name
from sbir_gate.gate.reporting.quantities import NOTHING, counted, difference
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.model.moments import moment_text
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import QualityComparison, QualityReport, SegmentChange

_COMMIT_CHARACTERS = 12
_MOST_CHANGES = 20
_REPORTS = TableLayout(
    ("made", "gate", "commit", "awards", "links", "match rate", "precision", "file"),
    frozenset({0, 1, 2, 7}),
    (2, 7, 1),
)
_CHANGES = TableLayout(
    ("segment", "awards", "before", "after", "difference"), frozenset({0}), (1,), frozenset({4})
)
_REPORT_COLUMNS = (
    *("made_at", "gate", "commit", "enriched", "fixture", "awards", "links", "match_rate", "match_rate_low"),
    *("match_rate_high", "precision", "recall", "candidates", "file"),
)
_CHANGE_COLUMNS = (
    *("dimension", "value", "awards_before", "links_before", "match_rate_before"),
    *("awards_after", "links_after", "match_rate_after", "difference"),
)


def render_reports(
    reports: Sequence[tuple[Path, QualityReport]],
    comparison: QualityComparison | None,
    format_: HistoryFormat,
    width: int,
) -> str:
    """Return the reports, the oldest first, as text that ends in a newline; CSV has the reports alone."""
    records = [_report_record(path, report) for path, report in reports]
    if format_ is HistoryFormat.CSV:
        return render_records(records, format_, _REPORT_COLUMNS)
    if format_ is HistoryFormat.JSON:
        changes = [_change_record(change) for change in comparison.changes] if comparison else None
        return json.dumps({"reports": records, "changes": changes}, indent=1, allow_nan=False) + "\n"
    rows = [_row(path, report) for path, report in reports]
    lines = [*table_lines(_REPORTS, rows, width), counted(len(reports), "quality report")]
    if comparison is not None:
        lines += ["", *_changes(comparison, width)]
    return "\n".join(lines) + "\n"


def render_comparison(comparison: QualityComparison, format_: HistoryFormat, width: int) -> str:
    """Return what differs between two reports, as text that ends in a newline."""
    if format_ is not HistoryFormat.TABLE:
        return render_records(map(_change_record, comparison.changes), format_, _CHANGE_COLUMNS)
    return "\n".join(_changes(comparison, width)) + "\n"


def _changes(comparison: QualityComparison, width: int) -> Iterator[str]:
    before, after = comparison.before, comparison.after
    yield f"{moment_text(after.made_at)} compared with {moment_text(before.made_at)}"
    if before.fixture != after.fixture:
        yield "note: the awards, recipients or truth are other files"
    rows = [
        (
            "all awards" if change.dimension is None else _segment(change),
            f"{change.after.whole:,}" if change.after else NOTHING,
            _rate(change.before),
            _rate(change.after),
            difference(change.delta, "ratio"),
        )
        for change in comparison.changes[:_MOST_CHANGES]
    ]
    yield from table_lines(_CHANGES, rows, width)
    if (more := len(comparison.changes) - _MOST_CHANGES) > 0:
        yield f"{counted(more, 'more segment')} differ: --format json lists them"


def _segment(change: SegmentChange) -> str:
    if change.dimension is None:
        return ""
    return f"{DIMENSIONS[change.dimension]}: {value_name(change.dimension, change.value)}"


def _rate(share: Proportion | None) -> str:
    return share_text(share.rate) if share else NOTHING


def _row(path: Path, report: QualityReport) -> tuple[str, ...]:
    share = report.match_rate
    return (
        moment_text(report.made_at),
        shown(report.gate) or NOTHING,
        shown(report.source.commit[:_COMMIT_CHARACTERS]) or NOTHING,
        f"{share.whole:,}",
        f"{share.part:,}",
        share_text(share.rate),
        share_text(report.precision.rate),
        shown(path.name),
    )


def _report_record(path: Path, report: QualityReport) -> Record:
    share = report.match_rate
    return {
        "made_at": moment_text(report.made_at),
        "gate": report.gate,
        "commit": report.source.commit,
        "enriched": report.enriched,
        "fixture": report.fixture,
        "awards": share.whole,
        "links": share.part,
        "match_rate": share.rate,
        "match_rate_low": share.low,
        "match_rate_high": share.high,
        "precision": report.precision.rate,
        "recall": report.quality.recall,
        "candidates": report.candidates,
        "file": path.name,
    }


def _change_record(change: SegmentChange) -> Record:
    before, after = change.before, change.after
    return {
        "dimension": change.dimension.value if change.dimension else "all",
        "value": change.value,
        "awards_before": before.whole if before else None,
        "links_before": before.part if before else None,
        "match_rate_before": before.rate if before else None,
        "awards_after": after.whole if after else None,
        "links_after": after.part if after else None,
        "match_rate_after": after.rate if after else None,
        "difference": change.delta,
    }
