"""What a fork's job measured, judged again by the half with rights: the same verdict as in the job itself."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sbir_gate.gate.publishing.event import Event, Trigger
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.untrusted import judge_untrusted
from sbir_gate.model.run import Timing
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.factories_git import ENVIRONMENT, make_repository
from tests.fakes_github import REPOSITORY, connected, github
from tests.findings import reasons
from tests.integration.test_side_by_side import COMMAND, FIXTURE, Team, toy

pytestmark = pytest.mark.slow

FORK = "mallory/octo-repo"
SETTINGS = f"enricher:\n  command: '{COMMAND}'\n  sources: [enrich.py]\n"
SHORTER = "".join(FIXTURE["fixtures/truth.csv"].splitlines(keepends=True)[:-4])


@pytest.fixture
def team(tmp_path, monkeypatch):
    repository = make_repository(tmp_path / "repository")
    repository.commit({"enrich.py": toy(), "sbir-gate.yaml": SETTINGS, ".gitignore": "reports/\n", **FIXTURE})
    repository.git("switch", "--quiet", "--create", "change")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(repository.folder)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return Team(repository, repository.folder, temporary, pairs=5)


def judged_again(team, folder):
    """Return the verdict of the other half, in a checkout of main, on what the job uploaded."""
    git = team.repository.git
    sha, changed = git("rev-parse", "change"), git("diff", "--name-only", "main...change").splitlines()
    shutil.move(team.folder / "reports", folder / "artifact")
    git("switch", "--quiet", "main")
    event = Event(
        name="workflow_run",
        repository=REPOSITORY,
        api_url="",
        server_url="https://github.example",
        head_sha=sha,
        pull_number=0,
        base_ref="",
        is_fork=True,
        run_id=99,
        run_attempt=1,
        workflow="gate-comment",
        actor="octocat",
        trigger=Trigger("pull_request", sha, FORK, "change", 55, 1),
    )
    with github() as fake:
        fake.add_pull(7, sha, head=FORK)
        fake.files[7] = [{"filename": name, "status": "modified"} for name in changed]
        effective = load_settings(None, {}, {"reports.folder": str(folder / "reports")})
        saved, _ = judge_untrusted(
            folder / "artifact",
            effective,
            event,
            connected(fake),
            Git(Path.cwd(), ENVIRONMENT),
            datetime.now(UTC).date(),
        )
    return saved.verdict


@pytest.mark.parametrize(
    ("files", "outcome", "timing"),
    [
        ({"README.md": "words\n"}, Outcome.PASS, Timing.ENGINE_UNCHANGED),
        ({"enrich.py": toy(links=2)}, Outcome.FAIL, Timing.MEASURED),
        ({"fixtures/truth.csv": SHORTER}, None, Timing.ENGINE_UNCHANGED),
        ({"fixtures/truth.csv": SHORTER, "enrich.py": toy(links=2)}, Outcome.FAIL, Timing.MEASURED),
    ],
)
def test_the_verdict_is_that_of_the_job(team, tmp_path, files, outcome, timing):
    team.repository.commit(files)
    first = team.gate(**{"enricher.command": None}).verdict
    second = judged_again(team, tmp_path)
    assert (second.outcome, second.timing) == (first.outcome, first.timing)
    assert second.timing is timing
    assert outcome in {None, second.outcome}
    assert reasons(second) == reasons(first)
    assert second.records == first.records
    assert second.fixture_edits == first.fixture_edits
