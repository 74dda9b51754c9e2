import pytest

from sbir_gate.pipeline.new_gate.python_setup import detect_setup, environment_of

PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
CASES = {
    "uv": ({"uv.lock": "", "pyproject.toml": PROJECT}, "uv.lock", "uv sync --locked"),
    "poetry": ({"poetry.lock": ""}, "poetry.lock", "poetry install"),
    "poetry without a lock": ({"pyproject.toml": "[tool.poetry]\n"}, "pyproject.toml", "poetry install"),
    "conda": ({"environment.yml": ""}, "environment.yml", "conda env create"),
    "pins": ({"requirements.lock": "", "requirements.txt": ""}, "requirements.lock", "--require-hashes"),
    "pip": ({"requirements.txt": ""}, "requirements.txt", "--requirement requirements.txt"),
    "a project": ({"pyproject.toml": PROJECT}, "pyproject.toml", ".venv/bin/pip install --quiet ."),
}


@pytest.mark.parametrize(("files", "source", "line"), CASES.values(), ids=CASES)
def test_the_files_say_how_the_environment_is_made(files, source, line):
    found = detect_setup(files, ".venv", "3.12")
    assert found.source == source
    assert found.is_known
    assert any(line in each for each in found.lines)
    # the gate itself knows what to do with requirements, and nothing else
    assert bool(found.base_setup) is not source.startswith("requirements")


def test_what_no_file_says_is_not_made_up():
    found = detect_setup({"pyproject.toml": "not toml ["}, ".venv", "3.12")
    assert (found.is_known, found.lines, found.version) == (False, (), "3.12")


def test_the_project_names_its_python_before_the_one_in_use():
    assert detect_setup({"pyproject.toml": PROJECT}, ".venv", "3.12").version_file == "pyproject.toml"
    both = detect_setup({"pyproject.toml": PROJECT, ".python-version": "3.13"}, ".venv", "3.12")
    assert (both.version_file, both.version) == (".python-version", "")
    assert detect_setup({"environment.yml": ""}, ".venv", "3.12").version == ""


def test_the_folder_of_the_environment_is_that_of_the_interpreter():
    assert environment_of("env/own/bin/python3.12") == "env/own"
    assert environment_of("python3") == environment_of("tools/python.sh") == ""
    lines = detect_setup({"requirements.txt": "", "a": ""}, "own env", "3.12").lines
    assert lines == (
        "python -m venv 'own env'",
        "'own env/bin/pip' install --quiet --requirement requirements.txt",
    )
