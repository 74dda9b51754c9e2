"""The rows of the metrics: worst first, by the names that people use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sbir_gate.gate.reporting.judgement import OPEN, breaks_absolute, limit_text
from sbir_gate.gate.reporting.metric_names import metric_anchor, metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import (
    NO_CHANGE,
    NOT_MEASURED,
    NOTHING,
    change_percent,
    change_text,
    quantities,
    quantity,
    signed_percent,
)
from sbir_gate.model.finding import ABSOLUTE, Excuse, Severity
from sbir_gate.model.verdict import Change

MARKS = {
    Severity.FAIL: "❌",
    Severity.WARN: "⚠️",
    Severity.INCONCLUSIVE: "❓",
    Severity.OK: "✅",
    Severity.INFO: "·",
}
_ID_CHARACTERS = 60
_KEY_CHARACTERS = 80
_SEVERITY_ORDER = (Severity.FAIL, Severity.WARN, Severity.INCONCLUSIVE, Severity.OK, Severity.INFO)
# what decides a merge: the links first, then time and memory, then the work that explains both
_FIRST = ("match_rate", "precision", "recall", "links/", "blocking_recall", "wall_seconds", "peak_rss_mib")


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric, ready to print. `key` is its name in the settings, `anchor` that in docs/metrics.md.

    `estimate` is `change` without its interval.
    """

    mark: str
    severity: Severity
    name: str
    key: str
    anchor: str
    change: str
    values: str
    limit: str
    estimate: str = NOTHING

    @property
    def is_open(self) -> bool:
        """Say whether it fails, warns or is undecided."""
        return self.severity in OPEN


def metric_rows(changes: Iterable[Change]) -> tuple[MetricRow, ...]:
    """Return the rows, worst first, and of one severity those first that decide a merge."""
    return tuple(map(metric_row, ranked(changes)))


def in_order(rows: Iterable[MetricRow]) -> tuple[MetricRow, ...]:
    """Return the rows, worst first; those of one severity stay in their order."""
    return tuple(sorted(rows, key=lambda row: _SEVERITY_ORDER.index(row.severity)))


def ranked(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, worst first, and of one severity those first that decide a merge."""
    return sorted(changes, key=lambda change: (_SEVERITY_ORDER.index(change.severity), _place(change.metric)))


def metric_row(change: Change) -> MetricRow:
    """Return the row of one metric."""
    unit = plain(change.unit, _ID_CHARACTERS)
    is_open = change.severity in OPEN
    is_shown = is_open and (change.is_significant or change.severity is Severity.INCONCLUSIVE)
    text = change_text(change, is_shown=is_shown)
    is_same = text == NO_CHANGE and not is_open
    old = plain(change.renamed_from, _KEY_CHARACTERS)
    name = metric_name(change.metric)
    return MetricRow(
        mark=MARKS[change.severity],
        severity=change.severity,
        name=f"{name} (was {metric_name(old)})" if old else name,
        key=plain(change.metric, _KEY_CHARACTERS),
        anchor=metric_anchor(change.metric),
        change=_with_measured(change, text),
        values=_values(change, unit, is_same=is_same),
        limit=limit_text(change),
        estimate=change_percent(change),
    )


def _values(change: Change, unit: str, *, is_same: bool) -> str:
    if change.head is None and not change.is_measured:
        return NOT_MEASURED
    if is_same or (change.reference is None and change.head is not None):
        return quantity(change.head, unit)
    return quantities(change.reference, change.head, unit)


def change_phrase(change: Change) -> str:
    """Return the metric in a few words, for a headline: "Wall time +40% (limit +25%)"."""
    row = metric_row(change)
    if not change.is_sound:
        return f"{row.name}: {'gone' if change.is_gone else 'cannot be judged'}"
    if breaks_absolute(change) or change.ratio is None:
        limit = next((limit.value for limit in change.broken if limit.kind in ABSOLUTE), None)
        head = quantity(change.head, plain(change.unit, _ID_CHARACTERS), limit)
        return f"{row.name} {head} (limit {row.limit})"
    return f"{row.name} {row.estimate} (limit {row.limit})"


def _with_measured(change: Change, text: str) -> str:
    """Return the judged change, and the measured one where speeds or unharmed awards are taken out."""
    is_partial = change.excuse is Excuse.PARTLY_HARMLESS
    if not (change.is_calibrated or is_partial) or change.raw_ratio is None or text in {NO_CHANGE, NOTHING}:
        return text
    basis = "for worsened awards" if is_partial else "calibrated"
    return f"{text} {basis}, {signed_percent(change.raw_ratio, is_shown=True)} measured"


def _place(metric: str) -> int:
    places = (place for place, start in enumerate(_FIRST) if metric == start or metric.startswith(start))
    return next(places, len(_FIRST))
