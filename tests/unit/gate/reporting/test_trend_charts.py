import json
import math
import re

from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.trend_charts import MOST_POINTS, trend_chart
from sbir_gate.model.publication import TrendSeries

BLANK = "\N{ZERO WIDTH SPACE}"


def chart(*values, metric="match_rate", unit="ratio", labels=None, limit=None):
    named = labels or tuple(f"c{number}" for number in range(len(values)))
    return trend_chart(TrendSeries(metric, unit, tuple(named), values, limit))


def shown(drawn):
    """Return the labels that can be seen."""
    (axis,) = re.findall(r"x-axis \[(.*)\]", drawn)
    return [label for label in axis.replace(BLANK, "").replace('"', "").split(", ") if label]


def test_a_chart_has_a_title_an_axis_this_run_and_a_line():
    directive, *lines = chart(0.87, 0.88, 0.5).split("\n")
    assert directive.startswith("%%{init: {")
    assert lines == [
        "xychart-beta",
        '    title "Match rate"',
        '    x-axis ["c0", "c1", "this Run"]',
        "    y-axis 0.462 --> 0.918",
        "    bar [0.006, 0.006, 0.5]",
        "    line [0.87, 0.88, 0.5]",
    ]


def test_the_limit_is_a_line_within_the_axis_and_in_the_title():
    drawn = chart(9.7, 9.8, 10.0, metric="wall_seconds", unit="s", limit=12.25)
    assert drawn.endswith("    line [12.25, 12.25, 12.25]")
    assert 'title "Wall time, s, limit 12.25 in red"' in drawn
    high = float(re.search(r"--> (\S+)", drawn)[1])
    assert high > 12.25
    assert "limit" not in chart(9.7, 9.8, limit=math.nan)


def test_every_nth_label_is_shown_and_all_labels_differ():
    drawn = chart(*map(float, range(1, 25)))
    assert shown(drawn) == ["c0", "c4", "c8", "c12", "c16", "c20", "this Run"]
    (axis,) = re.findall(r"x-axis \[(.*)\]", drawn)
    labels = axis.split(", ")
    assert len(set(labels)) == len(labels) == 24


def test_colours_are_its_own_in_both_themes():
    settings = json.loads(re.match(r"%%\{init: (.*)\}%%", chart(1.0, 2.0))[1])
    colours = settings["themeVariables"]["xyChart"]
    assert colours["backgroundColor"] == "transparent"
    assert len(colours["plotColorPalette"].split(", ")) == 2


def test_one_point_and_points_that_are_no_numbers_make_no_chart():
    assert chart(1.0) == ""
    assert chart(1.0, math.nan, math.inf) == ""
    assert "line [1, 2]" in chart(1.0, math.nan, 2.0)


def test_only_the_newest_points_are_drawn():
    drawn = chart(*map(float, range(1, 100)))
    (axis,) = re.findall(r"x-axis \[(.*)\]", drawn)
    assert axis.count('"') == 2 * MOST_POINTS
    assert '"c69"' in drawn
    assert '"c0"' not in drawn


def test_a_steady_metric_is_not_drawn_as_a_jagged_one():
    low, high = map(float, re.search(r"y-axis (\S+) --> (\S+)", chart(100.0, 100.001)).groups())
    assert low < 99
    assert high > 101


@given(st.lists(st.tuples(st.text(max_size=30), st.floats(-1e12, 1e12)), min_size=2, max_size=5), st.text())
def test_nothing_in_a_label_ends_a_string_a_line_or_the_block(points, metric):
    labels, values = zip(*points, strict=True)
    drawn = chart(*values, metric=metric, labels=labels)
    lines = drawn.split("\n")
    assert len(lines) == 7
    assert "`" not in drawn
    assert lines[3].count('"') == 2 * len(points)
    assert re.fullmatch(r"    line \[(-?\d+(\.\d+)?(, )?)+\]", lines[6])
