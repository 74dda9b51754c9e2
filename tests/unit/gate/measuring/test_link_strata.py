from dataclasses import replace

from sbir_gate.gate.measuring.quality import award_records, measure_quality
from sbir_gate.model.matches import Decision, DecisionKind, PlaceEvidence
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.model.run import LinkStratum

HERE, ELSEWHERE = PlaceEvidence.CONFIRMS, PlaceEvidence.CONTRADICTS


def link(award_id, recipient_id, method, confidence, place=None):
    return Decision(award_id, DecisionKind.LINK, method, recipient_id, 90.0, confidence, place=place)


def profile(award_id, name="", **changes):
    known = AwardProfile(award_id, name, Phase.ONE, CompanySize.SMALL, IdentifierType.NEITHER)
    return replace(known, **changes)


DECISIONS = [
    link("A1", "R1", "name-exact", 0.9, ELSEWHERE),
    link("A2", "R2", "name-exact", 0.98, HERE),
    link("A3", "R9", "name-exact", 0.96, HERE),
    link("A4", "R4", "uei-exact", 0.998),
    link("A5", "R5", "name-exact", 0.94, HERE),
    Decision("A6", DecisionKind.CANDIDATE, "name-fuzzy", "R6", 80.0, 0.7, place=HERE),
]
TRUTH = {"A1": {"R1"}, "A2": {"R2"}, "A3": {"R3"}, "A4": {"R4"}, "A6": {"R6"}}


def measured(decisions, profiles, truth):
    known = None if truth is None else {award: frozenset(ids) for award, ids in truth.items()}
    return measure_quality(decisions, profiles, known)


def test_links_are_counted_by_method_and_place_with_stated_and_measured_precision():
    quality = measured(DECISIONS, [profile(f"A{number}") for number in range(1, 7)], TRUTH)
    assert quality.link_strata == (
        LinkStratum("name-exact", HERE, 3, (0.98 + 0.96 + 0.94) / 3, Proportion.of(1, 2)),
        LinkStratum("name-exact", ELSEWHERE, 1, 0.9, Proportion.of(1, 1)),
        LinkStratum("uei-exact", None, 1, 0.998, Proportion.of(1, 1)),
    )
    assert sum(stratum.links for stratum in quality.link_strata) == quality.links


def test_an_award_with_two_links_is_correct_only_if_both_are_and_rows_of_no_award_do_not_count():
    rows = [link("A1", "R1", "own", None), link("A1", "R2", "own", None), link("B9", "R1", "own", 1.0)]
    quality = measured(rows, [profile("A1")], {"A1": {"R1"}})
    assert quality.link_strata == (LinkStratum("own", None, 1, None, Proportion.of(0, 1)),)


def test_a_firm_without_a_recipient_counts_once_however_many_awards_it_has():
    profiles = [
        profile("A1", "Acme"),
        profile("A2", "Acme"),
        profile("A3", "Qortek"),
        profile("A4"),
        profile("A5"),
    ]
    rows = [link(award_id, "R1", "own", 0.9) for award_id in ("A2", "A4", "A5")]
    truth = {"A1": set(), "A2": set(), "A3": set(), "A4": set(), "A5": {"R1"}}
    assert measured(rows, profiles, truth).absent_linked == Proportion.of(2, 3)
    assert measured(rows, profiles, None).absent_linked is None


def test_the_records_of_a_run_keep_what_the_place_says():
    records = award_records(DECISIONS, [profile(f"A{number}") for number in range(1, 7)], None, {})
    assert [record.decision.place for record in records] == [each.place for each in DECISIONS]
