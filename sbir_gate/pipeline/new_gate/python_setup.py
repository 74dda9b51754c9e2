"""How a team's Python environment is made on a runner, as far as the files of the project show it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from shlex import quote

VERSION_FILE, PROJECT = ".python-version", "pyproject.toml"
DEFAULT_ENVIRONMENT = ".venv"
LOOKED_AT = (
    *(VERSION_FILE, PROJECT, "uv.lock", "poetry.lock", "environment.yml", "environment.yaml"),
    *("requirements.lock", "requirements.txt"),
)
"""The files of a project that say how its environment is made."""

# of these the gate makes the base's environment by itself
_PINS = ("requirements.lock", "requirements.txt")


@dataclass(frozen=True, slots=True)
class PythonSetup:
    """How the environment is made.

    `source` is the file that says what to install, empty if none does. `version_file` says which Python, else
    `version`; both are empty where conda brings it. `lines` are of a shell. `base_setup` is the same for
    the base's checkout, empty where the gate needs no command for it.
    """

    source: str
    version: str
    version_file: str
    lines: tuple[str, ...]
    base_setup: str = ""

    @property
    def is_known(self) -> bool:
        """Say whether a file says what to install."""
        return bool(self.source)


def detect_setup(files: Mapping[str, str], environment: str, version: str) -> PythonSetup:
    """Return the set-up of a project, of whose files `files` has those in `LOOKED_AT` that exist.

    `environment` is the folder to make, `version` the Python that is in use here.
    """
    project = _project(files.get(PROJECT, ""))
    version_file = next(
        (
            name
            for name, has in ((VERSION_FILE, VERSION_FILE in files), (PROJECT, project.has_version))
            if has
        ),
        "",
    )
    own_version = "" if version_file else version
    folder = quote(environment)
    if "uv.lock" in files:
        command = "uv sync --locked"
        if environment != DEFAULT_ENVIRONMENT:
            command = f"env UV_PROJECT_ENVIRONMENT={folder} {command}"
        lines = ("python -m pip install --quiet uv", command)
        return PythonSetup("uv.lock", own_version, version_file, lines, command)
    if "poetry.lock" in files or project.is_poetry:
        command = "env POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction"
        source = "poetry.lock" if "poetry.lock" in files else PROJECT
        return PythonSetup(source, own_version, version_file, ("pipx install poetry", command), command)
    conda = next((name for name in ("environment.yml", "environment.yaml") if name in files), "")
    if conda:
        command = f"conda env create --quiet --file {conda} --prefix {folder}"
        on_path = ('export PATH="$CONDA/bin:$PATH"', 'echo "$CONDA/bin" >> "$GITHUB_PATH"')
        return PythonSetup(conda, "", "", (*on_path, command), command)
    made = (f"python -m venv {folder}",)
    pip = f"{quote(str(PurePosixPath(environment, 'bin', 'pip')))} install --quiet"
    for name in _PINS:
        if name in files:
            hashes = "--require-hashes " if name.endswith(".lock") else ""
            lines = (*made, f"{pip} {hashes}--requirement {name}")
            return PythonSetup(name, own_version, version_file, lines)
    if project.is_installable:
        return PythonSetup(
            PROJECT,
            own_version,
            version_file,
            (*made, f"{pip} ."),
            f"sh -c '{{python}} -m venv {DEFAULT_ENVIRONMENT} && {DEFAULT_ENVIRONMENT}/bin/pip install .'",
        )
    return PythonSetup("", own_version, version_file, ())


@dataclass(frozen=True, slots=True)
class _Project:
    """What a pyproject.toml says of the environment."""

    has_version: bool = False
    is_poetry: bool = False
    is_installable: bool = False


def _project(text: str) -> _Project:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return _Project()
    project, tools = document.get("project"), document.get("tool")
    has_version = isinstance(project, dict) and "requires-python" in project
    is_poetry = isinstance(tools, dict) and "poetry" in tools
    return _Project(has_version, is_poetry, isinstance(project, dict))


def environment_of(python: str) -> str:
    """Return the environment folder of an interpreter: of `.venv/bin/python` it is `.venv`; else empty."""
    path = PurePosixPath(python)
    is_interpreter = path.parent.name == "bin" and re.fullmatch(r"python[\d.]*", path.name) is not None
    return str(path.parent.parent) if is_interpreter else ""
