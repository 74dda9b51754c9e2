import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.dashboard import dashboard_page
from sbir_gate.gate.reporting.dashboard_data import group_of, ordered, short
from sbir_gate.model.dashboard import GateHistory, MetricCourse
from sbir_gate.model.history import ChangePoint, MetricHistory, Trend
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, Outcome
from sbir_gate.pages.blocks import Chart, Facts, Table
from sbir_gate.pages.page import render_page
from tests.factories_history import START, commit_id, make_points
from tests.factories_quality import make_report

SITE = "https://code.example/agency/pipeline"
HOSTILE = "</script><script>alert(1)</script>'\"&"


def history_of(metric, values, unit="s", kind=MetricKind.NOISY, changes=None, **changed):
    points = make_points(values, metric, unit, kind, **changed)
    return MetricHistory(metric, unit, points, tuple(values), False, True, Trend(0.0, 0.5), 0.03, changes)


def gate_of(**changed):
    slow = (9.8, 9.9, 9.7, 9.8, 9.9, 9.8, 9.7, 9.8, 12.1, 12.0, 12.2, 12.1)
    change = ChangePoint(8, 8, 9, 8, 8, 9, 9.8, 12.1)
    courses = (
        history_of("wall_seconds", slow, changes=(change,), **changed),
        history_of("match_rate", [0.724] * 12, "ratio", MetricKind.EXACT, (), **changed),
        history_of("links/uei-exact", [512.0] * 12, "count", MetricKind.EXACT, (), **changed),
    )
    rows = tuple(
        replace(point.row, outcome=Outcome.FAIL if number == 8 else point.row.outcome)
        for number, point in enumerate(courses[0].points)
    )
    directions = (Direction.LOWER_IS_BETTER, Direction.HIGHER_IS_BETTER, None)
    limits = (12.25, 0.70, None)
    return GateHistory(
        gate=rows[0].gate,
        runs=12,
        rows=rows,
        points={course.metric: course.points for course in courses},
        courses=tuple(
            MetricCourse(rows[0].branch, course.metric, course, direction, limit)
            for course, direction, limit in zip(courses, directions, limits, strict=True)
        ),
        branch=rows[0].branch,
        releases={rows[3].file_name: changed.get("tags", ("v1.0.0",))[0]},
        quality=replace(make_report(), made_at=START, gate=rows[0].gate),
    )


def data_of(page):
    return json.loads(re.search(r'id="page-data">(.*?)</script>', render_page(page), re.DOTALL)[1])["data"]


def without_scripts(text):
    """Return the page as a reader without JavaScript gets it, and the data of the script."""
    text = re.sub(r"<style>.*?</style>", "<style></style>", text, flags=re.DOTALL)
    text = re.sub(r"sha256-[A-Za-z0-9+/=]{44}", "sha256-...", text)
    return re.sub(r"<script>.*?</script>", "<script></script>", text, flags=re.DOTALL)


def test_the_page_is_as_it_should_look(check_golden):
    page = dashboard_page((gate_of(),), SITE, ("Made by sbir-gate on 2026-01-31 12:00 UTC.",))
    check_golden("dashboard.html", without_scripts(render_page(page)))


def test_columns_run_parallel_to_the_runs():
    (gate,) = data_of(dashboard_page((gate_of(),)))["gates"]
    assert len(gate["started"]) == len(gate["commits"]) == len(gate["outcomeOf"]) == 12
    assert all(len(metric["values"]) == 12 for metric in gate["metrics"])
    assert gate["commits"][5] == commit_id(5)
    assert gate["outcomes"][gate["outcomeOf"][8]] == "fail"
    assert gate["releases"] == {"3": "v1.0.0"}


def test_a_course_has_its_changes_by_the_places_of_runs_and_its_limit():
    courses = data_of(dashboard_page((gate_of(),)))["gates"][0]["courses"]
    wall = next(course for course in courses if course["metric"] == "wall_seconds")
    assert wall["changes"][0]["at"] == [8, 8, 8, 9]
    assert wall["changes"][0]["label"] == "+23.5%"
    assert "at 2026-01-09 000000000000" in wall["changes"][0]["text"]
    assert (wall["limit"], wall["limitText"], wall["better"]) == (12.25, "12.2 s", "lower")


def test_a_gradual_change_is_a_span_with_both_ends():
    gate = gate_of()
    course = gate.courses[0]
    slide = replace(course.history, changes=(ChangePoint(4, 3, 5, 8, 7, 9, 9.8, 12.1),))
    page = dashboard_page((replace(gate, courses=(replace(course, history=slide),)),))
    (change,) = data_of(page)["gates"][0]["courses"][0]["changes"]
    assert change["at"] == [3, 4, 8, 5]
    assert "gradually over 5 Runs, from 2026-01-05 " in change["text"]
    assert " to 2026-01-09 " in change["text"]


def test_runs_that_are_not_comparable_stand_apart():
    gate = gate_of()
    course = gate.courses[0]
    newer = replace(
        course.history, points=course.history.points[4:], values=course.history.values[4:], changes=()
    )
    page = dashboard_page((replace(gate, courses=(replace(course, history=newer),)),))
    assert data_of(page)["gates"][0]["courses"][0]["apart"] == [0, 1, 2, 3]


def test_runs_that_are_not_shown_are_left_out_of_the_columns():
    gate = gate_of()
    rows = gate.rows[6:]
    names = {row.file_name for row in rows}
    points = {
        name: tuple(point for point in found if point.row.file_name in names)
        for name, found in gate.points.items()
    }
    page = dashboard_page((replace(gate, rows=rows, points=points, releases={}),))
    (found,) = data_of(page)["gates"]
    wall = next(course for course in found["courses"] if course["metric"] == "wall_seconds")
    assert wall["changes"][0]["at"] == [2, 2, 2, 3]
    assert "6 of 12 Runs are shown" in page.notes[0]


def test_links_lead_to_the_repository_or_are_not_there():
    text = render_page(dashboard_page((gate_of(),), SITE))
    assert f'href="{SITE}/commit/{commit_id(5)}"' in text
    assert "/pull" not in without_scripts(text)  # no Run knows its pull request, and none is searched for
    known = render_page(dashboard_page((gate_of(pull_request=12),), SITE))
    assert f'<a href="{SITE}/pull/12">#12</a>' in known
    assert data_of(dashboard_page((gate_of(pull_request=12),)))["gates"][0]["pulls"] == [12] * 12
    for site in ("", "javascript:alert(1)//", "http://code.example/a"):
        links = re.findall(
            r'href="([^"]*)"', without_scripts(render_page(dashboard_page((gate_of(),), site)))
        )
        assert {link[0] for link in links} == {"#", "d"}  # places of the page, and the icon that is none


def test_an_interval_is_drawn_where_one_is_known_and_named_for_what_it_is():
    gate = gate_of()
    points = dict(gate.points)
    points["wall_seconds"] = tuple(
        replace(point, interval=(9.5, 10.1), low=9.6, high=9.9) if number else point
        for number, point in enumerate(points["wall_seconds"])
    )
    points["match_rate"] = tuple(
        replace(point, interval=(0.69, 0.751), low=0.724, high=0.724) for point in points["match_rate"]
    )
    found = {
        metric["key"]: metric
        for metric in data_of(dashboard_page((replace(gate, points=points),)))["gates"][0]["metrics"]
    }
    wall, rate, links = (found[name] for name in ("wall_seconds", "match_rate", "links/uei-exact"))
    assert wall["interval"] == {"low": [None, *[9.5] * 11], "high": [None, *[10.1] * 11]}
    assert wall["range"]["high"] == [None, *[9.9] * 11]
    assert wall["intervalName"] == "95% interval of the median of the repeats"
    assert (rate["interval"]["low"][0], rate["range"]) == (0.69, None)
    assert rate["intervalName"] == "95% interval of the rate (Wilson)"
    assert links["interval"] is None


def test_the_interval_of_the_newest_value_is_in_the_table_and_moves_with_a_calibrated_value():
    gate = gate_of()
    course = gate.courses[0]
    points = tuple(replace(point, interval=(11.5, 12.6)) for point in course.history.points)
    for factor, text in ((1.0, "11.5 s to 12.6 s"), (2.0, "23.0 s to 25.2 s")):
        values = tuple(value * factor for value in course.history.values)
        own = replace(course, history=replace(course.history, points=points, values=values))
        page = dashboard_page((replace(gate, courses=(own,)),))
        (table,) = (block for block in page.sections[2].blocks if isinstance(block, Table))
        assert table.rows[0][3].text == text


def test_charts_hold_the_counts_of_the_quality_report():
    page = dashboard_page((gate_of(), gate_of(gate="other")))
    report = gate_of().quality
    charts = {block.key: block for block in page.sections[1].blocks if isinstance(block, Chart)}
    assert len(charts) == 6
    assert sum(charts["g1-chart-methods"].series[0].y) == report.quality.links
    assert sum(filter(None, charts["g0-chart-scores"].series[0].y)) == sum(
        found.links for found in report.scores
    )
    unmatched = sum(sum(filter(None, series.y)) for series in charts["g0-chart-unmatched"].series)
    assert unmatched == report.match_rate.whole - report.match_rate.part


def test_a_latest_run_without_figures_says_so():
    gate = gate_of()
    broken = replace(gate.rows[-1], file_name="broken.json", outcome=Outcome.ERROR)
    for rows, figures in ((gate.rows, None), ((*gate.rows, broken), ("none", "the engine broke"))):
        page = dashboard_page((replace(gate, rows=rows),))
        (tiles,) = (block for block in page.sections[1].blocks if isinstance(block, Facts))
        found = {fact.name: (fact.value, fact.remark) for fact in tiles.facts}
        assert found.get("Figures") == figures


def test_without_a_quality_report_the_methods_are_those_of_the_history():
    page = dashboard_page((replace(gate_of(), quality=None),))
    (chart,) = (block for block in page.sections[1].blocks if isinstance(block, Chart))
    assert (chart.series[0].x, chart.series[0].y) == (("UEI",), (512.0,))


@given(st.text(min_size=1))
@example(HOSTILE)
@example("javascript:alert(1)")
@example("\u2028")
def test_no_name_from_the_history_becomes_markup(text):
    gate = gate_of(gate=text, branch=text, commit=text, tags=(text,), fixture=text, machine=text)
    page = without_scripts(render_page(dashboard_page((gate,), SITE)))
    plain = without_scripts(render_page(dashboard_page((gate_of(),), SITE)))
    assert set(re.findall(r"<[a-z]+", page)) <= set(re.findall(r"<[a-z]+", plain))
    assert page.count("<script") == plain.count("<script")
    assert f"{SITE}/commit/{text}" not in page or re.fullmatch("[0-9a-f]{7,64}", text)


def test_the_table_of_runs_is_newest_first_and_bounded(monkeypatch):
    monkeypatch.setattr("sbir_gate.gate.reporting.dashboard.MOST_ROWS", 5)
    page = dashboard_page((gate_of(),))
    (table,) = (block for block in page.sections[-1].blocks if isinstance(block, Table))
    assert [row[0].text for row in table.rows] == [f"2026-01-{day} 12:00" for day in (12, 11, 10, "09", "08")]
    assert "newest 5 of 12" in table.caption
    assert data_of(page)["table"] == [[0, place] for place in (11, 10, 9, 8, 7)]


@pytest.mark.parametrize(
    ("metric", "group"),
    [("recall", "Quality"), ("links/x", "Links by method"), ("stage_seconds/a", "Stages"), ("own", "Other")],
)
def test_a_metric_belongs_to_a_group(metric, group):
    assert group_of(metric) == group


def test_metrics_are_in_the_order_of_their_groups():
    assert ordered(["own", "work/b", "wall_seconds", "match_rate"]) == [
        "match_rate", "wall_seconds", "work/b", "own",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (3.0, 3),
        (25_000_123.0, 25_000_123),
        (1 / 3, 0.333333333),
    ],
)
def test_numbers_are_as_long_as_they_must_be(value, printed):
    assert short(value) == printed
