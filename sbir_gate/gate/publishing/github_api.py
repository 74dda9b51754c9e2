"""GitHub's REST API: which requests are made for what."""

from __future__ import annotations

from collections.abc import Mapping

from sbir_gate.gate.publishing.github import (
    PERMISSIONS,
    CheckRun,
    CheckText,
    Comment,
    Conclusion,
    GitHubError,
    Pull,
)
from sbir_gate.gate.publishing.github_answers import (
    CheckRunAnswer,
    CheckRunsAnswer,
    CommentAnswer,
    FileAnswer,
    PullAnswer,
    UserAnswer,
    ViewerAnswer,
    check_run_of,
    comment_of,
    pull_of,
)
from sbir_gate.gate.publishing.github_requests import Clock, Connection, Json, Request, Requests, Verb
from sbir_gate.model.publication import Annotation

GITHUB_TOKEN_LOGIN = "github-actions[bot]"  # noqa: S105 -- a login, not a token

_TITLE_CHARACTERS = 255
_MESSAGE_CHARACTERS = 16_000
_VIEWER = "query { viewer { login } }"


class GitHubApi:
    """One repository on GitHub; implements `publishing.github.GitHub`."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._repository = f"/repos/{connection.repository}"
        self._requests = Requests(connection, clock)

    def __repr__(self) -> str:
        return f"GitHubApi({self._connection.repository} at {self._connection.api_url})"

    def viewer(self) -> str:
        """Return the login that the token writes as: as told, else as GitHub says.

        GraphQL knows it for every sort of token; GET /user refuses those of Apps, such as GITHUB_TOKEN, which
        is what is left where neither answers.
        """
        if self._connection.login:
            return self._connection.login
        query = Request("POST", self._requests.graphql_url, "ask who it is", "", {"query": _VIEWER})
        user = Request("GET", "/user", "ask who it is", "")
        try:
            return self._requests.one(ViewerAnswer, query).data.viewer.login
        except GitHubError as error:
            if error.status == 401:
                raise
        try:
            return self._requests.one(UserAnswer, user).login
        except GitHubError as error:
            if error.status in {403, 404}:
                return GITHUB_TOKEN_LOGIN
            raise

    def pull(self, number: int) -> Pull:
        """Return a pull request as it stands now."""
        path = f"{self._repository}/pulls/{number}"
        return pull_of(
            self._requests.one(PullAnswer, Request("GET", path, "read pull requests", PERMISSIONS["read"]))
        )

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments on a pull request, the oldest first."""
        path = f"{self._repository}/issues/{number}/comments"
        request = Request("GET", path, "read comments", PERMISSIONS["read"])
        return tuple(comment_of(each) for each in self._requests.pages(CommentAnswer, request))

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment; an answer that was lost is not asked for again."""
        path = f"{self._repository}/issues/{number}/comments"
        return comment_of(
            self._requests.one(CommentAnswer, _commenting("POST", path, {"body": body}, is_repeatable=False))
        )

    def edit_comment(self, comment_number: int, body: str) -> Comment:
        """Replace the text of a comment."""
        path = f"{self._repository}/issues/comments/{comment_number}"
        return comment_of(self._requests.one(CommentAnswer, _commenting("PATCH", path, {"body": body})))

    def delete_comment(self, comment_number: int) -> None:
        """Remove a comment; one that is gone already is no error."""
        path = f"{self._repository}/issues/comments/{comment_number}"
        try:
            self._requests.ask(_commenting("DELETE", path, None))
        except GitHubError as error:
            if error.status not in {404, 410}:
                raise

    def check_runs(self, sha: str, name: str) -> tuple[CheckRun, ...]:
        """Return the latest checks of that name on a commit."""
        path = f"{self._repository}/commits/{sha}/check-runs"
        parameters: Mapping[str, str | int] = {"check_name": name, "filter": "latest", "per_page": 100}
        request = Request("GET", path, "read checks", PERMISSIONS["check"], parameters=parameters)
        return tuple(check_run_of(each) for each in self._requests.one(CheckRunsAnswer, request).check_runs)

    def begin_check_run(self, sha: str, name: str, key: str, details_url: str) -> CheckRun:
        """Add a check that is in progress."""
        facts = {
            "name": name,
            "head_sha": sha,
            "external_id": key,
            "details_url": details_url,
            "status": "in_progress",
        }
        return self._write_check("POST", f"{self._repository}/check-runs", facts)

    def create_check_run(
        self, sha: str, name: str, key: str, details_url: str, conclusion: Conclusion, text: CheckText
    ) -> CheckRun:
        """Add a check that has ended."""
        facts = {"name": name, "head_sha": sha, "external_id": key, "details_url": details_url}
        return self._write_check(
            "POST", f"{self._repository}/check-runs", {**facts, **_end(conclusion, text)}
        )

    def complete_check_run(self, number: int, conclusion: Conclusion, text: CheckText) -> CheckRun:
        """Let a check end, or add annotations to one that has."""
        return self._write_check("PATCH", f"{self._repository}/check-runs/{number}", _end(conclusion, text))

    def pulls_of_commit(self, sha: str) -> tuple[Pull, ...]:
        """Return the pull requests that a commit of this repository belongs to."""
        return self._pulls(f"{self._repository}/commits/{sha}/pulls", {})

    def pulls_of_branch(self, owner: str, branch: str) -> tuple[Pull, ...]:
        """Return the open pull requests from a branch of that owner's repository or fork."""
        return self._pulls(f"{self._repository}/pulls", {"state": "open", "head": f"{owner}:{branch}"})

    def files_of_pull(self, number: int) -> tuple[str, ...]:
        """Return the paths that a pull request changes, of a renamed file both; of at most 3,000 files."""
        path = f"{self._repository}/pulls/{number}/files"
        request = Request("GET", path, "read pull requests", PERMISSIONS["read"])
        files = self._requests.pages(FileAnswer, request)
        return tuple(name for file in files for name in (file.filename, file.previous_filename) if name)

    def create_pull(self, head: str, base: str, title: str, body: str) -> Pull:
        """Open a pull request from a branch to another of this repository."""
        facts = {"head": head, "base": base, "title": title, "body": body}
        request = Request(
            "POST",
            f"{self._repository}/pulls",
            "open pull requests",
            PERMISSIONS["pull"],
            facts,
            is_repeatable=False,
        )
        return pull_of(self._requests.one(PullAnswer, request))

    def edit_pull(self, number: int, title: str, body: str) -> Pull:
        """Replace title and text of a pull request."""
        facts = {"title": title, "body": body}
        path = f"{self._repository}/pulls/{number}"
        return pull_of(
            self._requests.one(
                PullAnswer, Request("PATCH", path, "edit pull requests", PERMISSIONS["pull"], facts)
            )
        )

    def _write_check(self, verb: Verb, path: str, facts: Json) -> CheckRun:
        return check_run_of(
            self._requests.one(
                CheckRunAnswer, Request(verb, path, "write checks", PERMISSIONS["check"], facts)
            )
        )

    def _pulls(self, path: str, parameters: Mapping[str, str | int]) -> tuple[Pull, ...]:
        request = Request("GET", path, "read pull requests", PERMISSIONS["read"], parameters=parameters)
        return tuple(pull_of(each) for each in self._requests.pages(PullAnswer, request))


def _commenting(verb: Verb, path: str, body: Json | None, *, is_repeatable: bool = True) -> Request:
    return Request(verb, path, "write comments", PERMISSIONS["comment"], body, is_repeatable=is_repeatable)


def _end(conclusion: Conclusion, text: CheckText) -> Json:
    output: dict[str, object] = {"title": text.title[:_TITLE_CHARACTERS], "summary": text.summary}
    if text.annotations:
        output["annotations"] = [_annotation(each) for each in text.annotations]
    return {"status": "completed", "conclusion": conclusion.value, "output": output}


def _annotation(annotation: Annotation) -> Json:
    line = max(1, annotation.line)
    return {
        "path": annotation.path,
        "start_line": line,
        "end_line": line,
        "annotation_level": annotation.level.value,
        "title": annotation.title[:_TITLE_CHARACTERS],
        "message": annotation.message[:_MESSAGE_CHARACTERS] or annotation.title[:_TITLE_CHARACTERS],
    }
