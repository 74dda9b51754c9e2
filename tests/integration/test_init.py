"""`sbir-gate init` in repositories of teams, with a pipeline of their own, and the verdicts that follow."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sbir_gate.documents import load_fixture_draw
from tests.factories_git import make_repository
from tests.factories_pipelines import COMMAND, HARMFUL, HARMLESS, PERSONAL, write_pipeline
from tests.factories_pipelines import ENGINE as REAL
from tests.program import run_in_process
from tests.tiers import first_fast

BIN = Path(sys.executable).parent
SOURCES = ["--awards", "data/awards.csv", "--recipients", "data/recipients.csv"]
ENGINE = ["--engine", COMMAND, "--python", ".venv/bin/python"]
# an engine that is quick to start: what is written does not depend on what it does
QUICK = """\
import csv, sys
rows = csv.DictReader(open(sys.argv[1], newline=""))
output = csv.writer(open(sys.argv[3], "w", newline=""))
output.writerow(["award_id", "recipient_id", "match_method", "match_score"])
output.writerows([row["award_id"], "R1", "name", 100] for row in rows)
"""


def team(folder, engine=QUICK, awards=200):
    """Return a repository with a pipeline and an environment; the data are not committed."""
    made = make_repository(folder)
    write_pipeline(made.folder, awards, engine)
    (made.folder / ".venv").symlink_to(sys.prefix)
    made.commit({".gitignore": "data/\n.venv\n"})
    return made


def init(folder, *options, engine=ENGINE, sources=SOURCES):
    return run_in_process(["init", *sources, *engine, *options], folder, {"PATH": os.environ["PATH"]})


def run(folder, *arguments):
    return run_in_process(arguments, folder, {"PATH": os.environ["PATH"]})


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", ".venv", "data"} & set(path.relative_to(folder).parts)
    }


def test_awards_without_ids_get_them_and_lose_columns_of_persons(tmp_path):
    repository = team(tmp_path / "team")
    done = init(repository.folder)
    assert done.returncode == 0, done.stderr
    awards = rows_of(repository.folder / "fixtures" / "awards.csv")
    assert len(awards) == len({award["award_id"] for award in awards}) == 200
    assert list(awards[0])[-1] == "award_id"
    assert set(PERSONAL).isdisjoint(awards[0])
    assert "left out personal columns of awards: Contact Name" in done.stdout
    assert "data/awards.csv: awards: name from 'Company'; uei from 'UEI'" in done.stdout
    assert "data/awards.csv: no column award_id: ids are made of each row" in done.stdout
    assert "warning: cells of 'Abstract' with an e-mail address: 1" in done.stdout
    truth = rows_of(repository.folder / "fixtures" / "truth.csv")
    assert {(row["note"], row["identifiers"]) for row in truth} == {("", "uei-only")}
    assert len(truth) == sum(1 for award in awards if award["UEI"])
    assert f"labelled {len(truth)} of 200 awards" in done.stdout
    assert "to do: label more awards: sbir-gate label --serve --truth fixtures/truth.csv" in done.stdout
    assert "  draw: 'fixtures/draw.json'\n" in (repository.folder / "sbir-gate.yaml").read_text()
    draw = load_fixture_draw(repository.folder / "fixtures" / "draw.json")
    assert (draw.population, draw.size, draw.awards.name, draw.awards.rows) == (200, 200, "awards.csv", 200)
    assert "to do: the engine linked" not in done.stdout


@pytest.mark.slow
def test_what_it_writes_is_valid_and_loads(tmp_path):
    repository = team(tmp_path / "team")
    init(repository.folder, "--forks")
    workflow = repository.folder / ".github" / "workflows" / "gate.yml"
    workflows = [workflow, workflow.with_name("gate-comment.yml")]
    for command in (
        [BIN / "actionlint", *workflows],
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows],
    ):
        path = f"{BIN}:{os.environ['PATH']}"
        checked = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": path})
        assert checked.returncode == 0, checked.stdout + checked.stderr
    shown = run(repository.folder, "config", "show")
    assert shown.returncode == 0, shown.stderr
    assert "  awards: fixtures/awards.csv  # sbir-gate.yaml:" in shown.stdout
    assert "  python: '.venv/bin/python'\n" in (repository.folder / "sbir-gate.yaml").read_text()
    found = run(repository.folder, "doctor")
    assert found.returncode == (1 if "OWNER/sbir-gate@COMMIT" in workflow.read_text() else 0), found.stdout
    assert [line for line in found.stdout.splitlines() if line.startswith(("error: ", "warning: "))] == [
        line for line in found.stdout.splitlines() if "is a placeholder, not the address of an action" in line
    ]


@pytest.mark.slow
def test_a_second_time_changes_nothing_and_keeps_what_the_team_changed(tmp_path):
    repository = team(tmp_path / "team")
    init(repository.folder)
    before = content(repository.folder)
    again = init(repository.folder)
    assert content(repository.folder) == before
    assert "created" not in again.stdout
    changed = {"sbir-gate.yaml": "gate: {max_lost: 3}\n", "fixtures/truth.csv": "award_id,recipient_ids\n"}
    label = before["fixtures/truth.csv"].decode().splitlines()[1].split(",")[0]
    changed["fixtures/truth.csv"] += f"{label},R5\n"
    repository.write_all(changed)
    before = content(repository.folder)
    kept = init(repository.folder)
    assert content(repository.folder) == before
    assert "kept: sbir-gate.yaml" in kept.stdout
    assert "kept: fixtures/truth.csv" in kept.stdout
    init(repository.folder, "--force")
    after = content(repository.folder)
    assert b"max_lost" not in after["sbir-gate.yaml"]
    # what a person decided stays, also beside an identifier that says otherwise
    labels = {row["award_id"]: row for row in rows_of(repository.folder / "fixtures" / "truth.csv")}
    assert (labels[label]["recipient_ids"], labels[label]["note"]) == ("R5", "")
    assert len(labels) > 1


@pytest.mark.slow
def test_a_dry_run_prints_all_and_writes_nothing(tmp_path):
    repository = team(tmp_path / "team")
    before = content(repository.folder)
    done = init(repository.folder, "--dry-run")
    assert done.returncode == 0
    assert content(repository.folder) == before
    assert "would be created: sbir-gate.yaml" in done.stdout
    assert "    on:\n      pull_request:" in done.stdout


def test_without_a_terminal_what_is_missing_is_named(tmp_path):
    repository = team(tmp_path / "team")
    done = run(repository.folder, "init", "--recipients", "data/recipients.csv")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --awards, --engine: missing, and there is no terminal to ask on; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    first_fast(
        [
            ({"engine": ["--engine", f"cd x && {COMMAND}"]}, "&&"),
            ({"engine": ["--engine", "sh enrich.sh"]}, "placeholder {awards} is missing"),
            (
                {"sources": ["--awards", "no.csv", "--recipients", "data/recipients.csv"]},
                "no such file or folder",
            ),
        ]
    ),
)
def test_an_answer_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path, changes, problem):
    repository = team(tmp_path / "team")
    before = content(repository.folder)
    done = init(repository.folder, **changes)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "sbir-gate-init-" not in done.stderr  # its temporary folder
    assert content(repository.folder) == before


@pytest.mark.slow
def test_an_engine_that_does_not_keep_the_contract_is_reported(tmp_path):
    repository = team(tmp_path / "team", QUICK.replace('"R1"', '"R1.0"'))
    done = init(repository.folder)
    assert done.returncode == 1
    assert "not in {recipients}" in done.stdout
    broken = team(tmp_path / "broken", "raise SystemExit(5)\n")
    done = init(broken.folder)
    assert done.returncode == 3
    assert "to do: correct the engine, until this finds no error: sbir-gate check-engine\n" in done.stdout
    done = init(broken.folder, "--quiet")
    assert done.returncode == 3
    assert done.stdout.startswith("error: engine: the enricher ended with exit status 5")


@pytest.mark.slow
def test_a_truth_of_ones_own_comes_first(tmp_path):
    repository = team(tmp_path / "team")
    init(repository.folder)
    awards = rows_of(repository.folder / "fixtures" / "awards.csv")
    shutil.rmtree(repository.folder / "fixtures")
    none, other = (award["award_id"] for award in awards[1:3])
    truth = tmp_path / "truth.csv"
    truth.write_text(f"award_id,recipient_ids\n{none},\n{other},S3 S4\n")
    done = init(repository.folder, "--truth", str(truth), "--force")
    labels = {
        row["award_id"]: row["recipient_ids"] for row in rows_of(repository.folder / "fixtures" / "truth.csv")
    }
    assert (labels[none], labels[other]) == ("", "S3 S4")
    assert "2 by your truth" in done.stdout
    truth.write_text("award_id,recipient_ids\nA-unknown,R1\n")
    refused = init(repository.folder, "--truth", str(truth))
    assert refused.returncode == 2
    assert "1 of 1 awards are not in the fixture" in refused.stderr


@pytest.mark.slow
def test_without_identifiers_there_is_no_truth_and_the_settings_say_so(tmp_path):
    repository = team(tmp_path / "team")
    awards = repository.folder / "data" / "awards.csv"
    rows = rows_of(awards)
    with awards.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "UEI": ""} for row in rows)
    done = init(repository.folder)
    assert done.returncode == 0, done.stderr
    assert not (repository.folder / "fixtures" / "truth.csv").exists()
    settings = (repository.folder / "sbir-gate.yaml").read_text()
    assert "  truth: null\n" in settings
    assert "# sbir-gate label --serve --truth fixtures/truth.csv\n" in settings


@pytest.mark.slow
def test_a_folder_of_a_larger_repository_has_a_gate_of_its_own(tmp_path):
    repository = make_repository(tmp_path / "mono")
    service = repository.folder / "services" / "link"
    write_pipeline(service, engine=QUICK)
    repository.commit({".gitignore": "data/\n"})
    done = init(service, engine=["--engine", COMMAND, "--python", sys.executable])
    assert done.returncode == 0, done.stdout + done.stderr
    settings = (service / "sbir-gate.yaml").read_text()
    assert f"command: '{COMMAND}'" in settings
    assert "awards: 'fixtures/awards.csv'" in settings
    assert "name: 'services-link'" in settings
    workflow = (repository.folder / ".github" / "workflows" / "gate-services-link.yml").read_text()
    # once for each job's set-up of Python, and once for its gate
    assert workflow.count("working-directory: 'services/link'") == 4
    assert (service / ".gitignore").read_text() == "# sbir-gate\nreports/\n.venv/\n"
    shown = run(service, "check-engine", "--set", f"enricher.python={sys.executable}")
    assert shown.returncode == 0, shown.stdout + shown.stderr


@pytest.mark.slow
def test_without_git_the_branch_is_marked_as_not_known(tmp_path):
    write_pipeline(tmp_path / "plain", engine=QUICK)
    done = init(tmp_path / "plain", engine=["--engine", COMMAND, "--python", sys.executable])
    assert done.returncode == 0, done.stderr
    assert "to do: no git repository names the main branch; the workflow says 'main'" in done.stdout
    workflow = (tmp_path / "plain" / ".github" / "workflows" / "gate.yml").read_text()
    assert "# which branch is the main one was not known" in workflow


@pytest.mark.slow
def test_a_gate_that_is_there_already_gets_no_second_workflow(tmp_path):
    repository = team(tmp_path / "team")
    own = {
        ".github/workflows/quality.yml": "jobs:\n  a:\n    steps:\n      - uses: o/sbir-gate@v1\n",
        "sbir-gate.yaml": "gate: {max_lost: 3}\n",
    }
    repository.commit(own)
    done = init(repository.folder)
    assert "kept: .github/workflows/quality.yml runs this gate already" in done.stdout
    assert [path.name for path in (repository.folder / ".github" / "workflows").iterdir()] == ["quality.yml"]
    assert (repository.folder / "sbir-gate.yaml").read_text() == own["sbir-gate.yaml"]
    # which names no engine: the gate would measure another one
    assert done.returncode == 1
    assert f"not the one that you named; set it to '{COMMAND}' in sbir-gate.yaml\n" in done.stdout


@pytest.mark.slow
def test_the_settings_are_where_the_project_file_names_them(tmp_path):
    repository = team(tmp_path / "team")
    repository.commit({"pyproject.toml": "[tool.sbir-gate]\nconfig = 'conf/gate.yaml'\n"})
    done = init(repository.folder)
    assert done.returncode == 0, done.stdout
    assert not (repository.folder / "sbir-gate.yaml").exists()
    assert "# conf/gate.yaml:" in run(repository.folder, "config", "show").stdout


@pytest.mark.slow
def test_pull_requests_from_forks_get_their_workflow_on_demand(tmp_path):
    repository = team(tmp_path / "team")
    path = repository.folder / ".github" / "workflows" / "gate-comment.yml"
    assert "note: pull requests from forks get no comment; --forks writes" in init(repository.folder).stdout
    assert not path.exists()
    asked = init(repository.folder, "--forks")
    assert [line for line in asked.stdout.splitlines() if line.startswith("created: ")] == [
        f"created: .github/workflows/gate-comment.yml ({path.stat().st_size:,} bytes)"
    ]
    assert "workflow_run" in path.read_text()
    before = content(repository.folder)
    again = init(repository.folder)
    assert content(repository.folder) == before
    assert "unchanged: .github/workflows/gate.yml" in again.stdout
    assert "pull requests from forks" not in again.stdout


@pytest.mark.slow
def test_the_branch_is_the_one_that_the_remote_calls_its_own(tmp_path):
    remote = make_repository(tmp_path / "remote")
    remote.branch("trunk")
    remote.commit({"a": "1"})
    remote.git("clone", "--quiet", remote.folder, tmp_path / "clone")
    write_pipeline(tmp_path / "clone", engine=QUICK)
    init(tmp_path / "clone", engine=["--engine", COMMAND, "--python", sys.executable])
    workflow = (tmp_path / "clone" / ".github" / "workflows" / "gate.yml").read_text()
    assert "branches: ['trunk']" in workflow


@pytest.mark.slow
def test_a_harmless_change_passes_and_a_harmful_one_fails(tmp_path):
    repository = team(tmp_path / "team", engine=REAL)
    assert init(repository.folder).returncode == 0
    repository.commit({})
    judged = ["run", "--quick", "--base", "main"]
    repository.branch("harmless")
    repository.commit({"enrich.py": HARMLESS})
    harmless = run(repository.folder, *judged)
    assert harmless.returncode == 0, harmless.stdout + harmless.stderr
    assert "PASS: enrichment" in harmless.stdout
    repository.branch("harmful")
    repository.commit({"enrich.py": HARMFUL})
    harmful = run(repository.folder, *judged)
    assert harmful.returncode == 1
    assert "Awards worsened" in harmful.stdout


@pytest.mark.slow
def test_an_engine_that_links_less_than_the_threshold_is_named(tmp_path):
    repository = team(tmp_path / "team", QUICK.replace('"R1"', '""'))
    done = init(repository.folder, "--dry-run")
    assert (
        "to do: the engine linked 0 of 50 awards; if that is as it must be, set enrichment.performance."
        in done.stdout
    )
