"""The verb, with a small engine that really runs."""

import json

import pytest

from tests.fakes import write_fixture
from tests.program import run_in_process

ENGINE = """\
import csv, sys
awards, recipients, output = sys.argv[1:]
with open(output, "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["award_id", "recipient_id", "match_method", "match_score"])
    rows.writerows([f"A{n}", f"R{n}", "name", 90] for n in range(12))
"""
SETTINGS = """\
enricher: {command: '{python} link.py {awards} {recipients} {output}'}
fixtures: {awards: awards.csv, recipients: recipients.csv, truth: truth.csv}
"""


@pytest.fixture
def folder(tmp_path):
    write_fixture(tmp_path)
    (tmp_path / "link.py").write_text(ENGINE)
    (tmp_path / "sbir-gate.yaml").write_text(SETTINGS)
    (tmp_path / "temporary").mkdir()
    return tmp_path


def trial(folder, *arguments):
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder / "temporary")}
    return run_in_process(["trial", *arguments], folder, environment)


@pytest.mark.slow
def test_a_trial_without_time_prints_what_it_takes_and_leaves_nothing_behind(folder):
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = trial(folder, "--budget", "1", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["awards"], found["gate"], found["budget_seconds"]) == (12, "enrichment", 1.0)
    assert found["needed_seconds"] > 1
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert list((folder / "temporary").iterdir()) == []
    assert not (folder / "reports").exists()


def test_wrong_input_is_2_and_a_broken_engine_3(folder):
    assert trial(folder, "--percent", "0").returncode == 2
    refused = trial(folder, "--enricher", "run {awards}")
    assert (refused.returncode, refused.stdout) == (2, "")
    (folder / "link.py").write_text("raise SystemExit('no column Firm')")
    broken = trial(folder, "-q")
    assert (broken.returncode, broken.stdout) == (3, "")
    assert "the enricher ended with exit status 1: no column Firm" in broken.stderr


@pytest.mark.slow
def test_all_of_it_on_a_small_engine(folder):
    done = trial(folder, "--budget", "180", "--percent", "200", "-q")
    assert done.returncode == 0, done.stderr
    for line in ("unchanged: false alarms", "time +200%", "lost links", "Advised settings", "max_pairs:"):
        assert line in done.stdout


@pytest.mark.parametrize("option", [("--budget", "nan"), ("--budget", "inf"), ("--percent", "nan")])
def test_a_number_that_is_not_finite_is_refused(folder, option):
    done = trial(folder, *option)
    assert done.returncode == 2
    assert f"{option[1]} is not a finite number" in done.stderr
