from sbir_gate.gate.measuring.award_kinds import award_kinds
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.model.run import AwardKind
from tests.factories import no_link

PROFILES = (
    AwardProfile("A", "Firm", Phase.ONE, CompanySize.SMALL, IdentifierType.BOTH),
    AwardProfile("B", "Firm", Phase.TWO, CompanySize.SMALL, IdentifierType.BOTH),
    AwardProfile("C", "Other", Phase.ONE, CompanySize.SMALL, IdentifierType.BOTH),
)


def test_each_kind_is_kept_once_and_each_decision_points_to_its_own():
    kinds, indexes = award_kinds([no_link(name) for name in "BACX"], PROFILES)
    assert kinds == (AwardKind("II", "small", "both"), AwardKind("I", "small", "both"))
    assert indexes == (0, 1, 1, -1)
