import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.history import (
    HistoryFormat,
    render_points,
    render_rows,
    render_trend,
    sparkline,
)
from sbir_gate.gate.reporting.notices import render_alerts
from sbir_gate.model.alert import Alert, AlertKind, AlertList
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.model.history import ChangePoint, MetricHistory, Trend
from sbir_gate.model.verdict import Outcome
from tests.factories import MOMENT
from tests.factories_history import make_points, make_row

TABLE, CSV, JSON = HistoryFormat
HOSTILE = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "a\nb", "\x1b[31mred", 'quo"te, comma')


def make_course(**changes):
    values = (1.0,) * 20 + (1.2,) * 20
    course = MetricHistory(
        metric="wall_seconds",
        unit="s",
        points=make_points(values),
        values=values,
        is_calibrated=False,
        is_logarithmic=True,
        trend=Trend(0.0045, 1e-6),
        spread=0.021,
        changes=(ChangePoint(20, 19, 21, 20, 19, 21, 1.0, 1.2),),
        notes=("left out: 2 older Runs of other fixtures",),
    )
    return replace(course, **changes)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_rows_as_a_table(check_golden):
    rows = [
        make_row(0, tags=("v1.0", "stable")),
        make_row(1, outcome=Outcome.FAIL, branch="topic", is_dirty=True),
        make_row(2, outcome=None, commit="", branch=""),
    ]
    check_golden("history-list.txt", render_rows(rows, TABLE, 120))


def test_points_as_a_table(check_golden):
    check_golden("history-query.txt", render_points(make_points([1.7, 1.8]), TABLE, 120))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("step", {}),
        (
            "ramp",
            {
                "changes": (
                    ChangePoint(20, 18, 23, 30, 27, 30, 1.0, 1.34),
                    ChangePoint(35, 35, 35, 35, 35, 35, 0.0, 5.0),
                )
            },
        ),
        ("flat", {"changes": (), "is_calibrated": True, "notes": ()}),
        (
            "bare",
            {
                "points": make_points([0.0, 5.0], unit="count"),
                "values": (0.0, 5.0),
                "unit": "count",
                "trend": None,
                "spread": None,
                "changes": None,
                "is_logarithmic": False,
            },
        ),
        ("plain-trend", {"is_logarithmic": False, "trend": Trend(-0.5, 0.4)}),
    ],
)
def test_trends_as_text(name, changes, check_golden):
    check_golden(f"history-trend-{name}.txt", render_trend(make_course(**changes), TABLE, 120))


def test_csv_has_a_line_for_each_run_with_whole_commits():
    (row,) = rows_of(render_rows([make_row(1, tags=("a", "b"))], CSV, 40))
    assert (row["commit"], row["tags"], row["outcome"]) == (make_row(1).commit, "a b", "pass")
    (point,) = rows_of(render_points(make_points([1.7]), CSV, 40))
    assert (point["metric"], point["value"], point["unit"]) == ("wall_seconds", "1.7", "s")
    trend = rows_of(render_trend(make_course(), CSV, 40))
    assert [line["comparable_value"] for line in trend] == ["1.0"] * 20 + ["1.2"] * 20


def test_csv_of_nothing_is_its_heading():
    assert render_rows([], CSV, 40).startswith("started_at,gate,outcome")
    assert rows_of(render_rows([], CSV, 40)) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_no_spreadsheet_takes_a_branch_for_a_formula(text):
    (row,) = rows_of(render_rows([make_row(0, branch=text, commit=text, gate=text, tags=(text,))], CSV, 40))
    for name in ("branch", "commit", "gate", "tags"):
        assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r"))
        assert "\x1b" not in row[name]
        assert "\n" not in row[name]


def test_a_number_below_0_stays_a_number_in_csv():
    (point,) = rows_of(render_points(make_points([-1.5]), CSV, 40))
    assert point["value"] == "-1.5"


@given(st.text(max_size=50))
def test_no_branch_steers_a_terminal(branch):
    text = render_rows([make_row(0, branch=branch)], TABLE, 120)
    assert text.count("\n") == 3
    assert "\x1b" not in text


def test_json_is_the_same_facts_for_programs():
    (row,) = json.loads(render_rows([make_row(1)], JSON, 40))
    assert row["commit"] == make_row(1).commit
    trend = json.loads(render_trend(make_course(), JSON, 40))
    assert (
        trend["changes"][0] | {"kind": "step", "commit": make_row(20).commit, "start": 20}
        == trend["changes"][0]
    )
    assert trend["changes"][0]["end_commit"] == make_row(20).commit
    assert len(trend["points"]) == 40
    assert json.loads(render_trend(make_course(changes=None, trend=None), JSON, 40))["changes"] is None


def test_a_sparkline_goes_from_low_to_high_and_fits():
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 20) == "▁▂▃▄▅▆▇█"
    assert sparkline([5.0] * 3, 20) == "▅▅▅"
    assert sparkline(list(range(1000)), 8) == "▁▂▃▄▅▆▇█"


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300), st.integers(1, 120))
def test_a_sparkline_is_never_wider_than_asked(values, width):
    assert len(sparkline(values, width)) == min(len(values), width)


def make_alerts(count):
    finding = recorded("wall_seconds rose\x1b[31m 40%", Severity.FAIL)
    alert = Alert("g", AlertKind.CHANGE, Severity.FAIL, (finding,), "wall_seconds")
    return AlertList("g", Outcome.FAIL, MOMENT, "c", "main", (alert,) * count)


def test_an_alert_is_a_line():
    assert render_alerts(make_alerts(1)) == "alert (fail, change): wall_seconds rose [31m 40%\n"
    assert render_alerts(make_alerts(0)) == ""


def test_many_alerts_are_counted():
    assert render_alerts(make_alerts(25)).splitlines()[-1] == "and 5 more alerts"
