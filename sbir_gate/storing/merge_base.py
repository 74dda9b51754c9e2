"""The commit that head is compared with: the merge base with the target branch, never the branch's tip.

The tip holds what others have merged since; compared with it, a change would be charged for theirs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import UsageError
from sbir_gate.storing.git import Git
from sbir_gate.storing.revisions import Revision

# where the target branch is looked for if nobody says what it is called
DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHOWN_CHARACTERS = 80
_FETCH = "fetch the whole history: 'fetch-depth: 0' for actions/checkout, or 'git fetch --unshallow'"


@dataclass(frozen=True, slots=True)
class MergeBase:
    """The base: the branch or REF that led to it, and the hash of HEAD."""

    revision: Revision
    ref: str
    head: str

    @property
    def commit(self) -> str:
        """The hash of the base."""
        return self.revision.commit

    @property
    def root(self) -> Path:
        """The top folder of the working tree."""
        return self.revision.root


def find_base(git: Git, ref: str | None, target_branch: str = "") -> MergeBase:
    """Return the merge base of HEAD and `ref`; without a `ref`, of HEAD and the target branch.

    The target branch is `target_branch` (GITHUB_BASE_REF: on a pull request the branch that it goes to),
    else the default branch. A name that git does not know is looked for in `origin` too.

    Raises UsageError where there is no repository, no such REF, or no history in common, with the cure;
    ToolError without git.
    """
    root = top_folder(git)
    head = commit_of(git, "HEAD")
    if not head:
        raise UsageError("the repository has no commit yet", "commit first")
    names = _candidates(ref, target_branch)
    found = ((name, commit_of(git, name)) for name in names)
    name, target = next(((name, commit) for name, commit in found if commit), ("", ""))
    if not target:
        raise _not_found(git, ref if ref is not None else target_branch or None, names)
    answer = git.ask("merge-base", target, head)
    if answer.status or not _COMMIT.fullmatch(answer.line):
        raise UsageError(
            f"{_shown(name)} and HEAD have no commit in common here",
            _FETCH if is_shallow(git) else "name the branch that this one is to be merged into",
        )
    return MergeBase(Revision(git.at(root), answer.line, root), name, head)


def top_folder(git: Git) -> Path:
    """Return the top folder of the working tree. Raises UsageError where there is no repository."""
    answer = git.ask("rev-parse", "--show-toplevel")
    if answer.status:
        raise UsageError(
            f"{git.folder}: git takes this folder for no repository: {answer.complaint or 'it says nothing'}",
            "run sbir-gate within the repository",
        )
    return Path(os.fsdecode(answer.output).rstrip("\n"))


def commit_of(git: Git, name: str) -> str:
    """Return the commit that a name stands for, or an empty string."""
    if not name.strip() or "\0" in name:
        return ""
    # after --end-of-options nothing is an option, whatever it looks like
    answer = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return answer.line if not answer.status and _COMMIT.fullmatch(answer.line) else ""


def is_shallow(git: Git) -> bool:
    """Say whether the clone lacks the older part of the history."""
    return git.ask("rev-parse", "--is-shallow-repository").line == "true"


def _candidates(ref: str | None, target_branch: str) -> tuple[str, ...]:
    if ref is not None:
        return (ref, f"refs/remotes/origin/{ref}")
    if target_branch:
        return (f"origin/{target_branch}", target_branch)
    return DEFAULT_BRANCHES


def _not_found(git: Git, asked: str | None, names: Sequence[str]) -> UsageError:
    if is_shallow(git):
        hint = _FETCH
    elif asked is not None:
        hint = (
            "name a branch, a tag or a commit that this clone has ('git branch --all'), or fetch it, e.g."
            " git fetch origin main"
        )
    else:
        hint = "name the branch that this change goes to: --base REF"
    if asked is not None:
        return UsageError(f"there is no commit {_shown(asked)} in this repository", hint)
    return UsageError(f"there is no default branch ({', '.join(names)})", hint)


def _shown(name: str) -> str:
    return repr(name[:_SHOWN_CHARACTERS])
