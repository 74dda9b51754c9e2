"""The history as text for a terminal, as CSV, and as JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from sbir_gate.csv_text import csv_cell
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import (
    NOTHING,
    counted,
    difference,
    p_value_text,
    percent_text,
    quantities,
    quantity,
    signed_percent,
)
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.model.history import ChangePoint, HistoryPoint, HistoryRow, MetricHistory
from sbir_gate.model.run import MetricKind

_COMMIT_CHARACTERS = 12
_MACHINE_CHARACTERS = 16
_NAME_CHARACTERS = 60
_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDEST_SPARKLINE = 100

_ROWS = TableLayout(
    ("started", "gate", "outcome", "commit", "branch", "tags", "machine"), frozenset(range(7)), (6, 5)
)
_POINTS = TableLayout(
    ("started", "gate", "outcome", "commit", "branch", "metric", "value"), frozenset(range(6)), (1, 2)
)


class HistoryFormat(StrEnum):
    """How the answer to a question is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


Cell = str | int | float | bool | None
Record = dict[str, Cell]


def render_rows(rows: Sequence[HistoryRow], format_: HistoryFormat, width: int) -> str:
    """Return the heads of entries, in their order, as text that ends in a newline."""
    if format_ is not HistoryFormat.TABLE:
        return render_records([_row_record(row) for row in rows], format_, _row_columns())
    cells = [
        (
            _moment(row.started_at),
            plain(row.gate, _NAME_CHARACTERS),
            row.outcome or NOTHING,
            _commit(row),
            plain(row.branch, _NAME_CHARACTERS) or NOTHING,
            plain(", ".join(row.tags), _NAME_CHARACTERS) or NOTHING,
            plain(row.machine[:_MACHINE_CHARACTERS], _MACHINE_CHARACTERS),
        )
        for row in rows
    ]
    return "\n".join([*table_lines(_ROWS, cells, width), counted(len(rows), "Run")]) + "\n"


def render_points(points: Sequence[HistoryPoint], format_: HistoryFormat, width: int) -> str:
    """Return the points of metrics, in their order, as text that ends in a newline."""
    if format_ is not HistoryFormat.TABLE:
        return render_records([_point_record(point) for point in points], format_, _point_columns())
    cells = [
        (
            _moment(point.row.started_at),
            plain(point.row.gate, _NAME_CHARACTERS),
            point.row.outcome or NOTHING,
            _commit(point.row),
            plain(point.row.branch, _NAME_CHARACTERS) or NOTHING,
            plain(point.metric, _NAME_CHARACTERS),
            quantity(point.value, plain(point.unit, _NAME_CHARACTERS)),
        )
        for point in points
    ]
    return "\n".join(table_lines(_POINTS, cells, width)) + "\n"


def render_trend(course: MetricHistory, format_: HistoryFormat, width: int) -> str:
    """Return the course of a metric as text that ends in a newline.

    As a table it is a picture of the values, their first, last and middle, how steep and how steady it goes,
    and where it changed; as CSV one line for each point; as JSON all of it.
    """
    if format_ is HistoryFormat.CSV:
        return render_records(_trend_records(course), format_, (*_point_columns(), "comparable_value"))
    if format_ is HistoryFormat.JSON:
        return json.dumps(_trend_facts(course), indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    unit = plain(course.unit, _NAME_CHARACTERS)
    first, last = course.points[0].row, course.points[-1].row
    ordered = sorted(course.values)
    facts = [
        ("runs", f"{len(course.points):,}, {_moment(first.started_at)} to {_moment(last.started_at)}"),
        ("first, last", f"{quantity(course.values[0], unit)}, {quantity(course.values[-1], unit)}"),
        (
            "lowest, median, highest",
            ", ".join(quantity(value, unit) for value in (ordered[0], _middle(ordered), ordered[-1])),
        ),
        ("spread between runs", percent_text(course.spread * 100) if course.spread is not None else NOTHING),
        ("trend", _trend_words(course, unit)),
    ]
    lines = [
        plain(course.metric, _NAME_CHARACTERS),
        f"  {sparkline(course.values, min(width - 2, _WIDEST_SPARKLINE))}",
        *(f"  {name:<24}{words}" for name, words in facts),
        *(f"  {'changed':<24}{change_text(course, change, unit)}" for change in course.changes or ()),
    ]
    if course.changes == ():
        is_exact = course.points[-1].kind is MetricKind.EXACT
        lines.append(f"  {'changed':<24}never{'' if is_exact else ', beyond its noise'}")
    return "\n".join([*lines, *(f"  note: {plain(note)}" for note in course.notes)]) + "\n"


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the values as a row of blocks, low to high; more than `width` of them are averaged in groups."""
    groups = min(len(values), max(width, 1))
    bounds = [round(number * len(values) / groups) for number in range(groups + 1)]
    means = [math.fsum(values[start:end]) / (end - start) for start, end in pairwise(bounds)]
    low, high = min(means), max(means)
    if low == high:
        return _BLOCKS[len(_BLOCKS) // 2] * groups
    return "".join(_BLOCKS[round((mean - low) / (high - low) * (len(_BLOCKS) - 1))] for mean in means)


def _trend_words(course: MetricHistory, unit: str) -> str:
    if course.trend is None:
        return "too few Runs"
    slope = course.trend.slope
    change = (
        signed_percent(math.exp(slope), is_shown=True) if course.is_logarithmic else difference(slope, unit)
    )
    steady = "chance alone is rarely so steady" if course.trend.p_value < 0.05 else "chance may explain it"
    return f"{change} a run (Mann-Kendall test: p = {p_value_text(course.trend.p_value)}, {steady})"


def change_text(course: MetricHistory, change: ChangePoint, unit: str) -> str:
    """Return one change of level as text: by how much, and at which commit or from which to which."""
    ratio = f" ({signed_percent(change.ratio, is_shown=True)})" if change.ratio is not None else ""
    levels = f"{quantities(change.before, change.after, unit)}{ratio}"
    start = _place_in_range(course, change.start, change.earliest, change.latest)
    if not change.is_ramp:
        return f"{levels} at {start}"
    end = _place_in_range(course, change.end, change.earliest_end, change.latest_end)
    return f"{levels} gradually over {change.end - change.start + 1:,} Runs, from {start} to {end}"


def _place_in_range(course: MetricHistory, at: int, earliest: int, latest: int) -> str:
    place, *ends = (_place(course.points[number].row) for number in (at, earliest, latest))
    return place if earliest == latest else f"{place} (not before {ends[0]}, not after {ends[1]})"


def _place(row: HistoryRow) -> str:
    return f"{row.started_at:%Y-%m-%d} {_commit(row)}"


def _middle(ordered: Sequence[float]) -> float:
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _commit(row: HistoryRow) -> str:
    words = plain(row.commit[:_COMMIT_CHARACTERS], _COMMIT_CHARACTERS) or "no commit"
    return f"{words}+" if row.is_dirty else words


def _row_record(row: HistoryRow) -> Record:
    return {
        "started_at": _moment(row.started_at),
        "gate": row.gate,
        "outcome": row.outcome.value if row.outcome else None,
        "commit": row.commit,
        "branch": row.branch,
        "is_dirty": row.is_dirty,
        "tags": " ".join(row.tags),
        "machine": row.machine,
        "fixture": row.fixture,
        "tool_version": row.tool_version,
        "calibration_seconds": row.calibration_seconds,
        "file": row.file_name,
    }


def _point_record(point: HistoryPoint) -> Record:
    measured: Record = {
        "metric": point.metric,
        "unit": point.unit,
        "kind": point.kind.value,
        "value": point.value,
        "repeats": point.repeats,
    }
    return _row_record(point.row) | measured


def _trend_records(course: MetricHistory) -> list[Record]:
    return [
        _point_record(point) | {"comparable_value": value}
        for point, value in zip(course.points, course.values, strict=True)
    ]


def _trend_facts(course: MetricHistory) -> dict[str, object]:
    trend, changes = course.trend, course.changes
    return {
        "metric": course.metric,
        "unit": course.unit,
        "is_calibrated": course.is_calibrated,
        "is_logarithmic": course.is_logarithmic,
        "spread": course.spread,
        "trend": {"slope": trend.slope, "p_value": trend.p_value} if trend else None,
        "changes": None if changes is None else [_change_facts(course, change) for change in changes],
        "notes": list(course.notes),
        "points": _trend_records(course),
    }


def _change_facts(course: MetricHistory, change: ChangePoint) -> Record:
    began, ended = (course.points[at].row for at in (change.start, change.end))
    return {
        "kind": "ramp" if change.is_ramp else "step",
        "started_at": _moment(began.started_at),
        "commit": began.commit,
        "ended_at": _moment(ended.started_at),
        "end_commit": ended.commit,
        "start": change.start,
        "earliest": change.earliest,
        "latest": change.latest,
        "end": change.end,
        "earliest_end": change.earliest_end,
        "latest_end": change.latest_end,
        "before": change.before,
        "after": change.after,
        "ratio": change.ratio,
    }


def _row_columns() -> tuple[str, ...]:
    return (
        *("started_at", "gate", "outcome", "commit", "branch", "is_dirty", "tags"),
        *("machine", "fixture", "tool_version", "calibration_seconds", "file"),
    )


def _point_columns() -> tuple[str, ...]:
    return (*_row_columns(), "metric", "unit", "kind", "value", "repeats")


def render_records(records: Iterable[Record], format_: HistoryFormat, columns: Sequence[str]) -> str:
    """Return the records as CSV with these columns, or as JSON."""
    if format_ is HistoryFormat.JSON:
        return json.dumps(list(records), indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _csv_cell(cell) for name, cell in record.items()} for record in records)
    return text.getvalue()


def _csv_cell(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet calculates: names of branches and tags are anybody's."""
    if isinstance(cell, str):
        return csv_cell(plain(cell, 1000))
    return cell
