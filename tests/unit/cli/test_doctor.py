"""`doctor --live` as a step of a workflow, with a GitHub of our own and a bare repository."""

import json

import pytest

from tests.factories_git import ENVIRONMENT
from tests.factories_remote import make_remote
from tests.fakes_github import NOT_ACCESSIBLE, REPOSITORY, TOKEN, Fault, github
from tests.program import run_in_process


@pytest.fixture
def step(tmp_path):
    """Return a function that runs the step, and the fake."""
    clone = make_remote(tmp_path / "remote.git").clone(tmp_path / "clone")
    (tmp_path / "event.json").write_text(
        json.dumps({"repository": {"full_name": REPOSITORY, "default_branch": "main"}})
    )
    with github() as fake:
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": fake.url,
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": "17",
            "GITHUB_SHA": "c" * 40,
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "GITHUB_TOKEN": TOKEN,
        }

        def run(*arguments, **changes):
            environment = {**ENVIRONMENT, **variables, **changes}
            set_ = {name: value for name, value in environment.items() if value}
            return run_in_process(["doctor", "--live", *arguments], clone.folder, set_)

        yield run, fake, tmp_path / "summary.md"


@pytest.mark.slow  # GitHub asks for a second between two writes
def test_each_step_is_a_line_and_a_row_of_the_summary(step):
    run, fake, summary = step
    done = run("--set", "publishing.max_retries=0")
    assert "note: comment: works (https://github.example/" in done.stdout, done.stderr
    assert "note: clean-up: removed: " in done.stdout
    assert summary.read_text().startswith("### sbir-gate self-check: every step works\n")
    assert summary.read_text().count("\n| ") == 9
    assert TOKEN not in done.stdout + done.stderr + summary.read_text()
    assert {pull["state"] for pull in fake.pulls.values()} == {"closed"}


@pytest.mark.slow  # as above
def test_a_step_that_fails_ends_with_1_and_says_the_fix(step):
    run, fake, summary = step
    fake.faults.append(Fault("POST", "/check-runs$", 403, NOT_ACCESSIBLE, times=99))
    done = run("--format", "json", "--set", "publishing.max_retries=0")
    assert done.returncode == 1
    found = {each["place"]: each for each in json.loads(done.stdout)["diagnoses"]}
    assert found["check"]["id"] == "live-failed"
    assert "checks: write" in found["check"]["cure"]
    assert found["annotation"]["id"] == "live-not-tried"
    assert "2 of 8 steps failed" in summary.read_text()


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_EVENT_NAME"])
def test_outside_of_a_workflow_or_without_a_token_nothing_is_tried(step, missing):
    run, fake, summary = step
    done = run(**{missing: ""})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert fake.asked == []
    assert not summary.exists()
