"""The commit that head is compared with: the merge base with the target branch, never the branch's tip.

The tip holds what others have merged since; compared with it, a change would be charged for theirs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import UsageError
from sbir_gate.gate.storing.clone import UNSHALLOW, is_shallow, missing_branch_hint, untrusted_folder_hint
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.references import (
    DEFAULT_BRANCHES,
    HASH,
    Reference,
    find_branch,
    find_default_branch,
    find_reference,
    head_commit,
    is_moved,
    reference_names,
    shown,
)
from sbir_gate.gate.storing.revisions import SHOWN_DIGITS, Revision
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.run import TargetBranch
from sbir_gate.wrong_input import did_you_mean

_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class BaseName:
    """How the base is named: by `ref`, else by the branch that a change goes to, else the default branch.

    `target_branch` is a branch and nothing else (GITHUB_BASE_REF, or what the event says). `bounds` are
    commits that GitHub names: the base must be one of them, or older than one of them. `saved` is the target
    branch as a saved Run knows it; `ref` is that Run's base then.
    """

    ref: str | None = None
    target_branch: str = ""
    bounds: tuple[str, ...] = ()
    saved: TargetBranch | None = None


@dataclass(frozen=True, slots=True)
class MergeBase:
    """The base: the branch or REF that led to it, and the hash of HEAD.

    `target` is the newest commit of that branch. `commits_behind` and `days_behind` say how far the base is
    behind it. `notes` say which other commits have the name.
    """

    revision: Revision
    ref: str
    head: str
    target: Revision
    commits_behind: int = 0
    days_behind: int = 0
    notes: tuple[Finding, ...] = ()

    @property
    def commit(self) -> str:
        """The hash of the base."""
        return self.revision.commit

    @property
    def root(self) -> Path:
        """The top folder of the working tree."""
        return self.revision.root

    @property
    def is_outdated(self) -> bool:
        """Say whether the target branch has moved on since HEAD left it."""
        return self.commit != self.target.commit


def find_base(git: Git, named: BaseName) -> MergeBase:
    """Return the merge base of HEAD and the branch or commit that is named.

    Raises UsageError where there is no repository, no such REF, no history in common, or the base is not
    within its bounds, with the fix; ToolError without git.
    """
    root = top_folder(git)
    head = head_commit(git)
    if not head:
        raise UsageError("the repository has no commit yet", "commit first")
    target = _target(git, named)
    if target is None:
        raise _not_found(git, named.ref if named.ref is not None else named.target_branch or None)
    if named.saved is not None:
        return _saved_base(git, root, head, target, named.saved)
    answer = git.ask("merge-base", target.commit, head)
    if answer.status or not HASH.fullmatch(answer.line):
        raise UsageError(
            f"{shown(target.name)} and HEAD have no commit in common here",
            UNSHALLOW if is_shallow(git) else "name the branch that this one is to be merged into",
        )
    base = answer.line
    _check_bounds(git, base, target.name, named.bounds)
    at_root = git.at(root)
    return MergeBase(
        Revision(at_root, base, root),
        target.name,
        head,
        Revision(at_root, target.commit, root),
        _commits_between(git, base, target.commit),
        _days_between(git, base, target.commit),
        target.notes,
    )


def _saved_base(git: Git, root: Path, head: str, base: Reference, saved: TargetBranch) -> MergeBase:
    """Return the base of a saved Run; its target is the base itself where the clone lacks that commit."""
    at_root, target, notes = git.at(root), saved.commit, base.notes
    if not HASH.fullmatch(target) or git.ask("cat-file", "-e", f"{target}^{{commit}}").status:
        target = base.commit
        notes += (note(Rule.TARGET_NOT_FOUND, commit=saved.commit, target=saved.name),)
    return MergeBase(
        Revision(at_root, base.commit, root),
        saved.name,
        head,
        Revision(at_root, target, root),
        saved.commits_ahead,
        saved.days_ahead,
        notes,
    )


def is_ancestor(git: Git, first: str, second: str) -> bool:
    """Say whether the first commit is the second, or older than it on its line."""
    return git.ask("merge-base", "--is-ancestor", first, second).status == 0


def top_folder(git: Git) -> Path:
    """Return the top folder of the working tree. Raises UsageError where there is no repository."""
    answer = git.ask("rev-parse", "--show-toplevel")
    if answer.status:
        reason = answer.complaint or "git gives no reason"
        raise UsageError(
            f"{git.folder}: git cannot use this folder ({reason})",
            untrusted_folder_hint(answer.complaint, str(git.folder)) or "run sbir-gate within the repository",
        )
    return Path(os.fsdecode(answer.output).rstrip("\n"))


def _target(git: Git, named: BaseName) -> Reference | None:
    if named.ref is not None:
        return find_reference(git, named.ref)
    if named.target_branch:
        return find_branch(git, named.target_branch)
    return find_default_branch(git)


def _check_bounds(git: Git, base: str, name: str, bounds: Sequence[str]) -> None:
    """Raise UsageError unless the base is one of the bounds, or older than one."""
    if not bounds or any(is_ancestor(git, base, bound) for bound in bounds):
        return
    if all(git.ask("cat-file", "-e", f"{bound}^{{commit}}").status for bound in bounds):
        raise UsageError(
            f"this clone lacks the base branch's commit as the event gives it, {bounds[0][:SHOWN_DIGITS]}",
            UNSHALLOW if is_shallow(git) else "fetch the base branch before the gate runs",
        )
    raise UsageError(
        f"the base {base[:SHOWN_DIGITS]}, found by {shown(name)}, is not part of the base branch as the event"
        f" gives it (commit {bounds[0][:SHOWN_DIGITS]})",
        "check out pull_request.head.sha, update the branch, or name the base branch in the input base",
    )


def _commits_between(git: Git, first: str, second: str) -> int:
    if first == second:
        return 0
    answer = git.ask("rev-list", "--count", f"{first}..{second}")
    return int(answer.line) if not answer.status and answer.line.isdecimal() else 0


def _days_between(git: Git, first: str, second: str) -> int:
    """Return the whole days between the dates of two commits, never less than 0."""
    if first == second:
        return 0
    answer = git.ask("show", "--no-patch", "--format=%ct", first, second)
    moments = answer.line.split()
    if answer.status or len(moments) != 2 or not all(map(str.isdecimal, moments)):
        return 0
    return max(0, int(moments[1]) - int(moments[0])) // _SECONDS_PER_DAY


def _not_found(git: Git, asked: str | None) -> UsageError:
    if asked is not None and is_moved(asked.partition("~")[0].partition("^")[0]):
        hint = "nothing was fetched, or a tag or branch has this name too: name the branch or commit itself"
    elif is_shallow(git):
        hint = UNSHALLOW
    elif asked is not None and (meant := did_you_mean(asked, reference_names(git))):
        hint = meant
    elif asked is not None:
        hint = (
            "name a branch, a tag or a commit that this clone has ('git branch --all'), or fetch it, e.g. "
            + missing_branch_hint("main")
        )
    else:
        hint = "name the branch that this change goes to, such as --base trunk"
    if asked is not None:
        return UsageError(f"there is no commit {shown(asked)} in this repository", hint)
    names = ", ".join(("origin/HEAD", *DEFAULT_BRANCHES))
    return UsageError(f"there is no default branch ({names})", hint)
