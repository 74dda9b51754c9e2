from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.other_data import declined, judge_other_data, judge_step
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Outcome, not_judged
from tests.factories import make_policy, make_run, scaled, with_lost_links, with_metric, without_metric
from tests.findings import rules

POLICY = make_policy()


def of_other_data(run: Run) -> Run:
    return replace(run, fixture=replace(run.fixture, fingerprint="e" * 64))


def test_on_the_same_data_it_is_the_verdict_of_the_gate():
    head = with_lost_links(make_run(), 7)
    assert judge_other_data(head, make_run(), POLICY) == judge(head, make_run(), POLICY)
    assert judge_other_data(head, None, POLICY) == judge(head, None, POLICY)


def test_on_other_data_times_and_awards_are_not_compared_and_a_note_says_so():
    head = of_other_data(with_lost_links(scaled(make_run(), "wall_seconds", 3), 7))
    verdict = judge_other_data(head, make_run(), POLICY)
    assert verdict.outcome is Outcome.PASS
    assert rules(verdict.notes) == [Rule.OTHER_DATA]
    assert verdict.records.lost == ()


def test_on_other_data_a_rate_that_fell_too_far_fails():
    head = of_other_data(with_metric(make_run(), "match_rate", [0.70]))
    verdict = judge_other_data(head, make_run(), POLICY)
    assert verdict.outcome is Outcome.FAIL
    assert [(each.rule, each.metric) for each in verdict.deciding] == [(Rule.REGRESSION, "match_rate")]
    (change,) = [change for change in verdict.changes if change.metric == "match_rate"]
    assert (change.severity, change.reference) == (Severity.FAIL, 0.75)


def test_on_other_data_the_absolute_limits_hold_and_are_told_once():
    head = of_other_data(with_metric(make_run(), "match_rate", [0.30]))
    low = with_metric(make_run(), "match_rate", [0.30])
    verdict = judge_other_data(head, low, POLICY)
    assert verdict.outcome is Outcome.FAIL
    assert len(verdict.deciding) == 1


@pytest.mark.parametrize("changes", [{"gate": "another"}, {"awards": ()}], ids=["other gate", "damaged"])
def test_a_reference_that_is_none_stays_incomparable(changes):
    verdict = judge_other_data(of_other_data(make_run()), replace(make_run(), **changes), POLICY)
    assert verdict.outcome is Outcome.INCOMPARABLE


def test_whatever_falls_is_a_decline_and_what_rises_is_none():
    fallen = with_metric(make_run(), "match_rate", [0.7499])
    (finding,) = declined(fallen, make_run(), POLICY)
    assert (finding.metric, finding.measured) == ("match_rate", 0.7499)
    assert declined(make_run(), fallen, POLICY) == ()
    assert declined(make_run(), make_run(), POLICY) == ()


def test_times_and_rates_without_a_relative_limit_do_not_decline():
    head = with_metric(scaled(make_run(), "wall_seconds", 3), "precision", [0.96])
    assert declined(head, make_run(), POLICY) == ()


@pytest.mark.parametrize(
    "reference",
    [of_other_data(make_run()), without_metric(make_run(), "wall_seconds")],
    ids=["other data", "a process of another kind"],
)
def test_a_step_says_that_its_time_was_not_compared(reference):
    verdict = judge_step(make_run(), reference, POLICY)
    assert "time" in not_judged(verdict.changes)
    assert verdict.outcome is Outcome.PASS


def test_a_first_step_does_not_speak_of_it():
    assert judge_step(make_run(), None, POLICY) == judge(make_run(), None, POLICY)
