from sbir_gate.gate.reporting.no_link import REASONS, reason_text
from sbir_gate.model.matches import NoLinkReason


def test_each_reason_has_a_name_and_a_meaning_of_its_own():
    assert [*REASONS] == [*NoLinkReason]
    texts = {reason_text(reason) for reason in NoLinkReason}
    assert len(texts) == len(NoLinkReason)
    assert all(text.count(": ") >= 1 for text in texts)
