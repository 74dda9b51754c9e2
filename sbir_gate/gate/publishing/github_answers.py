"""What GitHub answers, as far as it is used: checked at the border, and turned into our own words."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sbir_gate.gate.publishing.github import CheckRun, Comment, Pull


class _Part(BaseModel):
    """A part of an answer: what is used of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _User(_Part):
    login: str


class _Repository(_Part):
    full_name: str


class CommentAnswer(_Part):
    """A comment on a pull request."""

    id: int
    body: str | None = None
    html_url: str
    user: _User | None = None


class _Side(_Part):
    ref: str
    sha: str
    repo: _Repository | None = None


class PullAnswer(_Part):
    """A pull request."""

    number: int
    state: str
    title: str
    body: str | None = None
    html_url: str
    head: _Side
    base: _Side


class FileAnswer(_Part):
    """A file that a pull request changes; it has a previous name only if it was renamed."""

    filename: str
    previous_filename: str = ""


class CheckRunAnswer(_Part):
    """A check on a commit."""

    id: int
    status: str
    external_id: str | None = None
    html_url: str | None = None


class CheckRunsAnswer(_Part):
    """The checks on a commit."""

    check_runs: tuple[CheckRunAnswer, ...]


class UserAnswer(_Part):
    """Who the token belongs to."""

    login: Annotated[str, Field(min_length=1)]


class _ViewerData(_Part):
    viewer: UserAnswer


class ViewerAnswer(_Part):
    """The same, as GraphQL says it."""

    data: _ViewerData


def comment_of(answer: CommentAnswer) -> Comment:
    """Return a comment in our own words."""
    login = answer.user.login if answer.user else ""
    return Comment(answer.id, login, answer.body or "", answer.html_url)


def pull_of(answer: PullAnswer) -> Pull:
    """Return a pull request in our own words."""
    head, base = answer.head, answer.base
    return Pull(
        number=answer.number,
        is_open=answer.state == "open",
        head_sha=head.sha,
        head_repository=head.repo.full_name if head.repo else "",
        head_ref=head.ref,
        base_ref=base.ref,
        base_repository=base.repo.full_name if base.repo else "",
        title=answer.title,
        body=answer.body or "",
        url=answer.html_url,
    )


def check_run_of(answer: CheckRunAnswer) -> CheckRun:
    """Return a check in our own words."""
    return CheckRun(answer.id, answer.external_id or "", answer.status == "completed", answer.html_url or "")
