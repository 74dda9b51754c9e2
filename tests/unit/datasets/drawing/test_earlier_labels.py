"""What becomes of the labels of a fixture that is drawn again."""

from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.datasets.drawing.earlier_labels import EarlierFixture, LabelFate, is_same_firm
from sbir_gate.model.labelling import AwardLabel
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase


def award(award_id, name="Quellmark Optics", **facts):
    return AwardProfile(award_id, name, Phase.ONE, CompanySize.SMALL, IdentifierType.BOTH, **facts)


def label(award_id, *recipients, **facts):
    return AwardLabel(award_id, recipients, **facts)


EARLIER = EarlierFixture(
    tuple(award(id_) for id_ in "ABCDEFG"),
    {
        each.award_id: each
        for each in (
            label("A", "R1"),
            label("B"),
            label("C", "R1"),
            label("D", "R1"),
            label("E", "R9"),
            label("F", "R1", identifiers=IdentifierType.UEI_ONLY),
            label("G", "R1", identifiers=IdentifierType.BOTH),
        )
    },
)
NOW = {id_: award(id_) for id_ in "ABDEFG"} | {"D": award("D", "Another Firm")}


def test_labels_of_people_stay_where_they_hold():
    assert EARLIER.named_recipients == {"R1", "R9"}
    assert sorted(EARLIER.usable(NOW, {"R1"})) == ["A", "B"]


def test_each_fate_is_counted():
    assert EARLIER.fates(NOW, {"R1"}, drawn={"A", "F", "G"}, labelled={"A", "G"}) == {
        LabelFate.KEPT: 2,
        LabelFate.AWARD_GONE: 1,
        LabelFate.OTHER_FIRM: 1,
        LabelFate.RECIPIENT_GONE: 1,
        LabelFate.NOT_DRAWN: 1,
        LabelFate.IN_DOUBT: 1,
    }


def test_what_a_person_confirmed_is_no_label_by_identifier():
    confirmed = replace(EARLIER.labels["F"], reviewer="ann", decided_on=date(2026, 1, 31))
    fixture = replace(EARLIER, labels={"F": confirmed})
    assert sorted(fixture.usable(NOW, {"R1"})) == ["F"]


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        (award("A"), award("A", "QUELLMARK  OPTICS."), True),
        (award("A"), award("A", "Quellmark Photonics"), False),
        (award("A", uei="U1"), award("A", "Quellmark Photonics", uei="U1"), True),
        (award("A", duns="1 2"), award("A", "Quellmark Photonics", duns="2"), True),
        (award("A", "", uei=""), award("A", "Quellmark Photonics"), False),
    ],
)
def test_one_firm_has_one_name_or_identifier(before, after, is_same):
    assert is_same_firm(before, after) is is_same
