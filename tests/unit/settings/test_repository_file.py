"""Which file of a repository holds the settings, without anybody naming it."""

import os
from pathlib import Path, PurePosixPath

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.settings.effective import inspect_settings, load_settings
from sbir_gate.settings.repository_file import name_from, settings_file, settings_place

NAMED = b"[tool.sbir-gate]\nconfig = 'config/gate.yaml'\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Return the top of a repository, in which the test stands."""
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    (folder / "etl").mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_without_a_file_there_is_none(root):
    write(root / "pyproject.toml", "[project]\nname = 'pipeline'\n")
    assert settings_file(None, root) is None
    assert load_settings(None, {}).file is None


def test_the_file_at_the_top_is_found_from_every_folder_of_the_repository(root, monkeypatch):
    write(root / "sbir-gate.yaml", "gate: {name: mine}\n")
    assert settings_file(None, root) == Path("sbir-gate.yaml")
    assert settings_file(None, root / "etl") == root / "sbir-gate.yaml"
    monkeypatch.chdir(root / "etl")
    found = load_settings(None, {})
    assert (found.settings.gate.name, found.file) == ("mine", root / "sbir-gate.yaml")


def test_outside_of_a_repository_the_folder_itself_is_the_top(tmp_path):
    write(tmp_path / "sbir-gate.yaml", "gate: {name: mine}\n")
    assert settings_file(None, tmp_path) == Path("sbir-gate.yaml")


def test_a_file_that_is_named_wins(root):
    write(root / "sbir-gate.yaml", "gate: {name: mine}\n")
    write(root / "other.yaml", "gate: {name: other}\n")
    assert load_settings(Path("other.yaml"), {}).settings.gate.name == "other"


def test_pyproject_names_another_place(root):
    write(root / "pyproject.toml", NAMED)
    write(root / "config" / "gate.yaml", "gate: {name: mine}\n")
    assert settings_file(None, root) == Path("config/gate.yaml")
    assert load_settings(None, {}).origins["gate.name"] == "config/gate.yaml:1"


def test_one_that_is_named_and_not_there_is_an_error(root):
    write(root / "pyproject.toml", NAMED)
    with pytest.raises(ConfigurationError, match=r"config/gate\.yaml: no such file"):
        load_settings(None, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[tool.sbir-gate]\nconfig = '/etc/gate.yaml'\n", "must be a path within the repository"),
        (b"[tool.sbir-gate]\nconfig = '../gate.yaml'\n", "must be a path within the repository"),
        (b"[tool.sbir-gate]\nconfig = 3\n", "must hold one key"),
        (b"[tool.sbir-gate]\nconfig = ' '\n", "must hold one key"),
        (b"[tool.sbir-gate]\nconfg = 'gate.yaml'\n", "must hold one key"),
        (b"[tool]\nsbir-gate = 'gate.yaml'\n", "must hold one key"),
        (b"[tool.sbir-gate\n", "is not valid TOML"),
        (b"# sbir-gate \xff", "is not UTF-8"),
        (b"# sbir-gate" + b" " * 1024 * 1024, "larger than 1,048,576 bytes"),
    ],
)
def test_a_pyproject_that_names_no_file_clearly_is_an_error(root, text, words):
    write(root / "pyproject.toml", text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_settings(None, {})
    assert str(root / "pyproject.toml") in caught.value.message
    effective, faults = inspect_settings(None, {})
    assert effective is not None
    assert words in str(faults[0])


def test_two_files_are_one_too_many(root):
    write(root / "sbir-gate.yaml", "gate: {name: mine}\n")
    write(root / "pyproject.toml", NAMED)
    with pytest.raises(
        ConfigurationError, match=r"names config/gate\.yaml, and there is a sbir-gate\.yaml too"
    ):
        load_settings(None, {})


def place_with(project):
    files = {"sbir-gate.yaml": b"", "pyproject.toml": project}
    return settings_place(PurePosixPath(), files.__contains__, files.get, str)


def test_a_pyproject_that_does_not_know_the_gate_may_be_broken():
    assert place_with(b"[broken") == "sbir-gate.yaml"


def test_pyproject_may_name_the_usual_file():
    assert place_with(b"[tool.sbir-gate]\nconfig = './sbir-gate.yaml'\n") == "sbir-gate.yaml"


class TestAMonorepo:
    """The nearest file counts: each team's folder has its own, and the top may have one too."""

    def test_the_file_of_the_folder_comes_before_that_of_the_top(self, root, monkeypatch):
        write(root / "sbir-gate.yaml", "gate: {name: top}\n")
        write(root / "etl" / "sbir-gate.yaml", "gate: {name: etl}\n")
        assert settings_file(None, root) == Path("sbir-gate.yaml")
        monkeypatch.chdir(root / "etl")
        found = load_settings(None, {})
        assert (found.settings.gate.name, found.file) == ("etl", Path("sbir-gate.yaml"))
        assert name_from(root / "etl", found.file) == "sbir-gate.yaml"

    def test_it_is_found_from_the_folders_below(self, root):
        write(root / "etl" / "sbir-gate.yaml", "gate: {name: etl}\n")
        (root / "etl" / "jobs").mkdir()
        assert settings_file(None, root / "etl" / "jobs") == root / "etl" / "sbir-gate.yaml"
        assert settings_file(None, root) is None

    def test_a_pyproject_of_the_folder_names_a_file_there(self, root):
        write(root / "sbir-gate.yaml", "gate: {name: top}\n")
        write(root / "etl" / "pyproject.toml", NAMED)
        assert settings_file(None, root / "etl") == Path("config/gate.yaml")

    def test_a_pyproject_of_another_tool_leads_on_to_the_top(self, root):
        write(root / "sbir-gate.yaml", "gate: {name: top}\n")
        write(root / "etl" / "pyproject.toml", "[project]\nname = 'etl'\n")
        assert settings_file(None, root / "etl") == root / "sbir-gate.yaml"

    def test_nothing_above_the_repository_counts(self, root):
        write(root.parent / "sbir-gate.yaml", "gate: {name: above}\n")
        assert settings_file(None, root / "etl") is None


@pytest.mark.parametrize("name", ["sbir-gate.yaml", "pyproject.toml"])
def test_a_pipe_is_an_error_and_is_not_waited_for(root, name):
    os.mkfifo(root / name)
    with pytest.raises(ConfigurationError, match=f"{name}: cannot be read: .*pipe"):
        load_settings(None, {})


def test_a_file_of_the_repository_is_named_from_the_current_folder(tmp_path):
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "jobs").mkdir()
    assert name_from(root / "jobs", root / "sbir-gate.yaml") == "../sbir-gate.yaml"
    assert name_from(root, Path("own.yaml")) == "own.yaml"
    assert name_from(root, tmp_path / "elsewhere.yaml") == str(tmp_path / "elsewhere.yaml")
    assert name_from(root, None) == ""
