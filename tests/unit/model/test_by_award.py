from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.model.by_award import ByAward
from sbir_gate.model.matches import Decision
from sbir_gate.model.records import AwardProfile

some_records = st.one_of(
    st.lists(st.from_type(Decision), max_size=6).map(tuple),
    st.lists(st.from_type(AwardProfile), max_size=6).map(tuple),
)


@given(some_records, st.integers(-7, 7), st.integers(-7, 7))
def test_records_come_back_as_they_were(records, start, end):
    held = ByAward.of(records)
    assert (tuple(held), len(held), ByAward.of(held) is held) == (records, len(records), True)
    assert [held[place] for place in range(len(held))] == list(records)
    assert held[start:end] == records[start:end]


@given(some_records)
def test_what_records_have_in_common_is_held_once(records):
    doubled = (*records, *(replace(record, award_id=f"{record.award_id}-2") for record in records))
    held = ByAward.of(doubled)
    assert held == doubled
    assert len(held.distinct) == len(ByAward.of(records).distinct)
    assert len({replace(record, award_id="") for record in held.distinct}) == len(held.distinct)


def test_other_records_are_not_equal():
    one = ByAward.of([Decision("A1", "link", "own", "R1", 100.0)])
    assert one != ByAward.of([Decision("A2", "link", "own", "R1", 100.0)])
    assert one != ()
    with pytest.raises(IndexError):
        one[1]
