"""One file on a server, asked for by ranges: what is answered, and which faults can pass."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Protocol

import requests
import urllib3.exceptions

from sbir_gate import __version__
from sbir_gate.datasets.downloading.addresses import Address
from sbir_gate.errors import InputError
from sbir_gate.retrying import TransientError

BLOCK_BYTES = 64 * 1024

# what a server says when the same request may be answered later (RFC 9110, 6585, 8470)
_PASSING = {
    408: "the server waited too long for the request",
    425: "the server is not ready yet",
    429: "the server limits how often it is asked",
    500: "the server broke",
    502: "the server cannot reach what is behind it",
    503: "the server is not available",
    504: "the server waited too long for what is behind it",
}
_LOGIN = "check that the URL needs no log-in; credentials go into ~/.netrc"
_GONE = "look up the present URL, and give it with --url"
_FINAL = {
    400: ("does not understand the request", "check the URL"),
    401: ("wants a log-in", _LOGIN),
    403: ("refuses access", _LOGIN + "; a signed URL may have expired"),
    404: ("has no such file", _GONE),
    407: ("is behind a proxy that wants a log-in", "set HTTPS_PROXY with its user and password"),
    410: ("has this file no longer", _GONE),
}
_CHANGED = (412, 416)
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_IO_FAULTS = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


class Session(Protocol):
    """The edge to the network: what is used of requests.Session."""

    def get(
        self, url: str, *, headers: Mapping[str, str], stream: bool, timeout: tuple[float, float]
    ) -> requests.Response:
        """Return the response to one GET, its body not read yet."""


class FileChangedError(Exception):
    """The file on the server is not the one of which a part was asked."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How long a server is waited for, in seconds: for a connection, for the next byte, at its own wish."""

    connect_timeout_seconds: float
    read_timeout_seconds: float
    retry_after_cap_seconds: float


@dataclass(frozen=True, slots=True)
class RangeResponse:
    """The head of a response, and its body by blocks.

    `total_bytes` is the size of the whole file, `first_byte` where this body starts in it. `validator`
    identifies the version of the file, and is None if the server gives no reliable one. `has_end` is false if
    only the end of the connection marks the end of the body.
    `modified_at` is the time of the last change, in seconds since 1970.
    """

    is_partial: bool
    first_byte: int
    total_bytes: int | None
    validator: str | None
    modified_at: float | None
    encoding: str
    has_end: bool
    blocks: Callable[[], Iterator[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file behind an address; `session` and `now` (seconds since 1970) are its edges."""

    address: Address
    session: Session
    options: HttpOptions
    now: Callable[[], float] = time.time

    @contextmanager
    def ask(
        self, first_byte: int | None = None, last_byte: int | None = None, validator: str | None = None
    ) -> Iterator[RangeResponse]:
        """Ask for the file, or for the bytes from `first_byte` to `last_byte` (included; None: the end).

        With a validator the server sends the part only of that version of the file, else the whole.

        Raises TransientError for what a retry may fix, FileChangedError if there is no such part any
        more, InputError for what stays wrong.
        """
        # identity: a range of a compressed body cannot be used
        headers = {"Accept-Encoding": "identity", "User-Agent": f"sbir-gate/{__version__}"}
        if first_byte is not None:
            headers["Range"] = f"bytes={first_byte}-{'' if last_byte is None else last_byte}"
            if validator is not None:
                headers["If-Range"] = validator
        response = self._send(headers)
        with response:
            self._check(response)
            yield self._answer(response)

    def _send(self, headers: Mapping[str, str]) -> requests.Response:
        timeout = (self.options.connect_timeout_seconds, self.options.read_timeout_seconds)
        # from None throughout: what requests says holds the URL with its secrets
        try:
            return self.session.get(self.address.url, headers=headers, stream=True, timeout=timeout)
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                problem = "the certificate of the server is not trusted"
                hint = "check the host; where a proxy signs anew, name its certificate in REQUESTS_CA_BUNDLE"
                raise InputError(problem, hint, path=self.address) from None
            raise TransientError("the encrypted connection failed") from None
        except requests.exceptions.ConnectTimeout:
            raise TransientError(f"no connection within {timeout[0]:g} s") from None
        except requests.exceptions.ReadTimeout:
            raise TransientError(f"no answer within {timeout[1]:g} s") from None
        except requests.exceptions.TooManyRedirects:
            raise InputError("the server redirects in circles", _GONE, path=self.address) from None
        except (requests.exceptions.ProxyError, requests.exceptions.ConnectionError) as error:
            raise TransientError(_unreached(error)) from None
        except requests.exceptions.ChunkedEncodingError:
            raise TransientError("the connection was cut") from None
        except (requests.exceptions.RequestException, ValueError):
            raise InputError(
                "the URL, or one it redirects to, cannot be asked", "check the URL", path=self.address
            ) from None

    def _check(self, response: requests.Response) -> None:
        """Raise the error for the status of a response."""
        status = response.status_code
        hops = [hop.url for hop in response.history] + [response.url]
        if self.address.url.startswith("https:") and not all(hop.startswith("https:") for hop in hops):
            raise InputError(
                "redirects to an address that is not encrypted",
                "ask for the new address of the file, and give it with --url",
                path=self.address,
            )
        if status in _PASSING:
            pause = _retry_after(response.headers.get("Retry-After", ""), self.now())
            raise TransientError(
                f"{_PASSING[status]} ({status})", min(pause, self.options.retry_after_cap_seconds)
            )
        if status in _CHANGED:
            raise FileChangedError
        if status not in {200, 206}:
            what, hint = _FINAL.get(status, ("gives a response that is not a file", "check the URL"))
            raise InputError(f"the server {what} ({status})", hint, path=self.address)

    def _answer(self, response: requests.Response) -> RangeResponse:
        headers = response.headers
        length = _number(headers.get("Content-Length"))
        first, total = 0, length
        if response.status_code == 206:
            found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
            if found is None or found[1] is None:
                problem = "the server sends parts without saying which (206, no Content-Range)"
                hint = "the server or a proxy on the way is broken: use another source"
                raise InputError(problem, hint, path=self.address)
            first, total = int(found[1]), _number(found[3])
        return RangeResponse(
            is_partial=response.status_code == 206,
            first_byte=first,
            total_bytes=total,
            validator=_validator(headers),
            modified_at=_seconds(headers.get("Last-Modified", "")),
            encoding=headers.get("Content-Encoding", "identity").strip().lower(),
            has_end=length is not None or "chunked" in headers.get("Transfer-Encoding", "").lower(),
            blocks=lambda: self._blocks(response),
        )

    def _blocks(self, response: requests.Response) -> Iterator[bytes]:
        received = 0
        blocks = response.raw.stream(BLOCK_BYTES, decode_content=False)
        while True:
            try:
                block = next(blocks, None)
            except (urllib3.exceptions.ReadTimeoutError, TimeoutError):
                raise TransientError(f"nothing came for {self.options.read_timeout_seconds:g} s") from None
            except _IO_FAULTS:
                raise TransientError(f"the connection was cut after {received:,} bytes") from None
            if block is None:
                return
            received += len(block)
            yield block


def _unreached(error: Exception) -> str:
    cause = repr(error)
    if "NameResolutionError" in cause:
        return "the name of the server cannot be resolved"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached"
    return "the connection was refused" if "refused" in cause else "the connection was cut"


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what identifies this version of the file reliably: a strong validator (RFC 9110, 8.8).

    A weak ETag is none. A time of change is one if it lies at least a second before the response: the file
    may have changed twice within a second.
    """
    tag = headers.get("ETag", "").strip()
    if re.fullmatch(r'"[^"]*"', tag):
        return tag
    modified = headers.get("Last-Modified", "").strip()
    changed_at, sent_at = _seconds(modified), _seconds(headers.get("Date", ""))
    if not tag and changed_at is not None and sent_at is not None and sent_at - changed_at >= 1:
        return modified
    return None


def _retry_after(value: str, now: float) -> float:
    """Return how long the server asks to wait, in seconds; 0 if it does not say."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    until = _seconds(value)
    return max(until - now, 0.0) if until is not None else 0.0


def _seconds(date: str) -> float | None:
    """Return an HTTP date in seconds since 1970; None if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text.strip()) else None
