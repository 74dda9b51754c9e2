"""`sbir-gate run --base` as its users meet it: in a repository, on the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sbir_gate.documents import load_run, save_run
from sbir_gate.model.verdict import Outcome
from tests.end_to_end.conftest import Stage
from tests.factories_git import ENVIRONMENT, Repository, make_repository
from tests.findings import notes, reasons

ROOT = Path(__file__).parents[2]
TOY = """\
import csv, sys, time
VERSION = 1
with open(sys.argv[1]) as file, open(sys.argv[3], "w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
    for number, row in enumerate(csv.DictReader(file)):
        writer.writerow([row["award_id"], f"R{number}", "uei-exact", 100])
"""
FILES = {
    "enrich.py": TOY,
    "gate.yaml": "enricher: {command: '{python} enrich.py {awards} {recipients} {output}'}\n",
    ".gitignore": "reports/\n.venv\n",
    "fixtures/awards.csv": "award_id,Company\n" + "".join(f"A{n},Firm {n} Inc\n" for n in range(9)),
    "fixtures/recipients.csv": "recipient_id,legal_business_name\n"
    + "".join(f"R{n},FIRM {n} INC\n" for n in range(9)),
    "fixtures/truth.csv": "award_id,recipient_ids\n" + "".join(f"A{n},R{n}\n" for n in range(9)),
}
RUN = ("run", "--config", "gate.yaml", "--set", "benchmark.warm_ups=0")


@pytest.fixture
def repository(tmp_path):
    made = make_repository(tmp_path / "repository")
    made.commit(FILES)
    made.git("switch", "--quiet", "--create", "change")
    (made.folder / ".venv").symlink_to(sys.prefix)
    return made


@pytest.fixture
def team(repository, tmp_path):
    """Return the stage of a team that gates an enricher of its own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return Stage(repository.folder, ENVIRONMENT | {"TMPDIR": str(temporary), "HOME": str(tmp_path)})


def check_nothing_stays(team):
    assert Repository(team.folder).worktrees() == [str(team.folder)]
    assert team.leftovers() == []


def run_number(path):
    """Return what orders the Runs of one second: the second one ends in -2."""
    return len(path.name)


def saved_runs(team):
    base, head = sorted((team.folder / "reports" / "benchmarks").glob("*.json"), key=run_number)
    return base, head


def test_a_run_beside_the_base_is_reported_and_can_be_reported_again(team):
    done = team.gate(*RUN, "--base", "main", "--pairs", "5", "--format", "markdown")
    assert done.returncode == 0, done.stderr
    base, head = saved_runs(team)
    for words in ("checking out the base", "pair 4 of 5: base", f"base: {base.relative_to(team.folder)}"):
        assert words in done.stderr
    written = (team.folder / "reports" / "report.md").read_text(encoding="utf-8")
    assert done.stdout == written
    judged_again = team.gate("report", head, "--config", "gate.yaml")
    compared = team.gate("diff", base, head, "--config", "gate.yaml", "--format", "markdown")
    assert judged_again.stdout == compared.stdout == written
    # the stored baseline does not count, and there is none
    assert team.verdict().outcome is not Outcome.NO_BASELINE
    check_nothing_stays(team)


@pytest.mark.slow
def test_without_a_name_the_base_is_the_target_branch_of_the_pull_request(team, repository):
    repository.commit({"enrich.py": TOY.replace("VERSION = 1", "VERSION = 2")})
    repository.git("branch", "release")
    commit = repository.commit({"enrich.py": TOY.replace("VERSION = 1", "VERSION = 3")})
    for environment, expected in (({}, "main"), ({"GITHUB_BASE_REF": "release"}, "release")):
        done = team.gate(*RUN, "--base", "--quick", "--quiet", **environment)
        assert done.returncode == 0, done.stderr
        assert team.verdict().reference_commit == repository.git("rev-parse", expected)
        assert team.verdict().head_commit == commit
        assert done.stderr == ""


@pytest.mark.slow
def test_the_base_may_be_what_was_fetched(team, repository):
    repository.commit({"enrich.py": TOY.replace("VERSION = 1", "VERSION = 2")})
    repository.git("fetch", "--quiet", ".", "main")
    for given in (("--base", "FETCH_HEAD"), ("--base", "HEAD", "--policy-from", "FETCH_HEAD")):
        done = team.gate(*RUN, *given, "--quick", "--quiet")
        assert (done.returncode, done.stderr) == (0, "")
        found = team.verdict()
        assert repository.git("rev-parse", "main") in {found.reference_commit, found.policy_commit}


@pytest.mark.slow
def test_a_plain_run_measures_the_commit_of_a_baseline_of_another_machine(team, repository):
    measured = team.gate(*RUN, "--repeats", "2")
    assert measured.returncode == 0, measured.stderr
    (run_path,) = (team.folder / "reports" / "benchmarks").glob("*.json")
    there = load_run(run_path)
    elsewhere = replace(there, machine=replace(there.machine, fingerprint="0" * 16))
    baseline = save_run(team.folder / "runs", elsewhere)
    repository.commit({"baselines/enrichment.json": baseline.read_text(encoding="utf-8")})
    done = team.gate("run", "--config", "gate.yaml")
    assert done.returncode == 0, done.stderr
    assert "the baseline is of another machine" in done.stdout
    assert team.verdict().reference_commit == there.source.commit
    assert team.verdict().policy_commit == ""
    _, head = sorted(
        set((team.folder / "reports" / "benchmarks").glob("*.json")) - {run_path}, key=run_number
    )
    again = team.gate("report", head, "--config", "gate.yaml")
    assert again.stdout == (team.folder / "reports" / "report.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_base_that_breaks_is_status_3_and_not_heads_fault(team, repository):
    repository.git("switch", "--quiet", "main")
    repository.commit({"enrich.py": "raise SystemExit('no luck')\n"})
    repository.git("switch", "--quiet", "--create", "mended")
    repository.commit({"enrich.py": TOY})
    done = team.gate(*RUN, "--base", "main")
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "error: the base: the enricher ended with exit status 1: no luck; head is not to blame"
    )
    assert team.verdict().outcome is Outcome.ERROR
    check_nothing_stays(team)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pairs", "3"], "--pairs needs --base; add --base"),
        (["--max-seconds", "3"], "--max-seconds needs --base; add --base"),
        (["--base", "--repeats", "3"], "--repeats has no effect with --base"),
        (["--base", "main", "--pairs", "0"], "--pairs"),
        (["--base", "main", "--pairs", "3"], "so no time or memory can ever fail"),
        (["--base", "main", "--max-seconds", "0"], "--max-seconds"),
        (["--base", "nowhere"], "there is no commit 'nowhere'"),
        (["--base", "$(touch hacked)"], "there is no commit '$(touch hacked)'"),
        (["--base=--upload-pack=touch hacked"], "--upload-pack"),
        (["--base", "main", "--set", "benchmark.max_pairs=2"], "must not be below min_pairs"),
        (["--base", "main", "--set", "benchmark.base_lock=[../x]"], "must be a path within the folder"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(team, arguments, words):
    done = team.gate(*RUN, "--quiet", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert not (team.folder / "hacked").exists()
    check_nothing_stays(team)


def test_outside_of_a_repository_it_says_so(team, tmp_path):
    outside = tmp_path / "outside"
    (outside / "fixtures").mkdir(parents=True)
    (outside / ".venv").symlink_to(sys.prefix)
    done = replace(team, folder=outside).gate("run", "--base", "--quiet")
    assert done.returncode == 2
    assert "git cannot use this folder" in done.stderr


HANG = {"enrich.py": TOY + "time.sleep(3600)\n"}


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("checking out", signal.SIGINT),
        ("pair 1 of 5: base", signal.SIGINT),
        *[
            pytest.param(word, number, marks=pytest.mark.slow)
            for word, number in (
                ("pair 1 of 5: base", signal.SIGTERM),
                ("reading the fixtures", signal.SIGINT),
                ("checking out", signal.SIGTERM),
            )
        ],
    ],
)
@pytest.mark.slow
def test_an_interrupted_run_leaves_no_worktree_behind(team, repository, word, number):
    repository.git("switch", "--quiet", "main")
    repository.commit(HANG)
    repository.git("switch", "--quiet", "--create", "quick")
    repository.commit({"enrich.py": TOY})
    process = team.start(
        *RUN, "--base", "main", "--pairs", "5", stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    said = ""
    while word not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    time.sleep(0.05)  # into the midst of what it announced
    os.killpg(process.pid, number)
    shown, rest = process.communicate(timeout=120)
    assert process.returncode == 128 + number, said + rest
    assert rest.strip().endswith("interrupted")
    assert "Traceback" not in rest
    assert shown == ""
    assert not (team.folder / "reports" / "verdict.json").exists()
    check_nothing_stays(team)


@pytest.mark.slow
def test_the_real_engine_of_two_commits_is_compared_with_the_settings_of_each(tmp_path):
    """A change of a default in base.yaml alone is seen: the base runs with its own."""
    repository = make_repository(tmp_path / "project")
    for name in ("sbir_gate", "config", "fixtures", "pyproject.toml", "requirements.lock"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(repository.folder)], check=True)
    base = repository.commit({".gitignore": "reports/\n.venv\n__pycache__/\n"})
    defaults = (repository.folder / "config" / "base.yaml").read_text(encoding="utf-8")
    repository.git("switch", "--quiet", "--create", "change")
    changed = defaults.replace("max_pairs_per_key: 600", "max_pairs_per_key: 1200")
    repository.commit({"config/base.yaml": changed})
    (repository.folder / ".venv").symlink_to(sys.prefix)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # so that the gate itself, too, is that of the repository
    environment = ENVIRONMENT | {"TMPDIR": str(temporary), "PYTHONPATH": str(repository.folder)}
    team = Stage(repository.folder, environment)
    done = team.program("run", "--base", "main", "--quick", "--set", "matching.max_candidates=3")
    verdict = team.verdict()
    assert verdict.outcome is Outcome.FAIL, done.stderr
    assert done.returncode == 1
    assert verdict.reference_commit == base
    assert "Candidates generated rose" in " ".join(reasons(verdict))
    assert "matching.max_pairs_per_key is 1200 in head, 600 in the base" in notes(verdict)
    assert not any("max_candidates" in note for note in notes(verdict))
    base_run, head_run = (load_run(path) for path in saved_runs(team))
    assert max(len(award.decision.candidate_ids) for run in (base_run, head_run) for award in run.awards) == 3
    check_nothing_stays(team)
