from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.alerts import alerts_of, is_news
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import Outcome
from tests.factories import make_policy, make_run, scaled
from tests.factories_history import make_entry
from tests.findings import drift

PASSED = make_entry(outcome=Outcome.PASS)


def verdict_on(*metrics):
    head = make_run()
    for metric in metrics:
        head = scaled(head, metric, 1.9)
    return judge(head, make_run(), make_policy())


def alerts(*metrics, previous=None):
    return alerts_of(verdict_on(*metrics), "main", previous)


def after(found):
    """Return what the history keeps of a Run with these alerts."""
    return make_entry(outcome=found.outcome, alert_keys=tuple(alert.key for alert in found.alerts))


def drifting(*metrics):
    findings = tuple(drift(Severity.WARN, metric) for metric in metrics)
    return alerts_of(replace(verdict_on(), outcome=Outcome.WARN, findings=findings), "main", Outcome.PASS)


@pytest.mark.parametrize("previous", [None, PASSED])
def test_a_failure_is_news(previous):
    assert is_news(alerts("wall_seconds"), previous)


def test_the_same_failure_again_is_none_and_one_more_is():
    first = alerts("wall_seconds")
    assert not is_news(first, after(first))
    assert is_news(alerts("wall_seconds", "peak_rss_mib"), after(first))


def test_a_failure_after_a_warning_of_the_same_metric_is_news():
    warned = replace(after(alerts("wall_seconds")), outcome=Outcome.WARN)
    assert is_news(alerts("wall_seconds"), warned)


def test_a_recovery_is_news_once():
    found = alerts(previous=Outcome.FAIL)
    assert is_news(found, after(alerts("wall_seconds")))
    assert not is_news(alerts(previous=Outcome.PASS), after(found))


def test_a_pass_and_a_warning_alone_are_no_news():
    assert not is_news(alerts(), PASSED)
    warned = alerts_of(
        judge(scaled(make_run(), "wall_seconds", 1.15), make_run(), make_policy()), "main", None
    )
    assert warned.alerts
    assert not is_news(warned, PASSED)


def test_drift_is_news_until_it_was_told():
    assert is_news(drifting("recall"), PASSED)
    assert not is_news(drifting("recall"), after(drifting("recall")))
    assert is_news(drifting("recall", "wall_seconds"), after(drifting("recall")))
