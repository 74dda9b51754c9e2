"""PyGithub as this program uses it: which requests are retried, and what its errors mean.

The token is in the Authorization header and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import requests
from github import Auth, BadAttributeException, Github, GithubException, GithubRetry
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util.retry import Retry

from sbir_gate import __version__
from sbir_gate.gate.publishing.github import GitHubError
from sbir_gate.retrying import RetryPolicy

PAGE_SIZE = 100

_SAID_CHARACTERS = 200
_FORKS = "the token of a fork's pull request is read-only: see 'Forks' in 'sbir-gate help publishing'"
# what a server or something on the way to it may answer otherwise in a moment
_TRANSIENT = [403, 408, 429, 500, 502, 503, 504]
_FORBIDDEN = 403
# so GitHub words it where the setting is off
_NO_PULLS = "not permitted to create or approve pull requests"
_ALLOW_PULLS = (
    "allow it in Settings > Actions > General: Allow GitHub Actions to create and approve pull requests"
)
_FIRST_SERVER_ERROR = 500
# a POST that does no harm if it is done twice: the last check run of a name counts, and GraphQL only reads
_REPEATABLE_POSTS = ("/check-runs", "/graphql")


@dataclass(frozen=True, slots=True)
class Connection:
    """How GitHub is reached: where, as whom, and how often it is asked again.

    `login` is the one that the token writes as, empty if GitHub is to be asked for it.
    `seconds_between_writes` is the pause that GitHub asks for between writes. The longest wait for a limit
    is the policy's `cap_seconds`.
    """

    api_url: str
    repository: str
    token: str = field(repr=False)
    login: str
    timeout_seconds: float
    retrying: RetryPolicy
    seconds_between_writes: float = 1.0


def open_github(connection: Connection) -> Github:
    """Return GitHub as the token sees it; its objects ask for nothing until they are read."""
    policy = connection.retrying
    return Github(
        auth=Auth.Token(connection.token),
        base_url=connection.api_url,
        timeout=max(1, round(connection.timeout_seconds)),
        user_agent=f"sbir-gate/{__version__}",
        per_page=PAGE_SIZE,
        retry=_Retry(
            policy,
            total=policy.retries,
            status_forcelist=_TRANSIENT,
            allowed_methods=None,  # any: `increment` knows better
            raise_on_status=False,
            max_rate_limit_wait=policy.cap_seconds,
        ),
        seconds_between_requests=None,
        seconds_between_writes=connection.seconds_between_writes or None,
        lazy=True,
    )


class _Retry(GithubRetry):
    """PyGithub's retrying with the pauses of a policy, for what may be done twice.

    A limit is waited for as long as GitHub says, and not at all if that is longer than the policy's longest
    pause: asking earlier makes it worse. A last response is returned as it is.
    """

    def __init__(self, policy: RetryPolicy, **state: Any) -> None:  # noqa: ANN401 -- urllib3 copies itself so
        self._policy = policy
        super().__init__(**state)

    def new(self, **state: Any) -> Self:  # noqa: ANN401 -- as above
        return super().new(policy=self._policy, **state)

    def increment(  # type: ignore[override]  # GithubRetry itself returns a Retry
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Retry:
        """Return the retrying of the next attempt; MaxRetryError ends it."""
        is_repeatable = method != "POST" or str(url).partition("?")[0].endswith(_REPEATABLE_POSTS)
        if response is None:
            if error is not None and not is_repeatable:
                raise error
        elif (
            not self.total  # before the body is read in search of a limit: it is wanted for the error
            or (not is_repeatable and response.status not in {403, 429})
            or (self.get_retry_after(response) or 0.0) > self._policy.cap_seconds
        ):
            raise MaxRetryError(_pool, url or "")  # type: ignore[arg-type]  # as urllib3 does
        return super().increment(method, url, response, error, _pool, _stacktrace)  # type: ignore[arg-type]  # as above

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Return how long GitHub asks to wait, in seconds; of a 429 GithubRetry knows the header alone."""
        try:
            asked = super().get_retry_after(response)
        except InvalidHeader:
            asked = None
        if asked is not None or response.status != 429:
            return asked
        reset = response.headers.get("X-RateLimit-Reset", "")
        if reset.isdecimal() and response.headers.get("X-RateLimit-Remaining") == "0":
            return max(int(reset) - time.time(), 0.0)
        return float(self.secondary_rate_wait)

    def get_backoff_time(self) -> float:
        """Return the pause of the policy before the attempt that follows."""
        return self._policy.pause_seconds(len(self.history) - 1)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as GitHub asks, and at least as long as the policy says."""
        asked = self.get_retry_after(response) if response is not None else None
        self._policy.sleep(max(asked or 0.0, self.get_backoff_time()))


@contextmanager
def explained(connection: Connection, doing: str, permission: str) -> Iterator[None]:
    """Raise a GitHubError for what goes wrong while the block asks GitHub.

    `doing` and `permission` say in it what was not allowed, and what would allow it.
    """
    try:
        yield
    except BadAttributeException:
        raise unexpected(doing) from None
    except GithubException as error:
        # GitHub says nothing secret, but what it quotes of a request is not for a log
        said = " ".join(_message(error).replace(connection.token, "***").split())[:_SAID_CHARACTERS]
        what, hint = _meaning(error, permission)
        raise GitHubError(
            error.status, f"cannot {doing}: {what}{f': {said}' if said else ''}", hint
        ) from None
    except requests.RequestException as error:
        raise GitHubError(
            0,
            f"cannot {doing}: GitHub cannot be reached: {type(error).__name__}",
            "try again later; check GITHUB_API_URL and proxies",
        ) from None
    except (RuntimeError, AssertionError):
        # so PyGithub says that a response leads to another host, where the token has no business
        raise GitHubError(
            301,
            f"cannot {doing}: {connection.api_url} redirects elsewhere",
            "check GITHUB_API_URL, and whether the repository was renamed",
        ) from None
    except (ValueError, TypeError, AttributeError, KeyError):
        raise unexpected(doing) from None


def unexpected(doing: str) -> GitHubError:
    """Return the error for a response that is not as GitHub describes it."""
    return GitHubError(
        200, f"cannot {doing}: the response is not as GitHub describes it", "check GITHUB_API_URL"
    )


def _message(error: GithubException) -> str:
    """Return what GitHub said, with the single errors behind it."""
    data = error.data if isinstance(error.data, dict) else {}
    message = str(data.get("message") or error.message or "")
    details = data.get("errors")
    for detail in details if isinstance(details, list) else ():
        text = detail.get("message") if isinstance(detail, dict) else detail
        message += f"; {text}" if isinstance(text, str) else ""
    return message


def _is_limit(error: GithubException) -> bool:
    headers, said = error.headers or {}, _message(error).lower()
    return error.status == 429 or (
        error.status == 403
        and (
            "retry-after" in headers
            or headers.get("x-ratelimit-remaining") == "0"
            or "rate limit" in said
            or "abuse detection" in said
        )
    )


def _meaning(error: GithubException, permission: str) -> tuple[str, str]:
    """Return what an error response means and what fixes it."""
    if _is_limit(error):
        return (
            f"GitHub limits how often it is asked ({error.status})",
            "run the job again later; publishing.retry_cap_seconds is the longest wait",
        )
    if error.status == _FORBIDDEN and _NO_PULLS in _message(error).lower():
        return "the repository lets no workflow do so (403)", _ALLOW_PULLS
    needs = f"'permissions: {permission}'" if permission else ""
    known = {
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
    if error.status in known:
        return known[error.status]
    if error.status >= _FIRST_SERVER_ERROR:
        return f"GitHub broke ({error.status})", "try again later"
    return f"GitHub does not take it ({error.status})", "this may be a fault of sbir-gate: please report it"
