"""What is asked of GitHub and what it answers: the edge to it, as small as its use; and how it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sbir_gate.errors import PublishError
from sbir_gate.model.publication import Annotation


class GitHubError(PublishError):
    """GitHub did not do what it was asked; `status` is that of its answer, 0 if none came."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status

    @property
    def is_unsure(self) -> bool:
        """Say whether GitHub may have done it all the same: the answer was lost, or is about itself."""
        return self.status == 0 or self.status >= 500


class SharedGateError(PublishError):
    """Another job of the same run publishes under the same gate name: one would hide the other."""

    def __init__(self, what: str, gate: str, job: str) -> None:
        super().__init__(
            f"no {what}: job {job} of this run publishes as the gate {gate} too",
            "give each job a gate name of its own, with the input gate",
        )


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request; `author` is a login, with `[bot]` for an App, empty for a deleted user."""

    number: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request; `head_repository` is owner/name, empty for a fork that was deleted."""

    number: int
    is_open: bool
    head_sha: str
    head_repository: str
    head_ref: str
    base_ref: str
    base_repository: str
    title: str
    body: str
    url: str


class Conclusion(StrEnum):
    """How a check ended, in GitHub's words; neutral lets a required check pass."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check on a commit; `key` identifies its run and attempt, `is_completed` says that it ended.

    `annotations` counts those that it has.
    """

    number: int
    key: str
    is_completed: bool
    url: str
    annotations: int = 0


@dataclass(frozen=True, slots=True)
class CheckText:
    """What the page of a check shows; `annotations` are added to those that it has."""

    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


class Comments(Protocol):
    """Comments on pull requests. Every method raises GitHubError."""

    def viewer(self) -> str:
        """Return the login that the token writes as."""

    def pull(self, number: int) -> Pull:
        """Return a pull request as it stands now."""

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments on a pull request, the oldest first."""

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment. An answer that was lost is not asked for again: see `GitHubError.is_unsure`."""

    def edit_comment(self, comment_number: int, body: str) -> Comment:
        """Replace the text of a comment."""

    def delete_comment(self, comment_number: int) -> None:
        """Remove a comment; one that is already gone is not an error."""


class Checks(Protocol):
    """Checks on commits. Every method raises GitHubError."""

    def check_runs(self, sha: str, name: str) -> tuple[CheckRun, ...]:
        """Return the latest checks of that name on a commit."""

    def begin_check_run(self, sha: str, name: str, key: str, details_url: str) -> CheckRun:
        """Add a check that is in progress."""

    def create_check_run(
        self, sha: str, name: str, key: str, details_url: str, conclusion: Conclusion, text: CheckText
    ) -> CheckRun:
        """Add a check that has ended."""

    def complete_check_run(self, number: int, conclusion: Conclusion, text: CheckText) -> CheckRun:
        """Let a check end, or add annotations to one that has."""


class Pulls(Protocol):
    """Pull requests. Every method raises GitHubError."""

    def pulls_of_commit(self, sha: str) -> tuple[Pull, ...]:
        """Return the pull requests that a commit of this repository belongs to."""

    def pulls_of_branch(self, owner: str, branch: str) -> tuple[Pull, ...]:
        """Return the open pull requests from a branch of that owner's repository or fork."""

    def files_of_pull(self, number: int) -> tuple[str, ...]:
        """Return the paths that a pull request changes, of a renamed file both; of at most 3,000 files."""

    def create_pull(self, head: str, base: str, title: str, body: str) -> Pull:
        """Open a pull request from a branch to another of this repository."""

    def edit_pull(self, number: int, title: str, body: str) -> Pull:
        """Replace title and text of a pull request."""

    def close_pull(self, number: int) -> None:
        """Close a pull request without merging it."""


class GitHub(Comments, Checks, Pulls, Protocol):
    """All that is asked of GitHub."""


PERMISSIONS: Mapping[str, str] = {
    "comment": "pull-requests: write",
    "check": "checks: write",
    "pull": "pull-requests: write",
    "read": "pull-requests: read",
}
"""Which permission of a job lets its token do what."""
