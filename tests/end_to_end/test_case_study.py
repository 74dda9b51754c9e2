"""The replay of docs/case-study.md gives the table on the page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation import ROOT

PAGE = (ROOT / "docs" / "case-study.md").read_text(encoding="utf-8")
SLOWER = "Centralize company identity policies"

pytestmark = pytest.mark.nightly


def table(text: str) -> dict[str, list[str]]:
    """Return the cells of the replay's table by the subjects of the commits."""
    _, _, rows = text.partition("| commit | verdict |")
    cells = (re.split(r" *\| *", row.strip("| ")) for row in re.findall(r"^\| \w.*\|$", rows, re.MULTILINE))
    return {subject: rest for subject, *rest in cells}


def replay(folder: Path, *options: str) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "tests.case_study", folder / "replay", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return table(done.stdout)


def test_the_replay_says_what_the_page_says(tmp_path):
    expected = table(PAGE)
    assert len(expected) == 8
    found = replay(tmp_path, "--quick")
    assert found.pop(SLOWER)[0] == "pass"  # time is not measured
    assert {name: cells[:-1] for name, cells in expected.items() if name != SLOWER} == {
        name: cells[:-1] for name, cells in found.items()
    }


@pytest.mark.timed
def test_the_slower_scorer_fails(tmp_path):
    assert replay(tmp_path, "--only", "6")[SLOWER][0] == table(PAGE)[SLOWER][0] == "fail"
