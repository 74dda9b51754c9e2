"""The labelling page served on this machine alone: it saves each decision and searches all recipients.

Only the loopback address is bound, every path begins with a random token, and a request must name this host:
another page in the browser can neither guess the address nor reach it under a name of its own.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from urllib.parse import parse_qs, urlsplit

from pydantic import TypeAdapter, ValidationError

from sbir_gate.errors import OutputError, SbirGateError
from sbir_gate.files import error_reason, output_target, save_output
from sbir_gate.locks import LockedError, Waiting, locked
from sbir_gate.model.labelling import AwardLabel, label_fault
from sbir_gate.reading.truth import label_text, read_labels

_MOST_BYTES = 2**20  # of one change
_SIZE = re.compile(r"[0-9]{1,15}")
_LOOPBACK = "127.0.0.1"
_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LabelChange:
    """What one decision changes: labels made, and awards that lose theirs."""

    made: tuple[AwardLabel, ...] = ()
    removed: tuple[str, ...] = ()


_CHANGE: TypeAdapter[LabelChange] = TypeAdapter(LabelChange)


class LabelFile:
    """The labels in a file that several pages and servers may change at once: each change is merged in.

    Only the awards in `drawn` can be labelled; other labels in the file stay as they are.
    """

    def __init__(self, path: Path, drawn: frozenset[str] = frozenset()) -> None:
        self.path = path
        self._drawn = drawn
        self._mutex = threading.Lock()

    def read(self) -> Mapping[str, AwardLabel]:
        """Return the labels of the file, none where it is missing. Raises InputError for a damaged one."""
        return read_labels(self.path, may_be_empty=True) if self.path.exists() else {}

    def change(self, change: LabelChange) -> None:
        """Merge a change into the file, whole or not at all. Raises ValueError for a label that cannot be."""
        for label in change.made:
            fault = label_fault(label) if label.award_id in self._drawn else "it was not drawn"
            if fault:
                raise ValueError(f"no label can be made of {label.award_id[:80]!r}: {fault}")
        removed = self._drawn.intersection(change.removed)
        made = {label.award_id: label for label in change.made}
        self._rewrite(lambda labels: {id_: labels[id_] for id_ in labels if id_ not in removed} | made)

    def take_over(self, taken: Mapping[str, AwardLabel]) -> None:
        """Add the labels of awards that the file does not have.

        Raises InputError for a damaged file, and OutputError for one that can hold no labels.
        """
        self._rewrite(lambda labels: dict(taken) | labels)

    def _rewrite(self, changed: Callable[[dict[str, AwardLabel]], dict[str, AwardLabel]]) -> None:
        try:
            target = output_target(self.path)  # one lock for one file, by whatever link it is named
            lock = target.with_name(f".{target.name}.lock")
            with self._mutex, locked(lock, Waiting(_LOCK_SECONDS)):
                before = dict(self.read())
                labels = changed(before)
                if labels != before:
                    save_output(target, label_text(labels.values()))
        except (LockedError, OSError) as error:
            problem = f"cannot be changed ({error_reason(error)})"
            raise OutputError(problem, "try again", path=self.path) from error


@dataclass(frozen=True, slots=True)
class LabelService:
    """What is served: the page as it is now, a search by name, and where changes of labels go."""

    page: Callable[[], str]
    search: Callable[[str], Sequence[Mapping[str, str]]]
    change: Callable[[LabelChange], None]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a request is answered."""

    status: HTTPStatus
    content: bytes = b""
    kind: str = "text/plain; charset=utf-8"


_NOT_FOUND = _Answer(HTTPStatus.NOT_FOUND, b"not found\n")


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
        """Return what a path names below the token; None for a request that is not of this page.

        Raises ValueError for an address that is none.
        """
        parts = urlsplit(path).path.split("/")
        if host != f"{_LOOPBACK}:{self.server_port}" or len(parts) != len(("", "token", "place")):
            return None
        return parts[2] if secrets.compare_digest(parts[1].encode(), self._token.encode()) else None

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Print nothing of a client that goes away, as browsers do when a page is left while it loads."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of the page; what is wrong with one, or with the file, is answered in one line."""

    server: LabelServer
    timeout = 30  # seconds for a request that does not come

    def do_GET(self) -> None:
        """Serve the page, or the results of a search."""
        self._serve(self._shown)

    def do_PUT(self) -> None:
        """Save the change that one decision makes."""
        self._serve(self._changed)

    def _serve(self, answer: Callable[[str | None], _Answer]) -> None:
        try:
            found = answer(self.server.place(self.headers.get("Host"), self.path))
        except (ValueError, SbirGateError) as error:
            found = _Answer(HTTPStatus.BAD_REQUEST, f"{error}\n".encode(errors="replace"))
        self.send_response(found.status)
        self.send_header("Content-Type", found.kind)
        self.send_header("Content-Length", str(len(found.content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(found.content)

    def _shown(self, place: str | None) -> _Answer:
        if place == "":
            return _Answer(HTTPStatus.OK, self.server.service.page().encode(), "text/html; charset=utf-8")
        if place == "search":
            text = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
            found = json.dumps([*self.server.service.search(text)]).encode()
            return _Answer(HTTPStatus.OK, found, "application/json")
        return _NOT_FOUND

    def _changed(self, place: str | None) -> _Answer:
        if place != "labels":
            return _NOT_FOUND
        size = self.headers.get("Content-Length", "")
        if not _SIZE.fullmatch(size):
            raise ValueError("the Content-Length is not a number of bytes")
        if int(size) > _MOST_BYTES:  # what follows is not read
            return _Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too large\n")
        self.server.service.change(_change(self.rfile.read(int(size))))
        return _Answer(HTTPStatus.NO_CONTENT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        """Print nothing: the address holds the token."""


def _change(content: bytes) -> LabelChange:
    """Return the change in a request. Raises ValueError for anything else."""
    try:
        return _CHANGE.validate_json(content)
    except ValidationError as error:
        raise ValueError("not a change of labels") from error
