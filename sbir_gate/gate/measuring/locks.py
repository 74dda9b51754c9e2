"""Lock files: which of them differ between the sides, and in which packages.

Compared is what changes the environment: comments, the order of keys and a formatter's settings do not.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.files import read_file

PROJECT = "pyproject.toml"
# what is looked for where benchmark.base_lock names nothing; what pins comes before what only asks
KNOWN = (
    *(
        "requirements.lock",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "Pipfile.lock",
        "pylock.toml",
        "pylock.*.toml",
    ),
    *(
        "conda-lock.yml",
        "conda-lock.yaml",
        "requirements*.txt",
        "environment.yml",
        "environment.yaml",
        PROJECT,
    ),
)
ANY = "any version"
_MAX_BYTES = 64 * 1024 * 1024
_TOML = frozenset({"uv.lock", "poetry.lock", "pdm.lock"})
# the keys of each tool's table that say what is installed; None means all of them
_TOOLS: Mapping[str, tuple[str, ...] | None] = {
    "uv": None,
    "poetry": ("dependencies", "dev-dependencies", "group", "extras", "source"),
    "pdm": ("dev-dependencies", "source", "resolution"),
    "hatch": ("envs",),
    "pixi": ("dependencies", "pypi-dependencies", "feature", "environments", "target"),
    "setuptools": ("dynamic",),
}
_PROJECT_KEYS = ("dependencies", "optional-dependencies", "requires-python", "dynamic")
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?\s*((?:[=<>!~@][^;\\#)]*)?)")
_CONDA_LOCKED = re.compile(r"^\s*-?\s*name:\s*(\S+)\s*\n\s*version:\s*['\"]?([^\s'\"]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PackageChange:
    """One package that the sides' lock files ask for differently; "" where a side does not ask for it."""

    name: str
    before: str
    after: str


def differing_locks(names: Sequence[str] | None, head: Path, base: Path) -> tuple[str, ...]:
    """Return which lock files of two folders differ; one that neither has is the same.

    `names` are relative to the folders; None means the known ones. Raises InputError for a file that cannot
    be read.
    """
    return tuple(name for name in lock_names(names, head, base) if _differs(name, head, base))


def lock_names(names: Sequence[str] | None, *folders: Path) -> tuple[str, ...]:
    """Return the names, or where they are None, those of the known lock files that a folder has."""
    if names is not None:
        return tuple(names)
    found = (path.name for pattern in KNOWN for folder in folders for path in sorted(folder.glob(pattern)))
    return tuple(dict.fromkeys(found))


def changed_packages(names: Sequence[str], head: Path, base: Path) -> tuple[PackageChange, ...]:
    """Return the packages that differ in the lock files of these names, as far as known."""
    found: dict[str, PackageChange] = {}
    for name in names:
        before, after = (_packages(name, _content(folder / name)) for folder in (base, head))
        for package in sorted({*before, *after}):
            change = PackageChange(package, before.get(package, ""), after.get(package, ""))
            if change.before != change.after:
                found.setdefault(package, change)
    return tuple(found.values())


def is_project(folder: Path) -> bool:
    """Say whether a folder can be installed: a pyproject.toml that only configures tools is not a project."""
    if (folder / "setup.py").is_file():
        return True
    content = _content(folder / PROJECT)
    return content is not None and set(_document(PROJECT, content) or ()) != {"tool"}


def _differs(name: str, head: Path, base: Path) -> bool:
    first, second = (_content(folder / name) for folder in (head, base))
    return first != second and _meaning(name, first) != _meaning(name, second)


def _content(path: Path) -> bytes | None:
    if not path.exists():
        return None
    # a change under test may put anything there, such as a link to a device that never ends
    if not path.is_file():
        raise InputError("is not a regular file", "name files in benchmark.base_lock", path=path)
    try:
        return read_file(path, _MAX_BYTES)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", "benchmark.base_lock names the lock files", path=path
        ) from error


def _meaning(name: str, content: bytes | None) -> object:
    """Return what of a lock file changes the environment; its bytes where it cannot be parsed."""
    if content is None:
        # to add a pyproject.toml that only configures tools changes nothing
        return {} if Path(name).name == PROJECT else None
    document = _document(name, content)
    if document is not None:
        return _environment_of(document) if Path(name).name == PROJECT else document
    try:
        lines = (line.strip() for line in content.decode("utf-8").splitlines())
    except UnicodeDecodeError:
        return content
    return tuple(line for line in lines if line and not line.startswith("#"))


def _document(name: str, content: bytes) -> Mapping[str, object] | None:
    """Return the content of a TOML or JSON file, None for any other and for one that is damaged."""
    path = Path(name)
    try:
        if path.suffix == ".toml" or path.name in _TOML:
            return tomllib.loads(content.decode("utf-8"))
        if path.name == "Pipfile.lock":
            return _table(json.loads(content))
    except (ValueError, RecursionError):  # both parsers' errors, and text that is not UTF-8
        return None
    return None


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _environment_of(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return what of a pyproject.toml says what is installed, and how it is built."""
    project, tools = _table(document.get("project")), _table(document.get("tool"))
    found = {f"project.{key}": project[key] for key in _PROJECT_KEYS if key in project}
    found |= {key: document[key] for key in ("build-system", "dependency-groups") if key in document}
    for tool, keys in _TOOLS.items():
        table = _table(tools.get(tool))
        found |= {f"tool.{tool}.{key}": value for key, value in table.items() if keys is None or key in keys}
    return found


def _packages(name: str, content: bytes | None) -> dict[str, str]:
    """Return the packages of a lock file with their versions, or what is asked for where none is pinned."""
    if content is None:
        return {}
    document = _document(name, content)
    pairs: Iterable[tuple[str, str]]
    if document is not None:
        pairs = _of_project(document) if Path(name).name == PROJECT else _of_lock(document)
    else:
        text = content.decode("utf-8", errors="replace")
        pairs = _CONDA_LOCKED.findall(text) if "conda-lock" in name else _of_lines(text)
    return {_normal(package): version for package, version in pairs}


def _of_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = _REQUIREMENT.match(line.strip().removeprefix("- ").strip(" '\""))
        if found and not line.rstrip().endswith(":"):
            yield found[1], _version(found[2])


def _of_lock(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    listed = document.get("package", document.get("packages"))
    for package in listed if isinstance(listed, list) else ():
        entry = _table(package)
        yield str(entry.get("name", "")), str(entry.get("version", ""))
    for group in ("default", "develop"):
        for name, locked in _table(document.get(group)).items():
            yield name, _version(str(_table(locked).get("version", "")))


def _of_project(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    project, poetry = _table(document.get("project")), _table(_table(document.get("tool")).get("poetry"))
    lists = [
        project.get("dependencies"),
        *_table(project.get("optional-dependencies")).values(),
        *_table(document.get("dependency-groups")).values(),
    ]
    for listed in lists:
        for line in listed if isinstance(listed, list) else ():
            if isinstance(line, str):
                yield from _of_lines(line)
    tables = [poetry, *map(_table, _table(poetry.get("group")).values())]
    for asking in tables:
        for package, wanted in _table(asking.get("dependencies")).items():
            yield package, wanted if isinstance(wanted, str) else str(_table(wanted).get("version", ANY))


def _version(text: str) -> str:
    """Return what is asked for; a pin without its equals signs."""
    text = text.partition(" --hash")[0].strip()
    pin = re.fullmatch(r"={1,3}\s*([^,\s]+)", text)
    return pin[1] if pin else text or ANY


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
