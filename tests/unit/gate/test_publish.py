import json
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from sbir_gate.documents import save_alerts, save_run
from sbir_gate.errors import DocumentError
from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.conclusion import write_verdict
from sbir_gate.gate.kept_runs import keep_run
from sbir_gate.gate.publish import (
    Channels,
    PublishEdges,
    begin,
    cancel,
    dry_run,
    fail_check,
    links_of,
    outputs_of,
    publish,
)
from sbir_gate.gate.publishing.event import Event, read_event
from sbir_gate.gate.publishing.pull_request import read_marker
from sbir_gate.gate.publishing.slack import SlackEdges
from sbir_gate.gate.saved_verdict import load_saved
from sbir_gate.gate.trends import trends_of
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.verdict import Outcome, RecordChanges, Verdict
from sbir_gate.settings import load_settings
from tests.factories import MOMENT, make_policy, make_run, scaled, with_lost_links
from tests.fakes import unknown_subject
from tests.fakes_github import REPOSITORY, Fault, connected, github

SHA, NEXT_SHA = "a" * 40, "b" * 40
ALL = Channels(has_check=True, has_slack=True)
LATER = MOMENT + timedelta(days=1)


class Job:
    """A job of a workflow on a pull request: its reports, its runner's files, and GitHub."""

    def __init__(self, folder, fake):
        self.fake = fake
        self.reports = folder / "reports"
        self.summary, self.output = folder / "summary.md", folder / "output"
        self.effective = load_settings(None, {}, {"reports.folder": str(self.reports)})
        self.said = []
        self.event = Event(
            name="pull_request",
            repository=REPOSITORY,
            api_url=fake.url,
            server_url="https://github.example",
            head_sha=SHA,
            pull_number=7,
            base_ref="main",
            is_fork=False,
            run_id=10,
            run_attempt=1,
            workflow="gate",
            actor="octocat",
        )

    def judged(self, run):
        verdict = judge(run, make_run(started_at="2026-01-01T00:00:00+00:00"), make_policy())
        save_run(self.reports / "benchmarks", run)
        write_verdict(self.reports, run, verdict, unknown_subject)
        save_alerts(self.reports / "alerts.json", alerts_of(verdict, "main", None))
        return verdict

    def publish(self, channels=ALL, webhook="", github=..., **facts):
        with requests.Session() as session:
            edges = PublishEdges(
                github=connected(self.fake) if github is ... else github,
                summary_path=self.summary,
                output_path=self.output,
                say=self.said.append,
                new_delimiter=lambda: "end-0123",
                slack=SlackEdges(session, lambda _: None),
                webhook=webhook,
            )
            event = replace(self.event, **facts)
            return publish(load_saved(self.reports), self.effective, event, channels, edges)

    def dry_run(self, channels):
        return dry_run(load_saved(self.reports), self.effective, self.event, channels)


def runner_of(event, **variables):
    """Return the variables that a runner sets on an event."""
    return {
        "GITHUB_EVENT_NAME": event.name,
        "GITHUB_REPOSITORY": event.repository,
        "GITHUB_API_URL": event.api_url,
        "GITHUB_RUN_ID": str(event.run_id),
        **variables,
    }


def pull_request_of(event):
    """Return what GitHub says of a pull request from a branch of the repository itself."""
    side = {"sha": event.head_sha, "repo": {"full_name": event.repository}}
    head, base = side | {"ref": "dependabot/pip/rapidfuzz-3.14"}, side | {"ref": event.base_ref}
    pull = {"number": event.pull_number, "head": head, "base": base}
    return json.dumps({"pull_request": pull}).encode()


@pytest.fixture
def job(tmp_path):
    with github() as fake:
        fake.add_pull(7, SHA)
        yield Job(tmp_path, fake)


class TestChannels:
    def test_a_failure_is_told_everywhere(self, job):
        job.judged(with_lost_links(scaled(make_run(), "wall_seconds", 1.9), 8))
        result = job.publish()
        (comment,) = job.fake.bodies(7)
        assert read_marker("enrichment", comment).head_sha == SHA
        assert "wall_seconds" in comment
        assert "A0000" in comment
        assert "https://github.example/octo-org/octo-repo/actions/runs/10/attempts/1" in comment
        (check,) = job.fake.checks
        assert (check["name"], check["conclusion"]) == ("sbir-gate / enrichment", "failure")
        assert "wall_seconds" in job.summary.read_text()
        assert "::error" in job.said[0]
        assert result.comment_url == job.fake.comments[7][0]["html_url"]
        assert f"comment_url<<end-0123\n{result.comment_url}\nend-0123\n" in job.output.read_text()
        assert result.problems == ()

    def test_the_next_push_changes_the_same_comment(self, job):
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        job.publish()
        job.fake.push(7, NEXT_SHA)
        job.judged(make_run(started_at="2026-01-31T13:00:00+00:00"))
        job.publish(head_sha=NEXT_SHA, run_id=11)
        (comment,) = job.fake.bodies(7)
        assert read_marker("enrichment", comment).head_sha == NEXT_SHA
        assert [check["conclusion"] for check in job.fake.checks] == ["failure", "success"]

    def test_the_same_verdict_again_leaves_the_comment_untouched(self, job):
        job.judged(make_run())
        job.publish()
        # the noise of another attempt is no news
        job.judged(scaled(make_run(started_at="2026-01-31T13:00:00+00:00"), "wall_seconds", 1.001))
        result = job.publish(run_attempt=2)
        assert [verb for verb in job.fake.verbs() if "comments" in verb] == ["POST /issues/7/comments"]
        assert "it says the same already" in result.notes[0]

    def test_only_what_is_asked_for_is_told(self, job):
        job.judged(make_run())
        job.publish(Channels(*[False] * 6))
        assert job.fake.asked == []
        assert not job.summary.exists()
        assert not job.output.exists()
        assert job.said == []

    def test_a_dry_run_shows_what_each_chosen_channel_would_send_and_nothing_else(self, job):
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        everything = job.dry_run(Channels(has_check=True, has_slack=True))
        assert [line for line in everything.splitlines() if line.startswith("# ")] == [
            f"# {name}" for name in ("comment", "check", "job summary", "annotations", "outputs", "Slack")
        ]
        assert everything.count("### ❌ sbir-gate") == 1
        assert "conclusion: failure\ntitle: fail · Wall time +90% (limit +25%)" in everything
        payload = json.loads(everything.rpartition("\n")[2])
        assert "Wall time +90%" in payload["text"]
        assert job.dry_run(Channels(*[False] * 6)) == ""
        alone = job.dry_run(replace(Channels(*[False] * 6), has_slack=True))
        assert alone.startswith("# Slack\n")
        assert job.fake.asked == []

    @pytest.mark.parametrize("name", ["push", "merge_group", "schedule", "workflow_dispatch"])
    def test_without_a_pull_request_there_is_no_comment_and_the_rest_is_told(self, job, name):
        job.judged(make_run())
        result = job.publish(name=name, pull_number=0)
        assert result.problems == ()
        assert f"no comment: the event {name}" in result.notes[0]
        assert "verdict<<end-0123\npass" in job.output.read_text()

    def test_slack_is_told_of_news(self, job, httpserver):
        httpserver.expect_request("/hook").respond_with_data("ok")
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        result = job.publish(Channels(has_slack=True), webhook=httpserver.url_for("/hook"))
        assert "sent to Slack" in result.notes
        assert job.event.run_url in httpserver.log[0][0].get_data(as_text=True)

    def test_slack_without_a_webhook_is_left_out(self, job):
        job.judged(make_run())
        assert any("Slack was left out" in note for note in job.publish().notes)

    def test_a_broken_benchmark_is_told_without_its_run(self, job):
        job.judged(make_run())
        crash = Finding(Rule.ERROR, Severity.FAIL, facts={"text": "the enricher crashed"})
        verdict = Verdict("enrichment", Outcome.ERROR, (crash,), (), RecordChanges(), LATER, "c")
        write_verdict(job.reports, None, verdict, unknown_subject)
        result = job.publish(Channels(has_check=True))
        assert "the enricher crashed" in job.fake.bodies(7)[0]
        assert job.fake.checks[0]["conclusion"] == "failure"
        assert "match_rate<<end-0123\n\nend-0123" in job.output.read_text()
        assert result.problems == ()


class TestDegrading:
    def test_a_missing_permission_is_told_and_the_rest_goes_on(self, job):
        job.judged(make_run())
        job.fake.is_read_only = True
        result = job.publish(Channels(has_check=True))
        assert len(result.problems) == 2
        assert "permissions: checks: write" in result.problems[0]
        assert "permissions: pull-requests: write" in result.problems[1]
        assert "pass" in job.summary.read_text()
        assert "comment_url<<end-0123\n\nend-0123" in job.output.read_text()

    def test_what_a_fork_may_not_is_no_problem(self, job):
        job.judged(make_run())
        job.fake.is_read_only = True
        result = job.publish(Channels(has_check=True), is_fork=True)
        assert result.problems == ()
        assert sum("left to the workflow_run half" in note for note in result.notes) == 2

    def test_what_dependabot_may_not_is_no_problem(self, job):
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        job.fake.is_read_only = True
        payload = pull_request_of(job.event)
        event = read_event(runner_of(job.event, GITHUB_ACTOR="dependabot[bot]"), payload)
        assert not event.is_fork
        job.event = event
        result = job.publish(Channels(has_check=True))
        assert result.problems == ()
        assert sum("the token of Dependabot's run may not write it" in note for note in result.notes) == 2
        assert "wall_seconds" in job.summary.read_text()

    def test_where_the_workflow_grants_it_dependabot_has_a_comment(self, job):
        job.judged(make_run())
        result = job.publish(Channels(has_check=True), actor="dependabot[bot]")
        assert (len(job.fake.bodies(7)), len(job.fake.checks)) == (1, 1)
        assert (result.problems, result.notes) == ((), ())

    def test_a_secret_that_dependabot_does_not_have_is_no_token(self, job):
        job.judged(make_run())
        result = job.publish(Channels(has_check=True), github=None, actor="dependabot[bot]")
        assert all("there is no token for GitHub" in problem for problem in result.problems)
        assert job.summary.exists()

    def test_without_a_token_the_runner_is_told_all_the_same(self, job):
        job.judged(make_run())
        result = job.publish(github=None)
        assert len(result.problems) == 2
        assert "GITHUB_TOKEN" in result.problems[0]
        assert job.summary.exists()

    def test_a_check_that_fails_keeps_no_comment_back(self, job):
        job.judged(make_run())
        job.fake.faults.append(Fault("POST", "/check-runs", 500, times=99))
        result = job.publish()
        assert len(result.problems) == 1
        assert len(job.fake.bodies(7)) == 1

    def test_a_runner_without_files_is_a_problem_for_these_alone(self, job, tmp_path):
        job.judged(make_run())
        job.summary, job.output = None, tmp_path
        result = job.publish()
        assert len(result.problems) == 2
        assert "$GITHUB_STEP_SUMMARY is not set" in result.problems[0]
        assert len(job.fake.bodies(7)) == 1

    def test_a_damaged_webhook_is_a_problem_and_its_address_is_not_told(self, job):
        job.judged(make_run())
        result = job.publish(webhook="ftp://hooks.example/T0/secret")
        assert len(result.problems) == 1
        assert "secret" not in result.problems[0].replace("the secret that holds", "")


class TestInAFolder:
    @pytest.mark.parametrize(
        "origin", ["sbir-gate.yaml:1", "teams/a/sbir-gate.yaml at commit 0123456789ab:1"]
    )
    def test_remarks_are_on_files_as_github_calls_them(self, job, tmp_path, monkeypatch, origin):
        folder = tmp_path / "teams" / "a"
        folder.mkdir(parents=True)
        (tmp_path / ".git").mkdir()
        (folder / "sbir-gate.yaml").write_text("gate: {}\n")
        monkeypatch.chdir(folder)
        origins = {"gate.metrics.wall_seconds.fail_percent": origin}
        job.effective = replace(job.effective, origins=origins)
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        job.publish()
        assert "::error file=teams/a/sbir-gate.yaml,line=1," in job.said[0]


class TestTwoJobsOfOneGateName:
    def test_the_second_says_so_in_its_summary_and_changes_nothing(self, job):
        job.judged(make_run())
        job.publish(job="gate-0")
        job.summary.unlink()
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        result = job.publish(job="gate-1")
        assert len(result.problems) == 2
        assert all(
            "job gate-0 of this run publishes as the gate enrichment too" in p for p in result.problems
        )
        assert job.summary.read_text().startswith("> \u26a0\ufe0f no comment: job gate-0 of this run")
        assert "fail" not in job.fake.bodies(7)[0]
        assert [check["conclusion"] for check in job.fake.checks] == ["success"]


class TestCheck:
    def test_a_check_is_begun_before_and_ended_after(self, job):
        begin(job.event, job.effective.settings, connected(job.fake))
        assert [check["status"] for check in job.fake.checks] == ["in_progress"]
        job.judged(make_run())
        job.publish()
        assert [check["status"] for check in job.fake.checks] == ["completed"]

    def test_without_a_verdict_the_check_ends_all_the_same(self, job):
        begin(job.event, job.effective.settings, connected(job.fake))
        error = DocumentError("reports/verdict.json: no such file")
        fail_check(job.event, "enrichment", connected(job.fake), error)
        (check,) = job.fake.checks
        assert (check["status"], check["conclusion"]) == ("completed", "failure")

    def test_the_check_of_a_cancelled_run_ends_if_there_is_one(self, job):
        github = connected(job.fake)
        assert cancel(job.event, "enrichment", github) == "no check was in progress"
        begin(job.event, job.effective.settings, github)
        assert cancel(job.event, "enrichment", github).startswith("check: https://")
        (check,) = job.fake.checks
        assert (check["status"], check["conclusion"]) == ("completed", "cancelled")


class TestSaved:
    def test_the_verdict_comes_with_its_run(self, job):
        job.judged(make_run())
        saved = load_saved(job.reports)
        assert saved.run == make_run()
        assert saved.run_path.parent.name == "benchmarks"

    def test_an_older_run_is_not_taken_for_that_of_the_verdict(self, job):
        job.judged(make_run())
        run = make_run(started_at="2026-03-01T00:00:00+00:00")
        verdict = judge(run, make_run(), make_policy())
        write_verdict(job.reports, run, verdict, unknown_subject)
        assert load_saved(job.reports).run is None

    def test_without_a_verdict_there_is_nothing_to_tell(self, tmp_path):
        with pytest.raises(DocumentError, match=r"verdict\.json"):
            load_saved(tmp_path)

    def test_outputs_name_what_got_worse(self, job):
        job.judged(scaled(make_run(), "wall_seconds", 1.9))
        outputs = outputs_of(load_saved(job.reports), "https://github.example/c")
        assert json.loads(outputs["changed_metrics"]) == ["wall_seconds"]
        assert (outputs["verdict"], outputs["match_rate"]) == ("fail", "0.7500")
        assert outputs["report"].endswith("report.md")


class TestTrends:
    def test_they_are_the_runs_of_main_and_this_one(self, job):
        settings = job.effective.settings
        for day in range(1, 6):
            keep_run(make_run(started_at=f"2026-01-0{day}T00:00:00+00:00"), Outcome.PASS, (), settings)
        other = make_run(started_at="2026-01-06T00:00:00+00:00")
        keep_run(replace(other, source=replace(other.source, branch="b")), Outcome.PASS, (), settings)
        rate, wall = trends_of(make_run(), settings)
        assert (rate.metric, rate.unit, rate.values) == ("match_rate", "ratio", (0.75,) * 6)
        assert rate.labels == ("ccccccc",) * 6
        assert (wall.metric, len(wall.values)) == ("wall_seconds", 6)

    def test_a_new_definition_begins_a_new_course_and_the_chart_says_so(self, job):
        settings = job.effective.settings
        run = make_run()
        wall = next(metric for metric in run.metrics if metric.name == "wall_seconds")
        others = tuple(metric for metric in run.metrics if metric is not wall)
        for day, version in ((1, 1), (2, 1), (3, 2)):
            redefined = (replace(wall, version=version), *others)
            started_at = f"2026-01-0{day}T00:00:00+00:00"
            keep_run(make_run(started_at=started_at, metrics=redefined), Outcome.PASS, (), settings)
        rate, course = trends_of(replace(run, metrics=(replace(wall, version=2), *others)), settings)
        assert (rate.unit, len(rate.values)) == ("ratio", 4)
        assert (course.unit, course.remark) == ("s", "since its definition changed")
        assert len(course.values) == 2

    def test_they_are_in_the_comment(self, job):
        settings = job.effective.settings
        for day in range(1, 6):
            keep_run(make_run(started_at=f"2026-01-0{day}T00:00:00+00:00"), Outcome.PASS, (), settings)
        job.judged(make_run())
        job.publish()
        assert "xychart-beta" in job.fake.bodies(7)[0]

    def test_the_page_of_trends_is_linked_where_its_address_is_set(self, job):
        address = "https://agency.pages.example/pipeline/"
        named = load_settings(None, {}, {"publishing.dashboard_url": address}).settings
        assert links_of(None, named).dashboard == address
        assert links_of(None, job.effective.settings).dashboard == ""
        job.judged(make_run())
        job.publish()
        assert "[trends]" not in job.fake.bodies(7)[0]
        values = {"publishing.dashboard_url": address, "reports.folder": str(job.reports)}
        job.effective = load_settings(None, {}, values)
        job.judged(scaled(make_run(), "wall_seconds", 1.9))  # news: the comment is written anew
        job.publish(run_id=11)
        for text in (job.fake.bodies(7)[-1], job.summary.read_text()):
            assert f"[trends]({address})" in text

    def test_no_run_and_no_wish_have_none(self, job):
        assert trends_of(None, job.effective.settings) == ()
        none = load_settings(None, {}, {"publishing.trend_runs": 0})
        assert trends_of(make_run(), none.settings) == ()

    def test_a_history_that_cannot_be_read_has_none(self, job):
        job.reports.mkdir()
        (job.reports / "history").write_text("a file")
        assert trends_of(make_run(), job.effective.settings) == ()
