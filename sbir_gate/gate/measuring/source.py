"""The code that is measured: which commit, on which branch, with or without changes."""

from __future__ import annotations

from sbir_gate.errors import ToolError
from sbir_gate.model.git import AsksGit
from sbir_gate.model.run import Source

GIT_SECONDS = 10.0  # what is told of the code is not worth a longer wait


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
