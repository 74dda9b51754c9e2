"""The files of the base commit, in a folder of their own for as long as they are measured."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sbir_gate.errors import ToolError
from sbir_gate.measuring.base_commit import said
from sbir_gate.measuring.source import Git

GIT_SECONDS = 600.0  # a checkout of a large repository takes minutes; a longer one hangs
_END_SECONDS = 10.0
# set within a git hook, they would lead git to the user's own index. It lists them itself (`git rev-parse
# --local-env-vars`); those that hold configuration, such as safe.directory, stay
_LOCAL_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
# a checkout runs no hook, fetches no submodule and starts no watcher, whatever the configuration says
_PLAIN = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "advice.detachedHead=false"),
)


def careful_git_in(folder: Path, environment: Mapping[str, str]) -> Git:
    """Return a function that runs git in a folder, without questions, hooks, or a way to the user's index.

    Ctrl-C does not reach git itself: it is told to end, and given the time to clean up after itself.
    """
    seen = {name: value for name, value in environment.items() if name not in _LOCAL_VARIABLES}
    seen |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}

    def git(arguments: Sequence[str]) -> str:
        command = ["git", *_PLAIN, "-C", str(folder), *arguments]
        with subprocess.Popen(  # noqa: S603 -- a list of arguments, no shell; names follow --end-of-options
            command,
            env=seen,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                output, messages = process.communicate(timeout=GIT_SECONDS)
            finally:
                _end(process)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output, messages)
        return output.strip()

    return git


def _end(process: subprocess.Popen[str]) -> None:
    """End git and what it started, where it is still at work: gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)


@contextmanager
def base_checkout(git: Git, commit: str, folder: Path) -> Iterator[Path]:
    """Check a commit out into `<folder>/base` and remove it afterwards, whatever happens.

    It is a worktree of the repository: the user's own working tree and index are not touched.
    Raises ToolError if it cannot be made.
    """
    tree = folder.resolve() / "base"
    try:
        try:
            git(["worktree", "add", "--detach", "--force", str(tree), commit])
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolError(
                f"--base: commit {commit[:12]} cannot be checked out: {said_of(error)}",
                "run 'git worktree add' by hand to see why; it needs room in the temporary folder (TMPDIR),"
                " a repository that may be written, and git-lfs where files are kept with it",
            ) from error
        yield tree
    finally:
        _remove(git, tree)


def said_of(error: OSError | subprocess.SubprocessError) -> str:
    """Return why git failed, in one line."""
    return str(error.strerror) if isinstance(error, OSError) else said(error)


def _remove(git: Git, tree: Path) -> None:
    failures = (OSError, subprocess.SubprocessError)
    with suppress(*failures):
        # twice --force: also where it is locked, because git was stopped while it made it
        git(["worktree", "remove", "--force", "--force", str(tree)])
        return
    # half made, or full of what may not be removed: git is made to forget it, and the files go with `folder`
    with suppress(*failures):
        git(["worktree", "unlock", str(tree)])
    shutil.rmtree(tree, ignore_errors=True)
    with suppress(*failures):
        git(["worktree", "prune"])


def cautions(git: Git, tree: Path) -> tuple[str, ...]:
    """Return what a checkout lacks of the commit, in words."""
    found = []
    if (tree / ".gitmodules").is_file():
        found.append("the base's submodules were not checked out: what lies in them was not there")
    attributes = tree / ".gitattributes"
    if attributes.is_file() and b"filter=lfs" in attributes.read_bytes() and not _has_lfs(git):
        found.append("git-lfs is not set up: the base's files of Git LFS were pointers only")
    return tuple(found)


def _has_lfs(git: Git) -> bool:
    try:
        return bool(git(["config", "--get", "filter.lfs.smudge"]))
    except (OSError, subprocess.SubprocessError):
        return False
