"""Requests to GitHub's API through PyGithub: made, waited for, tried again, and explained when they fail.

The token is in the Authorization header and nowhere else. PyGithub brings the transport; what it would try
again by itself is switched off, because only here is known what may be done twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

import requests
from github import Auth, Github, GithubException
from pydantic import BaseModel, ValidationError

from sbir_gate import __version__
from sbir_gate.gate.publishing.github import GitHubError
from sbir_gate.gate.publishing.retrying import Patience, Refusal, pause_seconds

_PAGE_SIZE = 100
_MOST_PAGES = 100
_SAID_CHARACTERS = 200
_NEXT = re.compile(r'rel="?next"?')
_FORKS = "a pull request from a fork has a token that may only read: see 'Forks' in docs/publishing.md"

Verb: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]
Json: TypeAlias = Mapping[str, object]
A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as an edge: seconds since 1970, and waiting."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Connection:
    """How GitHub is reached: where, as whom, and how patiently.

    `login` is the one that the token writes as, empty if GitHub is to be asked for it.
    `seconds_between_writes` is the pause that GitHub asks for between writes.
    """

    api_url: str
    repository: str
    token: str = field(repr=False)
    login: str = ""
    timeout_seconds: float = 30.0
    patience: Patience = field(default_factory=Patience)
    seconds_between_writes: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `doing` and `permission` say in an error what was not allowed, and what would allow it.

    `is_repeatable` is false where doing it twice does harm.
    """

    verb: Verb
    path: str
    doing: str
    permission: str
    body: Json | None = None
    parameters: Mapping[str, str | int] | None = None
    is_repeatable: bool = True


class Requests:
    """GitHub's API at one address, as one token sees it."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._requester = Github(
            auth=Auth.Token(connection.token),
            base_url=connection.api_url,
            timeout=max(1, round(connection.timeout_seconds)),
            user_agent=f"sbir-gate/{__version__}",
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=connection.seconds_between_writes or None,
        ).requester

    @property
    def graphql_url(self) -> str:
        """The address of the GraphQL API, which is another on an Enterprise Server."""
        return self._requester.graphql_url

    def pages(self, kind: type[A], request: Request) -> list[A]:
        """Return what all pages of a list hold: one page is not all of it."""
        found: list[A] = []
        for page in range(1, _MOST_PAGES + 1):
            parameters = {**(request.parameters or {}), "per_page": _PAGE_SIZE, "page": page}
            asked = replace(request, parameters=parameters)
            headers, content = self.ask(asked)
            if not isinstance(content, list):
                raise _unexpected(request, "a list")
            found += [_valid(kind, each, request) for each in content]
            if not _NEXT.search(headers.get("link", "")):
                return found
        raise GitHubError(
            200, f"cannot {request.doing}: there are more than {_MOST_PAGES} pages of them", "tidy them up"
        )

    def one(self, kind: type[A], request: Request) -> A:
        """Return the answer to a request."""
        return _valid(kind, self.ask(request)[1], request)

    def ask(self, request: Request) -> tuple[Mapping[str, str], object]:
        """Make a request until it is answered; wait in between as GitHub asks for."""
        attempt = 1
        while True:
            try:
                return self._requester.requestJsonAndCheck(
                    request.verb,
                    request.path,
                    parameters=dict(request.parameters) if request.parameters else None,
                    input=request.body,
                )
            except GithubException as error:
                refusal = _refusal(error)
            except requests.RequestException as error:
                refusal = Refusal(0, type(error).__name__)
            except ValueError:
                refusal = Refusal(0, "the answer was cut short")
            except (RuntimeError, AssertionError):
                # so PyGithub says that an answer leads to another host, where the token has no business
                raise GitHubError(
                    301,
                    f"cannot {request.doing}: {self._connection.api_url} redirects elsewhere",
                    "check GITHUB_API_URL, and whether the repository was renamed",
                ) from None
            is_repeatable = request.is_repeatable or not refusal.is_unsure
            pause = pause_seconds(refusal, attempt, self._connection.patience, self._clock.now())
            if pause is None or not is_repeatable:
                raise self._explained(request, refusal) from None
            self._clock.sleep(pause)
            attempt += 1

    def _explained(self, request: Request, refusal: Refusal) -> GitHubError:
        # GitHub says nothing secret, but what it quotes of a request is not for a log
        said = " ".join(refusal.message.replace(self._connection.token, "***").split())[:_SAID_CHARACTERS]
        what, hint = _words(request, refusal)
        return GitHubError(
            refusal.status, f"cannot {request.doing}: {what}{f': {said}' if said else ''}", hint
        )


def _words(request: Request, refusal: Refusal) -> tuple[str, str]:
    """Return what a refusal means and what cures it."""
    if refusal.is_limit:
        return (
            f"GitHub limits how often it is asked ({refusal.status})",
            "run the job again later; publishing.retry_cap_seconds is the longest wait",
        )
    needs = f"'permissions: {request.permission}'" if request.permission else ""
    known = {
        0: ("GitHub cannot be reached", "try again later; check GITHUB_API_URL and proxies"),
        401: (
            "GitHub does not accept the token (401)",
            "pass GITHUB_TOKEN: ${{ github.token }}, or renew it",
        ),
        403: ("the token may not (403)", f"give the job {needs}; {_FORKS}" if needs else _FORKS),
        404: (
            "GitHub has no such thing, or hides it (404)",
            f"check GITHUB_REPOSITORY{f', and that the job has {needs}' if needs else ''}",
        ),
    }
    if refusal.status in known:
        return known[refusal.status]
    if refusal.status >= 500:
        return f"GitHub broke ({refusal.status})", "try again later"
    return f"GitHub does not take it ({refusal.status})", "this may be a fault of sbir-gate: please report it"


def _refusal(error: GithubException) -> Refusal:
    """Return what GitHub said: its message, and those of the single errors behind it."""
    data = error.data if isinstance(error.data, dict) else {}
    message = str(data.get("message") or error.message or "")
    details = data.get("errors")
    for detail in details if isinstance(details, list) else ():
        text = detail.get("message") if isinstance(detail, dict) else detail
        message += f"; {text}" if isinstance(text, str) else ""
    return Refusal(error.status, message, error.headers or {})


def _valid(kind: type[A], content: object, request: Request) -> A:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise _unexpected(request, place or "the answer") from None


def _unexpected(request: Request, place: str) -> GitHubError:
    return GitHubError(
        200,
        f"cannot {request.doing}: the answer is not as GitHub describes it ({place})",
        "check GITHUB_API_URL",
    )
