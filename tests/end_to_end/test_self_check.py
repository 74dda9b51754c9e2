"""The workflow self-check.yml, run by act on a GitHub of our own."""

import re
import sys
from pathlib import Path

import pytest

from tests.act import WORKFLOWS, make_team_with_own_engine
from tests.fakes_github import NOT_ACCESSIBLE, REPOSITORY, TOKEN, Fault, github

pytestmark = pytest.mark.nightly

SELF_CHECK = (WORKFLOWS / "self-check.yml").read_text(encoding="utf-8")
PROGRAM = Path(sys.executable).parent / "sbir-gate"
PAYLOAD = {"repository": {"full_name": REPOSITORY, "default_branch": "main"}}


def without_setup(text):
    """Return the workflow without the steps that install the program: it is here."""
    text = re.sub(r"      - uses: actions/setup-python@.*?(?=      - run: \.venv)", "", text, flags=re.DOTALL)
    return text.replace(".venv/bin/sbir-gate", str(PROGRAM))


@pytest.fixture
def team(tmp_path, tmp_path_factory):
    with github() as fake:
        files = {".github/workflows/self-check.yml": without_setup(SELF_CHECK)}
        yield make_team_with_own_engine(tmp_path, fake, tmp_path_factory.mktemp("tools"), files)


def run(team):
    team.origin.git("config", "receive.denyCurrentBranch", "refuse")
    workflow = team.origin.folder / ".github" / "workflows" / "self-check.yml"
    return team.run("workflow_dispatch", PAYLOAD, workflow, team.origin.git("rev-parse", "main"))


def test_each_step_is_reported_and_nothing_stays(team):
    before = team.origin.git("for-each-ref")
    job = run(team)
    assert job.is_success, job.log
    assert "sbir-gate self-check: every step works" in job.summary
    assert job.summary.count("| works |") == 8
    assert team.origin.git("for-each-ref") == before
    assert {pull["state"] for pull in team.github.pulls.values()} == {"closed"}
    assert not any(team.github.comments.values())
    assert TOKEN not in job.log


def test_a_missing_permission_fails_the_job_with_its_fix(team):
    team.github.faults.append(Fault("POST", "/comments$", 403, NOT_ACCESSIBLE, times=99))
    before = team.origin.git("for-each-ref")
    job = run(team)
    assert not job.is_success
    assert "1 of 8 steps failed" in job.summary
    assert "pull-requests: write" in job.summary
    assert team.origin.git("for-each-ref") == before
