"""Twenty jobs end at once and write to one repository: nothing is lost, torn or out of date."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sbir_gate.documents import save_quality, write_run
from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.gate.storing.history_branch import entry_place, quality_place
from sbir_gate.model.document import HISTORY, QUALITY, RUN, decode
from tests.factories import make_run
from tests.factories_git import ENVIRONMENT
from tests.factories_history import make_entry
from tests.factories_quality import report_of_entry
from tests.factories_remote import make_remote

pytestmark = pytest.mark.nightly

WRITERS = 20
ROOT = Path(__file__).parents[2]
PUSH = "history push --remote origin --set history.folder={folder}/history --set reports.folder={folder}"
PROMOTE = "baseline promote {folder}/run.json --force --push --set history.folder={folder}/none"


def start(clone, *arguments):
    program = [sys.executable, "-m", "sbir_gate", *arguments]
    return subprocess.Popen(
        program,
        cwd=clone.folder,
        env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "remote.git")


def writers(remote, tmp_path):
    """Return a clone and a folder of documents for each writer; the later ones measured later."""
    for number in range(WRITERS):
        folder = tmp_path / f"documents-{number}"
        entry = make_entry(number)
        keep_entry(folder / "history", entry)
        save_quality(folder / "quality", report_of_entry(entry))
        source = replace(make_run().source, commit=f"{number:040x}")
        started_at = f"2026-02-01T12:{number:02}:00+00:00"
        write_run(folder / "run.json", make_run(started_at=started_at, source=source))
        yield remote.clone(tmp_path / f"clone-{number}"), folder


def check_history(remote):
    """Check that each Run is on the branch, and its quality report beside it."""
    files = remote.files("sbir-gate-history")
    assert len(files) == 2 * WRITERS
    for number in range(WRITERS):
        entry = make_entry(number)
        assert decode(HISTORY, remote.read("sbir-gate-history", entry_place(entry)), "") == entry
        report = decode(QUALITY, remote.read("sbir-gate-history", quality_place(entry)), "")
        assert (report.made_at, report.source) == (entry.started_at, entry.source)


def test_all_histories_land_and_the_baseline_is_the_newest_and_whole(remote, tmp_path):
    running = [
        start(clone, *command.format(folder=folder).split())
        for clone, folder in list(writers(remote, tmp_path))
        for command in (PUSH, PROMOTE)
    ]
    for process in running:
        out, err = process.communicate(timeout=280)
        assert process.returncode == 0, out + err
    check_history(remote)
    baseline = decode(RUN, remote.read("main", "baselines/enrichment.json"), "baseline")
    assert baseline.source.commit == f"{WRITERS - 1:040x}"
    assert "file.txt" in remote.files("main")
    assert remote.repository.git("fsck", "--no-dangling") == ""


def test_writers_that_are_killed_leave_no_half_state(remote, tmp_path):
    pairs = list(writers(remote, tmp_path))
    for number, (clone, folder) in enumerate(pairs):
        process = start(clone, *PUSH.format(folder=folder).split())
        try:
            process.wait(0.05 * number)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    for clone, folder in pairs:
        out, err = (process := start(clone, *PUSH.format(folder=folder).split())).communicate(timeout=60)
        assert process.returncode == 0, out + err
    check_history(remote)
    assert remote.repository.git("fsck", "--no-dangling") == ""
