import json
from datetime import UTC, datetime

import pytest

from sbir_gate.errors import UsageError
from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE
from sbir_gate.model.alert import Alert, AlertKind, AlertList, RunNotice
from sbir_gate.model.finding import Finding, Rule, Severity, recorded
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.sensors import announce_by_environment

NO_ROOM = recorded("no room on the disk", Severity.FAIL)
ALERTS = AlertList(
    gate="enrichment",
    outcome=Outcome.ERROR,
    started_at=datetime(2026, 3, 1, 6, tzinfo=UTC),
    commit="commit abc",
    branch="",
    alerts=(Alert("enrichment", AlertKind.FAULT, Severity.FAIL, (NO_ROOM,)),),
)
NOTICE = RunNotice(
    Finding(Rule.RUN_BROKEN, Severity.FAIL, facts={"run": "sbir_etl_job (2019)"}),
    ALERTS,
    "https://dagster.example/runs/1",
)


def test_slack_is_told_why_and_where(httpserver, monkeypatch):
    httpserver.expect_request("/hook").respond_with_data("ok")
    monkeypatch.setenv(WEBHOOK_VARIABLE, httpserver.url_for("/hook"))
    assert announce_by_environment(NOTICE) == "sent to Slack"
    ((request, _),) = httpserver.log
    text = json.dumps(json.loads(request.get_data()))
    assert "no room on the disk" in text
    assert NOTICE.address in text
    assert "sbir_etl_job (2019): the run failed" in text
    assert "commit abc" in text


def test_without_a_webhook_nobody_is_told(monkeypatch):
    monkeypatch.delenv(WEBHOOK_VARIABLE, raising=False)
    assert announce_by_environment(NOTICE) == f"no notification was sent: {WEBHOOK_VARIABLE} is not set"


def test_a_webhook_that_is_none_is_refused_without_being_shown(monkeypatch):
    monkeypatch.setenv(WEBHOOK_VARIABLE, "ftp://secret.example/abc")
    with pytest.raises(UsageError) as raised:
        announce_by_environment(NOTICE)
    assert "secret" not in str(raised.value)
