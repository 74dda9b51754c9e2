"""What the script of the dashboard draws: the Runs of each gate as columns, and the course of each metric."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from sbir_gate.gate.reporting.history import change_text
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import percent_text, quantity, signed_percent
from sbir_gate.model.dashboard import ANY_BRANCH, GateHistory, MetricCourse
from sbir_gate.model.history import HistoryPoint, HistoryRow
from sbir_gate.model.run import MetricKind
from sbir_gate.pages.blocks import Json, Tone

TONES: Mapping[str, Tone] = {
    "pass": Tone.PLAIN,
    "warn": Tone.WARN,
    "fail": Tone.BAD,
    "error": Tone.BAD,
}
# the groups of the metrics, by how their names begin; the first that holds
GROUPS = (
    (
        "Quality",
        ("match_rate", "precision", "recall", "f1", "blocking_recall", "scoring_recall", "calibration_error"),
    ),
    ("Links by method", ("links/",)),
    (
        "Time",
        ("wall_seconds", "cpu_seconds", "first_run_seconds", "seconds_per_record", "records_per_second"),
    ),
    ("Memory", ("peak_rss_mib", "memory_delta_mib")),
    ("Work", ("work/",)),
    ("Stages", ("stage_seconds/", "stage_peak_mib/")),
    ("Other", ("",)),
)
# what the interval of a point is, by the kind of its metric
INTERVAL_NAMES: Mapping[MetricKind, str] = {
    MetricKind.NOISY: "95% interval of the median of the repeats",
    MetricKind.EXACT: "95% interval of the rate (Wilson)",
    MetricKind.ONCE: "",
}
NAME_CHARACTERS = 80
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DIGITS, _END_DIGITS = 9, 4


def gate_data(history: GateHistory) -> Json:
    """Return one gate for the script; places are those of the Runs that are shown."""
    rows = history.rows
    places = {row.file_name: place for place, row in enumerate(rows)}
    branches = list(dict.fromkeys(row.branch for row in rows))
    outcomes = list(dict.fromkeys(outcome_text(row) for row in rows))
    return {
        "name": plain(history.gate, NAME_CHARACTERS),
        "runs": history.runs,
        "branch": plain(history.branch, NAME_CHARACTERS),
        "started": [round(row.started_at.timestamp()) for row in rows],
        "commits": [commit_hash(row) for row in rows],
        "pulls": [row.pull_request for row in rows],
        "branches": [plain(branch, NAME_CHARACTERS) for branch in branches],
        "branchOf": [branches.index(row.branch) for row in rows],
        "outcomes": list(outcomes),
        "tones": [TONES.get(outcome, Tone.QUIET).value for outcome in outcomes],
        "outcomeOf": [outcomes.index(outcome_text(row)) for row in rows],
        "dirty": [place for place, row in enumerate(rows) if row.is_dirty],
        "releases": {
            str(places[name]): plain(tag, NAME_CHARACTERS)
            for name, tag in history.releases.items()
            if name in places
        },
        "metrics": [
            _metric(name, history.points[name], places)
            for name in ordered(history.points)
            if history.points[name]
        ],
        "courses": [_course(course, history.points[course.metric], places) for course in history.courses],
    }


def ordered(metrics: Sequence[str] | Mapping[str, object]) -> list[str]:
    """Return the metrics by group, and within a group as its names are listed."""
    return sorted(metrics, key=_order)


def group_of(metric: str) -> str:
    """Return the title of the group of a metric."""
    return GROUPS[_order(metric)[0]][0]


def commit_hash(row: HistoryRow) -> str:
    """Return the commit if it is one, so that it can be part of an address; else nothing."""
    return row.commit if _COMMIT.fullmatch(row.commit) else ""


def outcome_text(row: HistoryRow) -> str:
    """Return the outcome; that of an imported Run is not known."""
    return row.outcome.value if row.outcome else "not judged"


def short(value: float | None, digits: int = _DIGITS) -> float | None:
    """Return a number in as many digits as a page shows, and some; None for one that is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(f"{value:.{digits}g}")


def _order(metric: str) -> tuple[int, int, str]:
    for number, (_, starts) in enumerate(GROUPS):
        for place, start in enumerate(starts):
            if metric == start or (start.endswith("/") and metric.startswith(start)) or not start:
                return number, place, metric
    return len(GROUPS), 0, metric


def _metric(name: str, points: Sequence[HistoryPoint], places: Mapping[str, int]) -> Json:
    values: list[float | None] = [None] * len(places)
    for point in points:
        values[places[point.row.file_name]] = short(point.value)
    ranges = [(point.low, point.high) if point.low != point.high else None for point in points]
    return {
        "key": plain(name, NAME_CHARACTERS),
        "name": metric_name(name),
        "group": group_of(name),
        "unit": plain(points[-1].unit, NAME_CHARACTERS),
        "values": values,
        "range": _ends(points, places, ranges),
        "interval": _ends(points, places, [point.interval for point in points]),
        "intervalName": INTERVAL_NAMES[points[-1].kind],
    }


def _ends(
    points: Sequence[HistoryPoint],
    places: Mapping[str, int],
    bounds: Sequence[tuple[float | None, float | None] | None],
) -> Json:
    """Return the low and the high end of each point as columns; None if no point has them."""
    if not any(bounds):
        return None
    lows: list[float | None] = [None] * len(places)
    highs = lows.copy()
    for point, ends in zip(points, bounds, strict=True):
        place = places[point.row.file_name]
        lows[place], highs[place] = (short(end, _END_DIGITS) for end in ends or (None, None))
    return {"low": lows, "high": highs}


def _course(course: MetricCourse, points: Sequence[HistoryPoint], places: Mapping[str, int]) -> Json:
    """Return a course: which shown Runs of the branch are not comparable with it, and what changed.

    `values` are there only where they are not those that were measured, for each of the other Runs.
    """
    history = course.history
    shown = {
        places[point.row.file_name]: value
        for point, value in zip(history.points, history.values, strict=True)
        if point.row.file_name in places
    }
    measured = {
        places[point.row.file_name] for point in points if course.branch in {ANY_BRANCH, point.row.branch}
    }
    unit = plain(history.unit, NAME_CHARACTERS)
    files = [point.row.file_name for point in history.points]
    changes: list[Json] = [
        {
            "at": [
                places[files[place]] for place in (change.earliest, change.start, change.end, change.latest)
            ],
            "before": short(change.before),
            "after": short(change.after),
            "label": signed_percent(change.ratio) if change.ratio else "",
            "text": change_text(history, change, unit),
        }
        for change in history.changes or ()
    ]
    notes = list(history.notes)
    if history.spread is not None:
        notes.append(
            f"standard deviation between Runs of unchanged code: {percent_text(history.spread * 100)}"
        )
    return {
        "branch": plain(course.branch, NAME_CHARACTERS),
        "metric": plain(course.metric, NAME_CHARACTERS),
        "apart": sorted(measured - shown.keys()),
        "values": [short(value) for value in shown.values()] if history.is_calibrated else None,
        "spread": short(history.spread),
        "isNoisy": history.points[-1].kind is not MetricKind.EXACT,
        "better": course.direction.value if course.direction else "",
        "limit": short(course.fail_beyond),
        "limitText": quantity(course.fail_beyond, unit) if course.fail_beyond is not None else "",
        "changes": changes,
        "isSearched": history.changes is not None,
        "notes": [plain(note) for note in notes],
    }
