from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from sbir_gate.gate.reporting.notices import alert_text, alert_title
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.run_alerts import (
    RunFacts,
    StepFailure,
    alerts_of_run,
    faults_of,
    in_partitions,
    resolved_by,
)

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
STARTED = datetime(2026, 3, 1, 6, tzinfo=UTC)
RUN = RunFacts("enrichment", "sbir_etl_job", STARTED, code="commit abc")


def said(name, description, grade=ERROR, passed=False, **metadata):
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("enriched_sbir_awards"),
        check_name=name,
        passed=passed,
        metadata={key: metadata_of(value) for key, value in metadata.items()},
        severity=grade,
        description=description,
    )


def metadata_of(value):
    if isinstance(value, tuple):
        return dg.MetadataValue.json(list(value))
    return dg.MetadataValue.float(value) if isinstance(value, float) else dg.MetadataValue.text(value)


def run(*evaluations, failures=(), fault=""):
    return replace(RUN, evaluations=evaluations, failures=tuple(failures), fault=fault)


def alerts(*evaluations, **facts):
    return alerts_of_run(run(*evaluations, **facts))


def test_a_check_that_passed_is_no_news():
    found = alerts(said("gate", "the verdict is pass", passed=True))
    assert (found.outcome, found.alerts) == (Outcome.PASS, ())


def test_an_alert_holds_what_the_check_holds():
    found = alerts(
        said(
            "match_rate_threshold",
            "match_rate 0.6 is below the minimum 0.7",
            value=0.6,
            metric="match_rate",
            unit="ratio",
            limit="minimum 0.7",
        ),
        fault="the run failed",
    )
    (alert,) = found.alerts
    assert (found.outcome, found.started_at, found.commit) == (Outcome.FAIL, STARTED, "commit abc")
    assert (alert.kind, alert.severity, alert.metric) == (AlertKind.LIMIT, Severity.FAIL, "match_rate")
    (finding,) = alert.findings
    assert (finding.rule, finding.measured, finding.unit) == (Rule.CHECK_FAILED, 0.6, "ratio")
    assert alert_title(alert) == "enrichment: enriched_sbir_awards does not pass match_rate_threshold"
    text = "enriched_sbir_awards, check match_rate_threshold: match_rate 0.6 is below the minimum 0.7"
    assert alert_text(alert) == text


def test_the_gate_does_not_say_again_what_others_have_said():
    found = ("regression/match_rate", "awards-worsened")
    others = [said("match_rate_regression", "match_rate fell 6%; time not judged", findings=found[:1])]
    assert len(alerts(*others, said("gate", "fail: match_rate fell 6%", findings=found[:1])).alerts) == 1
    assert len(alerts(*others, said("gate", "fail: both", findings=found)).alerts) == 2


def test_the_most_severe_come_first():
    found = alerts(said("calibration", "off", WARN), said("uniqueness", "doubled"), fault="failed")
    assert [alert.severity for alert in found.alerts] == [Severity.FAIL, Severity.WARN]


def test_what_is_too_noisy_to_tell_is_no_alert():
    noisy = said("performance", "slower", WARN, severity="inconclusive")
    assert (alerts(noisy).outcome, alerts(noisy).alerts, faults_of(run(noisy))) == (Outcome.PASS, (), {})


def test_a_run_that_broke_says_why_each_reason_once():
    full = StepFailure("enriched", "no room")
    found = alerts(
        said("calibration", "off", WARN), failures=[full, replace(full, step="other")], fault="Steps failed"
    )
    assert found.outcome is Outcome.ERROR
    assert [alert_text(alert) for alert in found.alerts] == [
        "step enriched: no room",
        "enriched_sbir_awards, check calibration: off",
    ]
    assert found.alerts[0].kind is AlertKind.FAULT


def test_that_checks_failed_is_said_by_the_checks():
    of_checks = StepFailure("checks", "1 blocking check failed", is_of_checks=True)
    (alert,) = alerts(said("gate", "fail: worse"), failures=[of_checks], fault="Steps failed").alerts
    assert alert_text(alert) == "enriched_sbir_awards, check gate: fail: worse"


def test_a_run_whose_worker_died_says_what_dagster_says():
    (alert,) = alerts(fault="the run worker was killed").alerts
    assert alert_text(alert) == "the run worker was killed"


def test_the_same_fault_with_other_numbers_is_the_same():
    busy, busier = (run(failures=[StepFailure("raw", f"process {n} is at work")], fault="x") for n in (7, 88))
    assert faults_of(busy) == faults_of(busier) == {"step raw": "process # is at work"}


def test_what_passed_and_what_was_done_is_resolved():
    facts = replace(
        run(said("gate", "fine", passed=True), said("calibration", "off", WARN)),
        steps_done=frozenset({"raw"}),
    )
    assert resolved_by(facts) == {"check enriched_sbir_awards gate", "step raw", "step"}


def test_partitions_of_one_reason_are_listed_with_it():
    broken = alerts(failures=[StepFailure("raw", "no such file")], fault="x")
    merged = in_partitions([("2019", broken), ("2020", broken), ("2021", alerts(said("gate", "worse")))])
    assert [alert_text(alert) for alert in merged] == [
        "2019, 2020: step raw: no such file",
        "2021: enriched_sbir_awards, check gate: worse",
    ]
