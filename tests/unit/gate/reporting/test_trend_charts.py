import math
import re

from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.trend_charts import MOST_POINTS, trend_chart
from sbir_gate.model.publication import TrendSeries


def chart(*values, metric="match_rate", unit="ratio", labels=None):
    named = labels or tuple(f"c{number}" for number in range(len(values)))
    return trend_chart(TrendSeries(metric, unit, tuple(named), values))


def test_a_chart_has_a_title_an_axis_and_a_line():
    assert chart(0.87, 0.88, 0.5) == (
        "xychart-beta\n"
        '    title "match_rate, ratio"\n'
        '    x-axis ["c0", "c1", "c2"]\n'
        "    y-axis 0.462 --> 0.918\n"
        "    line [0.87, 0.88, 0.5]"
    )


def test_one_point_and_points_that_are_no_numbers_make_no_chart():
    assert chart(1.0) == ""
    assert chart(1.0, math.nan, math.inf) == ""
    assert "line [1, 2]" in chart(1.0, math.nan, 2.0)


def test_only_the_newest_points_are_drawn():
    drawn = chart(*map(float, range(1, 100)))
    assert drawn.count('"c') == MOST_POINTS
    assert '"c98"' in drawn
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
    assert len(lines) == 5
    assert "`" not in drawn
    assert lines[2].count('"') == 2 * len(points)
    assert re.fullmatch(r"    line \[(-?\d+(\.\d+)?(, )?)+\]", lines[4])
