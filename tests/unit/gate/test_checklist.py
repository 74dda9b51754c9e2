"""Each item of the checklist is open for its own reason, and holds once that is gone."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from sbir_gate.documents import write_run
from sbir_gate.gate.checklist import ChecklistEdges, examine_readiness
from sbir_gate.gate.enricher_plan import settings_digest
from sbir_gate.gate.fixture import describe_fixture
from sbir_gate.gate.publishing.slack import SlackEdges
from sbir_gate.gate.reporting.diagnoses import render_checklist
from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.model.diagnosis import Flaw, Gravity
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.factories import make_awards, make_run, with_metric
from tests.factories_history import START, make_entry

PAGE = Path("docs/DEPLOYMENT_CHECKLIST.md")
TABLE = "| document | reviewed on | owner |\n|---|---|---|\n| [README.md](../README.md) | {} | {} |\n"


class Deployment:
    """A pipeline that is ready to be deployed, ten days after START."""

    def __init__(self, server):
        self.server = server
        server.expect_request("/hook").respond_with_data("ok")
        self.webhook = server.url_for("/hook")
        Path("awards.csv").write_text("award_id,Company\nA1,Firm One\n")
        Path("recipients.csv").write_text("recipient_id,legal_business_name\nR1,FIRM ONE\n")
        Path("gate.yaml").write_text(
            "fixtures: {awards: awards.csv, recipients: recipients.csv, truth: null}\n"
        )
        PAGE.parent.mkdir()
        self.reviewed(START.date().isoformat(), "A. Person")
        self.keep("enrichment")
        self.keep("full")
        self.baseline(4)

    @property
    def effective(self):
        return load_settings(Path("gate.yaml"), {})

    def reviewed(self, day, owner):
        PAGE.write_text("# Checklist\n\n" + TABLE.format(day, owner))

    def keep(self, gate, number=5, outcome=Outcome.PASS, rate=0.8):
        metrics = with_metric(make_run(), "match_rate", [rate]).metrics
        keep_entry(Path("reports/history"), make_entry(number, outcome, gate=gate, metrics=metrics))

    def baseline(self, number):
        run = make_run(
            started_at=START + timedelta(days=number), settings_digest=settings_digest(self.effective)
        )
        fingerprint = describe_fixture(self.effective, len(make_awards())).fingerprint
        run = replace(run, fixture=replace(run.fixture, fingerprint=fingerprint))
        Path("baselines").mkdir(exist_ok=True)
        write_run(Path("baselines/enrichment.json"), run)

    def examined(self, days=10, *, sends_alert=True, source=None):
        edges = ChecklistEdges(
            lambda: START + timedelta(days=days),
            self.webhook,
            lambda: SlackEdges(requests.Session(), sleep=lambda _seconds: None),
        )
        return examine_readiness(self.effective, source, edges, sends_alert=sends_alert)

    def open(self, *arguments, **options):
        return {
            (each.place, each.flaw)
            for each in self.examined(*arguments, **options)
            if each.gravity is Gravity.ERROR
        }


@pytest.fixture
def deployment(tmp_path, monkeypatch, httpserver):
    monkeypatch.chdir(tmp_path)
    return Deployment(httpserver)


def test_all_holds_and_the_test_alert_says_that_it_is_one(deployment):
    text = render_checklist(deployment.examined())
    assert [line.split(": ")[0] for line in text.splitlines()] == ["ok"] * 5 + ["ready"]
    ((request, _),) = deployment.server.log
    assert "this is a test alert: nothing is wrong" in json.loads(request.get_data())["text"]


def test_without_anything_every_item_is_open(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    edges = ChecklistEdges(lambda: START, "", lambda: pytest.fail("nothing is sent"))
    found = examine_readiness(load_settings(None, {}), None, edges, sends_alert=True)
    assert {each.flaw for each in found} == {
        Flaw.NO_RUN_OF_GATE,
        Flaw.BASELINE_MISSING,
        Flaw.NO_WEBHOOK,
        Flaw.CHECKLIST_UNREADABLE,
    }
    assert render_checklist(found).splitlines()[-1] == "not ready: 5 items open"


@pytest.mark.parametrize(
    ("gate", "item"), [("enrichment", "checks"), ("full", "full run")], ids=["fixtures", "full data"]
)
class TestRuns:
    def test_the_newest_run_must_have_passed(self, deployment, gate, item):
        deployment.keep(gate, 6, Outcome.FAIL)
        assert deployment.open() == {(item, Flaw.RUN_NOT_PASSED)}
        deployment.keep(gate, 7, Outcome.WARN)
        assert deployment.open() == set()

    def test_it_must_link_enough(self, deployment, gate, item):
        deployment.keep(gate, 6, rate=0.69)
        assert deployment.open() == {(item, Flaw.MATCH_RATE_TOO_LOW)}

    def test_it_must_be_recent(self, deployment, gate, item):
        deployment.keep({"enrichment": "full", "full": "enrichment"}[gate], 20)
        assert deployment.open(36) == {(item, Flaw.RUN_TOO_OLD)}


def test_an_old_baseline_is_open(deployment):
    deployment.baseline(-100)
    assert deployment.open() == {("baseline", Flaw.BASELINE_OLD)}


def test_a_baseline_of_other_fixtures_is_open(deployment):
    Path("awards.csv").write_text("award_id,Company\nA1,Firm Two\n")
    assert deployment.open() == {("baseline", Flaw.BASELINE_OF_OTHER_FIXTURE)}


def test_only_a_message_that_was_sent_shows_that_alerts_arrive(deployment):
    assert deployment.open(sends_alert=False) == {("alerting", Flaw.ALERT_NOT_TESTED)}
    assert deployment.server.log == []


def test_a_webhook_that_takes_nothing_is_open_and_the_rest_is_said(deployment):
    deployment.server.expect_request("/gone").respond_with_data("no_service", status=404)
    deployment.webhook = deployment.server.url_for("/gone")
    assert deployment.open() == {("alerting", Flaw.INPUT_ERROR)}


def test_a_damaged_history_hides_no_other_item(deployment):
    assert deployment.open(source="no-such-branch") == {("checks", Flaw.INPUT_ERROR)}


@pytest.mark.parametrize(
    ("day", "owner", "flaw"),
    [
        ("", "A. Person", Flaw.NOT_REVIEWED),
        ("2026-01-02", "", Flaw.NOT_REVIEWED),
        ("soon", "A. Person", Flaw.REVIEW_DATE_INVALID),
        ("2025-01-02", "A. Person", Flaw.REVIEW_OLD),
        ("2027-01-02", "A. Person", Flaw.REVIEW_OLD),
    ],
)
def test_each_document_has_a_date_and_an_owner(deployment, day, owner, flaw):
    deployment.reviewed(day, owner)
    assert deployment.open() == {(f"{PAGE}:5", flaw)}


def test_a_page_without_a_table_is_open(deployment):
    PAGE.write_text("# Checklist\n")
    assert deployment.open() == {(str(PAGE), Flaw.CHECKLIST_EMPTY)}
