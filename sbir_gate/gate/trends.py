"""Questions to the history: since when, which metric, and what its course was."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sbir_gate.errors import DocumentError, InputError, UsageError
from sbir_gate.gate.comparing.change_points import FEWEST_POINTS, change_points, exact_change_points
from sbir_gate.gate.comparing.series import Series, comparable_series, spread
from sbir_gate.gate.comparing.trend import trend
from sbir_gate.gate.history import own_points
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.main_branch import course_branch
from sbir_gate.gate.reporting.judgement import limit_value
from sbir_gate.gate.storing.history import History, open_history
from sbir_gate.model.history import ChangePoint, HistoryPoint, HistoryQuery, MetricHistory
from sbir_gate.model.moments import moment_text, utc
from sbir_gate.model.publication import TrendSeries
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Change
from sbir_gate.settings.schema import Settings
from sbir_gate.wrong_input import did_you_mean

_SPAN = re.compile(r"(?P<count>\d{1,6})(?P<unit>[hdw])")
_COMMIT_CHARACTERS = 7
_DRAWN = ("match_rate", "wall_seconds")
REPORT_METRICS = (*_DRAWN, "peak_rss_mib")
_HOURS = {"h": 1, "d": 24, "w": 168}


def since_moment(text: str, now: datetime) -> datetime:
    """Return the moment that `30d`, `12h`, `6w` (before now) or an ISO date or time (UTC) means.

    Raises UsageError for anything else.
    """
    span = _SPAN.fullmatch(text.strip())
    try:
        if span:
            return now - timedelta(hours=int(span["count"]) * _HOURS[span["unit"]])
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--since {text[:40]!r} is neither a date nor a span",
            "write a date (2026-01-31), a time (2026-01-31T12:00) or a span (12h, 30d, 6w)",
        ) from error


def horizon(now: datetime) -> datetime:
    """Return when a Run is taken to be of the future: clocks of two machines differ, but not by a day."""
    return now + timedelta(days=1)


def future_text(history: History, now: datetime) -> tuple[str, ...]:
    """Return one line on the Runs of the future, which are not shown; none if there are none."""
    rows = history.rows(HistoryQuery(since=horizon(now)))
    if not rows:
        return ()
    count = f"{len(rows):,} {'Run starts' if len(rows) == 1 else 'Runs start'} in the future"
    first = f"the first: {rows[0].file_name}, {moment_text(rows[0].started_at)}"
    return (f"left out: {count} ({first}); check the clock of the machine that measured",)


def metric_points(history: History, metric: str, query: HistoryQuery) -> tuple[HistoryPoint, ...]:
    """Return the points of a metric, the oldest first; there is at least one.

    Raises InputError if the query finds no entry at all, UsageError for a metric that none of them has.
    """
    points = history.points(metric, query)
    if points:
        return points
    names = history.metrics(query)
    if not names:
        raise InputError(
            "the history has no Run that was asked for",
            "measure with 'sbir-gate run', take saved ones in with 'sbir-gate history import'",
        )
    hint = did_you_mean(metric, names) or f"they have {', '.join(names)}"
    raise UsageError(f"--metric {metric[:80]!r} is in none of these Runs", hint)


def metric_history(history: History, metric: str, query: HistoryQuery, *, has_changes: bool) -> MetricHistory:
    """Return the course of a metric: trend, dispersion and, on request, change points.

    Only Runs of the newest one's fixture are in it, and of its unit: others measured something else. Raises
    what `metric_points` raises, and UsageError where change points need the extra and it is not installed.
    """
    found = metric_points(history, metric, query)
    newest = found[-1]
    like = [
        point
        for point in found
        if (point.row.fixture, point.unit, point.kind) == (newest.row.fixture, newest.unit, newest.kind)
    ]
    series = comparable_series(like)
    values = [math.log(value) for value in series.values] if series.has_logarithms else series.values
    return MetricHistory(
        metric=metric,
        unit=newest.unit,
        points=series.points,
        values=series.values,
        is_calibrated=series.is_calibrated,
        is_logarithmic=series.has_logarithms,
        trend=trend(values),
        spread=spread(series),
        changes=_changes(series) if has_changes else None,
        notes=tuple(_notes(len(found) - len(like), series)),
    )


def _changes(series: Series) -> tuple[ChangePoint, ...] | None:
    if series.points[-1].kind is MetricKind.EXACT:
        return exact_change_points(series.values)
    if not series.has_logarithms or len(series.values) < FEWEST_POINTS:
        return None
    return change_points(series.values)


def _notes(other_fixtures: int, series: Series) -> list[str]:
    notes = []
    if other_fixtures:
        notes.append(f"left out: {other_fixtures:,} older Runs of other fixtures")
    if series.other_definitions:
        notes.append(
            f"left out: {series.other_definitions:,} Runs that measured it by another definition;"
            f" this one begins at {series.points[0].row.started_at:%Y-%m-%d}"
        )
    if series.left_out:
        notes.append(f"left out: {series.left_out:,} Runs of other machines without a calibration")
    if series.is_calibrated:
        notes.append("times are calibrated: they are as if all were measured at the usual speed")
    return notes


def trends_of(
    run: Run | None, settings: Settings, changes: Sequence[Change] = (), metrics: Sequence[str] = _DRAWN
) -> tuple[TrendSeries, ...]:
    """Return the courses of the metrics: the last Runs of the main branch, then this one.

    Where `changes` has the metric, its limit is drawn.
    A history that cannot be read has none: the verdict says so already.
    """
    most = settings.publishing.trend_runs
    if run is None or most == 0:
        return ()
    query = HistoryQuery(
        gate=run.gate,
        branch=course_branch(settings),
        before=run.started_at,
        fixture=run.fixture.fingerprint,
        limit=most,
    )
    limits = {change.metric: limit_value(change) for change in changes}
    found = []
    try:
        with open_history(history_folder(settings)) as history:
            for metric in metrics:
                points = (*history.points(metric, query), *own_points(run, metric))
                series = comparable_series(points)
                labels = tuple(
                    point.row.commit[:_COMMIT_CHARACTERS] or f"{point.row.started_at:%Y-%m-%d}"
                    for point in series.points
                )
                if series.points:
                    # older values are not in it: the chart says that it begins anew
                    remark = "since its definition changed" if series.other_definitions else ""
                    unit = series.points[-1].unit
                    found.append(TrendSeries(metric, unit, labels, series.values, limits.get(metric), remark))
    except (InputError, DocumentError):
        return ()
    return tuple(found)
