"""What the main job needs of the world: the clock, processes, the machine, and git here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
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
        source=lambda: describe_source(Git(Path.cwd(), timeout_seconds=_GIT_SECONDS)),
        tags=lambda: describe_tags(Git(Path.cwd(), timeout_seconds=_GIT_SECONDS)),
        keep_code=own_code_kept,
        subject=subject_here,
    )


def describe_source(git: AsksGit) -> Source:
    """Return the commit, the branch and whether tracked files differ; empty where git has no answer."""
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
    return Source(commit=commit.line, branch=name, is_dirty=bool(changes.line))


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
