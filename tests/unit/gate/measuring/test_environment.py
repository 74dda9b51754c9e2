import sys

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.gate.measuring.environment import python_of_caller, scrubbed_environment

SECRETS = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_URL",
    "INPUT_PATH",
    "SLACK_WEBHOOK_URL",
    "SBIR_GATE__SLACK__WEBHOOK_URL",
    "SBIR_GATE__GITHUB_TOKEN",
    "PGPASSWORD",
    "aws_secret_access_key",
)


def test_only_the_allow_list_passes():
    environment = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "SBIR_GATE__A__B": "1",
        "OMP_NUM_THREADS": "1",
        "CI": "true",
    }
    passed = scrubbed_environment(environment, ())
    assert passed == {key: value for key, value in environment.items() if key != "CI"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_never_passes(name):
    assert scrubbed_environment({name: "x", "PATH": "/bin"}, ()) == {"PATH": "/bin"}
    with pytest.raises(ConfigurationError, match=name):
        scrubbed_environment({}, (name,))


def test_the_configuration_can_add_a_name():
    assert scrubbed_environment({"JAVA_HOME": "/java"}, ("JAVA_HOME", "ABSENT")) == {"JAVA_HOME": "/java"}


@pytest.fixture
def on_path(tmp_path):
    """Return a `python3` that somebody has on the PATH."""
    program = tmp_path / "bin" / "python3"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_the_interpreter_is_the_one_on_the_path_of_the_caller(tmp_path, on_path):
    assert python_of_caller(tmp_path, {"PATH": str(on_path.parent)}) == str(on_path)
    assert python_of_caller(tmp_path, {"PATH": ""}) == sys.executable


def test_the_interpreter_is_the_gates_own_where_that_is_the_projects(tmp_path, on_path):
    (tmp_path / ".venv").symlink_to(sys.prefix)
    assert python_of_caller(tmp_path, {"PATH": str(on_path.parent)}) == sys.executable


def test_an_environment_that_a_change_brings_along_is_not_believed(tmp_path, on_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text("#!/bin/sh\n")
    assert python_of_caller(tmp_path, {"PATH": str(on_path.parent)}) == str(on_path)
