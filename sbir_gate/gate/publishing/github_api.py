"""GitHub through PyGithub's objects: comments, checks and pull requests of one repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from itertools import islice
from typing import TypeAlias, TypedDict, TypeVar

from github.CheckRun import CheckRun as GithubCheckRun
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest

from sbir_gate.gate.publishing.github import (
    PERMISSIONS,
    CheckRun,
    CheckText,
    Comment,
    Conclusion,
    GitHubError,
    Pull,
)
from sbir_gate.gate.publishing.github_client import (
    PAGE_SIZE,
    Connection,
    explained,
    open_github,
)
from sbir_gate.model.publication import Annotation

GITHUB_TOKEN_LOGIN = "github-actions[bot]"  # noqa: S105 -- a login, not a token

_TITLE_CHARACTERS = 255
_MESSAGE_CHARACTERS = 16_000
_MOST_PAGES = 100
_VIEWER = "query { viewer { login } }"

Theirs = TypeVar("Theirs")
Ours = TypeVar("Ours")


class GitHubApi:
    """One repository on GitHub; implements `publishing.github.GitHub`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._github = open_github(connection)
        self._repository = self._github.get_repo(connection.repository)

    def __repr__(self) -> str:
        return f"GitHubApi({self._connection.repository} at {self._connection.api_url})"

    def viewer(self) -> str:
        """Return the login that the token writes as: as configured, else from GitHub.

        GraphQL knows it for every sort of token; GET /user refuses those of Apps, such as GITHUB_TOKEN, which
        is what is left where neither answers.
        """
        if self._connection.login:
            return self._connection.login
        try:
            with self._asking("ask who it is"):
                _, response = self._github.requester.graphql_query(_VIEWER, {})
                return str(_known(response["data"]["viewer"]["login"]))
        except GitHubError as error:
            if error.status == 401:
                raise
        try:
            with self._asking("ask who it is"):
                return _known(self._github.get_user().login)
        except GitHubError as error:
            if error.status in {403, 404}:
                return GITHUB_TOKEN_LOGIN
            raise

    def pull(self, number: int) -> Pull:
        """Return a pull request as it stands now."""
        with self._asking("read pull requests", "read"):
            return _pull(self._repository.get_pull(number))

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments on a pull request, the oldest first."""
        with self._asking("read comments", "read"):
            return self._all(self._repository.get_issue(number).get_comments(), _comment)

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment; where the response was lost it is not asked for again."""
        with self._asking("write comments", "comment"):
            return _comment(self._repository.get_issue(number).create_comment(body))

    def edit_comment(self, comment_number: int, body: str) -> Comment:
        """Replace the text of a comment."""
        with self._asking("write comments", "comment"):
            comment = self._comment_of(comment_number)
            comment.edit(body)
            return _comment(comment)

    def delete_comment(self, comment_number: int) -> None:
        """Remove a comment; one that is already gone is not an error."""
        try:
            with self._asking("write comments", "comment"):
                self._comment_of(comment_number).delete()
        except GitHubError as error:
            if error.status not in {404, 410}:
                raise

    def check_runs(self, sha: str, name: str) -> tuple[CheckRun, ...]:
        """Return the latest checks of that name on a commit."""
        with self._asking("read checks", "check"):
            found = self._repository.get_commit(sha).get_check_runs(check_name=name, filter="latest")
            return self._all(found, _check_run)

    def begin_check_run(self, sha: str, name: str, key: str, details_url: str) -> CheckRun:
        """Add a check that is in progress."""
        with self._asking("write checks", "check"):
            return _check_run(
                self._repository.create_check_run(
                    name, sha, external_id=key, details_url=details_url, status="in_progress"
                )
            )

    def create_check_run(
        self, sha: str, name: str, key: str, details_url: str, conclusion: Conclusion, text: CheckText
    ) -> CheckRun:
        """Add a check that has ended."""
        with self._asking("write checks", "check"):
            return _check_run(
                self._repository.create_check_run(
                    name, sha, external_id=key, details_url=details_url, **_end(conclusion, text)
                )
            )

    def complete_check_run(self, number: int, conclusion: Conclusion, text: CheckText) -> CheckRun:
        """End a check, or add annotations to one that has ended."""
        with self._asking("write checks", "check"):
            check = self._repository.get_check_run(number)
            check.edit(**_end(conclusion, text))
            return _check_run(check)

    def pulls_of_commit(self, sha: str) -> tuple[Pull, ...]:
        """Return the pull requests that a commit of this repository belongs to."""
        with self._asking("read pull requests", "read"):
            return self._all(self._repository.get_commit(sha).get_pulls(), _pull)

    def pulls_of_branch(self, owner: str, branch: str) -> tuple[Pull, ...]:
        """Return the open pull requests from a branch of that owner's repository or fork."""
        with self._asking("read pull requests", "read"):
            return self._all(self._repository.get_pulls(state="open", head=f"{owner}:{branch}"), _pull)

    def files_of_pull(self, number: int) -> tuple[str, ...]:
        """Return the paths that a pull request changes, of a renamed file both; of at most 3,000 files."""
        with self._asking("read pull requests", "read"):
            files = self._all(
                self._repository.get_pull(number).get_files(),
                lambda file: (_known(file.filename), file.previous_filename or ""),
            )
        return tuple(name for names in files for name in names if name)

    def create_pull(self, head: str, base: str, title: str, body: str) -> Pull:
        """Open a pull request from a branch to another of this repository."""
        with self._asking("open pull requests", "pull"):
            return _pull(self._repository.create_pull(base, head, title=title, body=body))

    def edit_pull(self, number: int, title: str, body: str) -> Pull:
        """Replace title and text of a pull request."""
        with self._asking("edit pull requests", "pull"):
            pull = self._repository.get_pull(number)
            pull.edit(title=title, body=body)
            return _pull(pull)

    def close_pull(self, number: int) -> None:
        """Close a pull request without merging it."""
        with self._asking("close pull requests", "pull"):
            self._repository.get_pull(number).edit(state="closed")

    def _asking(self, doing: str, permission: str = "") -> AbstractContextManager[None]:
        return explained(self._connection, doing, PERMISSIONS.get(permission, ""))

    def _comment_of(self, number: int) -> IssueComment:
        return self._repository.get_issue(0).get_comment(number)  # of any issue: their numbers are one row

    def _all(self, found: Iterable[Theirs], ours_of: Callable[[Theirs], Ours]) -> tuple[Ours, ...]:
        """Return what all pages hold: one page is not all of it.

        Raises GitHubError for an endless list of pages.
        """
        most = _MOST_PAGES * PAGE_SIZE
        items = tuple(ours_of(each) for each in islice(found, most + 1))
        if len(items) > most:
            raise GitHubError(
                200, f"{self._connection.repository}: GitHub lists more than {most:,} of them", "tidy them up"
            )
        return items


def _known(value: Theirs | None) -> Theirs:
    """Return what PyGithub read; it gives None for what a response lacks. Raises ValueError."""
    if not value:
        raise ValueError
    return value


def _comment(comment: IssueComment) -> Comment:
    author = _known(comment.user.login) if comment.user else ""
    return Comment(_known(comment.id), author, comment.body or "", _known(comment.html_url))


def _pull(pull: PullRequest) -> Pull:
    head, base = pull.head, pull.base
    return Pull(
        number=_known(pull.number),
        is_open=_known(pull.state) == "open",
        head_sha=_known(head.sha),
        head_repository=_known(head.repo.full_name) if head.repo else "",
        head_ref=_known(head.ref),
        base_ref=_known(base.ref),
        base_repository=_known(base.repo.full_name) if base.repo else "",
        title=_known(pull.title),
        body=pull.body or "",
        url=_known(pull.html_url),
    )


def _check_run(check: GithubCheckRun) -> CheckRun:
    is_completed = _known(check.status) == "completed"
    annotations = check.output.annotations_count if check.output else 0
    return CheckRun(
        _known(check.id), check.external_id or "", is_completed, check.html_url or "", annotations or 0
    )


_Output: TypeAlias = dict[str, str | list[dict[str, str | int]]]


class _End(TypedDict):
    status: str
    conclusion: str
    output: _Output


def _end(conclusion: Conclusion, text: CheckText) -> _End:
    output: _Output = {
        "title": text.title[:_TITLE_CHARACTERS],
        "summary": text.summary,
    }
    if text.annotations:
        output["annotations"] = [_annotation(each) for each in text.annotations]
    return {"status": "completed", "conclusion": conclusion.value, "output": output}


def _annotation(annotation: Annotation) -> dict[str, str | int]:
    line = max(1, annotation.line)
    return {
        "path": annotation.path,
        "start_line": line,
        "end_line": line,
        "annotation_level": annotation.level.value,
        "title": annotation.title[:_TITLE_CHARACTERS],
        "message": annotation.message[:_MESSAGE_CHARACTERS] or annotation.title[:_TITLE_CHARACTERS],
    }
