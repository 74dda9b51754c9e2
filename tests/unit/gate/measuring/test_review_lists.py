from sbir_gate.gate.measuring.review_lists import shared_identifiers, split_firms
from sbir_gate.model.awards import AwardRecord
from sbir_gate.model.matches import NoLinkReason
from sbir_gate.model.quality_report import MOST_LISTED, MOST_NAMED, SplitRecipient
from sbir_gate.model.records import LinkedRecipient
from tests.factories_quality import NAMES, candidate, link, make_report, nothing, profile, report_of


def test_a_firm_and_its_candidate_are_one_entry_the_surest_first():
    review = make_report().review
    assert [(each.firm_name, each.recipient_name, each.awards, each.confidence) for each in review] == [
        ("Zenith Laboratories", "ZENITH LABS CORP", 3, 0.3),
        ("Omega Photonics", "", 1, 0.02),
    ]
    assert (review[0].award_id, review[0].reason) == ("A3", NoLinkReason.IDENTIFIER_CONFLICT)


def test_candidates_without_a_confidence_come_last():
    decisions = [candidate("A1", "R1", None), candidate("A2", "R2", 0.1)]
    report = report_of(decisions, [profile("A1", "Acme"), profile("A2", "Zenith")])
    assert [each.award_id for each in report.review] == ["A2", "A1"]


def test_awards_without_a_name_are_not_taken_for_one_firm():
    report = report_of([candidate("A1"), candidate("A2")], [profile("A1", ""), profile("A2", "")])
    assert [each.awards for each in report.review] == [1, 1]


def test_more_than_the_most_are_counted_and_not_listed():
    profiles = [profile(f"A{place}", f"Firm {place}") for place in range(MOST_LISTED + 2)]
    report = report_of([candidate(each.award_id) for each in profiles], profiles)
    assert len(report.review) == MOST_LISTED
    assert (report.listing.review, report.listing.review_awards) == (MOST_LISTED + 2, MOST_LISTED + 2)


def test_an_identifier_with_clearly_different_names_is_listed():
    shared = make_report().shared_identifiers
    assert [(each.kind, each.identifier, each.name_count, each.awards) for each in shared] == [
        ("DUNS", "133709001", 2, 2)
    ]
    assert shared[0].names == ("Acme Optics", "Zenith Laboratories")


def test_spellings_of_one_name_are_one_name():
    names = ("ACME OPTICS INC", "Acme Optics, Inc.", "Acme Optics Incorporated", "Optics Acme")
    profiles = [profile(f"A{place}", name, uei="U1") for place, name in enumerate(names)]
    assert shared_identifiers(profiles) == ()


def test_names_of_megabytes_are_compared_in_no_time():
    profiles = [profile("A1", "Q Z " * 500_000, uei="U1"), profile("A2", "Zenith " * 300_000, uei="U1")]
    (shared,) = shared_identifiers(profiles)
    assert shared.name_count == 2


def test_each_of_several_duns_numbers_counts():
    profiles = [profile("A1", "Acme Optics", duns="111 222"), profile("A2", "Zenith Labs", duns="222")]
    assert [each.identifier for each in shared_identifiers(profiles)] == ["222"]


def linked(*pairs, names=NAMES):
    return [
        (profile(f"A{place}", firm), AwardRecord(link(f"A{place}", recipient)))
        for place, (firm, recipient) in enumerate(pairs)
    ], names


def test_a_name_with_several_recipients_is_listed_with_them():
    (firm,) = split_firms(
        *linked(("Acme, Inc.", "R1"), ("ACME INC", "R2"), ("ACME INC", "R2"), ("Zenith", "R1"))
    )
    assert (firm.firm_name, firm.awards, firm.recipient_count) == ("Acme, Inc.", 3, 2)
    assert firm.recipients == (
        SplitRecipient("R2", "ACME HOLDINGS LLC", 2),
        SplitRecipient("R1", "ACME OPTICS INC", 1),
    )


def test_rows_of_one_uei_are_one_recipient():
    names = {id_: LinkedRecipient(id_, "ACME", "CSQJZSE9KFD9") for id_ in ("R1", "R1b")}
    assert split_firms(*linked(("Acme", "R1"), ("Acme", "R1b"), names=names)) == ()


def test_of_many_recipients_the_first_are_named():
    (firm,) = split_firms(*linked(*(("Acme", f"R{place}") for place in range(MOST_NAMED + 3)), names={}))
    assert (firm.recipient_count, len(firm.recipients)) == (MOST_NAMED + 3, MOST_NAMED)


def test_nothing_decided_is_nothing_to_review():
    assert report_of([nothing("A1")], [profile("A1")]).review == ()
