"""The labelling page served on this machine alone: it saves each decision and searches all recipients.

Only the loopback address is bound, every path begins with a random token, and a request must name this host:
another page in the browser can neither guess the address nor reach it under a name of its own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from pydantic import TypeAdapter, ValidationError

from sbir_gate.errors import SbirGateError
from sbir_gate.model.labelling import AwardLabel

_MOST_BYTES = 64 * 2**20
_LOOPBACK = "127.0.0.1"
_LABELS: TypeAdapter[list[AwardLabel]] = TypeAdapter(list[AwardLabel])


@dataclass(frozen=True, slots=True)
class LabelService:
    """What is served: the page, a search by name, and where labels go."""

    page: str
    search: Callable[[str], Sequence[Mapping[str, str]]]
    save: Callable[[Sequence[AwardLabel]], None]


class LabelServer(ThreadingHTTPServer):
    """The server of one page; the caller serves and closes it. Port 0 is any that is free."""

    daemon_threads = True

    def __init__(self, service: LabelService, port: int = 0) -> None:
        super().__init__((_LOOPBACK, port), _Handler)
        self.service = service
        self._token = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{_LOOPBACK}:{self.server_port}/{self._token}/"

    def place(self, host: str | None, path: str) -> str | None:
        """Return what a path names below the token; None for a request that is not of this page."""
        parts = urlsplit(path).path.split("/")
        if host != f"{_LOOPBACK}:{self.server_port}" or len(parts) != len(("", "token", "place")):
            return None
        return parts[2] if secrets.compare_digest(parts[1].encode(), self._token.encode()) else None


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of the page."""

    server: LabelServer

    def do_GET(self) -> None:
        """Serve the page, or the results of a search."""
        place = self.server.place(self.headers.get("Host"), self.path)
        if place == "":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", self.server.service.page.encode())
        elif place == "search":
            text = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
            found = json.dumps([*self.server.service.search(text)]).encode()
            self._answer(HTTPStatus.OK, "application/json", found)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")

    def do_PUT(self) -> None:
        """Save all labels made so far."""
        size = self.headers.get("Content-Length", "")
        is_ours = self.server.place(self.headers.get("Host"), self.path) == "labels"
        if not is_ours or not size.isdecimal() or int(size) > _MOST_BYTES:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
            return
        try:
            self.server.service.save(_labels(self.rfile.read(int(size))))
        except (ValueError, SbirGateError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, "text/plain", f"{error}\n".encode())
            return
        self._answer(HTTPStatus.NO_CONTENT, "text/plain", b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        """Print nothing: the address holds the token."""

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(content)


def _labels(content: bytes) -> list[AwardLabel]:
    """Return the labels of a request. Raises ValueError for anything else."""
    try:
        return _LABELS.validate_json(content)
    except ValidationError as error:
        raise ValueError("not a list of labels") from error
