from dataclasses import replace

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.awards_view import MAX_ROWS_LISTED, MOST_OPEN, awards_view
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.verdict import AwardChange, LostBy, RecordChanges
from tests.factories import award_id, link, make_policy, make_run, no_link, with_decisions


def lost(number, firm="", **fields):
    usual = {
        "before_recipient_id": f"R{number}",
        "before_method": "uei-exact",
        "before_confidence": 0.998,
        "before_name": "NORTHWIND PHOTONICS INC",
        "before_uei": "ABCDEF123456",
        "lost_by": LostBy.BLOCKING,
    }
    return AwardChange(
        award_id=f"A{number}",
        firm_name=firm or f"Firm {number}",
        after_recipient_id="",
        after_method="none",
        was_right=True,
        is_right=False,
        **(usual | fields),
    )


def test_a_lost_award_has_its_recipient_and_what_it_has_now():
    (table,) = awards_view(RecordChanges(lost=(lost(1),))).open
    (row,) = table.rows
    assert str(row.before) == "NORTHWIND PHOTONICS INC · UEI ABCDEF123456 · uei-exact 0.998"
    assert str(row.after) == "no link"
    assert row.lost_at == "candidate search"
    assert table.columns == ("award", "firm", "was linked to", "now", "lost at")


def test_the_awards_of_a_firm_are_one_row_and_large_firms_come_first():
    one = lost(1, "Single LLC")
    three = tuple(lost(number, "Triple Inc.", before_recipient_id="R7") for number in (2, 3, 4))
    (table,) = awards_view(RecordChanges(lost=(one, *three))).open
    assert [(row.award_id, row.more, row.firm) for row in table.rows] == [
        ("A2", "+2", "Triple Inc."),
        ("A1", "", "Single LLC"),
    ]
    assert (table.count, table.shown) == (4, 4)


def test_awards_of_a_firm_that_went_different_ways_are_different_rows():
    changes = (lost(1, "Firm"), lost(2, "Firm", lost_by=LostBy.SCORING))
    (table,) = awards_view(RecordChanges(lost=changes)).open
    assert [row.lost_at for row in table.rows] == ["candidate search", "scoring"]


def test_at_most_five_rows_are_open_and_the_rest_is_folded():
    view = awards_view(RecordChanges(lost=tuple(lost(number) for number in range(70))))
    (opened,), (folded,) = view.open, view.folded
    assert (len(opened.rows), opened.shown_text) == (MOST_OPEN, "5 of 70")
    assert len(folded.rows) == MAX_ROWS_LISTED
    assert view.fold_title == "65 more correct links lost"
    assert not set(opened.rows) & set(folded.rows)


def test_the_worst_effects_are_open_and_what_harmed_nobody_is_folded():
    head = with_decisions(
        make_run(),
        {
            award_id(35): link(award_id(35), "R9999"),
            award_id(5): link(award_id(5), "R9999"),
            award_id(6): no_link(award_id(6)),
        },
    )
    reference = with_decisions(make_run(), {award_id(7): no_link(award_id(7))})
    view = build_view(None, judge(head, reference, make_policy())).awards
    assert [table.title for table in view.open] == [
        "New incorrect links",
        "Correct links re-linked to an incorrect recipient",
        "Correct links lost",
    ]
    assert view.fold_title == "1 correct link gained"
    assert view.open[0].columns == ("award", "firm", "now")


def test_a_column_that_is_empty_in_every_row_is_left_out():
    (table,) = awards_view(RecordChanges(lost=(lost(1, lost_by=None),))).open
    assert "lost at" not in table.columns
    nameless = replace(lost(1), firm_name="")
    (table,) = awards_view(RecordChanges(lost=(nameless,))).open
    assert "firm" not in table.columns


def test_without_changes_there_is_nothing():
    view = awards_view(RecordChanges())
    assert (view.summary, view.open, view.folded, view.fold_title) == ("", (), (), "")
