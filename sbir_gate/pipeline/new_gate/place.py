"""Where a new gate will be: the project's folder in its repository, its name, and the workflows beside it."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import UsageError
from sbir_gate.model.run import MOST_GATE_CHARACTERS
from sbir_gate.settings.workflows import FOLDER as WORKFLOWS
from sbir_gate.settings.workflows import read_workflows, repository_folder

_UNNAMED = "folder"
_DIGEST_CHARACTERS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where the gate will be: the top of the repository, and the project's folder in it, "" for the top."""

    root: Path
    folder: str
    has_git: bool

    def inside(self, name: str) -> str:
        """Return a path of the project from the top of the repository."""
        return f"{self.folder}/{name}" if self.folder else name


@dataclass(frozen=True, slots=True)
class Workflows:
    """What workflows of the repository already run gates.

    `own` are those of a gate in this folder, the first of each kind: the key says whether the workflow
    comments on runs of forks. `taken` are the workflows that run a gate of another folder.
    """

    own: Mapping[bool, str]
    taken: Set[str]


def place_of(folder: Path) -> Place:
    """Return where the gate of a project in `folder` will be.

    Raises UsageError for a folder that no workflow can name.
    """
    folder = folder.resolve()
    root = repository_folder(folder)
    inside = folder.relative_to(root or folder).as_posix()
    try:
        inside.encode()
    except UnicodeEncodeError as error:
        raise UsageError("the name of this folder is not UTF-8", "rename it", value=inside) from error
    return Place(root or folder, "" if inside == "." else inside, root is not None)


def workflows_of(place: Place) -> Workflows:
    """Return the workflows of the repository that run gates."""
    own: dict[bool, str] = {}
    taken: set[str] = set()
    for workflow in read_workflows(place.root)[0] if place.has_git else ():
        for step in (step for job in workflow.jobs for step in job.steps if step.is_gate and step.uses):
            if posixpath.normpath(step.given("working-directory") or ".") == (place.folder or "."):
                own.setdefault(step.given("mode") == "comment", workflow.path)
            else:
                taken.add(workflow.path)
    return Workflows(own, taken)


def workflow_name(gate: str) -> str:
    """Return the path of the workflow that runs a gate; `gate` is empty for the only one of a repository."""
    return (WORKFLOWS / (f"gate-{gate}.yml" if gate else "gate.yml")).as_posix()


def gate_name(folder: str, taken: Set[str] = frozenset()) -> str:
    """Return a valid `gate.name` from the whole path of a folder: two folders of one name may have gates.

    A digest of the path ends the name where letters of it cannot be in a name, or where the name is that of
    the gate of another folder: `taken` are the workflows of those.
    """
    if not folder:
        return ""
    # one folder is one name, however the file system composes its letters
    path = unicodedata.normalize("NFKC", folder)
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", path.casefold())
        if not unicodedata.category(letter).startswith("M")
    )
    words = re.sub(r"[\W_]+", "-", plain).strip("-")
    name = re.sub("-{2,}", "-", re.sub("[^a-z0-9-]", "", words)).strip("-")
    is_whole = 0 < len(name) <= MOST_GATE_CHARACTERS and name == words
    if is_whole and workflow_name(name) not in taken:
        return name
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:_DIGEST_CHARACTERS]
    kept = name[-(MOST_GATE_CHARACTERS - _DIGEST_CHARACTERS - 1) :].strip("-")
    return f"{kept or _UNNAMED}-{digest}"
