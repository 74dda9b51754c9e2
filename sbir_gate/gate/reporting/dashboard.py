"""The dashboard as a page: trends that are drawn in the browser, and tables that hold the same figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from markupsafe import Markup

from sbir_gate.gate.reporting.dashboard_data import (
    NAME_CHARACTERS,
    TONES,
    commit_hash,
    gate_data,
    group_of,
    ordered,
    outcome_text,
)
from sbir_gate.gate.reporting.history import change_text
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quality_charts import histogram_chart, method_chart, unmatched_chart
from sbir_gate.gate.reporting.quality_words import method_name
from sbir_gate.gate.reporting.quantities import (
    NOTHING,
    counted,
    quantities,
    quantity,
    signed_percent,
)
from sbir_gate.model.dashboard import GateHistory, MetricCourse
from sbir_gate.model.history import HistoryRow, MetricHistory
from sbir_gate.model.verdict import Outcome
from sbir_gate.pages.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Fact,
    Facts,
    Json,
    Mark,
    Page,
    Section,
    Series,
    Table,
    Tone,
)
from sbir_gate.pages.page import package_text, page_templates, safe_address

TITLE = "History of the gate"
# a table of more rows is slow to lay out; all Runs are in the charts
MOST_ROWS = 1000
_TABLE_METRICS = ("match_rate", "precision", "recall", "wall_seconds", "peak_rss_mib")
_SHORT_COMMIT = 9
_PACKAGE = "sbir_gate.gate.reporting"

_RUN_COLUMNS = (
    Column("Started (UTC)"),
    Column("Gate", has_choices=True),
    Column("Branch", has_choices=True),
    Column("Commit"),
    Column("Outcome", has_choices=True),
    *(Column(metric_name(metric), is_number=True) for metric in _TABLE_METRICS),
    Column("Pull request"),
    Column("Report"),
)
_METRIC_COLUMNS = (
    Column("Metric"),
    Column("Group", has_choices=True),
    Column("Newest", is_number=True),
    Column("95% interval", is_number=True),
    Column("Against the Run before", is_number=True),
    Column("Lowest", is_number=True),
    Column("Median", is_number=True),
    Column("Highest", is_number=True),
    Column("Fails beyond", is_number=True),
    Column("Last change of level"),
)


def dashboard_page(gates: Sequence[GateHistory], site: str = "", notes: Sequence[str] = ()) -> Page:
    """Return the page of all gates; `site` is the address of the repository, for links to its commits."""
    site = safe_address(site).rstrip("/")
    shown = [(gate, row) for gate in gates for row in gate.rows]
    listed = sorted(shown, key=lambda each: each[1].started_at, reverse=True)[:MOST_ROWS]
    places = {
        (gate.gate, row.file_name): (number, place)
        for number, gate in enumerate(gates)
        for place, row in enumerate(gate.rows)
    }
    data: Json = {
        "site": site,
        "gates": [gate_data(gate) for gate in gates],
        "table": [list(places[gate.gate, row.file_name]) for gate, row in listed],
    }
    return Page(
        title=TITLE,
        lead=_lead(gates),
        sections=(
            Section("trends", "Trends", (_trends(),)),
            Section("latest", "Latest Run", tuple(_latest(gates))),
            Section("metrics", "All metrics", tuple(_metric_tables(gates))),
            Section("runs", "Runs", (_run_table(listed, len(shown), site),)),
        ),
        notes=(*notes, *_thinning(gates)),
        script=package_text(_PACKAGE, "templates/dashboard.js"),
        style=package_text(_PACKAGE, "templates/dashboard.css"),
        data=data,
        has_charts=True,
    )


def _trends() -> Markup:
    templates = page_templates(_PACKAGE, "templates")
    return Markup(templates.get_template("dashboard.html.j2").render())  # noqa: S704 -- the template escapes


def _lead(gates: Sequence[GateHistory]) -> str:
    starts = [row.started_at for gate in gates for row in gate.rows]
    runs = counted(sum(gate.runs for gate in gates), "Run")
    return f"{runs} of {counted(len(gates), 'gate')}, {min(starts):%Y-%m-%d} to {max(starts):%Y-%m-%d}"


def _thinning(gates: Sequence[GateHistory]) -> Iterator[str]:
    if others := gates[0].gates_left_out:
        yield f"Not shown: {counted(others, 'other gate')}."
    for gate in gates:
        if len(gate.rows) < gate.runs:
            name = plain(gate.gate, NAME_CHARACTERS)
            yield (
                f"{name}: {len(gate.rows):,} of {gate.runs:,} Runs are shown: the newest, releases, changes"
                " of level, and of the rest the lowest and highest of every metric in each span of time."
            )
        if gate.metrics_left_out:
            name = plain(gate.gate, NAME_CHARACTERS)
            yield f"{name}: {counted(gate.metrics_left_out, 'metric')} are not shown."


def _latest(gates: Sequence[GateHistory]) -> Iterator[Block]:
    for number, gate in enumerate(gates):
        name = plain(gate.gate, NAME_CHARACTERS)
        newest = gate.rows[-1]
        values = {metric: _value_at(gate, metric, newest) for metric in _TABLE_METRICS}
        yield Facts(
            (
                Fact("Gate", name),
                Fact(
                    "Latest Run",
                    f"{newest.started_at:%Y-%m-%d %H:%M}",
                    f"{plain(newest.branch, NAME_CHARACTERS)} {newest.commit[:_SHORT_COMMIT]}".strip(),
                ),
                Fact("Outcome", outcome_text(newest), tone=_tone(newest)),
                *(Fact(metric_name(metric), text) for metric, text in values.items() if text != NOTHING),
                *_missing_figures(gate, newest),
                _quality_fact(gate),
            ),
            f"g{number}-facts",
        )
        yield from _quality_charts(gate, newest, f"g{number}")


def _missing_figures(gate: GateHistory, newest: HistoryRow) -> Iterator[Fact]:
    """Yield that a Run has no figures, where that is so."""
    if not any(_value_at(gate, metric, newest) != NOTHING for metric in gate.points):
        yield Fact("Figures", "none", "the engine broke" if newest.outcome is Outcome.ERROR else "")


def _quality_fact(gate: GateHistory) -> Fact:
    report = gate.quality
    if report is None:
        return Fact("Scores, phases", "not known", "no quality report of these Runs is at hand")
    commit = plain(report.source.commit[:_SHORT_COMMIT], _SHORT_COMMIT)
    return Fact("Charts below", f"{report.made_at:%Y-%m-%d %H:%M}", f"quality report {commit}".strip())


def _quality_charts(gate: GateHistory, newest: HistoryRow, prefix: str) -> Iterator[Chart]:
    """Yield the charts of the links, with keys that are unique on a page of several gates."""
    report = gate.quality
    found: list[Chart | None] = [_kept_methods(gate, newest)]
    if report is not None:
        found = [
            method_chart(report) if report.quality.links_by_method else None,
            histogram_chart("scores", "Scores", report.scores, 0),
            unmatched_chart(report) if report.unmatched else None,
        ]
    for chart in found:
        if chart is not None:
            table = replace(chart.table, key=f"{prefix}-{chart.table.key}")
            yield replace(chart, key=f"{prefix}-{chart.key}", table=table)


def _kept_methods(gate: GateHistory, newest: HistoryRow) -> Chart | None:
    """Return the links by method as the history knows them; None if it has none."""
    counts = {
        metric.removeprefix("links/"): point.value
        for metric, points in gate.points.items()
        for point in points[-1:]
        if metric.startswith("links/") and point.row.file_name == newest.file_name
    }
    if not any(counts.values()):
        return None
    names = tuple(method_name(method) for method in counts)
    rows = tuple(
        (name, Cell(f"{count:,.0f}", count)) for name, count in zip(names, counts.values(), strict=True)
    )
    table = Table("methods", "Links by method", (Column("Method"), Column("Links", is_number=True)), rows)
    pie = Series("Links", Mark.PIE, names, tuple(counts.values()))
    return Chart("chart-methods", "Links by method", f"{sum(counts.values()):,.0f} links.", (pie,), table)


def _metric_tables(gates: Sequence[GateHistory]) -> Iterator[Table]:
    for number, gate in enumerate(gates):
        name, branch = (plain(text, NAME_CHARACTERS) for text in (gate.gate, gate.branch))
        courses = {course.metric: course for course in gate.courses if course.branch == gate.branch}
        yield Table(
            f"g{number}-metrics",
            f"{name}: metrics on {f'branch {branch}' if branch else 'all branches'}",
            _METRIC_COLUMNS,
            tuple(_metric_cells(courses[metric]) for metric in ordered(courses)),
            has_filter=True,
        )


def _metric_cells(course: MetricCourse) -> tuple[Cell | str, ...]:
    history = course.history
    unit, values = plain(history.unit, NAME_CHARACTERS), history.values
    before = values[-2] if len(values) > 1 else None
    change = signed_percent(values[-1] / before) if before else NOTHING
    moved = f"{change} ({quantities(before, values[-1], unit)})" if before and change != "~" else change
    last = change_text(history, history.changes[-1], unit) if history.changes else NOTHING
    limit = course.fail_beyond
    return (
        Cell(
            metric_name(course.metric), address=f"#metric={course.metric}" if _is_safe(course.metric) else ""
        ),
        group_of(course.metric),
        Cell(quantity(values[-1], unit), values[-1]),
        Cell(_interval_text(history)),
        Cell(moved, values[-1] / before if before else None),
        *(Cell(quantity(value, unit), value) for value in (min(values), median(values), max(values))),
        Cell(quantity(limit, unit), limit),
        last,
    )


def _interval_text(history: MetricHistory) -> str:
    """Return the interval of the newest value, as it compares with the others."""
    point, value = history.points[-1], history.values[-1]
    if point.interval is None:
        return NOTHING
    scale = value / point.value if point.value else 1.0
    low, high = (quantity(end * scale, plain(history.unit, NAME_CHARACTERS)) for end in point.interval)
    return f"{low} to {high}"


def _is_safe(metric: str) -> bool:
    return all(character.isalnum() or character in "/_-." for character in metric)


def _run_table(listed: Sequence[tuple[GateHistory, HistoryRow]], shown: int, site: str) -> Table:
    values = {
        (gate.gate, metric): {point.row.file_name: (point.value, point.unit) for point in gate.points[metric]}
        for gate in {gate.gate: gate for gate, _ in listed}.values()
        for metric in _TABLE_METRICS
        if metric in gate.points
    }
    more = f"the newest {len(listed):,} of {shown:,}, " if len(listed) < shown else ""
    return Table(
        "runs-table",
        f"Runs, {more}newest first; the start selects a Run in the chart",
        _RUN_COLUMNS,
        tuple(
            (
                *_head_cells(gate, row, site),
                *(
                    _value_cell(values.get((gate.gate, metric), {}).get(row.file_name))
                    for metric in _TABLE_METRICS
                ),
                *_link_cells(row, site),
            )
            for gate, row in listed
        ),
        has_filter=True,
    )


def _head_cells(gate: GateHistory, row: HistoryRow, site: str) -> tuple[Cell | str, ...]:
    commit = commit_hash(row)
    address = f"{site}/commit/{commit}" if site and commit else ""
    started = row.started_at.timestamp()
    return (
        Cell(f"{row.started_at:%Y-%m-%d %H:%M}", started, f"#run={round(started)}"),
        plain(gate.gate, NAME_CHARACTERS),
        plain(row.branch, NAME_CHARACTERS) or NOTHING,
        Cell(plain(row.commit[:_SHORT_COMMIT], _SHORT_COMMIT) or NOTHING, address=address, is_code=True),
        Cell(outcome_text(row), tone=_tone(row)),
    )


def _link_cells(row: HistoryRow, site: str) -> tuple[Cell, Cell]:
    """Return the pull request, as far as the Run knows it, and the checks of the commit with the report."""
    commit, number = commit_hash(row), row.pull_request
    checks = f"{site}/commit/{commit}/checks" if site and commit else ""
    return (
        Cell(f"#{number}", number, f"{site}/pull/{number}" if site else "") if number else Cell(NOTHING),
        Cell("checks", address=checks) if checks else Cell(NOTHING),
    )


def _value_cell(found: tuple[float, str] | None) -> Cell:
    if found is None:
        return Cell(NOTHING)
    return Cell(quantity(found[0], plain(found[1], NAME_CHARACTERS)), found[0])


def _value_at(gate: GateHistory, metric: str, row: HistoryRow) -> str:
    point = next(
        (each for each in gate.points.get(metric, ())[-1:] if each.row.file_name == row.file_name), None
    )
    return quantity(point.value, plain(point.unit, NAME_CHARACTERS)) if point else NOTHING


def _tone(row: HistoryRow) -> Tone:
    return TONES.get(outcome_text(row), Tone.QUIET)
