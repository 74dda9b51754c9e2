"""`--policy-from` as a pull request's job types it, on a real repository with an enricher of its own."""

import json
import shutil
from dataclasses import replace

import pytest

pytestmark = pytest.mark.slow  # tests/integration/test_edited_fixture.py has the quick ones

ENRICHER = """\
import csv, sys
awards, output, lost = sys.argv[1], sys.argv[2], int({lost})
with open(awards, newline="") as file, open(output, "w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
    for number, row in enumerate(csv.DictReader(file)):
        found = number >= lost
        answer = (f"R{{number}}", "uei-exact") if found else ("", "none")
        writer.writerow([row["award_id"], *answer, 100])
"""
GATE = """\
enricher:
  command: '{{python}} enrich.py {{awards}} {{output}} {{recipients}}'
gate:
  max_lost: {max_lost}
  significance: {significance}
  metrics:
    match_rate: {{fail_percent: {fail_percent}}}
    wall_seconds: {{fail_percent: 100000}}
    cpu_seconds: {{fail_percent: 100000}}
    recall: {{warn_percent: 1, fail_percent: {fail_percent}}}
    blocking_recall: {{warn_percent: 1, fail_percent: {fail_percent}}}
    links/uei-exact: {{warn_percent: 1, fail_percent: {fail_percent}}}
"""
STRICT = GATE.format(max_lost=2, significance=0.05, fail_percent=5)
LOOSE = GATE.format(max_lost=99, significance=0.000001, fail_percent=99)
AWARDS = 40
RUN = ("run", "-q", "--config", "gate.yaml")


@pytest.fixture(scope="module")
def template(stage, tmp_path_factory):
    """Return a repository with a baseline on main; its branch is `change`."""
    folder = tmp_path_factory.mktemp("template") / "repository"
    (folder / "fixtures").mkdir(parents=True)
    numbers = range(AWARDS)
    for name, header, rows in (
        ("awards", "award_id,Company", [f"A{number},Firm {number} Inc" for number in numbers]),
        (
            "recipients",
            "recipient_id,legal_business_name",
            [f"R{number},FIRM {number} INC" for number in numbers],
        ),
        ("truth", "award_id,recipient_ids", [f"A{number},R{number}" for number in numbers]),
    ):
        (folder / "fixtures" / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "enrich.py").write_text(ENRICHER.format(lost=0))
    (folder / "gate.yaml").write_text(STRICT)
    (folder / ".gitignore").write_text("reports/\n")
    (folder / ".venv").symlink_to(stage.folder / ".venv")
    (folder / ".gitconfig").write_text("[user]\nname = A Tester\nemail = tester@example.org\n")
    made = at(stage, folder).shell(
        "git init -q -b main && git add -A . ':!.venv' && git commit -qm one"
        " && .venv/bin/sbir-gate run -q --config gate.yaml"
        " && .venv/bin/sbir-gate baseline promote --config gate.yaml --force"
        " && git add -A baselines && git commit -qm two && git checkout -qb change"
    )
    assert made.returncode == 0, made.stderr
    return folder


def at(stage, folder):
    """Return what runs lines in a repository."""
    environment = stage.environment | {"GIT_CONFIG_GLOBAL": str(folder / ".gitconfig")}
    return replace(stage, folder=folder, environment=environment)


@pytest.fixture
def repository(stage, template, tmp_path):
    return at(stage, shutil.copytree(template, tmp_path / "repository", symlinks=True))


def loosened(repository):
    """Let the branch lose 10 of 40 awards and raise the limits that forbid it."""
    (repository.folder / "enrich.py").write_text(ENRICHER.format(lost=10))
    (repository.folder / "gate.yaml").write_text(LOOSE)
    assert repository.shell("git commit -qam loosened").returncode == 0


def test_a_change_that_raises_its_limits_fails_and_the_banner_says_so_in_every_format(repository):
    loosened(repository)
    own = repository.gate(*RUN)
    assert own.returncode == 0, own.stdout
    done = repository.gate(*RUN, "--policy-from", "main")
    assert done.returncode == 1, done.stderr
    assert "10 awards lost a correct link (limit 2)" in done.stdout
    assert "This change edits what it is judged by." in done.stdout
    # quiet as it is, it keeps the alerts, and the verdict as the last line
    assert "alert (fail, " in done.stderr
    assert done.stdout.splitlines()[-1].startswith("FAIL: ")
    assert "  - gate.max_lost: 2 → 99" in done.stdout
    report = (repository.folder / "reports" / "report.md").read_text()
    assert "> | `gate.max_lost` | 2 | 99 |" in report
    verdict = json.loads((repository.folder / "reports" / "verdict.json").read_text())["verdict"]
    assert {"what": "gate.max_lost", "before": "2", "after": "99"} in verdict["policy_edits"]
    assert verdict["policy_commit"] == repository.shell("git rev-parse main").stdout.strip()
    assert (verdict["outcome"], verdict["own_policy_outcome"]) == ("fail", "warn")


def test_saved_runs_are_judged_by_the_commit_too(repository):
    loosened(repository)
    repository.gate(*RUN)
    runs = (repository.folder / "reports" / "benchmarks").glob("*.json")
    saved = max(runs, key=lambda path: path.stat().st_mtime)
    diff = ("diff", "baselines/enrichment.json", saved, "--config", "gate.yaml")
    assert repository.gate(*diff).returncode == 0
    assert repository.gate(*diff, "--policy-from", "main").returncode == 1
    report = repository.gate("report", saved, "--config", "gate.yaml", "--policy-from", "main")
    assert report.stdout.startswith("### ❌ sbir-gate: fail")
    assert "gate.max_lost" in report.stdout
    both = repository.gate("report", saved, "--verdict", "reports/verdict.json", "--policy-from", "main")
    assert both.returncode == 2
    assert "--verdict cannot be used with --policy-from" in both.stderr


def test_a_hostile_ref_is_one_line_and_status_2(repository):
    done = repository.gate(*RUN, "--policy-from", "--upload-pack=touch x")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no commit '--upload-pack=touch x' in this repository")
    assert done.stderr.count("\n") == 1
    assert not (repository.folder / "x").exists()
    verdict = json.loads((repository.folder / "reports" / "verdict.json").read_text())["verdict"]
    assert verdict["outcome"] == "error"


def test_a_verdict_that_the_change_commits_is_not_left_where_the_true_one_is_looked_for(repository):
    loosened(repository)
    fake = repository.folder / "reports" / "verdict.json"
    fake.parent.mkdir(exist_ok=True)
    fake.write_text("a verdict of my own")
    (repository.folder / "gate.yaml").write_text(LOOSE + "reports:\n  folder: elsewhere\n")
    assert repository.gate(*RUN, "--policy-from", "main").returncode == 1
    assert json.loads(fake.read_text())["verdict"]["outcome"] == "fail"
