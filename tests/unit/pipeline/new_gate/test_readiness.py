from dataclasses import replace
from pathlib import Path

import pytest

from sbir_gate.pipeline.new_gate.file_plan import Fate, NewFile, PlannedFile
from sbir_gate.pipeline.new_gate.file_texts import GateFacts
from sbir_gate.pipeline.new_gate.place import Place
from sbir_gate.pipeline.new_gate.python_setup import PythonSetup
from sbir_gate.pipeline.new_gate.readiness import Problem, open_settings
from sbir_gate.settings.effective import load_settings

COMMAND = "{python} enrich.py {awards} {recipients} {output}"
WRITTEN = ("awards.csv", "recipients.parquet", "truth.csv", "draw.json")
FACTS = GateFacts(
    name="",
    command=COMMAND,
    python="",
    awards="fixtures/awards.csv",
    recipients="fixtures/recipients.parquet",
    truth="fixtures/truth.csv",
    truth_file="fixtures/truth.csv",
    draw="fixtures/draw.json",
    branch="main",
    is_branch_known=True,
    action="",
    setup=PythonSetup("", "", "", ()),
    environment=".venv",
    folder="",
    settings_file="sbir-gate.yaml",
)
ALL = f"""\
enricher: {{command: '{COMMAND}'}}
fixtures: {{awards: fixtures/awards.csv, recipients: fixtures/recipients.parquet,
  truth: fixtures/truth.csv, draw: fixtures/draw.json}}
"""


def found(folder, settings, written=WRITTEN, facts=FACTS):
    path = folder / "sbir-gate.yaml"
    path.write_text(settings)
    planned = [PlannedFile(NewFile(f"fixtures/{name}", b""), Fate.CREATED) for name in written]
    place = Place(folder, "", has_git=False)
    return {each.key: each for each in open_settings(load_settings(path, {}), facts, place, planned)}


def test_settings_that_name_all_leave_nothing_open(tmp_path):
    assert found(tmp_path, ALL) == {}


@pytest.mark.parametrize("settings", ["gate: {max_lost: 3}\n", "enricher: {python: python3}\n"])
def test_settings_that_name_no_fixture_are_open_where_the_defaults_lead_to_nothing(tmp_path, settings):
    unset = found(tmp_path, settings)
    assert list(unset) == ["fixtures.recipients", "fixtures.draw", "enricher.command"]
    missing = unset["fixtures.recipients"]
    assert (missing.problem, missing.value) == (Problem.MISSING_FILE, "fixtures/recipients.csv")
    assert missing.wanted == "fixtures/recipients.parquet"
    assert missing.origin.startswith("config/base.yaml:")
    assert unset["enricher.command"].problem is Problem.OTHER_ENGINE
    assert not unset["fixtures.draw"].is_needed


def test_a_file_that_the_team_has_is_its_choice_and_one_that_it_lacks_is_open(tmp_path):
    settings = ALL.replace("fixtures/awards.csv", "own.csv")
    assert found(tmp_path, settings)["fixtures.awards"].value == "own.csv"
    (tmp_path / "own.csv").touch()
    assert found(tmp_path, settings) == {}


def test_without_a_label_the_truth_that_the_defaults_name_is_switched_off(tmp_path):
    settings = ALL.replace("truth: fixtures/truth.csv, ", "")
    unset = found(
        tmp_path, settings, ("awards.csv", "recipients.parquet", "draw.json"), replace(FACTS, truth="")
    )
    assert [(each.key, each.wanted) for each in unset.values()] == [("fixtures.truth", "null")]


def test_a_file_of_a_fixture_that_was_kept_has_no_value_that_helps(tmp_path):
    unset = found(tmp_path, ALL, written=("awards.csv",))
    assert {each.key: each.wanted for each in unset.values()} == dict.fromkeys(
        ("fixtures.recipients", "fixtures.truth", "fixtures.draw"), ""
    )


def test_a_gate_of_a_folder_needs_a_name_of_its_own(tmp_path):
    named = replace(FACTS, name="services-link")
    (unset,) = found(tmp_path, ALL, facts=named).values()
    assert (unset.key, unset.wanted, unset.is_needed) == ("gate.name", "services-link", False)
    assert found(tmp_path, f"{ALL}gate: {{name: mine}}\n", facts=named) == {}


def test_paths_start_in_the_folder_of_the_project(tmp_path):
    project = tmp_path / "services"
    project.mkdir()
    (project / "sbir-gate.yaml").write_text(ALL)
    planned = [PlannedFile(NewFile(f"services/fixtures/{name}", b""), Fate.UNCHANGED) for name in WRITTEN]
    place = Place(tmp_path, "services", has_git=True)
    settings = load_settings(Path(project / "sbir-gate.yaml"), {})
    assert not list(open_settings(settings, FACTS, place, planned))
