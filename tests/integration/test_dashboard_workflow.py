"""The workflow that publishes the dashboard: its own steps, run in a clone as a runner would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.gate.storing.history_branch import push_history
from tests.factories_git import ENVIRONMENT
from tests.factories_history import make_entry
from tests.factories_quality import report_of_entry
from tests.factories_remote import Waiter, branch_of, make_remote

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/gate-dashboard.yml").read_text(encoding="utf-8"))
STEPS = WORKFLOW["jobs"]["build"]["steps"]
RUNNER = {"GITHUB_SERVER_URL": "https://code.example", "GITHUB_REPOSITORY": "agency/pipeline"}
COMMANDS = [step["run"] for step in STEPS if "run" in step]


@pytest.fixture
def clone(tmp_path):
    """Return a checkout of main, as the workflow has it, of a repository with a branch of the history."""
    remote = make_remote(tmp_path / "remote.git")
    writer = remote.clone(tmp_path / "writer")
    for number in range(5):
        keep_entry(writer.folder / "history", make_entry(number))
    branch = branch_of(writer, "sbir-gate-history")
    push_history(branch, writer.folder / "history", Waiter().retrying(), report_of_entry)
    checkout = remote.clone(tmp_path / "checkout").folder
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])
    return checkout


def run(command, folder):
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={
            **ENVIRONMENT,
            "GITHUB_SERVER_URL": "https://code.example",
            "GITHUB_REPOSITORY": "agency/pipeline",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_steps_make_the_page_from_the_branch_alone(clone):
    install, *others = COMMANDS
    assert run(install.replace("make", "make --dry-run", 1), ROOT).returncode == 0
    for command in others:
        done = run(command, clone)
        assert (done.returncode, done.stderr) == (0, ""), command
    (upload,) = (step for step in STEPS if "upload-pages-artifact" in step.get("uses", ""))
    page = (clone / upload["with"]["path"] / "index.html").read_text(encoding="utf-8")
    assert "5 Runs of 1 gate" in page
    assert "quality report 000000000" in page
    assert f'href="https://code.example/agency/pipeline/commit/{4:040x}"' in page
    assert set(re.findall(r'data-chart="g0-chart-(\w+)"', page)) == {"methods", "scores", "unmatched"}


def test_without_the_branch_a_line_says_what_makes_it(clone):
    run("git push --quiet origin :sbir-gate-history", clone)
    done = run(COMMANDS[-1], clone)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'sbir-gate history push' creates it" in done.stderr
    assert not (clone / "site").exists()


def test_the_token_of_the_job_may_only_read():
    assert WORKFLOW["jobs"]["build"]["permissions"] == {"contents": "read"}
