import pytest

from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.notices import alert_title
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.document import ALERTS, decode, encode
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity
from sbir_gate.model.verdict import Outcome, RecordChanges, Verdict
from sbir_gate.settings import load_settings, policy
from tests.factories import (
    MOMENT,
    NOISY,
    make_policy,
    make_run,
    scaled,
    with_lost_links,
    with_metric,
    without_metric,
)
from tests.findings import drift, rules


def alerts(head, reference=None, previous=None, limits=None):
    verdict = judge(head, reference or make_run(), limits or make_policy())
    return alerts_of(verdict, "main", previous).alerts


def default_policy(*assignments):
    return policy(load_settings(None, {}, {}, assignments).settings)


def test_a_verdict_that_passes_has_no_alert():
    assert alerts(make_run()) == ()


def test_the_list_says_what_it_is_of():
    verdict = judge(make_run(), make_run(), make_policy())
    found = alerts_of(verdict, "main", None)
    assert (found.gate, found.outcome, found.branch) == ("enrichment", Outcome.PASS, "main")
    assert (found.started_at, found.commit) == (verdict.head_started_at, verdict.head_commit)


# the thresholds that the product promises, which stand in config and nowhere else


def only(found, metric):
    (alert,) = [alert for alert in found if alert.metric == metric]
    return alert


def without_reference(name, values, unit, *assignments):
    run = with_metric(make_run(), name, values, unit, NOISY)
    verdict = judge(run, None, default_policy(*assignments))
    return [alert for alert in alerts_of(verdict, "main", None).alerts if alert.metric == name]


def test_more_than_500_mib_of_memory_is_a_warning():
    assert without_reference("memory_delta_mib", [500.0], "MiB") == []
    (alert,) = without_reference("memory_delta_mib", [501.0], "MiB")
    assert (alert.kind, alert.severity) == (AlertKind.LIMIT, Severity.WARN)
    (finding,) = alert.findings
    assert (finding.measured, finding.unit) == (501.0, "MiB")
    assert (finding.limit_kind, finding.limit) == (LimitKind.MAXIMUM, 500)
    assert alert_title(alert) == "enrichment: Memory growth is beyond its maximum 500"


def test_more_than_5_seconds_per_record_is_a_warning():
    assert without_reference("seconds_per_record", [5.0], "s") == []
    assert without_reference("seconds_per_record", [5.1], "s")[0].severity is Severity.WARN


def test_a_match_rate_below_70_percent_is_a_failure():
    assert without_reference("match_rate", [0.70], "ratio") == []
    (alert,) = without_reference("match_rate", [0.69], "ratio")
    (finding,) = alert.findings
    assert (alert.severity, finding.limit_kind, finding.limit) == (Severity.FAIL, LimitKind.MINIMUM, 0.7)


@pytest.mark.parametrize(
    ("name", "values", "unit", "assignment"),
    [
        ("memory_delta_mib", [501.0], "MiB", "gate.metrics.memory_delta_mib.maximum=600"),
        ("seconds_per_record", [5.1], "s", "gate.metrics.seconds_per_record.maximum=6"),
        ("match_rate", [0.69], "ratio", "enrichment.performance.match_rate_threshold=0.6"),
    ],
)
def test_alerts_follow_the_thresholds_in_config(name, values, unit, assignment):
    assert without_reference(name, values, unit)
    assert without_reference(name, values, unit, assignment) == []


# every sort of alert


def test_a_metric_that_got_worse_is_an_alert_with_the_reason_of_the_verdict():
    alert = only(alerts(scaled(make_run(), "wall_seconds", 1.4)), "wall_seconds")
    assert (alert.kind, alert.severity) == (AlertKind.CHANGE, Severity.FAIL)
    assert alert_title(alert) == "enrichment: Wall time got worse"
    assert alert.findings[0].ratio == pytest.approx(1.4)
    assert alert.findings[0].measured == pytest.approx(1.7 * 1.4)


def test_a_metric_that_may_be_worse_says_so():
    alert = only(alerts(with_metric(make_run(), "wall_seconds", (1.2, 2.9, 1.9, 3.1, 2.3))), "wall_seconds")
    assert (alert.severity, alert_title(alert)) == (
        Severity.INCONCLUSIVE,
        "enrichment: Wall time may be worse",
    )


def test_a_metric_that_is_gone_is_a_fault():
    alert = only(alerts(without_metric(make_run(), "match_rate")), "match_rate")
    assert (alert.kind, alert.severity) == (AlertKind.FAULT, Severity.FAIL)
    assert rules(alert.findings) == [Rule.METRIC_GONE]


def test_lost_links_are_one_alert():
    found = [alert for alert in alerts(with_lost_links(make_run(), 7)) if alert.kind is AlertKind.AWARDS]
    assert [(alert.severity, alert.findings[0].measured) for alert in found] == [(Severity.FAIL, 7.0)]


def test_a_run_that_is_unsound_is_a_fault():
    (alert,) = [alert for alert in alerts(make_run(samples=())) if alert.kind is AlertKind.FAULT]
    assert (alert.severity, alert.metric) == (Severity.FAIL, "")
    assert rules(alert.findings) == [Rule.NO_REPEATS]


def test_an_error_is_a_fault_too():
    crash = Finding(Rule.ERROR, Severity.FAIL, facts={"text": "it crashed"})
    verdict = Verdict("enrichment", Outcome.ERROR, (crash,), (), RecordChanges(), MOMENT, "c")
    (alert,) = alerts_of(verdict, "main", None).alerts
    assert (alert.kind, alert.severity, alert.findings) == (AlertKind.FAULT, Severity.FAIL, (crash,))


def test_drift_is_told_once_for_each_metric_and_as_its_worst():
    verdict = judge(make_run(), make_run(), make_policy())
    mild, severe = drift(Severity.WARN, tag="v1"), drift(Severity.FAIL)
    (alert,) = alerts_of(verdict.found(mild, severe), "main", None).alerts
    assert (alert.kind, alert.severity, alert.findings) == (AlertKind.DRIFT, Severity.FAIL, (severe,))


def test_the_gravest_comes_first():
    head = scaled(scaled(make_run(), "peak_rss_mib", 1.3), "wall_seconds", 1.4)
    assert [alert.severity for alert in alerts(head)] == [Severity.FAIL, Severity.WARN]


# recovery


@pytest.mark.parametrize("previous", [Outcome.FAIL, Outcome.ERROR, Outcome.INCOMPARABLE])
def test_a_gate_that_had_failed_and_passes_is_news(previous):
    (alert,) = alerts(make_run(), previous=previous)
    assert (alert.kind, alert.severity) == (AlertKind.RECOVERY, Severity.INFO)
    assert alert_title(alert) == "enrichment: pass again"


@pytest.mark.parametrize("previous", [None, Outcome.PASS, Outcome.WARN, Outcome.NO_BASELINE])
def test_a_gate_that_had_not_failed_does_not_recover(previous):
    assert alerts(make_run(), previous=previous) == ()


def test_a_gate_that_fails_again_does_not_recover():
    found = alerts(with_lost_links(make_run(), 7), previous=Outcome.FAIL)
    assert AlertKind.RECOVERY not in {alert.kind for alert in found}


# the model


def test_the_same_news_has_the_same_key_and_other_news_another():
    first, again = (alerts(scaled(make_run(), "wall_seconds", factor))[0] for factor in (1.4, 1.5))
    assert first.key == again.key == "enrichment/change/wall_seconds"
    other = only(alerts(with_metric(make_run(), "match_rate", [0.6])), "match_rate")
    assert other.key != first.key


def test_alerts_come_back_from_their_document():
    verdict = judge(with_lost_links(make_run(), 7), make_run(), make_policy())
    found = alerts_of(verdict, "main", None)
    assert decode(ALERTS, encode(ALERTS, found), "alerts.json") == found
