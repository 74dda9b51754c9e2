"""The token that git shows to GitHub's server: in git's own environment, in no command line and no file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from sbir_gate.errors import UsageError
from sbir_gate.gate.storing.git import Git

_COUNT = "GIT_CONFIG_COUNT"
_USER = "x-access-token"  # GitHub takes any name beside a token; this one is right for every sort of token
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and the server that it is for; no other server sees it."""

    text: str = field(repr=False)
    server_url: str

    def __post_init__(self) -> None:
        if not self.text.isascii() or not self.text.isprintable() or " " in self.text:
            raise UsageError(
                "the token holds blanks, line breaks or other characters that no token has",
                "set the secret again, without a line break at its end",
            )


def with_token(git: Git, token: Token | None, urls: Iterable[str]) -> Git:
    """Return a git that shows the token where a URL is on the token's server; else one without any change.

    actions/checkout leaves a header of its own in the configuration, for all of the server. One for the very
    URL beats it, and an empty one before it takes away what else is set for this URL.
    """
    own = [] if token is None else [url for url in dict.fromkeys(urls) if _is_on(url, token.server_url)]
    if token is None or not own:
        return git
    encoded = base64.b64encode(f"{_USER}:{token.text}".encode()).decode()
    entries = [
        (f"http.{_without_user(url)}.extraheader", value)
        for url in own
        for value in ("", f"AUTHORIZATION: basic {encoded}")
    ]
    return replace(
        git,
        added={**git.added, **_configuration(git.environment, entries)},
        secrets=(*git.secrets, token.text, encoded),
    )


def _configuration(environment: Mapping[str, str], entries: list[tuple[str, str]]) -> dict[str, str]:
    """Return variables that set the entries, after those that are set so already."""
    before = environment.get(_COUNT, "")
    first = int(before) if before.isdecimal() else 0
    variables = {_COUNT: str(first + len(entries))}
    for number, (key, value) in enumerate(entries, first):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _is_on(url: str, server_url: str) -> bool:
    first, second = _place(url), _place(server_url)
    return first is not None and first == second


def _place(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of a URL, None if it is not an http(s) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
