"""The environment of the action, made by jobs that share one machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation import ROOT

SCRIPT = Path(".github", "action", "set_up.py")
pytestmark = pytest.mark.slow  # each makes an environment


def make_action(folder: Path) -> Path:
    """Return a copy of the action that depends on nothing."""
    (folder / SCRIPT.parent).mkdir(parents=True)
    shutil.copy(ROOT / SCRIPT, folder / SCRIPT)
    for name in ("requirements.lock", SCRIPT.parent / "installer.txt"):
        (folder / name).write_text("", encoding="utf-8")
    (folder / "of_this_copy.py").write_text("", encoding="utf-8")
    return folder


def begin(action: Path, step: str, machine: Path) -> subprocess.Popen[str]:
    variables = {
        "PATH": str(Path(sys.executable).parent),
        "RUNNER_TOOL_CACHE": str(machine),
        "RUNNER_TEMP": str(machine / "job"),
        "GITHUB_OUTPUT": str(machine / "outputs"),
        "SBIR_GATE_INPUT_INSTALLER": "pip",
    }
    command = [sys.executable, "-I", action / SCRIPT, step]
    return subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ends(job: subprocess.Popen[str]) -> str:
    said, _ = job.communicate(timeout=300)
    assert job.returncode == 0, said
    return said


def environment_of(action: Path, machine: Path) -> dict[str, str]:
    (machine / "outputs").unlink(missing_ok=True)
    ends(begin(action, "where", machine))
    return dict(line.split("=", 1) for line in (machine / "outputs").read_text().splitlines())


def test_of_two_jobs_at_once_one_makes_it_and_the_other_finds_it(tmp_path):
    action = make_action(tmp_path / "action")
    jobs = [begin(action, "install", tmp_path) for _ in range(2)]
    said = [ends(job) for job in jobs]
    assert sum(text.count("made ") for text in said) == 1, said
    assert environment_of(action, tmp_path)["is-ready"] == "true"


def test_two_copies_of_the_action_share_it_and_run_their_own_code(tmp_path):
    copies = [make_action(tmp_path / name) for name in ("v1", "v2")]
    said = [ends(begin(copy, "install", tmp_path)) for copy in copies]
    assert [text.count("made ") for text in said] == [1, 0]
    for copy in copies:
        python = environment_of(copy, tmp_path)["python"]
        code = "import of_this_copy, pip; print(of_this_copy.__file__)"
        done = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True)
        assert Path(done.stdout.strip()).parent == copy
