"""Pull requests that bring a gate along, or move its engine: real git, real processes, a toy enricher."""

from __future__ import annotations

from pathlib import Path

import pytest

from sbir_gate.model.finding import Rule
from sbir_gate.model.run import GapKind
from sbir_gate.model.verdict import Outcome
from tests.findings import reasons, rules
from tests.integration.test_side_by_side import (
    COMMAND,
    FIXTURE,
    Team,
    base_of,
    make_repository,
    toy,
)
from tests.tiers import first_fast

SETTINGS = f"enricher:\n  command: '{COMMAND}'\n"
WORKFLOW = {".github/workflows/gate.yml": "steps: [{run: sbir-gate run --base}]\n"}
PLENTY = "gate: {max_lost: 1000}\n"


@pytest.fixture
def team(tmp_path, monkeypatch):
    """Return a team whose main has nothing of the gate, on a branch of it."""
    repository = make_repository(tmp_path / "repository")
    repository.commit({"pipeline.py": "", ".gitignore": "reports/\n"})
    repository.git("switch", "--quiet", "--create", "change")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(repository.folder)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return Team(repository, repository.folder, temporary)


@pytest.fixture
def gated(team):
    """Let main have the gate already."""
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": toy(), "sbir-gate.yaml": SETTINGS, **FIXTURE})
    team.repository.git("switch", "--quiet", "--create", "next")
    return team


def own(team, **options):
    """Run the gate by the settings file of the repository alone."""
    return team.gate(**{"enricher.command": None} | options)


def test_a_change_that_adds_the_gate_has_nothing_to_be_compared_with(team):
    team.repository.commit({"enrich.py": toy(), "sbir-gate.yaml": SETTINGS, **FIXTURE, **WORKFLOW})
    result = own(team)
    assert result.verdict.outcome is Outcome.NO_BASELINE
    assert result.run.base_gap.kind is GapKind.NEW_GATE
    assert Rule.GATE_IS_NEW in rules(result.verdict.notes)
    assert result.reference_path is None
    assert "checking out" not in " ".join(team.told)


@pytest.mark.slow
def test_its_absolute_limits_hold_all_the_same(team):
    team.repository.commit({"enrich.py": toy(links=3), "sbir-gate.yaml": SETTINGS, **FIXTURE})
    assert own(team).verdict.outcome is Outcome.FAIL


@pytest.mark.slow
def test_a_second_gate_is_new_too(gated):
    second = SETTINGS.replace("enrich.py", "second.py") + "gate: {name: second}\n"
    gated.repository.commit({"second.py": toy(version="second"), "second.yaml": second})
    result = own(gated, config=Path("second.yaml"))
    assert result.verdict.outcome is Outcome.NO_BASELINE
    assert result.run.gate == "second"
    # while the first one is compared as ever
    assert own(gated).run.base_gap is None


@pytest.mark.parametrize("is_loose", first_fast([False, True]))
def test_an_engine_that_replaces_the_first_is_compared_with_it(gated, is_loose):
    settings = SETTINGS.replace("enrich.py", "better.py") + (PLENTY if is_loose else "")
    gated.repository.git("rm", "--quiet", "enrich.py")
    gated.repository.commit({"better.py": toy(version="better", links=3), "sbir-gate.yaml": settings})
    result = own(gated)
    assert (result.run.engine_notes["version"], base_of(result).engine_notes["version"]) == (
        "better",
        "first",
    )
    assert result.verdict.outcome is Outcome.FAIL


def test_a_moved_engine_is_compared_with_itself(gated):
    gated.repository.git("rm", "--quiet", "enrich.py")
    settings = SETTINGS.replace("enrich.py", "engine/enrich.py")
    gated.repository.commit({"engine/enrich.py": toy(version="moved"), "sbir-gate.yaml": settings})
    result = own(gated)
    assert result.verdict.outcome not in {Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.NO_BASELINE}
    assert base_of(result).engine_notes["version"] == "first"


def test_where_the_caller_names_the_command_a_moved_engine_is_no_way_past_the_gate(gated):
    gated.repository.git("rm", "--quiet", "enrich.py")
    gated.repository.commit({"engine/enrich.py": toy(version="moved")})
    result = gated.gate(**{"enricher.command": COMMAND.replace("enrich.py", "engine/enrich.py")})
    assert result.verdict.outcome is Outcome.INCOMPARABLE
    assert result.run.base_gap.names == ("engine/enrich.py",)
    (reason, *_) = reasons(result.verdict)
    assert "has no engine/enrich.py" in reason
    assert "write the command into the settings file" in reason


@pytest.mark.slow
def test_nor_is_a_module(gated):
    gated.repository.commit({"src/engine/__main__.py": toy(), "src/engine/__init__.py": ""})
    command = COMMAND.replace("enrich.py", "-m engine")
    environment = {"PYTHONPATH": "src"}
    result = gated.gate(environment=environment, **{"enricher.command": command})
    assert result.verdict.outcome is Outcome.INCOMPARABLE
    assert result.run.base_gap.names == ("engine",)


@pytest.mark.slow
def test_the_report_of_such_a_run_says_the_same_again(gated):
    gated.repository.commit({"new.py": toy()})
    result = gated.gate(**{"enricher.command": COMMAND.replace("enrich.py", "new.py")})
    text = result.report_path.read_text()
    assert "incomparable" in text
    assert "new.py" in text


@pytest.mark.parametrize("name", first_fast(["--set", "variable"]))
def test_a_command_of_a_variable_or_assignment_is_the_callers_too(gated, name):
    gated.repository.commit({"new.py": toy()})
    command = COMMAND.replace("enrich.py", "new.py")
    if name == "--set":
        result = gated.gate(f"enricher.command={command}", **{"enricher.command": None})
    else:
        environment = {"SBIR_GATE__ENRICHER__COMMAND": command}
        result = gated.gate(environment=environment, **{"enricher.command": None})
    assert result.verdict.outcome is Outcome.INCOMPARABLE
