"""What two reviewers' labels leave to settle, and what is taken over."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.labelling.settling import settlement_of
from sbir_gate.model.labelling import AwardLabel, Certainty

FILES = (Path("x/a.csv"), Path("y/b.csv"))


def labels(*made):
    """Return labels by award."""
    return {label.award_id: label for label in made}


def test_agreed_labels_are_one_as_certain_as_the_less_certain_reviewer():
    anna = AwardLabel("A1", ("R1", "R2"), "anna", date(2026, 1, 31), Certainty.CERTAIN, "same city")
    ben = AwardLabel("A1", ("R2", "R1"), "ben", date(2026, 2, 1), Certainty.LIKELY)
    found = settlement_of(FILES, labels(anna), labels(ben))
    assert found.disputes == {}
    assert found.taken["A1"] == AwardLabel(
        "A1", ("R1", "R2"), "anna and ben", date(2026, 2, 1), Certainty.LIKELY, "same city"
    )


def test_only_disagreements_are_left_and_labels_of_one_reviewer_stay_as_they_are():
    anna = labels(AwardLabel("A1", ("R1",)), AwardLabel("A2", ()), AwardLabel("A3", ("R3",), "anna"))
    ben = labels(AwardLabel("A1", ()), AwardLabel("A2", ()), AwardLabel("A4", ("R4",), "ben", note="="))
    found = settlement_of(FILES, anna, ben)
    assert found.disputes == {"A1": (anna["A1"], ben["A1"])}
    assert found.taken == {"A2": AwardLabel("A2", ()), "A3": anna["A3"], "A4": ben["A4"]}
    assert (found.agreement.both, found.agreement.agreed, found.alone) == (2, 1, 2)


@pytest.mark.parametrize(
    ("reviewers", "names"),
    [
        (("anna", "ben"), ("anna", "ben")),
        (("anna", "anna"), ("a.csv", "b.csv")),
        (("anna", ""), ("a.csv", "b.csv")),
    ],
)
def test_reviewers_are_called_by_their_files_where_their_names_do_not_tell_them_apart(reviewers, names):
    made = [labels(AwardLabel("A1", (), reviewer)) for reviewer in reviewers]
    assert settlement_of(FILES, *made).names == names


def test_files_of_the_same_name_are_told_apart_by_their_folders():
    made = labels(AwardLabel("A1", ()))
    assert settlement_of((Path("x/t.csv"), Path("y/t.csv")), made, made).names == ("x/t.csv", "y/t.csv")


MADE = st.dictionaries(
    st.sampled_from("ABCDE"), st.lists(st.sampled_from(("R1", "R2")), unique=True).map(tuple)
).map(lambda made: {award: AwardLabel(award, answer) for award, answer in made.items()})


@given(MADE, MADE)
def test_every_award_is_either_to_settle_or_taken_over(anna, ben):
    found = settlement_of(FILES, anna, ben)
    assert {*found.disputes}.isdisjoint(found.taken)
    assert {*found.disputes, *found.taken} == {*anna, *ben}
