"""docs/tutorial.md, read from the page and done in an empty folder; its pull request as GitHub runs it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from sbir_gate.model.verdict import Outcome
from tests.act import ROOT, Team
from tests.documentation import shell_blocks
from tests.end_to_end.conftest import Stage
from tests.end_to_end.test_action import NUMBER, judge, only_check
from tests.end_to_end.test_documented_commands import run_block, stage_in
from tests.factories_git import Repository, make_repository
from tests.fakes_github import github

PAGE = ROOT / "docs" / "tutorial.md"
TEXT = PAGE.read_text(encoding="utf-8")
ENGINE = re.search(r"^```python\n# enrich.py\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture
def done(tmp_path: Path) -> Stage:
    """Do all steps of the page; what it installs is here already."""
    folder = make_repository(tmp_path / "clone").folder
    (folder / ".venv").symlink_to(sys.prefix)
    # the page ignores a folder of this name
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "exclude").write_text(".venv\n")
    (folder / "enrich.py").write_text(ENGINE)
    stage = stage_in(tmp_path)
    for block in shell_blocks(PAGE):
        said = run_block(stage, block) if block.is_run else ""
        if "--quick" in block.text and block.status == 1:
            for line in re.search(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)[1].splitlines():
                assert line in said
    return stage


@pytest.mark.slow
def test_its_commands_lead_to_a_red_change_and_its_repair_passes(done):
    assert done.verdict().outcome is Outcome.PASS


@pytest.mark.nightly
def test_its_pull_request_is_red_on_github(done, tmp_path, tmp_path_factory):
    origin = Repository(done.folder)
    with github() as fake:
        tools = tmp_path_factory.mktemp("tools")
        team = Team(tmp_path, fake, origin, tools, own_action="octo-org/sbir-gate@v0")
        origin.git("reset", "--quiet", "--hard", "HEAD~1")  # before the repair
        sha = origin.git("rev-parse", "stricter")
        fake.add_pull(NUMBER, sha)
        job = judge(team, sha, ref="stricter")
        assert not job.is_success
        (body,) = fake.bodies(NUMBER)
        assert "### ❌ sbir-gate: fail · 95 awards worsened" in body, job.log
        assert only_check(team, sha)["conclusion"] == "failure"
