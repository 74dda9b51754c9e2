"""The settings file of a gate, found without being named: on disk, and as it stood at a commit.

It is the nearest `sbir-gate.yaml` from the current folder up to the top of the repository, or the file that
`[tool.sbir-gate] config` of a `pyproject.toml` there names. Without --config, every command reads this file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from sbir_gate.errors import Fault
from sbir_gate.files import read_file
from sbir_gate.settings.entries import configuration_error
from sbir_gate.settings.layers import MAX_FILE_BYTES, configuration_text
from sbir_gate.settings.workflows import repository_folder

NAME = "sbir-gate.yaml"
PROJECT = "pyproject.toml"
_KEY = "tool.sbir-gate.config"


def settings_file(given: Path | None, folder: Path) -> Path | None:
    """Return the settings file for a command that is called in `folder`: `given`, else the nearest one.

    None if neither exists. Raises ConfigurationError for a pyproject.toml that does not clearly name one.
    """
    found = find_settings_file(given, folder)
    if isinstance(found, Fault):
        raise configuration_error([found])
    return found


def find_settings_file(given: Path | None, folder: Path) -> Path | Fault | None:
    """Return what `settings_file` does, or why it fails.

    The path is relative to `folder` where the file lies below it.
    """
    if given is not None:
        return given
    folder = folder.resolve()
    root = repository_folder(folder) or folder
    place = settings_place(
        PurePosixPath(folder.relative_to(root)),
        lambda path: os.path.lexists(root / path),
        lambda path: _content(root / path),
        lambda path: str(root / path),
    )
    if place is None or isinstance(place, Fault):
        return place
    path = root / place
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def name_from(folder: Path, file: Path | None) -> str:
    """Return what a file is called in `folder` on any machine: a relative path within the repository.

    Outside of it the path stays as it is; empty for None.
    """
    if file is None:
        return ""
    root = repository_folder(folder.resolve())
    path = folder.resolve() / file
    is_within = root is not None and file.is_absolute() and path.is_relative_to(root)
    return os.path.relpath(path, folder.resolve()) if is_within else str(file)


def settings_place(
    folder: PurePosixPath,
    has_file: Callable[[str], bool],
    content: Callable[[str], bytes | Fault | None],
    origin: Callable[[str], str],
) -> str | Fault | None:
    """Return the path of the nearest settings file from a folder up, None if there is none.

    All paths start at the top of the repository. `has_file` says whether there is something at a path,
    `content` returns the file there, None if there is none, and `origin` what messages call it.
    """
    for level in (folder, *folder.parents):
        project = str(level / PROJECT)
        found = _place_in(has_file(str(level / NAME)), content(project), origin(project))
        if found is not None:
            return found if isinstance(found, Fault) else str(level / found)
    return None


def _place_in(has_file: bool, project: bytes | Fault | None, origin: str) -> str | Fault | None:
    """Return which file of a folder holds the settings, by the content of its pyproject.toml."""
    if isinstance(project, Fault):
        return project
    named = _named(project, origin) if project is not None else None
    if isinstance(named, str) and has_file and named != NAME:
        problem = f"names {named}, and there is a {NAME} too: keep one, and name further ones with --config"
        return Fault(problem, origin, column=_KEY)
    return named or (NAME if has_file else None)


def _content(path: Path) -> bytes | Fault | None:
    if not os.path.lexists(path):
        return None
    try:
        return read_file(path, MAX_FILE_BYTES)
    except OSError as error:
        return Fault(f"cannot be read: {error.strerror}", str(path))


def _named(content: bytes, origin: str) -> str | Fault | None:
    """Return what a pyproject.toml names as the settings file."""
    if b"sbir-gate" not in content:
        return None  # whatever else is wrong with the file is not the gate's concern
    text = configuration_text(content, origin)
    try:
        tools = {} if isinstance(text, Fault) else tomllib.loads(text).get("tool")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Fault(f"is not valid TOML: {error}", origin)
    section = tools.get("sbir-gate") if isinstance(tools, dict) else None
    if section is None:
        return text if isinstance(text, Fault) else None
    named = section.get("config") if isinstance(section, dict) and set(section) == {"config"} else None
    if not isinstance(named, str) or not named.strip() or "\0" in named:
        return Fault(
            "must hold one key: config = 'path/of/the/settings.yaml'", origin, column="tool.sbir-gate"
        )
    path = PurePosixPath(named)
    if path.is_absolute() or ".." in path.parts:
        return Fault("must be a path within the repository", origin, column=_KEY, value=named)
    return path.as_posix()
