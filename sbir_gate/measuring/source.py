"""The code that is measured: which commit, on which branch, with or without changes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from sbir_gate.model.run import Source

Git = Callable[[Sequence[str]], str]
"""Runs git with arguments and returns what it prints; raises OSError or CalledProcessError."""

_SECONDS = 10.0


def git_in(folder: Path) -> Git:
    """Return a function that runs git in a folder."""

    def git(arguments: Sequence[str]) -> str:
        return subprocess.run(  # noqa: S603 -- fixed arguments, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607 -- git is found on the PATH as usual
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        ).stdout.strip()

    return git


def describe_source(git: Git) -> Source:
    """Return the commit, the branch and whether tracked files differ; empty where git has no answer."""
    try:
        commit = git(["rev-parse", "HEAD"])
        branch = git(["rev-parse", "--abbrev-ref", "HEAD"])
        changes = git(["status", "--porcelain", "--untracked-files=no"])
    except (OSError, subprocess.SubprocessError):
        return Source()
    return Source(commit=commit, branch=branch, is_dirty=bool(changes))


def describe_tags(git: Git) -> tuple[str, ...]:
    """Return the tags of the commit, such as a release's; empty where git has no answer."""
    try:
        return tuple(git(["tag", "--points-at", "HEAD"]).splitlines())
    except (OSError, subprocess.SubprocessError):
        return ()
