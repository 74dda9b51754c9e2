"""What git is asked and what it answers: the edge to it, as every step may know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GitResult:
    """What git said: its exit status (0 is well), its output, and its complaint in one line."""

    status: int
    output: bytes
    complaint: str = ""

    @property
    def line(self) -> str:
        """The output as one line of text."""
        return self.output.decode("utf-8", errors="replace").strip()


class AsksGit(Protocol):
    """git in some folder."""

    def ask(self, *arguments: str) -> GitResult:
        """Run git to its end. Raises ToolError if there is no git, or it does not come to an end."""
