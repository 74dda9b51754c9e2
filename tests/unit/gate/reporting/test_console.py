import re
from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.awards_view import awards_view
from sbir_gate.gate.reporting.console import NARROWEST_WIDTH, render_console
from sbir_gate.gate.reporting.plain_text import display_width
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.verdict import AwardChange, LostBy, RecordChanges
from tests.factories import make_policy, make_run, scaled, with_facts, with_lost_links, with_metric

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def view_of(head):
    return build_view(head, judge(head, make_run(), make_policy()))


def table_lines(text):
    """Return the lines of the metric and award tables, without the titles above them."""
    blocks = re.findall(r"^(?: +metric |award ).*(?:\n.+)*", text, re.MULTILINE)
    return [line for block in blocks for line in block.split("\n") if "--verbose" not in line]


@pytest.mark.parametrize("width", [-5, 0, 40, 60, 79, 100, 200])
def test_tables_fit_the_width(width):
    head = scaled(with_lost_links(with_facts(make_run(), firm_name="株式会社" * 20), 3), "wall_seconds", 1.4)
    text = render_console(view_of(head), width, use_colour=False, is_verbose=True)
    lines = table_lines(text)
    assert len(lines) > 12
    assert max(map(display_width, lines)) <= max(width, NARROWEST_WIDTH)


def test_eighty_columns_keep_the_change_with_its_interval_both_values_and_the_limit():
    head = scaled(with_metric(with_lost_links(make_run(), 7), "match_rate", [0.6]), "wall_seconds", 1.4)
    text = render_console(view_of(head), 80, use_colour=False)
    assert re.search(r"^fail +Wall time +\+40% \[\+38, \+42\] +1\.70 → 2\.38 s +\+25%$", text, re.MULTILINE)
    assert re.search(r"^fail +Match rate +.20% +0\.750 → 0\.600 +≥ 0\.700, .5%$", text, re.MULTILINE)
    assert max(map(display_width, text.splitlines())) <= 80


def test_a_narrow_terminal_drops_the_interval_first():
    head = scaled(make_run(), "wall_seconds", 1.4)
    text = render_console(view_of(head), 50, use_colour=False)
    assert re.search(r"^fail +Wall time +\+40% +1\.70 → 2\.38 s +\+25%$", text, re.MULTILINE)


@pytest.mark.parametrize("is_verbose", [False, True])
def test_the_last_line_is_the_verdict(is_verbose):
    head = with_lost_links(make_run(), 7)
    last = render_console(view_of(head), 80, use_colour=False, is_verbose=is_verbose).splitlines()[-1]
    assert last == "FAIL: enrichment · 7 awards lost a correct link (limit 5)"
    passed = render_console(view_of(make_run()), 80, use_colour=False, is_verbose=is_verbose).splitlines()[-1]
    assert passed == "PASS: enrichment · no links lost"


def test_without_colour_there_is_no_escape_sequence():
    hostile = with_facts(make_run(enricher="\x1b[2J"), firm_name="\x1b[31mred\x1b]0;title\x07")
    text = render_console(view_of(with_lost_links(hostile, 3)), 100, use_colour=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_colour_changes_nothing_but_colour():
    head = scaled(with_lost_links(make_run(), 3), "wall_seconds", 1.4)
    coloured = render_console(view_of(head), 100, use_colour=True)
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == render_console(view_of(head), 100, use_colour=False)


def test_reasons_are_never_cut():
    view = replace(view_of(make_run()), reasons=("a reason " * 20,))
    text = render_console(view, NARROWEST_WIDTH, use_colour=False)
    for reason in view.reasons:
        assert reason in text


def test_what_is_within_limits_is_one_line_and_shown_only_when_asked_for():
    view = view_of(make_run())
    short = render_console(view, 120, use_colour=False)
    whole = render_console(view, 120, use_colour=False, is_verbose=True)
    assert "6 metrics within limits, 5 not judged (--verbose shows them)" in short
    assert "Environment" not in short
    assert "Peak memory" in whole
    assert "Awards per second" in whole
    assert "Environment" in whole


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (220, ("award-2026-0000001", "NORTHWIND", "UEI ABCDEF123456 · name-fuzzy 0.980")),
        (120, ("award-2026-0000001", "UEI ABCDEF123456", "UEI UVWXYZ987654")),
        (79, ("award-2026-0000001", "UEI ABCDEF", "UEI UVWXYZ")),
    ],
)
def test_names_are_cut_before_ids(width, kept):
    change = AwardChange(
        award_id="award-2026-0000001",
        firm_name="Northwind Advanced Photonics and Materials Incorporated",
        before_recipient_id="R000012345",
        after_recipient_id="R000067890",
        before_method="name-fuzzy",
        after_method="name-fuzzy",
        was_right=True,
        is_right=False,
        lost_by=LostBy.SCORING,
        before_name="NORTHWIND ADVANCED PHOTONICS AND MATERIALS INC",
        before_uei="ABCDEF123456",
        after_name="NORTHWIND ADVANCED MATERIALS OF NEW ENGLAND LLC",
        after_uei="UVWXYZ987654",
        before_confidence=0.98,
        after_confidence=0.91,
    )
    view = replace(view_of(make_run()), awards=awards_view(RecordChanges(relinked=(change,))))
    lines = table_lines(render_console(view, width, use_colour=False))
    (row,) = [line for line in lines if line.startswith("award-2026")]
    assert display_width(row) <= width
    assert all(text in row for text in kept)
