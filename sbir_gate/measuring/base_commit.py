"""The commit that head is compared with: the merge base with the target branch, never the branch's tip.

The tip holds what others have merged since; compared with it, a change would be charged for theirs.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import ToolError, UsageError
from sbir_gate.measuring.source import Git

# where the target branch is looked for if nobody says what it is called
DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHOWN_CHARACTERS = 80
_SAID_CHARACTERS = 400
_FETCH = "fetch the whole history: 'fetch-depth: 0' for actions/checkout, or 'git fetch --unshallow'"


@dataclass(frozen=True, slots=True)
class BaseCommit:
    """The base: its full hash, the branch or REF that led to it, and where it was looked for.

    `head` is the hash of HEAD, `root` the top folder of the working tree.
    """

    commit: str
    ref: str
    head: str
    root: Path


def find_base(git: Git, ref: str, target_branch: str) -> BaseCommit:
    """Return the merge base of HEAD and `ref`; without a `ref`, of HEAD and the target branch.

    The target branch is `target_branch` (GITHUB_BASE_REF: on a pull request the branch that it goes to),
    else the default branch. A name that git does not know is looked for in `origin` too.

    Raises UsageError where there is no repository, no such REF, or no history in common, with the cure;
    ToolError without git.
    """
    root = _root(git)
    head = _commit_of(git, "HEAD")
    if not head:
        raise UsageError("--base: the repository has no commit yet", "commit first")
    names = _candidates(ref, target_branch)
    found = ((name, _commit_of(git, name)) for name in names)
    name, target = next(((name, commit) for name, commit in found if commit), ("", ""))
    if not target:
        raise _not_found(git, ref or target_branch, names)
    merge_base = _ask(git, ["merge-base", target, head])
    if not _COMMIT.fullmatch(merge_base):
        raise UsageError(
            f"--base: {_shown(name)} and HEAD have no commit in common here",
            _FETCH if _is_shallow(git) else "name a REF that HEAD was branched off from",
        )
    return BaseCommit(merge_base, name, head, root)


def _root(git: Git) -> Path:
    try:
        return Path(git(["rev-parse", "--show-toplevel"]))
    except OSError as error:
        raise ToolError(f"--base: git cannot be started: {error.strerror}", "install git") from error
    except subprocess.SubprocessError as error:
        raise UsageError(
            f"--base: git takes this folder for no repository: {said(error)}",
            "call sbir-gate within one; without --base it compares with the stored baseline",
        ) from error


def _candidates(ref: str, target_branch: str) -> tuple[str, ...]:
    if ref:
        return (ref, f"refs/remotes/origin/{ref}")
    if target_branch:
        return (f"origin/{target_branch}", target_branch)
    return DEFAULT_BRANCHES


def _commit_of(git: Git, name: str) -> str:
    """Return the commit that a name stands for, or an empty string."""
    if "\0" in name:
        return ""
    # after --end-of-options nothing is an option, whatever it looks like
    commit = _ask(git, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    return commit if _COMMIT.fullmatch(commit) else ""


def _ask(git: Git, arguments: Sequence[str]) -> str:
    """Return git's answer, or an empty string where it has none."""
    try:
        return git(arguments)
    except subprocess.CalledProcessError:
        return ""
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(
            f"--base: git does not answer: {error}", "run the same git command by hand"
        ) from error


def _is_shallow(git: Git) -> bool:
    return _ask(git, ["rev-parse", "--is-shallow-repository"]) == "true"


def _not_found(git: Git, asked: str, names: Sequence[str]) -> UsageError:
    if _is_shallow(git):
        hint = _FETCH
    elif asked:
        hint = "name a branch, a tag or a commit that this clone has ('git branch --all'), or fetch it"
    else:
        hint = "name the branch that this change goes to: --base REF"
    if asked:
        return UsageError(f"--base: there is no commit {_shown(asked)}", hint)
    return UsageError(f"--base: there is no default branch ({', '.join(names)})", hint)


def _shown(name: str) -> str:
    return repr(name[:_SHOWN_CHARACTERS])


def said(error: subprocess.SubprocessError) -> str:
    """Return what git complained of, in one line: from its first complaint on."""
    lines = [line.strip() for line in str(getattr(error, "stderr", None) or error).splitlines()]
    lines = [line for line in lines if line]
    first = next((at for at, line in enumerate(lines) if line.startswith(("fatal:", "error:"))), 0)
    return " ".join(lines[first:])[:_SAID_CHARACTERS]
