from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.other_data import judge_other_data, judge_step
from sbir_gate.gate.comparing.run_checks import is_refused, run_findings, single_run_policy
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Outcome, not_judged
from tests.factories import (
    make_policy,
    make_run,
    relabelled,
    scaled,
    with_lost_links,
    with_metric,
    without_metric,
)
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


@pytest.mark.parametrize(
    "reference",
    [of_other_data(make_run()), without_metric(make_run(), "wall_seconds")],
    ids=["other data", "a process of another kind"],
)
def test_a_step_says_that_its_time_was_not_compared(reference):
    verdict = judge_step(make_run(), reference, single_run_policy(POLICY))
    assert "time" in not_judged(verdict.changes)
    assert verdict.outcome is Outcome.PASS


def test_a_first_step_does_not_speak_of_it():
    assert judge_step(make_run(), None, POLICY) == judge(make_run(), None, POLICY)


def of_one_repeat(run: Run, factor: float = 1.0) -> Run:
    """Return the run with a single repeat, whose times are so many times the median."""
    metrics = tuple(
        replace(metric, values=(metric.values[0] * (factor if metric.unit == "s" else 1),))
        if metric.kind is MetricKind.NOISY
        else metric
        for metric in run.metrics
    )
    return replace(run, metrics=metrics, samples=run.samples[:1])


def test_time_of_one_repeat_is_judged_by_the_noise_of_the_history():
    rules_of_one = single_run_policy(POLICY)
    reference, spread = of_one_repeat(make_run()), {"wall_seconds": 0.02}

    def outcome(factor, noise):
        verdict = judge_step(of_one_repeat(make_run(), factor), reference, rules_of_one, spread=noise)
        return verdict.outcome, "wall_seconds" in {found.metric for found in verdict.deciding}

    assert outcome(1.5, spread) == (Outcome.WARN, True)
    assert outcome(1.05, spread) == (Outcome.PASS, False)
    # never inconclusive, however noisy, and never more than a warning
    assert outcome(1.5, {"wall_seconds": 0.5}) == (Outcome.PASS, False)
    assert outcome(30.0, spread) == (Outcome.WARN, True)
    assert outcome(1.5, {}) == (Outcome.PASS, False)


def fallen(worsened: int) -> tuple[Run, Run]:
    """Return a run that lost 7 links, and its reference, in which all but so many of them were wrong."""
    before = make_run()
    lost = [award.award_id for award in before.awards if award.link][:7]
    right = {award.award_id for award in before.awards} - set(lost[worsened:])
    head = with_metric(with_lost_links(before, 7), "match_rate", [0.69])
    return relabelled(head, right - set(lost)), relabelled(before, right)


@pytest.mark.parametrize(
    ("worsened", "outcome", "severity"), [(0, Outcome.WARN, Severity.WARN), (1, Outcome.FAIL, Severity.FAIL)]
)
def test_a_fall_beyond_the_limit_warns_where_no_award_worsened_and_else_fails(worsened, outcome, severity):
    head, reference = fallen(worsened)
    policy = make_policy(limits=tuple(replace(limit, minimum=None) for limit in POLICY.limits))
    rules_of_one = single_run_policy(policy)
    assert judge(head, reference, policy).outcome is not Outcome.FAIL
    verdict = judge_step(head, reference, rules_of_one)
    assert verdict.outcome is outcome
    (finding,) = [each for each in verdict.deciding if each.metric == "match_rate"]
    assert (finding.rule, finding.severity) == (Rule.REGRESSION, severity)
    answers = {each.name: each for each in run_findings(head, reference, rules_of_one, verdict)}
    assert answers["match_rate_regression"].severity is severity
    assert is_refused(verdict) is (severity is Severity.FAIL)
