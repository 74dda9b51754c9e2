import json

import pytest
import requests

from sbir_gate.documents import save_alerts, save_verdict
from sbir_gate.errors import UsageError
from sbir_gate.gate.announcing import NO_NEWS, SENT, announce
from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.kept_runs import keep_run
from sbir_gate.gate.publishing.slack import SlackEdges
from sbir_gate.model.publication import Links
from sbir_gate.settings import load_settings
from tests.factories import make_policy, make_run, scaled


class Team:
    """A repository whose gate was judged again and again, and the webhook of its channel."""

    def __init__(self, folder, httpserver):
        self.folder, self.server = folder, httpserver
        self.settings = load_settings(None, {}, {"reports.folder": str(folder)}).settings
        httpserver.expect_request("/hook").respond_with_data("ok")
        self.days = 0

    def judged(self, factor):
        """Judge a Run that takes `factor` times as long, and tell of it."""
        self.days += 1
        head = scaled(make_run(started_at=f"2026-02-{self.days:02}T12:00:00+00:00"), "wall_seconds", factor)
        verdict = judge(head, make_run(), make_policy())
        alerts = alerts_of(verdict, "main", None)
        save_verdict(self.folder / "verdict.json", verdict)
        save_alerts(self.folder / "alerts.json", alerts)
        told = self.announce()
        keep_run(head, verdict.outcome, (), self.settings, alerts)
        return told

    def announce(self, webhook=None):
        with requests.Session() as session:
            return announce(
                self.folder,
                self.settings,
                webhook or self.server.url_for("/hook"),
                Links(),
                SlackEdges(session),
            )

    def heard(self):
        return [json.loads(request.get_data())["text"] for request, _ in self.server.log]


@pytest.fixture
def team(tmp_path, httpserver):
    return Team(tmp_path, httpserver)


def test_a_failure_is_told_once(team):
    assert [team.judged(factor) for factor in (1.0, 1.9, 1.9, 1.0, 1.9)] == [
        NO_NEWS,
        SENT,
        NO_NEWS,
        NO_NEWS,
        SENT,
    ]
    assert len(team.heard()) == 2
    assert team.heard()[0].startswith("❌ sbir-gate: fail · Wall time +90% (limit +25%)")


def test_a_history_that_cannot_be_read_hides_no_failure(team):
    history_folder(team.settings).write_text("no folder")
    assert team.judged(1.9) == SENT


def test_a_line_end_after_the_webhook_does_no_harm(team):
    team.judged(1.9)
    assert team.announce(f" {team.server.url_for('/hook')}\n") == SENT


def test_a_webhook_that_is_none_is_wrong_usage(team):
    team.judged(1.0)
    with pytest.raises(UsageError, match="no https address"):
        team.announce("hooks.slack.com")
