from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.other_data import judge_other_data, judge_step
from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.comparing.run_checks import RUN_CHECKS, is_refused, run_findings, single_run_policy
from sbir_gate.gate.reporting.notices import check_text
from sbir_gate.model.finding import LimitKind, Rule, Severity
from sbir_gate.model.run import Run, Timing
from sbir_gate.model.verdict import Limit, MetricLimit, Outcome
from sbir_gate.model.waiver import Waiver, Waivers
from tests.factories import (
    EXACT,
    HIGHER,
    NOISY,
    decisions_of,
    link,
    make_limit,
    make_policy,
    make_run,
    scaled,
    with_decisions,
    with_lost_links,
    with_metric,
    with_rows,
    without_metric,
)
from tests.findings import rules

POLICY = single_run_policy(make_policy())


def on_other_data(run: Run) -> Run:
    return replace(run, fixture=replace(run.fixture, fingerprint="e" * 64))


def findings(
    head: Run,
    reference: Run | None = None,
    waivers: Waivers | None = None,
    policy=POLICY,
    judged_by=judge,
):
    verdict = judged_by(head, reference, policy, waivers=waivers)
    return {finding.name: finding for finding in run_findings(head, reference, policy, verdict)}


def severities(*arguments, **options):
    return {
        name: found.severity
        for name, found in findings(*arguments, **options).items()
        if found.severity not in {Severity.OK, Severity.INFO}
    }


def test_every_check_has_an_answer():
    assert list(findings(make_run(), make_run())) == [check.name for check in RUN_CHECKS]
    assert severities(make_run(), make_run()) == {}


def test_without_a_baseline_only_the_regression_has_nothing_to_say():
    found = findings(make_run())["match_rate_regression"]
    assert found.is_passed
    assert rules(found.findings) == [Rule.NO_BASELINE]


def test_a_rate_below_the_threshold_is_no_regression():
    low = with_metric(make_run(), "match_rate", [0.60])
    assert severities(low, low) == {"match_rate_threshold": Severity.FAIL, "gate": Severity.FAIL}


@pytest.mark.parametrize(("rate", "fails"), [(0.7126, False), (0.7125, False), (0.7124, True), (0.705, True)])
def test_five_percent_below_the_baseline_is_the_most_that_passes(rate, fails):
    head = with_metric(make_run(), "match_rate", [rate])
    assert ("match_rate_regression" in severities(head, make_run())) is fails
    assert "match_rate_threshold" not in severities(head, make_run())


def test_the_regression_names_the_awards_that_lost_their_link():
    found = findings(with_lost_links(make_run(), 7), make_run())["match_rate_regression"]
    assert found.facts == {"worsened": 7, "improved": 0, "lost_correct": 7}
    assert len(found.examples) == 5
    assert found.examples[0] == "A0000 Firm 0: R0000 -> none (lost correct)"


def test_new_wrong_links_are_counted_apart_and_named_first():
    right = make_run()
    wrong = {award.award_id: link(award.award_id, "X") for award in right.awards[-2:]}
    head = with_decisions(with_lost_links(right, 1), wrong)
    found = findings(head, right)["gate"]
    assert found.facts == {"worsened": 3, "improved": 0, "new_wrong": 2, "lost_correct": 1}
    assert found.examples[0].endswith("none -> X (new wrong)")
    assert check_text(found).startswith("warn: 2 awards got an incorrect link, 1 lost a correct link")


def test_where_nothing_is_wrong_the_gate_passes():
    assert check_text(findings(make_run(), make_run())["gate"]) == "pass: within the limits"


def test_without_times_the_check_says_that_and_nothing_else():
    quick = replace(
        make_run(),
        timing=Timing.QUICK,
        metrics=tuple(metric for metric in make_run().metrics if metric.kind is EXACT),
    )
    found = findings(quick, quick)["performance"]
    assert (found.is_passed, rules(found.findings)) == (True, [Rule.TIME_NOT_JUDGED])


@pytest.mark.parametrize("reference", [None, on_other_data(make_run())], ids=["no baseline", "other data"])
def test_awards_that_were_not_compared_are_not_counted_as_unchanged(reference):
    found = findings(make_run(), reference, judged_by=judge_other_data)
    assert found["match_rate_regression"].facts == found["gate"].facts == {}
    assert "worsened" in findings(make_run(), make_run())["gate"].facts


def test_the_threshold_says_how_many_of_how_many_and_what_the_baseline_had():
    found = findings(with_metric(make_run(), "match_rate", [0.72]), make_run())["match_rate_threshold"]
    assert (found.value, found.reference) == (0.72, 0.75)
    assert found.limits == (Limit(LimitKind.MINIMUM, 0.7),)
    assert found.facts == {"links": 30, "awards": 40}


def test_awards_with_two_rows_are_named():
    doubled = with_rows(make_run(), decisions_of(make_run())[3:4])
    assert findings(doubled)["uniqueness"].examples == ("A0003: 2 rows",)


@pytest.mark.parametrize(
    ("metric", "check"), [("rows_missing", "completeness"), ("rows_doubled", "uniqueness")]
)
def test_rows_that_are_not_one_for_each_award_are_errors(metric, check):
    assert severities(with_metric(make_run(), metric, [1])) == {
        check: Severity.FAIL,
        "gate": Severity.FAIL,
    }


def test_lost_awards_are_the_gates_to_refuse_though_the_rate_holds():
    assert severities(with_lost_links(make_run(), 7), make_run()) == {"gate": Severity.FAIL}


def test_time_and_memory_only_warn_of_a_single_run():
    strict = make_policy(limits=(make_limit("wall_seconds", maximum=1.0),))
    head = make_run()
    assert judge(head, None, strict).outcome is Outcome.FAIL
    found = severities(head, policy=single_run_policy(strict))
    assert found == {"performance": Severity.WARN, "gate": Severity.WARN}


@pytest.mark.parametrize("factor", [2, 50])
def test_the_time_of_one_repeat_is_not_judged_and_the_check_says_so(factor):
    one = with_metric(make_run(), "wall_seconds", [1.5])
    head = scaled(one, "wall_seconds", factor)
    rules_of_one = single_run_policy(POLICY)
    verdict = judge_step(head, one, rules_of_one)
    found = {each.name: each for each in run_findings(head, one, rules_of_one, verdict)}
    assert found["performance"].severity in {Severity.OK, Severity.INFO}
    assert found["performance"].facts["wall_seconds"] == 1.5 * factor
    assert check_text(found["performance"]).endswith("; time not judged")
    assert baseline_obstacle(verdict) is None


def test_a_metric_that_is_gone_is_no_matter_of_warnings_alone():
    head = without_metric(make_run(), "wall_seconds")
    assert severities(head) == {"performance": Severity.WARN, "gate": Severity.FAIL}


def test_calibration_warns():
    limit = MetricLimit("calibration_error", "ratio", make_limit("x").direction, EXACT, maximum=0.1)
    policy = single_run_policy(make_policy(limits=(limit,)))
    head = with_metric(make_run(), "calibration_error", [0.2], unit="ratio")
    assert severities(head, policy=policy)["calibration"] is Severity.WARN


def test_a_waiver_softens_the_check_like_the_verdict():
    head = with_metric(make_run(), "match_rate", [0.70])
    waiver = Waiver("match_rate", 10.0, "a new source", "ann", date(2026, 12, 31), "7")
    waivers = Waivers((waiver,), date(2026, 3, 1))
    found = findings(head, make_run(), waivers)
    assert found["match_rate_regression"].severity is Severity.WARN
    assert [each.waiver for each in found["match_rate_regression"].findings] == [waiver]


def test_settings_without_a_limit_for_the_match_rate_ask_nothing_of_it():
    policy = make_policy(limits=(make_limit("wall_seconds", kind=NOISY, direction=HIGHER),))
    found = findings(make_run(), policy=single_run_policy(policy))
    assert rules(found["match_rate_threshold"].findings) == [Rule.NO_LIMIT]
    assert found["uniqueness"].is_passed


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_is_refused_is_what_fails_elsewhere(outcome):
    verdict = replace(judge(make_run(), None, POLICY), outcome=outcome)
    assert is_refused(verdict) is (outcome in {Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR})
