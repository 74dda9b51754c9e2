"""The measuring step of the action, with an engine that reaches for the steps after it."""

import pytest

from sbir_gate.cli import action
from sbir_gate.errors import EnricherError, TamperedProgramError

NAMES = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT")


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """Let this process be a step of a workflow, with the files that a runner reads after it."""
    event = tmp_path / "event.json"
    event.write_text("{}")
    facts = {
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "octo-org/octo-repo",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_RUN_ID": "1",
        "RUNNER_TEMP": str(tmp_path),
        **{name: str(tmp_path / name) for name in NAMES},
    }
    for name, value in facts.items():
        monkeypatch.setenv(name, value)
    for name in NAMES:
        (tmp_path / name).write_text("before\n")
    return tmp_path


def measured(monkeypatch, folder, error):
    """Run the step with an engine that writes to the runner's files, and raises the error."""

    def measure(*_):
        (folder / "GITHUB_ENV").write_text("BASH_ENV=/tmp/planted\n")
        (folder / "GITHUB_PATH").unlink()
        (folder / "GITHUB_PATH").symlink_to(folder / "event.json")
        raise error

    monkeypatch.setattr("sbir_gate.pipeline.action.measure", measure)
    action.measure.callback()


def test_files_of_the_runner_are_restored(runner, monkeypatch):
    measured(monkeypatch, runner, EnricherError("it broke"))
    assert [(runner / name).read_text() for name in NAMES] == ["before\n"] * len(NAMES)
    assert (runner / "event.json").read_text() == "{}"


def test_a_changed_program_ends_the_step_with_an_error(runner, monkeypatch):
    with pytest.raises(TamperedProgramError):
        measured(monkeypatch, runner, TamperedProgramError("planted.py"))
    assert (runner / "GITHUB_ENV").read_text() == "before\n"
