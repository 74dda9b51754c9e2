"""What the main job needs of the world: the clock, processes, the machine, and git here."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from sbir_gate.errors import ToolError
from sbir_gate.gate.measuring.benchmark import Calibrate, Launch
from sbir_gate.gate.measuring.machine import describe_machine, time_calibration
from sbir_gate.gate.measuring.own_code import own_code_kept
from sbir_gate.gate.measuring.process import run_process
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.git import AsksGit
from sbir_gate.model.run import Machine, Source

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_GIT_SECONDS = 10.0  # the name of a commit is not worth a longer wait
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
# the ref of a pull request, and that of the queue that merges it
_PULL_REF = re.compile(
    r"refs/(?:pull/|heads/gh-readonly-queue/.+/pr-)([1-9][0-9]{0,8})(?:/merge|/head|-[0-9a-f]+)", re.ASCII
)
_MERGE = re.compile(r"Merge pull request #([1-9][0-9]{0,8})\b", re.ASCII)
_SQUASH = re.compile(r"\(#([1-9][0-9]{0,8})\)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Edges:
    """What the main job needs of the world; tests pass fakes.

    Engines run within `keep_code`, which raises an error if they changed the code of the gate. `subject`
    returns the first line of a commit's message, empty where it is not known.
    """

    now: Callable[[], datetime]
    launch: Launch
    calibrate: Calibrate
    machine: Callable[[], Machine]
    source: Callable[[], Source]
    clock: Callable[[], float] = time.monotonic
    new_session: Callable[[], str] = lambda: uuid4().hex
    tags: Callable[[], tuple[str, ...]] = tuple
    keep_code: Callable[[], AbstractContextManager[None]] = nullcontext
    subject: Callable[[str], str] = lambda _commit: ""


def real_edges() -> Edges:
    """Return the edges of this machine and of the repository of the current folder."""
    return Edges(
        now=lambda: datetime.now(UTC),
        launch=run_process,
        calibrate=time_calibration,
        machine=describe_machine,
        source=lambda: describe_source(Git(Path.cwd(), timeout_seconds=_GIT_SECONDS), os.environ),
        tags=lambda: describe_tags(Git(Path.cwd(), timeout_seconds=_GIT_SECONDS)),
        keep_code=own_code_kept,
        subject=subject_here,
    )


def describe_source(git: AsksGit, environment: Mapping[str, str] = _NO_VARIABLES) -> Source:
    """Return the commit, its branch and pull request, and whether tracked files differ.

    It is empty where git has no answer.
    """
    try:
        commit = git.ask("rev-parse", "HEAD")
        # not 'rev-parse --abbrev-ref', which says heads/main where there is a tag main
        branch = git.ask("symbolic-ref", "--quiet", "HEAD")
        changes = git.ask("status", "--porcelain", "--untracked-files=no")
    except ToolError:
        return Source()
    if commit.status or changes.status:
        return Source()
    name = "HEAD" if branch.status else branch.line.removeprefix("refs/heads/")
    subject = describe_commit(git, commit.line)
    number = pull_request_of(environment.get("GITHUB_REF", ""), subject)
    return Source(commit=commit.line, branch=name, is_dirty=bool(changes.line), pull_request=number)


def pull_request_of(ref: str, subject: str) -> int:
    """Return the number of a commit's pull request; 0 where nothing names it.

    The ref of a workflow's run does, else the subject, as GitHub words it of a merge or a squashed change.
    """
    found = _PULL_REF.fullmatch(ref) or _MERGE.match(subject) or _SQUASH.search(subject)
    return int(found[1]) if found else 0


def describe_tags(git: AsksGit) -> tuple[str, ...]:
    """Return the tags of the commit, such as a release's; empty where git has no answer."""
    try:
        answer = git.ask("tag", "--points-at", "HEAD")
    except ToolError:
        return ()
    return () if answer.status else tuple(answer.line.splitlines())


def subject_here(commit: str) -> str:
    """Return the first line of a commit's message, as far as the repository here has the commit."""
    return describe_commit(Git(Path.cwd(), timeout_seconds=_GIT_SECONDS), commit)


def describe_commit(git: AsksGit, commit: str) -> str:
    """Return the first line of a commit's message; empty where git does not have the commit."""
    if not _COMMIT.fullmatch(commit):
        return ""
    try:
        answer = git.ask("show", "--no-patch", "--format=%s", "--end-of-options", commit)
    except ToolError:
        return ""
    return "" if answer.status else answer.line
