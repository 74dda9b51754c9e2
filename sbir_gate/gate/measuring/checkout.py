"""The files of the base commit, in a folder of their own for as long as they are measured."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sbir_gate.errors import ToolError
from sbir_gate.files import read_file
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.git import AsksGit

_MAX_ATTRIBUTES_BYTES = 1024 * 1024


# the folder of a checkout, and how that of its run begins
_NAME = "base"
_RUN = "sbir-gate-base-"


@contextmanager
def base_checkout(git: AsksGit, commit: str, folder: Path) -> Iterator[Path]:
    """Check a commit out into `<folder>/base` and remove it afterwards, whatever happens.

    It is a worktree of the repository: the user's own working tree and index are not touched. Checkouts that
    killed runs left, and whose folder is gone, are forgotten.
    Raises ToolError if it cannot be made.
    """
    tree = folder.resolve() / _NAME
    _forget_killed(git)
    try:
        answer = git.ask("worktree", "add", "--detach", "--force", str(tree), commit)
        if answer.status:
            raise ToolError(
                f"--base: commit {commit[:12]} cannot be checked out: {answer.complaint}",
                "run 'git worktree add' by hand to see why; it needs room in the temporary folder (TMPDIR),"
                " a repository that may be written, git-lfs where files are kept with it, and every object"
                " (in a partial clone: git fetch --refetch --no-filter origin)",
            )
        yield tree
    finally:
        _remove(git, tree)


def _forget_killed(git: AsksGit) -> None:
    """Let git forget the checkouts of killed runs whose folders were swept; the user's worktrees stay."""
    listed = git.ask("worktree", "list", "--porcelain").output.decode("utf-8", "surrogateescape")
    trees = (
        Path(line.removeprefix("worktree ")) for line in listed.splitlines() if line.startswith("worktree ")
    )
    for tree in trees:
        if tree.name == _NAME and tree.parent.name.startswith(_RUN) and not tree.exists():
            git.ask("worktree", "remove", "--force", "--force", str(tree))


def _remove(git: AsksGit, tree: Path) -> None:
    with suppress(ToolError):
        # twice --force: also where it is locked, because git was stopped while it made it
        if git.ask("worktree", "remove", "--force", "--force", str(tree)).status == 0:
            return
        # half made, or full of what may not be removed: git forgets it, and the files go with `folder`
        git.ask("worktree", "unlock", str(tree))
    shutil.rmtree(tree, ignore_errors=True)
    with suppress(ToolError):
        git.ask("worktree", "prune")


def cautions(git: AsksGit, tree: Path) -> tuple[Finding, ...]:
    """Return what a checkout lacks of the commit."""
    found = []
    if (tree / ".gitmodules").is_file():
        found.append(note(Rule.SUBMODULES_MISSING))
    attributes = tree / ".gitattributes"
    if _names_lfs(attributes) and not _has_lfs(git):
        found.append(note(Rule.LFS_POINTERS))
    return tuple(found)


def _names_lfs(attributes: Path) -> bool:
    try:
        return b"filter=lfs" in read_file(attributes, _MAX_ATTRIBUTES_BYTES)
    except OSError:
        return False


def _has_lfs(git: AsksGit) -> bool:
    return bool(git.ask("config", "--get", "filter.lfs.smudge").line)
