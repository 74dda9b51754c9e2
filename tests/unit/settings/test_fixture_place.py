"""Why a fixture is not where a command is called."""

import os
import subprocess

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.settings import load_settings
from sbir_gate.settings.fixture_place import check_fixture_place, fixture_place_fault
from tests.program import run_in_process

GATE = "fixtures: {awards: own/a.csv, recipients: own/r.csv, truth: null}\n"
CALL = "relative paths start in the folder where sbir-gate is called: run 'cd {}' first"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_files(folder):
    (folder / "own").mkdir()
    for name in ("a.csv", "r.csv"):
        (folder / "own" / name).write_text("")


def fault(folder, config=None, *assignments):
    os.chdir(folder)
    return fixture_place_fault(load_settings(config, {}, {}, assignments), folder)


def test_without_settings_and_fixture_the_way_to_begin_is_named(repository):
    found = fault(repository / "sub")
    assert str(found) == "no sbir-gate.yaml here or in a folder above; run 'sbir-gate init'"
    with pytest.raises(ConfigurationError) as caught:
        check_fixture_place(load_settings(None, {}))
    assert (caught.value.message, caught.value.hint) == (str(found), "")


@pytest.mark.parametrize("assignment", ["fixtures.awards=x.csv", None])
def test_other_awards_or_those_of_the_defaults_need_no_settings(repository, assignment):
    if assignment is None:
        (repository / "fixtures").mkdir()
        (repository / "fixtures" / "awards.csv").write_text("")
    assert fault(repository, None, *filter(None, [assignment])) is None


def test_settings_in_a_folder_above_say_where_to_call_the_command(repository):
    (repository / "sbir-gate.yaml").write_text(GATE)
    with_files(repository)
    assert fault(repository) is None
    found = fault(repository / "sub")
    assert (found.path, found.column, found.value) == (
        f"{repository}/sbir-gate.yaml:1",
        "fixtures.awards",
        "own/a.csv",
    )
    assert found.hint == CALL.format("..")


def test_the_file_that_a_project_names_is_not_the_folder_to_call_in(repository):
    (repository / "config").mkdir()
    (repository / "config" / "gate.yaml").write_text(GATE)
    (repository / "pyproject.toml").write_text('[tool.sbir-gate]\nconfig = "config/gate.yaml"\n')
    with_files(repository)
    assert fault(repository / "sub").hint == CALL.format("..")


def test_settings_above_may_be_those_of_files_here(repository):
    (repository / "sbir-gate.yaml").write_text(GATE)
    with_files(repository)
    with_files(repository / "sub")
    assert fault(repository / "sub") is None


def test_what_is_nowhere_or_given_for_the_call_is_another_error(repository):
    (repository / "sbir-gate.yaml").write_text(GATE)
    assert fault(repository / "sub") is None
    with_files(repository)
    given = ["fixtures.awards=own/a.csv", "fixtures.recipients=own/r.csv"]
    assert fault(repository / "sub", None, *given) is None


@pytest.mark.parametrize(
    "arguments", [["run", "--quick"], ["fixture", "status"], ["label"], ["explain", "A1"]]
)
def test_commands_say_so_and_leave_nothing_behind(repository, arguments):
    (repository / "sbir-gate.yaml").write_text(GATE)
    with_files(repository)
    done = run_in_process(arguments, repository / "sub", {"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
    assert done.stderr.endswith(f"{CALL.format('..')}\n")
    assert list((repository / "sub").iterdir()) == []
