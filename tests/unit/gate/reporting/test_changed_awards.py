import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.changed_awards import COLUMNS, render_changed_awards
from sbir_gate.model.verdict import AwardChange, LostBy, RecordChanges


def change(award_id="A1", firm_name="Firm", **fields):
    usual = {
        "before_recipient_id": "R1",
        "after_recipient_id": "",
        "before_method": "uei-exact",
        "after_method": "none",
        "was_right": True,
        "is_right": False,
        "lost_by": LostBy.BLOCKING,
        "before_confidence": 0.9981,
        "phase": "II",
        "company_size": "micro",
        "identifier_type": "both",
    }
    return AwardChange(award_id=award_id, firm_name=firm_name, **(usual | fields))


def rows(records):
    return list(csv.reader(io.StringIO(render_changed_awards(records), newline="")))


def test_every_award_is_a_row_under_the_header():
    records = RecordChanges(
        lost=tuple(change(f"A{number}") for number in range(500)),
        gained=(
            change(
                "B",
                before_recipient_id="",
                after_recipient_id="R9",
                was_right=None,
                is_right=None,
                lost_by=None,
            ),
        ),
        relinked=(change("C", after_recipient_id="R2", after_name="Orchard Farms", after_uei="U2"),),
    )
    header, *body = rows(records)
    assert header == list(COLUMNS)
    assert len(body) == 502
    assert ",".join(body[0]) == (
        "re-linked,relinked-wrong,C,Firm,R1,,,uei-exact,0.998,R2,Orchard Farms,U2,none,,true,false,"
        "blocking,II,micro,both"
    )
    assert ",".join(body[1]) == (
        "lost,lost-correct,A0,Firm,R1,,,uei-exact,0.998,,,,none,,true,false,blocking,II,micro,both"
    )
    assert body[501][:2] == ["gained", "gained"]
    assert body[501][14:17] == ["", "", ""]


def test_without_changes_there_is_the_header():
    assert rows(RecordChanges()) == [list(COLUMNS)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\N{FULLWIDTH EQUALS SIGN}1"])
def test_a_formula_becomes_text(text):
    (_, row) = rows(RecordChanges(lost=(change(text, text),)))
    assert row[2] == row[3] == f"'{text}"


def test_a_formula_behind_what_cannot_be_seen_does_too():
    (_, row) = rows(RecordChanges(lost=(change("\t=1", "A\r\n=1"),)))
    assert (row[2], row[3]) == ("' =1", "A  =1")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_name_is_one_cell_and_none_starts_a_formula(name):
    (_, row) = rows(RecordChanges(lost=(change(firm_name=name),)))
    assert row[3].lstrip()[:1] not in {"=", "+", "-", "@"}
    assert len(row[3].removeprefix("'")) in {len(name), len(name) - 1}
    assert row[3].isprintable()
