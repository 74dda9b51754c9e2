"""What the dashboard shows, from the history, the baseline and the quality reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from sbir_gate.errors import DocumentError, InputError, UsageError
from sbir_gate.gate.branches import history_at_branch
from sbir_gate.gate.comparing.limits import limits_of
from sbir_gate.gate.comparing.thinning import thinned
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.main_branch import course_branch
from sbir_gate.gate.quality_history import newest_reports, quality_folder
from sbir_gate.gate.reporting.dashboard_data import ordered
from sbir_gate.gate.storing.baselines import load_baseline
from sbir_gate.gate.storing.history import History, open_entries, open_history
from sbir_gate.gate.storing.history_branch import entries_at, reports_at
from sbir_gate.gate.storing.revisions import Revision
from sbir_gate.gate.trends import metric_history
from sbir_gate.model.dashboard import ANY_BRANCH, GateHistory, MetricCourse
from sbir_gate.model.finding import ABSOLUTE, Severity
from sbir_gate.model.history import HistoryPoint, HistoryQuery, HistoryRow, MetricHistory
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Direction, MetricLimit
from sbir_gate.settings.judgement import policy
from sbir_gate.settings.schema import Settings

# more Runs say nothing new, and are not read
MAX_ENTRIES = 20_000
MAX_SHOWN = 2000
MAX_BRANCHES = 12
# what a page has room for below 5 MB: gates, metrics of a gate, and values of all Runs and metrics together
MAX_GATES = 20
MAX_METRICS = 200
MAX_VALUES = 82_000
# of a branch, where the very newest report may be damaged
_NEWEST_READ = 5


ReportsOf = Callable[[Sequence[str], Callable[[QualityReport], bool]], Mapping[str, QualityReport]]
"""Returns the newest quality report of each of these gates that is wanted."""


@contextmanager
def history_of(source: str | None, settings: Settings) -> Iterator[tuple[History, ReportsOf]]:
    """Open the history that `source` names: a folder, else a branch of the remote; None for the settings'.

    The quality reports are those of the branch, and of gates that have none there those kept here. Raises
    InputError if it is neither, ToolError if the branch cannot be fetched.
    """
    if source is None or Path(source).is_dir():
        with open_history(history_folder(settings) if source is None else Path(source)) as history:
            yield history, _reports_here(settings)
        return
    if Path(source).exists():
        raise InputError("is not a folder", "name the folder of the history, or its branch", path=source)
    tip = history_at_branch(settings, source)
    entries, skipped = entries_at(tip, None, MAX_ENTRIES)
    with open_entries(entries, skipped) as history:
        yield history, _reports_at(tip, settings)


def _reports_here(settings: Settings) -> ReportsOf:
    return lambda gates, is_wanted: newest_reports(quality_folder(settings), gates, is_wanted)


def _reports_at(tip: Revision, settings: Settings) -> ReportsOf:
    def newest(
        gates: Sequence[str], is_wanted: Callable[[QualityReport], bool]
    ) -> Mapping[str, QualityReport]:
        found: dict[str, QualityReport] = {}
        for gate in gates:
            reports, _ = reports_at(tip, gate, _NEWEST_READ)
            wanted = filter(is_wanted, reports.values())
            found |= {report.gate: report for report in wanted if report.gate == gate}
        return {**newest_reports(quality_folder(settings), gates, is_wanted), **found}

    return newest


def dashboard_of(
    history: History,
    settings: Settings,
    since: datetime | None,
    *,
    has_changes: bool,
    before: datetime | None = None,
    most: int = MAX_SHOWN,
    reports_of: ReportsOf | None = None,
) -> tuple[GateHistory, ...]:
    """Return what is shown of each gate, the gate of the settings first. Raises InputError without any Run.

    Runs are those since `since` and before `before`. `has_changes` asks for change points, which need the
    extra `history`. Without `reports_of` the quality reports are those kept here; one of a Run that is not in
    the history has other figures than all that is shown, and is left out.
    """
    span = HistoryQuery(since=since, before=before, limit=MAX_ENTRIES)
    rows = history.rows(span)
    if not rows:
        raise InputError(
            "the history has no Run to show",
            "measure with 'sbir-gate run', or fetch what others measured with 'sbir-gate history pull'",
        )
    own = settings.gate.name
    known = sorted({row.gate for row in rows}, key=lambda gate: (gate != own, gate))
    gates = known[:MAX_GATES]
    runs = {(row.gate, row.started_at, row.commit) for row in rows}
    reports = (reports_of or _reports_here(settings))(
        gates, lambda report: (report.gate, report.made_at, report.source.commit) in runs
    )
    return tuple(
        replace(
            _Gate(history, settings, replace(span, gate=gate), MAX_VALUES // len(gates)).shown(
                has_changes=has_changes, most=most
            ),
            quality=reports.get(gate),
            gates_left_out=len(known) - len(gates),
        )
        for gate in gates
    )


@dataclass(frozen=True, slots=True)
class _Gate:
    """One gate of the history, as it is asked for; the page has room for `values` of its values."""

    history: History
    settings: Settings
    query: HistoryQuery
    values: int

    def shown(self, *, has_changes: bool, most: int) -> GateHistory:
        """Return what is shown of the gate."""
        query = self.query
        rows = self.history.rows(query)
        found = ordered(self.history.metrics(query))
        metrics = found[:MAX_METRICS]
        most = min(most, max(self.values // max(len(metrics), 1), 1))
        points = {name: self.history.points(name, query) for name in metrics}
        first, branches = self._branches(rows)
        courses = tuple(self._courses(branches, metrics, has_changes=has_changes))
        releases = self._releases(rows)
        places = {row.file_name: place for place, row in enumerate(rows)}
        always = {places[name] for name in releases} | {places[name] for name in _turning_points(courses)}
        kept = _kept(rows, points, places, always, most)
        names = {row.file_name for row in kept}
        return GateHistory(
            gate=query.gate or "",
            runs=len(rows),
            rows=kept,
            points={
                name: tuple(point for point in each if point.row.file_name in names)
                for name, each in points.items()
            },
            courses=courses,
            branch=first,
            releases=releases,
            metrics_left_out=len(found) - len(metrics),
        )

    def _branches(self, rows: Sequence[HistoryRow]) -> tuple[str, tuple[str, ...]]:
        """Return the branch that is shown first, and those that can be chosen: of several Runs each."""
        counts = Counter(row.branch for row in rows if row.branch)
        newest = dict.fromkeys(row.branch for row in reversed(rows) if counts[row.branch] > 1)
        main = course_branch(self.settings) or ANY_BRANCH
        first = main if counts[main] > 1 else ANY_BRANCH
        if len({row.branch for row in rows}) == 1:
            return first, (first,)
        return first, tuple(dict.fromkeys((first, ANY_BRANCH, *list(newest)[:MAX_BRANCHES])))

    def _courses(
        self, branches: Sequence[str], metrics: Sequence[str], *, has_changes: bool
    ) -> Iterator[MetricCourse]:
        baseline = self._baseline()
        limits = policy(self.settings) if self.query.gate == self.settings.gate.name else None
        for branch in branches:
            query = replace(self.query, branch=branch or None)
            there = set(self.history.metrics(query))
            for metric in filter(there.__contains__, metrics):
                course = metric_history(self.history, metric, query, has_changes=has_changes)
                limit = limits.limit_of(metric) if limits else None
                if limit is None:
                    yield MetricCourse(branch, metric, course)
                    continue
                fails = _fail_beyond(limit, _reference_value(course, baseline))
                yield MetricCourse(branch, metric, course, limit.direction, fails)

    def _baseline(self) -> Run | None:
        """Return the baseline of the gate; one that cannot be read draws no line."""
        try:
            return load_baseline(self.settings.gate.baselines_folder, self.query.gate or "")
        except (DocumentError, UsageError):
            return None

    def _releases(self, rows: Sequence[HistoryRow]) -> Mapping[str, str]:
        """Return the first release tag of each Run that has one, at the first Run that has it."""
        pattern = self.settings.drift.release_pattern
        found: dict[str, str] = {}
        for row in rows:
            tag = next((tag for tag in row.tags if fnmatchcase(tag, pattern)), "")
            if tag and tag not in found.values():
                found[row.file_name] = tag
        return found


def _turning_points(courses: Sequence[MetricCourse]) -> Iterator[str]:
    """Yield the files of the Runs at which a metric changed, and of the ends of what is known of it."""
    for course in courses:
        points = course.history.points
        for change in course.history.changes or ():
            for place in (change.earliest, change.start, change.end, change.latest):
                yield points[place].row.file_name


def _kept(
    rows: Sequence[HistoryRow],
    points: Mapping[str, Sequence[HistoryPoint]],
    places: Mapping[str, int],
    always: set[int],
    most: int,
) -> tuple[HistoryRow, ...]:
    columns = []
    for found in points.values() if len(rows) > most else ():
        column: list[float | None] = [None] * len(rows)
        for point in found:
            column[places[point.row.file_name]] = point.value
        columns.append(column)
    return tuple(rows[place] for place in thinned(columns, len(rows), most, always))


def _reference_value(course: MetricHistory, baseline: Run | None) -> float | None:
    """Return the baseline's value as it compares with the course; None where that is not known."""
    if baseline is None:
        return None
    own = baseline.started_at, baseline.source.commit
    return next(
        (
            value
            for point, value in zip(course.points, course.values, strict=True)
            if (point.row.started_at, point.row.commit) == own
        ),
        None,
    )


def _fail_beyond(limit: MetricLimit, reference: float | None) -> float | None:
    """Return the value beyond which the metric fails: the strictest of its limits that can be drawn."""
    is_lower_better = limit.direction is Direction.LOWER_IS_BETTER
    values = [
        each.value
        if each.kind in ABSOLUTE
        else (reference or 0.0) * (1 + (each.value if is_lower_better else -each.value) / 100)
        for each in limits_of(limit)
        if each.severity is Severity.FAIL and (each.kind in ABSOLUTE or reference is not None)
    ]
    return (min if is_lower_better else max)(values, default=None)
