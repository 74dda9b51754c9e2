import pytest

from sbir_gate.datasets.drawing.identifier_labels import IdentifierMatch, identifier_labels
from sbir_gate.model.labelling import AwardLabel
from sbir_gate.model.records import IdentifierType

UEI = IdentifierMatch("A1", "R1", "UEI", "QNT4K8W2J6H5", "QNT4K8W2J6H5", 0.95)
DUNS = IdentifierMatch("A1", "R2", "DUNS", "QNT4K8W2J6H5", "", 0.9)


def test_the_same_identifier_and_a_similar_name_give_a_label():
    assert identifier_labels([UEI]) == {"A1": AwardLabel("A1", ("R1",), identifiers=IdentifierType.UEI_ONLY)}
    both = identifier_labels([DUNS, UEI])["A1"]
    assert (both.recipient_ids, both.identifiers) == (("R1", "R2"), IdentifierType.BOTH)


def test_rows_of_one_firm_need_one_similar_name():
    renamed = IdentifierMatch("A1", "R9", "UEI", UEI.award_uei, UEI.recipient_uei, 0.4)
    assert identifier_labels([UEI, renamed])["A1"].recipient_ids == ("R1", "R9")


@pytest.mark.parametrize(
    "doubt",
    [
        IdentifierMatch("A1", "R3", "DUNS", UEI.award_uei, "WM483UBLRNRP", 0.9),
        IdentifierMatch("A1", "R3", "DUNS", UEI.award_uei, "", 0.5),
        IdentifierMatch("A1", "R 3", "UEI", UEI.award_uei, UEI.award_uei, 0.9),
        IdentifierMatch("A1", "R;3", "UEI", UEI.award_uei, UEI.award_uei, 0.9),
    ],
    ids=["another UEI", "another name", "a blank in the id", "a semicolon in the id"],
)
def test_what_is_in_doubt_gets_no_label(doubt):
    assert identifier_labels([UEI, doubt]) == {}
    assert identifier_labels([]) == {}
