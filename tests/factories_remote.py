"""A bare repository as a remote, and clones of it, for tests of what is pushed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from sbir_gate.gate.branches import push_retrying
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.remote_branch import RemoteBranch, remote_branch
from sbir_gate.retrying import RetryPolicy, full_pause
from tests.factories_git import ENVIRONMENT, Repository

_FIRST = """\
commit refs/heads/main
committer A. Author <author@example.org> now
data 8
a change
M 100644 inline file.txt
data 6
first

"""


@dataclass
class Waiter:
    """A clock that only waiting moves."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def retrying(self, **changes: float) -> RetryPolicy:
        edges = {"sleep": self.sleep, "clock": lambda: self.now, "jitter": full_pause}
        return replace(push_retrying(), **edges, **changes)


@dataclass(frozen=True)
class Remote:
    """A bare repository."""

    folder: Path

    @property
    def repository(self) -> Repository:
        return Repository(self.folder)

    def clone(self, folder: Path) -> Repository:
        """Return a clone whose working tree, index and HEAD are as after `git clone`."""
        Repository(self.folder.parent).git("clone", "--quiet", self.folder, folder)
        return Repository(folder.resolve())

    def files(self, branch: str) -> list[str]:
        names = self.repository.git("ls-tree", "-r", "--name-only", branch)
        return names.splitlines()

    def read(self, branch: str, path: str) -> str:
        return self.repository.git("cat-file", "blob", f"{branch}:{path}")

    def commits(self, branch: str) -> list[str]:
        return self.repository.git("rev-list", branch).splitlines()

    def refuse(self, words: str) -> None:
        """Let every push be refused with these words from now on."""
        self.hook("pre-receive", f"echo '{words}' >&2; exit 1")

    def hook(self, name: str, script: str) -> None:
        path = self.folder / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def make_remote(folder: Path, *, has_main: bool = True) -> Remote:
    """Return a bare repository, with a commit on main unless told otherwise."""
    folder.mkdir(parents=True)
    made = Remote(folder.resolve())
    made.repository.git("init", "--quiet", "--bare", "--initial-branch", "main", "--template=")
    if has_main:
        made.repository.git("fast-import", "--quiet", "--date-format=now", typed=_FIRST)
    return made


def branch_of(repository: Repository, name: str, **environment: str) -> RemoteBranch:
    return remote_branch(Git(repository.folder, ENVIRONMENT | environment), "origin", name, None)


def state_of(repository: Repository) -> tuple[dict[str, bytes], str, str, str]:
    """Return all that is the user's: working tree, index, HEAD and configuration with every ref."""
    files = {
        path.relative_to(repository.folder).as_posix(): path.read_bytes()
        for path in repository.folder.rglob("*")
        if path.is_file()
        and (".git" not in path.parts or path.name in {"index", "config", "HEAD", "shallow"})
    }
    git = repository.git
    return files, git("status", "--porcelain"), git("rev-parse", "HEAD"), git("stash", "list")
