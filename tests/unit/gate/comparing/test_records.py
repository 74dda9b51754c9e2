from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.records import VANISHED
from sbir_gate.model.awards import Label
from sbir_gate.model.effects import Effect
from sbir_gate.model.finding import Severity
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import MethodMove, Policy
from tests.factories import (
    AWARDS,
    LINKED,
    award_id,
    link,
    make_awards,
    make_run,
    no_link,
    relabelled,
    with_decisions,
    with_facts,
    with_lost_links,
    with_rows,
)
from tests.findings import records_of

POLICY = Policy(limits=(), max_lost=5, significance=0.05)


def without_truth(run: Run) -> Run:
    return replace(run, has_truth=False)


def ids(changes):
    return [change.award_id for change in changes]


def test_a_run_does_not_differ_from_itself():
    found = records_of(make_run(), make_run(), POLICY)
    assert (found.lost, found.gained, found.relinked) == ((), (), ())
    assert (found.worsened, found.improved, found.mcnemar_p) == (0, 0, 1.0)
    assert (found.severity, found.text) == (Severity.OK, "")


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
    found = records_of(head, make_run(), POLICY)
    assert ids(found.lost) == ["A0003", "A0009"]
    assert ids(found.gained) == ["A0035"]
    (relinked,) = found.relinked
    assert (relinked.before_recipient_id, relinked.after_recipient_id) == ("R0005", "R9999")
    assert (relinked.before_method, relinked.after_method) == ("uei-exact", "name-fuzzy")
    assert relinked.firm_name == "Firm 5"
    assert (relinked.was_right, relinked.is_right) == (True, False)


def test_a_candidate_is_no_link():
    candidate = Decision(award_id(0), DecisionKind.CANDIDATE, "name-fuzzy", "R0000", 80.0, 0.7, ("R0000",))
    found = records_of(with_decisions(make_run(), {award_id(0): candidate}), make_run(), POLICY)
    assert ids(found.lost) == ["A0000"]
    assert found.lost[0].after_recipient_id == ""


def test_a_few_lost_right_links_warn_and_more_than_allowed_fail():
    few = records_of(with_lost_links(make_run(), 5), make_run(), POLICY)
    assert few.severity is Severity.WARN
    assert few.text == "5 awards lost a correct link (limit: 5); 0 improved"
    many = records_of(with_lost_links(make_run(), 6), make_run(), POLICY)
    assert many.severity is Severity.FAIL
    assert many.text == "6 awards lost a correct link (limit: 5)"


def test_twenty_lost_and_eighteen_gained_is_not_unchanged():
    run = make_run()
    lost = {award_id(number): no_link(award_id(number)) for number in range(20)}
    before = {award_id(number): no_link(award_id(number)) for number in range(20, LINKED)}
    gained = {award_id(number): link(award_id(number), f"R{number:04d}") for number in range(LINKED, AWARDS)}
    found = records_of(with_decisions(run, lost | gained), with_decisions(run, before), POLICY)
    assert (len(found.lost), len(found.gained)) == (20, 20)
    assert found.severity is Severity.FAIL


def test_significantly_more_lost_than_won_fails_below_the_allowed_number():
    loose = replace(POLICY, max_lost=100)
    found = records_of(with_lost_links(make_run(), 6), make_run(), loose)
    assert found.mcnemar_p == pytest.approx(2 / 2**6)
    assert found.severity is Severity.FAIL
    assert "more than chance explains (p = 0.031" in found.text
    found = records_of(with_lost_links(make_run(), 5), make_run(), loose)
    assert found.severity is Severity.WARN


def test_significantly_more_won_than_lost_does_not_fail():
    found = records_of(make_run(), with_lost_links(make_run(), 20), replace(POLICY, max_lost=0))
    assert (found.worsened, found.improved) == (0, 20)
    assert found.severity is Severity.OK


def test_a_lost_wrong_link_is_listed_but_has_not_worsened():
    reference = with_decisions(make_run(), {award_id(35): link(award_id(35), "R9999")})
    found = records_of(make_run(), reference, POLICY)
    assert ids(found.lost) == ["A0035"]
    assert found.effects == {Effect.WRONG_DROPPED: 1}
    assert (found.worsened, found.improved) == (0, 1)
    assert found.severity is Severity.OK


def test_wrong_links_that_are_new_worsen_and_are_not_called_lost():
    missed = with_decisions(make_run(), {award_id(0): no_link(award_id(0))})
    head = {award_id(0): link(award_id(0), "R9999")}  # a recipient exists
    head |= {
        award_id(number): link(award_id(number), "R9999") for number in range(LINKED, LINKED + 6)
    }  # none does
    reference = relabelled(missed, {award_id(number) for number in range(1, AWARDS)})
    now = relabelled(
        with_decisions(missed, head),
        {award_id(number) for number in range(1, AWARDS) if not LINKED <= number < LINKED + 6},
    )
    found = records_of(now, reference, POLICY)
    assert found.effects == {Effect.NEW_WRONG: 7}
    assert found.text == "7 awards got an incorrect link (limit: 5)"


def test_each_effect_is_counted_apart_and_wrong_links_come_first():
    run = make_run()
    head = with_decisions(
        run,
        {
            award_id(0): no_link(award_id(0)),
            award_id(1): link(award_id(1), "R9999"),
            award_id(2): link(award_id(2), "R9999"),
            award_id(35): link(award_id(35), "R9999"),
        },
    )
    correct = {award.award_id for award in head.awards if award.label is Label.CORRECT}
    head = relabelled(head, {*correct, award_id(2)})  # two recipients are right
    found = records_of(head, run, POLICY)
    assert list(found.effects) == [
        Effect.NEW_WRONG,
        Effect.RELINKED_WRONG,
        Effect.LOST_CORRECT,
        Effect.STILL_CORRECT,
    ]
    assert found.worsened == 3
    assert found.text == (
        "1 award got an incorrect link, 1 was re-linked to an incorrect recipient, 1 lost a correct link:"
        " 3 awards worsened (limit: 5); 0 improved"
    )


def test_links_by_another_method_to_the_same_recipient_are_moves():
    run = make_run()
    moved = with_decisions(
        run, {award_id(number): link(award_id(number), f"R{number:04d}", "merged") for number in range(3)}
    )
    found = records_of(moved, run, POLICY)
    assert found.moves == (MethodMove("uei-exact", "merged", 3),)
    assert (found.worsened, found.lost, found.relinked) == (0, (), ())
    unlabelled = records_of(without_truth(moved), run, POLICY)
    assert unlabelled.moves == (MethodMove("uei-exact", "merged", 3, unlabelled=3),)


def test_candidates_and_scores_are_counted_though_no_link_changes():
    def candidate(number, recipient):
        return Decision(award_id(number), DecisionKind.CANDIDATE, "name-fuzzy", recipient, 80.0, 0.7)

    before = with_decisions(
        make_run(), {award_id(35): candidate(35, "R1"), award_id(36): candidate(36, "R1")}
    )
    after = with_decisions(
        make_run(),
        {
            award_id(36): candidate(36, "R2"),
            award_id(37): candidate(37, "R3"),
            award_id(0): replace(link(award_id(0), "R0000"), score=90.0),
            award_id(1): replace(link(award_id(1), "R0001"), score=100.00000000000001),
        },
    )
    found = records_of(after, before, POLICY)
    assert (found.candidates_lost, found.candidates_changed, found.candidates_gained) == (1, 1, 1)
    assert found.scores_changed == 1
    assert found.severity is Severity.OK


def test_changed_links_name_the_recipients_of_both_sides():
    reference = with_facts(make_run(), recipient_name="ORCHARD LABS LLC", recipient_uei="ABCDEFGHJKL1")
    head = with_decisions(make_run(), {award_id(0): link(award_id(0), "R9999")})
    head = with_facts(head, recipient_name="ORCHARD FARMS INC")
    (change,) = records_of(head, reference, POLICY).relinked
    assert (change.before_name, change.before_uei) == ("ORCHARD LABS LLC", "ABCDEFGHJKL1")
    assert (change.after_name, change.after_uei) == ("ORCHARD FARMS INC", "")


def test_without_a_truth_lost_and_relinked_awards_have_worsened():
    head = with_decisions(
        make_run(),
        {
            award_id(0): no_link(award_id(0)),
            award_id(1): link(award_id(1), "R9999"),
            award_id(35): link(award_id(35), "R0035"),
        },
    )
    found = records_of(without_truth(head), make_run(), POLICY)
    assert (found.worsened, found.improved) == (2, 1)
    assert (found.lost[0].was_right, found.lost[0].is_right) == (None, None)
    assert found.text.startswith("1 award lost its link, 1 was re-linked: 2 awards worsened (limit: 5)")


@pytest.mark.parametrize("number", [0, 35])
def test_an_award_that_vanished_is_lost_and_fails_linked_before_or_not(number):
    found = records_of(with_decisions(make_run(), {award_id(number): None}), make_run(), POLICY)
    assert ids(found.lost) == [award_id(number)]
    assert found.lost[0].after_method == VANISHED
    assert found.lost[0].firm_name == f"Firm {number}"
    assert found.severity is Severity.FAIL
    assert found.text == "1 award has no decision any more"


def test_an_award_decided_twice_fails():
    head = with_rows(make_run(), [link(award_id(0), "R9999")])
    found = records_of(head, make_run(), POLICY)
    assert found.severity is Severity.FAIL
    assert found.text == "1 award is decided more than once"


def test_runs_without_firm_names_are_compared_all_the_same():
    head, reference = (with_facts(run, firm_name="") for run in (with_lost_links(make_run(), 1), make_run()))
    found = records_of(head, reference, POLICY)
    assert found.lost[0].firm_name == ""


links = st.dictionaries(st.integers(0, 15), st.integers(0, 3))


def run_with(recipients):
    decisions = tuple(
        link(award_id(number), f"R{recipients[number]}")
        if number in recipients
        else no_link(award_id(number))
        for number in range(16)
    )
    return make_run(awards=make_awards(decisions), has_truth=False)


@given(links, links)
def test_swapping_the_runs_swaps_lost_and_gained(first, second):
    forth = records_of(run_with(first), run_with(second), POLICY)
    back = records_of(run_with(second), run_with(first), POLICY)
    assert ids(forth.lost) == ids(back.gained)
    assert ids(forth.relinked) == ids(back.relinked)


@given(links, links)
def test_the_link_counts_add_up(first, second):
    found = records_of(run_with(first), run_with(second), POLICY)
    assert len(first) - len(second) == len(found.gained) - len(found.lost)


class TestAPartialTruth:
    """Each award without a label is judged as if there were no truth."""

    AWARDS = 400
    SWAPPED_SHARE = 0.05

    def labelled(self, coverage, links, candidates=False):
        """Return a Run of `links` in which the first `coverage` percent of the awards have a label."""
        ids_ = [f"A{number:04d}" for number in range(self.AWARDS)]
        known = ids_[: self.AWARDS * coverage // 100]
        decisions = tuple(
            replace(link(id_, links[id_]), candidate_ids=(links[id_],) if candidates else ())
            if links[id_]
            else no_link(id_)
            for id_ in ids_
        )
        return make_run(
            awards=tuple(
                replace(award, firm_name="")
                for award in make_awards(
                    decisions, {id_ for id_ in known if links[id_] == self.right(id_)}, {*ids_[len(known) :]}
                )
            ),
            has_truth=coverage > 0,
        )

    @staticmethod
    def right(id_):
        return f"R{id_[1:]}"

    def links(self):
        return {f"A{number:04d}": f"R{number:04d}" for number in range(self.AWARDS)}

    @pytest.mark.parametrize("coverage", [0, 20, 100])
    @pytest.mark.parametrize("candidates", [True, False], ids=["built-in", "outside"])
    def test_swapping_a_twentieth_of_the_links_fails_at_any_coverage(self, coverage, candidates):
        before = self.links()
        unlabelled = list(before)[self.AWARDS * coverage // 100 :] or list(before)
        swapped = unlabelled[: int(len(unlabelled) * self.SWAPPED_SHARE)]
        after = before | {id_: before[other] for id_, other in zip(swapped, swapped[::-1], strict=True)}
        runs = (self.labelled(coverage, links, candidates) for links in (after, before))
        found = records_of(*runs, POLICY)
        assert found.severity is Severity.FAIL
        assert found.worsened >= len(swapped) - 1

    def test_a_lost_link_without_a_label_has_worsened(self):
        before = self.links()
        after = before | dict.fromkeys(list(before)[-10:], "")
        found = records_of(self.labelled(20, after), self.labelled(20, before), POLICY)
        assert (found.worsened, found.severity) == (10, Severity.FAIL)
        assert found.text.startswith("10 unlabelled awards lost their link")
        assert {(change.was_right, change.is_right) for change in found.lost} == {(None, None)}

    def test_gained_links_that_nobody_knows_to_be_right_make_up_for_no_loss(self):
        before = self.links() | dict.fromkeys(list(self.links())[-30:], "")
        lost = list(before)[100:107]
        after = self.links() | dict.fromkeys(lost, "")
        loose = replace(POLICY, max_lost=100)
        found = records_of(self.labelled(20, after), self.labelled(20, before), loose)
        assert (len(found.gained), found.worsened, found.improved) == (30, 7, 0)
        assert found.severity is Severity.FAIL

    @pytest.mark.parametrize("coverage", [0, 20])
    @pytest.mark.parametrize(
        ("gained", "firms", "had", "is_suspect"),
        [
            (20, 20, 1, True),
            (6, 6, 2, True),
            (5, 5, 1, False),  # not more than may be lost
            (20, 5, 1, False),  # the awards of a few firms gain their links together
            (6, 6, 3, False),  # the recipient had half as many before
        ],
    )
    def test_links_of_many_firms_to_one_recipient_are_a_warning(
        self, coverage, gained, firms, had, is_suspect
    ):
        last = list(self.links())[-gained:]
        before = self.links() | dict.fromkeys(last, "")
        before |= dict.fromkeys(list(before)[200 : 199 + had], "R0199")
        spellings = ("Firm {}", "FIRM  {}.")
        names = [spellings[number % 2].format(number % firms) for number in range(self.AWARDS)]
        runs = (self.labelled(coverage, links) for links in (before | dict.fromkeys(last, "R0199"), before))
        head, base = (
            replace(
                run,
                awards=tuple(
                    replace(award, firm_name=name) for award, name in zip(run.awards, names, strict=True)
                ),
            )
            for run in runs
        )
        found = records_of(head, base, POLICY)
        assert found.effects == {Effect.GAINED: gained}
        assert found.severity is (Severity.WARN if is_suspect else Severity.OK)
        words = (
            f"{gained} awards of {firms} firms, none labelled, are newly linked to one recipient ('R0199')"
        )
        assert found.text.startswith(words) if is_suspect else not found.text

    def test_rows_of_one_entity_are_one_recipient_to_many_firms(self):
        last = list(self.links())[-8:]
        before = self.links() | dict.fromkeys(last, "")
        after = before | {id_: f"S{number}" for number, id_ in enumerate(last)}
        entities = {f"S{number}": "QNT4K8W2J6H5" for number in range(8)}
        head = replace(self.labelled(20, after), entities=entities)
        found = records_of(head, self.labelled(20, before), POLICY)
        assert found.severity is Severity.WARN
        assert records_of(replace(head, entities={}), self.labelled(20, before), POLICY).text == ""

    def test_labels_are_judged_as_before_beside_awards_without_one(self):
        before = self.links() | {"A0000": "R0001", "A0001": ""}
        found = records_of(self.labelled(20, self.links()), self.labelled(20, before), POLICY)
        assert (found.worsened, found.improved, found.severity) == (0, 2, Severity.OK)

    def test_a_reference_of_an_older_version_says_nothing_of_coverage(self):
        before = self.links()
        after = before | dict.fromkeys(list(before)[-10:], "")
        labelled = self.labelled(20, before)
        correct = {award.award_id for award in labelled.awards if award.label is Label.CORRECT}
        old = relabelled(labelled, correct)
        assert records_of(self.labelled(20, after), old, POLICY).worsened == 10
        assert records_of(old, old, POLICY).severity is Severity.OK

    def test_moves_between_methods_of_awards_without_a_label_are_counted(self):
        before = self.labelled(20, self.links())
        moved = (
            replace(award, decision=replace(award.decision, method="name-exact")) for award in before.awards
        )
        (move,) = records_of(replace(before, awards=tuple(moved)), before, POLICY).moves
        assert (move.links, move.unlabelled) == (400, 320)
