"""A git repository in a folder, for tests of what is read from its commits."""

from __future__ import annotations

import subprocess
from pathlib import Path

CONFIG = (
    ("user.name", "A Tester"),
    ("user.email", "tester@example.org"),
    ("commit.gpgsign", "false"),
    ("core.autocrlf", "false"),
)


class Repository:
    """A new repository whose first branch is `main`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.git("init", "--quiet", "--initial-branch=main")
        for name, value in CONFIG:
            self.git("config", name, value)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write_all(self, files: dict[str, str | bytes | None]) -> None:
        """Write files by their paths; None removes one."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: dict[str, str | bytes | None] | None = None) -> str:
        """Write files and commit everything; return the commit."""
        self.write_all(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        self.git("checkout", "--quiet", "-b", name)
