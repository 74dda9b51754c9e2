from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.model.award_columns import AwardColumns, awards_of, columns_of
from sbir_gate.model.awards import AwardRecord
from tests.factories import make_awards

COLUMNS = columns_of(make_awards())


@given(st.lists(st.from_type(AwardRecord), max_size=8).map(tuple))
def test_awards_come_back_as_they_were(awards):
    assert awards_of(columns_of(awards)) == awards


def test_texts_that_repeat_are_kept_once():
    awards = tuple(replace(award, firm_name="Orchard Labs", phase="II") for award in make_awards())
    columns = columns_of(awards)
    assert columns.firms == ("Orchard Labs",)
    assert len(columns.kinds) == len({(award.decision.kind, award.label) for award in awards})


@pytest.mark.parametrize("name", ["firm", "recipient", "kind", "score", "confidence", "candidate_ids"])
def test_columns_of_different_lengths_are_refused(name):
    shorter = replace(COLUMNS, **{name: getattr(COLUMNS, name)[1:]})
    with pytest.raises(ValueError, match=f"awards: {name} is not as long as award_id"):
        awards_of(shorter)


def test_places_without_their_kinds_are_refused():
    with pytest.raises(ValueError, match="awards: places is not as long as kinds"):
        awards_of(replace(COLUMNS, places=(None,)))


@pytest.mark.parametrize("place", [-1, 1_000])
@pytest.mark.parametrize(
    ("name", "table"), [("firm", "firms"), ("recipient", "recipients"), ("kind", "kinds")]
)
def test_a_place_that_its_table_does_not_have_is_refused(name, table, place):
    wrong = replace(COLUMNS, **{name: (place, *getattr(COLUMNS, name)[1:])})
    with pytest.raises(ValueError, match=f"awards: {name} names a place that {table} does not have"):
        awards_of(wrong)


def test_every_column_is_checked():
    tables = {"firms", "recipients", "kinds", "places"}
    names = {field.name for field in fields(AwardColumns)} - tables - {"award_id"}
    assert names == {"firm", "recipient", "kind", "score", "confidence", "candidate_ids"}


def test_awards_that_were_read_are_made_when_they_are_looked_at():
    awards = awards_of(COLUMNS)
    assert columns_of(awards) is COLUMNS
    assert (awards, awards[0], len(awards)) == (make_awards(), make_awards()[0], len(make_awards()))
    assert awards[1:] == make_awards()[1:]
    assert awards != make_awards()[1:]
