"""The workflow files of a repository that use the gate, read for the doctor; nothing in them is expanded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from pathlib import Path

import yaml

from sbir_gate.errors import Fault
from sbir_gate.files import read_file
from sbir_gate.model.workflow import Job, Permissions, Step, Workflow
from sbir_gate.settings.layers import MAX_FILE_BYTES, configuration_text

FOLDER = Path(".github") / "workflows"
_ACTION_FILES = ("action.yml", "action.yaml", "Dockerfile")
_MAX_FILES = 200
_NAMED = re.compile(r"sbir[-_]gate")
# OWNER/... is what the documentation writes where an address is to be filled in
_ACTION = re.compile(r"[\w.-]+/sbir-gate(/[^@]*)?@.+|OWNER/[\w.-]+@.+")
_OWN_ACTION = re.compile(r"\./?")
_COMMAND = re.compile(
    r"(?:^|[\s/;&|(\"'])sbir-gate[\"']?\s+(?:run|publish|history|baseline|action)\b", re.MULTILINE
)


def repository_folder(folder: Path) -> Path | None:
    """Return the top of the repository that a folder lies in, None outside of one."""
    return next((found for found in (folder, *folder.parents) if (found / ".git").exists()), None)


def path_from_top(path: Path) -> str:
    """Return what a path, seen from the current folder, is called from the top of the repository.

    By its words, as GitHub and git call it. Empty for what lies outside. Without a repository the current
    folder is the top.
    """
    here = Path.cwd()
    root, place = repository_folder(here) or here, Path(os.path.normpath(here / path))
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else ""


def read_workflows(root: Path) -> tuple[tuple[Workflow, ...], tuple[Fault, ...]]:
    """Return the workflows of a repository that use the gate, and what could not be read of others.

    Jobs that don't use it are left out. A file that cannot be read is a fault only if it names the gate.
    """
    files = sorted(path for path in (root / FOLDER).glob("*") if path.suffix in {".yml", ".yaml"})
    own = _own_action(root)
    workflows, faults = [], []
    for path in islice(files, _MAX_FILES):
        found = _read(path, path.relative_to(root).as_posix(), own)
        if isinstance(found, Fault):
            faults.append(found)
        elif found is not None:
            jobs = tuple(job for job in found.jobs if any(step.is_gate for step in job.steps))
            if jobs:
                workflows.append(Workflow(found.path, found.events, jobs, found.permissions))
    return tuple(workflows), tuple(faults)


class _Own(Enum):
    """What action a repository has at its top."""

    GATE = "sbir-gate"
    OTHER = "another"
    NONE = "none"


def _own_action(root: Path) -> _Own:
    if not any((root / name).exists() for name in _ACTION_FILES):
        return _Own.NONE
    try:
        content = read_file(root / "action.yml", MAX_FILE_BYTES)
    except OSError:
        return _Own.OTHER
    return _Own.GATE if _NAMED.search(content.decode("utf-8", errors="replace")) else _Own.OTHER


def _read(path: Path, name: str, own: _Own) -> Workflow | Fault | None:
    try:
        text = configuration_text(read_file(path, MAX_FILE_BYTES), name)
    except OSError as error:
        return Fault(f"cannot be read ({error.strerror})", name)
    if isinstance(text, Fault):
        return text
    if not _NAMED.search(text) and "uses: ./" not in text:
        return None
    try:
        # nodes, not values: an alias is the same node again, so nothing grows, and `on` stays a word
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        return Fault("is not valid YAML", name, mark.line + 1 if mark else None)
    except RecursionError:
        return Fault("is nested too deeply", name)
    return _workflow(root, name, own)


def _workflow(root: yaml.Node | None, name: str, own: _Own) -> Workflow:
    keys = _keys(root)
    jobs = tuple(_job(key, node, name, own) for key, node in _keys(keys.get("jobs")).items())
    return Workflow(name, _events(keys.get("on")), jobs, _permissions(keys.get("permissions")))


def _job(key: str, node: yaml.Node, name: str, own: _Own) -> Job:
    keys = _keys(node)
    steps = tuple(_step(step, name, own) for step in _items(keys.get("steps")))
    permissions = _permissions(keys.get("permissions"))
    is_matrix = "matrix" in _keys(keys.get("strategy"))
    return Job(_place(node, name), key, steps, permissions, _text(keys.get("if")), is_matrix)


def _step(node: yaml.Node, name: str, own: _Own) -> Step:
    keys = _keys(node)
    uses, script = _text(keys.get("uses")), _text(keys.get("run"))
    inputs = {key: _text(value) for key, value in _keys(keys.get("with")).items()}
    # as an action, as this very repository's, or as a command
    is_top = _OWN_ACTION.fullmatch(uses) is not None
    is_gate = _ACTION.fullmatch(uses) or (is_top and own is not _Own.OTHER) or _COMMAND.search(script)
    return Step(_place(node, name), bool(is_gate), uses, script, inputs, is_top and own is _Own.NONE)


def _events(node: yaml.Node | None) -> dict[str, frozenset[str]]:
    """Return the events: `on: push`, `on: [push, pull_request]`, or a mapping with what narrows each down."""
    if isinstance(node, yaml.MappingNode):
        return {key: frozenset(_keys(value)) for key, value in _keys(node).items()}
    return {_text(item): frozenset() for item in (_items(node) or ([node] if node else []))}


def _permissions(node: yaml.Node | None) -> Permissions | None:
    if node is None:
        return None
    if isinstance(node, yaml.MappingNode):
        return {key: _text(value) for key, value in _keys(node).items()}
    return {"*": _text(node).removesuffix("-all")}


def _keys(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return dict(_pairs(node))


def _pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _place(node: yaml.Node, name: str) -> str:
    return f"{name}:{node.start_mark.line + 1}"
