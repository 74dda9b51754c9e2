"""Real git repositories in a temporary folder, for tests that compare with a base commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "A. Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}


@dataclass(frozen=True)
class Repository:
    """A repository and its working tree."""

    folder: Path

    def git(self, *arguments: object, typed: str = "", **variables: str) -> str:
        """Run git, with these variables too, let it read `typed`, and return what it prints."""
        return subprocess.run(
            ["git", "-C", str(self.folder), *map(str, arguments)],
            env=ENVIRONMENT | variables,
            input=typed,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write_all(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files by their paths; None removes one."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes | None]) -> str:
        """Write files, commit all that is there, and return the commit."""
        self.write_all(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self._head()

    def _head(self) -> str:
        """Return the commit that is checked out, from its file where it can be: hundreds of tests ask."""
        folder = self.folder / ".git"
        if folder.is_dir():
            branch = folder / (folder / "HEAD").read_text().strip().removeprefix("ref: ")
            if branch.is_file():
                return branch.read_text().strip()
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        """Make a branch and stand on it."""
        self.git("checkout", "--quiet", "-b", name)

    def worktrees(self) -> list[str]:
        """Return every worktree that git knows of."""
        lines = self.git("worktree", "list", "--porcelain").splitlines()
        return [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")]


def make_repository(folder: Path) -> Repository:
    """Return a new, empty repository on the branch main."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Repository(folder.resolve())
    # without a template: nobody reads the dozen examples of hooks
    made.git("init", "--quiet", "--initial-branch", "main", "--template=")
    return made


def copied(repository: Repository, folder: Path) -> Repository:
    """Return a copy of a repository for one test: making it again with git takes ten times as long."""
    shutil.copytree(repository.folder, folder, symlinks=True)
    return Repository(folder.resolve())
