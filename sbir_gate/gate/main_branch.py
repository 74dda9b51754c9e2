"""Which branch is the main one: whose Runs are a measure for others, and whose Run becomes the baseline."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.gate.publishing.event import Event
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.references import default_branch_name, find_default_branch
from sbir_gate.settings.schema import Settings

ANY = "*"
_GIT_SECONDS = 10.0  # a name is not worth a longer wait


def main_branch_name(settings: Settings, git: Git, of_payload: str = "") -> str:
    """Return the name of the main branch, empty if nothing says it.

    The settings come first (drift.branch), then the default branch as GitHub gives it in the payload of an
    event, then the one that the clone knows of the remote, then main or master if there is one.
    """
    chosen = settings.drift.branch
    if chosen is not None and chosen != ANY:
        return chosen
    remote = settings.history.remote
    name = of_payload or default_branch_name(git, remote)
    if name:
        return name
    found = find_default_branch(git, remote)
    return found.branch if found else ""


def is_main_branch(event: Event, settings: Settings, git: Git) -> bool:
    """Say whether the commit of an event is on the main branch."""
    return bool(event.branch) and event.branch == main_branch_name(settings, git, event.default_branch)


def course_branch(settings: Settings) -> str | None:
    """Return the branch whose Runs in the history are a measure, None for those of any branch."""
    if settings.drift.branch == ANY:
        return None
    return main_branch_name(settings, Git(Path.cwd(), timeout_seconds=_GIT_SECONDS)) or None
