"""`sbir-gate publish` as a step of a workflow, with GitHub and the runner's files."""

import json
import os
from pathlib import Path

import pytest

from sbir_gate.documents import save_alerts, save_run
from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.conclusion import write_verdict
from sbir_gate.model.document import RUN, encode
from tests.factories import make_policy, make_run, scaled
from tests.fakes import unknown_subject
from tests.fakes_github import REPOSITORY, TOKEN, Fault, github
from tests.program import run_in_process

EVENTS = Path(__file__).parents[1] / "data" / "github" / "events"
HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"


class Step:
    """A step of a workflow on the pull request of the real payload."""

    def __init__(self, folder, fake):
        self.folder, self.fake = folder, fake
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(EVENTS / "pull_request.synchronize.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": "9" * 40,
            "GITHUB_RUN_ID": "10",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "SBIR_GATE__PUBLISHING__RETRY_BASE_SECONDS": "0.01",
        }

    def judged(self, run):
        verdict = judge(run, make_run(), make_policy())
        save_run(self.folder / "reports" / "benchmarks", run)
        write_verdict(self.folder / "reports", run, verdict, unknown_subject)
        save_alerts(self.folder / "reports" / "alerts.json", alerts_of(verdict, "main", None))

    def gate(self, *arguments, **changes):
        environment = {key: value for key, value in (self.environment | changes).items() if value is not None}
        return run_in_process(arguments, self.folder, environment)

    def traces(self):
        """Return all that is left on disk."""
        return "".join(path.read_text(errors="replace") for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def step(tmp_path):
    with github() as fake:
        fake.add_pull(2, HEAD)
        yield Step(tmp_path, fake)


def test_a_failing_verdict_is_told_and_the_step_succeeds(step):
    step.judged(scaled(make_run(), "wall_seconds", 1.9))
    done = step.gate("publish", "--check")
    assert done.returncode == 0, done.stderr
    (comment,) = step.fake.bodies(2)
    assert f"head={HEAD} run=10 attempt=1" in comment
    assert step.fake.checks[0]["conclusion"] == "failure"
    assert "::error" in done.stdout
    assert "comment: https://github.example/" in done.stderr
    outputs = (step.folder / "output").read_text()
    assert "verdict<<sbir-gate-" in outputs
    assert "wall_seconds" in (step.folder / "summary.md").read_text()


@pytest.mark.slow
def test_the_token_leaves_no_trace(step):
    step.judged(make_run())
    step.fake.faults += [Fault("POST", "/comments", 403, f"no: {TOKEN}"), Fault("POST", "/check-runs", 500)]
    done = step.gate("--debug", "publish", "--check", "--strict")
    assert done.returncode == 3
    assert TOKEN not in done.stdout + done.stderr + step.traces()
    assert all(TOKEN in asked.headers["authorization"] for asked in step.fake.asked)


@pytest.mark.slow
def test_a_read_only_token_is_a_warning_and_an_error_only_if_strict(step):
    step.judged(make_run())
    step.fake.is_read_only = True
    done = step.gate("publish")
    assert done.returncode == 0
    assert "warning: cannot write comments: the token may not (403)" in done.stderr
    assert "permissions: pull-requests: write" in done.stderr
    strict = step.gate("publish", "--strict")
    assert strict.returncode == 3
    assert "failed channels: 1" in strict.stderr


def test_outside_of_a_workflow_it_is_a_wrong_use(step):
    step.judged(make_run())
    done = step.gate("publish", GITHUB_EVENT_NAME=None)
    assert done.returncode == 2
    assert "not a GitHub workflow" in done.stderr
    assert "--dry-run" in done.stderr


def test_a_dry_run_shows_all_and_asks_nothing_even_outside_of_a_workflow(step):
    step.judged(scaled(make_run(), "wall_seconds", 1.9))
    done = step.gate("publish", "--dry-run", GITHUB_EVENT_NAME=None, GITHUB_TOKEN=None)
    assert done.returncode == 0, done.stderr
    assert "wall_seconds" in done.stdout
    assert "verdict=fail" in done.stdout
    assert not any(line.startswith("::") for line in done.stdout.splitlines())
    assert step.fake.asked == []


@pytest.mark.slow
def test_an_event_file_counts_more_than_that_of_the_runner(step, tmp_path):
    step.judged(make_run())
    payload = json.loads((EVENTS / "pull_request.synchronize.json").read_text())
    payload["pull_request"]["number"] = 5
    step.fake.add_pull(5, HEAD)
    (tmp_path / "event.json").write_text(json.dumps(payload))
    assert step.gate("publish", "--event", "event.json").returncode == 0
    assert len(step.fake.bodies(5)) == 1
    assert step.fake.bodies(2) == []


def test_without_a_verdict_the_check_ends_and_the_error_is_told(step):
    done = step.gate("publish", "--check")
    assert done.returncode == 2
    assert "verdict.json: no such file" in done.stderr
    assert [(check["status"], check["conclusion"]) for check in step.fake.checks] == [
        ("completed", "failure")
    ]


def test_channels_can_be_switched_off(step):
    step.judged(make_run())
    off = ("--no-comment", "--no-summary", "--no-annotations", "--no-outputs")
    assert step.gate("publish", *off).returncode == 0
    assert step.fake.asked == []
    assert not (step.folder / "summary.md").exists()
    assert not (step.folder / "output").exists()


class TestUntrusted:
    @pytest.fixture
    def half(self, step):
        payload = json.loads((EVENTS / "workflow_run.completed.json").read_text())
        payload["workflow_run"] |= {"event": "pull_request", "head_sha": HEAD, "head_branch": "change"}
        payload["workflow_run"]["head_repository"] = {"full_name": "mallory/octo-repo"}
        (step.folder / "event.json").write_text(json.dumps(payload))
        step.environment |= {
            "GITHUB_EVENT_NAME": "workflow_run",
            "GITHUB_EVENT_PATH": str(step.folder / "event.json"),
        }
        step.fake.add_pull(4, HEAD, head="mallory/octo-repo")
        return step

    def test_what_a_fork_measured_is_judged_here(self, half):
        save_run(half.folder / "artifact" / "benchmarks", make_run())
        done = half.gate("publish", "--untrusted", "artifact")
        assert done.returncode == 0, done.stderr
        assert len(half.fake.bodies(4)) == 1
        assert half.fake.bodies(2) == []

    def test_a_document_that_is_a_command_to_the_runner_is_quoted_in_one_line(self, half):
        folder = half.folder / "artifact"
        folder.mkdir()
        document = json.loads(encode(RUN, make_run()))
        document["run"]["x\n::add-mask::y"] = 1
        (folder / "20260131T120000Z.json").write_text(json.dumps(document))
        done = half.gate("publish", "--untrusted", "artifact")
        assert done.returncode == 2
        assert "::add-mask::" in done.stderr
        assert not any(line.lstrip().startswith("::") for line in done.stderr.splitlines())
        assert half.fake.verbs() == []

    @pytest.mark.parametrize("other", ["--slack", "--dry-run"])
    def test_what_makes_no_sense_with_it_is_a_wrong_use(self, half, other):
        done = half.gate("publish", "--untrusted", "artifact", other)
        assert done.returncode == 2
        assert "remove one of the two options" in done.stderr
