from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.comparing.records import VANISHED, compare_records
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Policy, Severity
from tests.factories import AWARDS, LINKED, award_id, link, make_run, no_link, with_decisions, with_lost_links

POLICY = Policy(limits=(), max_lost=5, significance=0.05)


def without_truth(run: Run) -> Run:
    return replace(run, has_truth=False, right_award_ids=())


def ids(changes):
    return [change.award_id for change in changes]


def test_a_run_does_not_differ_from_itself():
    found = compare_records(make_run(), make_run(), POLICY)
    assert (found.lost, found.gained, found.relinked) == ((), (), ())
    assert (found.worsened, found.improved, found.mcnemar_p) == (0, 0, 1.0)
    assert (found.severity, found.reason) == (Severity.OK, "")


def test_lost_gained_and_relinked_awards_are_told_apart_and_sorted():
    head = with_decisions(
        make_run(),
        {
            award_id(9): no_link(award_id(9)),
            award_id(3): no_link(award_id(3)),
            award_id(5): link(award_id(5), "R9999", "name-fuzzy"),
            award_id(35): link(award_id(35), "R0035"),
        },
    )
    found = compare_records(head, make_run(), POLICY)
    assert ids(found.lost) == ["A0003", "A0009"]
    assert ids(found.gained) == ["A0035"]
    (relinked,) = found.relinked
    assert (relinked.before_recipient_id, relinked.after_recipient_id) == ("R0005", "R9999")
    assert (relinked.before_method, relinked.after_method) == ("uei-exact", "name-fuzzy")
    assert relinked.firm_name == "Firm 5"
    assert (relinked.was_right, relinked.is_right) == (True, False)


def test_a_candidate_is_no_link():
    candidate = Decision(award_id(0), DecisionKind.CANDIDATE, "name-fuzzy", "R0000", 80.0, 0.7, ("R0000",))
    found = compare_records(with_decisions(make_run(), {award_id(0): candidate}), make_run(), POLICY)
    assert ids(found.lost) == ["A0000"]
    assert found.lost[0].after_recipient_id == ""


def test_a_few_lost_right_links_warn_and_more_than_allowed_fail():
    few = compare_records(with_lost_links(make_run(), 5), make_run(), POLICY)
    assert few.severity is Severity.WARN
    assert few.reason == "5 awards lost a right link (at most 5 may); 0 won one"
    many = compare_records(with_lost_links(make_run(), 6), make_run(), POLICY)
    assert many.severity is Severity.FAIL
    assert many.reason == "6 awards lost a right link (at most 5 may)"


def test_twenty_lost_and_eighteen_gained_is_not_unchanged():
    run = make_run()
    lost = {award_id(number): no_link(award_id(number)) for number in range(20)}
    before = {award_id(number): no_link(award_id(number)) for number in range(20, LINKED)}
    gained = {award_id(number): link(award_id(number), f"R{number:04d}") for number in range(LINKED, AWARDS)}
    found = compare_records(with_decisions(run, lost | gained), with_decisions(run, before), POLICY)
    assert (len(found.lost), len(found.gained)) == (20, 20)
    assert found.severity is Severity.FAIL


def test_significantly_more_lost_than_won_fails_below_the_allowed_number():
    loose = replace(POLICY, max_lost=100)
    found = compare_records(with_lost_links(make_run(), 6), make_run(), loose)
    assert found.mcnemar_p == pytest.approx(2 / 2**6)
    assert found.severity is Severity.FAIL
    assert "more than chance explains (p = 0.031" in found.reason
    found = compare_records(with_lost_links(make_run(), 5), make_run(), loose)
    assert found.severity is Severity.WARN


def test_significantly_more_won_than_lost_does_not_fail():
    found = compare_records(make_run(), with_lost_links(make_run(), 20), replace(POLICY, max_lost=0))
    assert (found.worsened, found.improved) == (0, 20)
    assert found.severity is Severity.OK


def test_a_lost_wrong_link_is_listed_but_has_not_worsened():
    reference = with_decisions(make_run(), {award_id(35): link(award_id(35), "R9999")})
    found = compare_records(make_run(), reference, POLICY)
    assert ids(found.lost) == ["A0035"]
    assert found.worsened == 0
    assert found.severity is Severity.OK


def test_without_a_truth_lost_and_relinked_awards_have_worsened():
    head = with_decisions(
        make_run(),
        {
            award_id(0): no_link(award_id(0)),
            award_id(1): link(award_id(1), "R9999"),
            award_id(35): link(award_id(35), "R0035"),
        },
    )
    found = compare_records(without_truth(head), make_run(), POLICY)
    assert (found.worsened, found.improved) == (2, 1)
    assert (found.lost[0].was_right, found.lost[0].is_right) == (None, None)
    assert found.reason.startswith("2 awards lost their link or were re-linked")


@pytest.mark.parametrize("number", [0, 35])
def test_an_award_that_vanished_is_lost_and_fails_linked_before_or_not(number):
    found = compare_records(with_decisions(make_run(), {award_id(number): None}), make_run(), POLICY)
    assert ids(found.lost) == [award_id(number)]
    assert found.lost[0].after_method == VANISHED
    assert found.lost[0].firm_name == f"Firm {number}"
    assert found.severity is Severity.FAIL
    assert found.reason == "1 award has no decision any more"


def test_an_award_decided_twice_fails():
    head = make_run()
    head = replace(head, decisions=(*head.decisions, link(award_id(0), "R9999")), firm_names=())
    found = compare_records(head, make_run(), POLICY)
    assert found.severity is Severity.FAIL
    assert found.reason == "1 award is decided more than once"


def test_runs_without_firm_names_are_compared_all_the_same():
    found = compare_records(
        replace(with_lost_links(make_run(), 1), firm_names=()), make_run(firm_names=()), POLICY
    )
    assert found.lost[0].firm_name == ""


links = st.dictionaries(st.integers(0, 15), st.integers(0, 3))


def run_with(recipients):
    decisions = tuple(
        link(award_id(number), f"R{recipients[number]}")
        if number in recipients
        else no_link(award_id(number))
        for number in range(16)
    )
    return make_run(decisions=decisions, firm_names=(), right_award_ids=(), has_truth=False)


@given(links, links)
def test_swapping_the_runs_swaps_lost_and_gained(first, second):
    forth = compare_records(run_with(first), run_with(second), POLICY)
    back = compare_records(run_with(second), run_with(first), POLICY)
    assert ids(forth.lost) == ids(back.gained)
    assert ids(forth.relinked) == ids(back.relinked)


@given(links, links)
def test_the_link_counts_add_up(first, second):
    found = compare_records(run_with(first), run_with(second), POLICY)
    assert len(first) - len(second) == len(found.gained) - len(found.lost)
