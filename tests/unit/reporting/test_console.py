import re

import pytest

from sbir_gate.comparing.gate import judge
from sbir_gate.reporting.console import NARROWEST_WIDTH, render_console
from sbir_gate.reporting.plain_text import display_width
from sbir_gate.reporting.view import build_view
from tests.factories import make_policy, make_run, scaled, with_lost_links

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def view_of(head):
    return build_view(head, judge(head, make_run(), make_policy()))


def table_lines(text):
    """Return the lines of the metric and award tables, without the titles above them."""
    blocks = re.findall(r"^(?: +metric |award ).*(?:\n.+)*", text, re.MULTILINE)
    return [line for block in blocks for line in block.split("\n")]


@pytest.mark.parametrize("width", [-5, 0, 40, 60, 79, 100, 200])
def test_tables_fit_the_width(width):
    head = scaled(with_lost_links(make_run(firm_names=("株式会社" * 20,) * 40), 3), "wall_seconds", 1.4)
    text = render_console(view_of(head), width, use_colour=False, is_verbose=True)
    lines = table_lines(text)
    assert len(lines) > 12
    assert max(map(display_width, lines)) <= max(width, NARROWEST_WIDTH)


def test_a_narrow_terminal_keeps_the_metric_and_its_change():
    head = scaled(make_run(), "wall_seconds", 1.4)
    text = render_console(view_of(head), 64, use_colour=False)
    assert re.search(r"^fail +wall_seconds +2\.38 s +\+40\.0 %", text, re.MULTILINE)


def test_without_colour_there_is_no_escape_sequence():
    hostile = make_run(firm_names=("\x1b[31mred\x1b]0;title\x07",) * 40, enricher="\x1b[2J")
    text = render_console(view_of(with_lost_links(hostile, 3)), 100, use_colour=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_colour_changes_nothing_but_colour():
    head = scaled(with_lost_links(make_run(), 3), "wall_seconds", 1.4)
    coloured = render_console(view_of(head), 100, use_colour=True)
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == render_console(view_of(head), 100, use_colour=False)


def test_reasons_are_never_cut():
    head = scaled(make_run(), "wall_seconds", 1.4)
    view = view_of(head)
    text = render_console(view, NARROWEST_WIDTH, use_colour=False)
    for reason in view.reasons:
        assert reason in text


def test_what_has_no_limit_is_counted_and_shown_only_when_asked_for():
    view = view_of(make_run())
    short = render_console(view, 120, use_colour=False)
    whole = render_console(view, 120, use_colour=False, is_verbose=True)
    assert "more metrics have no limit: --verbose shows them." in short
    assert "Environment" not in short
    assert "Metrics without a limit" in whole
    assert "Environment" in whole
