from datetime import UTC, datetime

import dagster as dg

from sbir_gate.gate.reporting.notices import alert_text, alert_title
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.run_alerts import alerts_of_run

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
STARTED = datetime(2026, 3, 1, 6, tzinfo=UTC)


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


def alerts(*evaluations, fault=None):
    return alerts_of_run("enrichment", evaluations, STARTED, fault)


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
    assert (found.outcome, found.started_at) == (Outcome.FAIL, STARTED)
    assert (alert.kind, alert.severity, alert.metric) == (AlertKind.LIMIT, Severity.FAIL, "match_rate")
    (finding,) = alert.findings
    assert (finding.rule, finding.measured, finding.unit) == (Rule.CHECK_FAILED, 0.6, "ratio")
    assert alert_title(alert) == "enrichment: enriched_sbir_awards does not pass match_rate_threshold"


def test_the_gate_does_not_say_again_what_others_have_said():
    found = ("regression/match_rate", "awards-worsened")
    others = [said("match_rate_regression", "match_rate fell 6%; time not judged", findings=found[:1])]
    assert len(alerts(*others, said("gate", "fail: match_rate fell 6%", findings=found[:1])).alerts) == 1
    assert len(alerts(*others, said("gate", "fail: both", findings=found)).alerts) == 2


def test_the_gravest_come_first():
    found = alerts(said("calibration", "off", WARN), said("uniqueness", "doubled"), fault="failed")
    assert [alert.severity for alert in found.alerts] == [Severity.FAIL, Severity.WARN]


def test_what_is_too_noisy_to_tell_stays_so():
    (alert,) = alerts(said("performance", "slower", WARN, severity="inconclusive")).alerts
    assert (alert.kind, alert.severity) == (AlertKind.CHANGE, Severity.INCONCLUSIVE)


def test_a_run_that_broke_says_why():
    found = alerts(said("calibration", "off", WARN), fault="step 'enriched' failed: no room")
    assert found.outcome is Outcome.ERROR
    assert found.alerts[0].kind is AlertKind.FAULT
    assert alert_text(found.alerts[0]) == "step 'enriched' failed: no room"
