"""A small server of files that counts what it sends and, told so, misbehaves: request by request."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

BLOCK = 64 * 1024
LAST_MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
RESET = struct.pack("ii", 1, 0)


@dataclass
class Reply:
    """How one request is answered where it differs from what is right.

    `status` alone gives an error; `cut_after` ends the connection after so many bytes of the body (with a
    reset if `is_reset`); `hangs_after` keeps it open and says no more; `announces` is a Content-Length that
    lies; `is_chunked` gives none.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut_after: int | None = None
    is_reset: bool = False
    hangs_after: int | None = None
    announces: int | None = None
    is_chunked: bool = False
    most_bytes: int | None = None
    is_silent: bool = False


@dataclass
class File:
    """A file that is served; `path` serves one from disk, of any size.

    One that `is_new` changed in the second in which it is served.
    """

    content: bytes = b""
    path: Path | None = None
    etag: str | None = '"1"'
    modified: str | None = LAST_MODIFIED
    is_new: bool = False
    has_ranges: bool = True
    replies: list[Reply] = field(default_factory=list)
    is_chunked: bool = False

    @property
    def size(self) -> int:
        return len(self.content) if self.path is None else self.path.stat().st_size

    def read(self, first: int, size: int) -> bytes:
        if self.path is None:
            return self.content[first : first + size]
        with self.path.open("rb") as file:
            file.seek(first)
            return file.read(size)


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]


class FileServer(ThreadingHTTPServer):
    """Serves `files` by path; `requests` is what was asked, `sent_bytes` all that went over the wire."""

    daemon_threads = True
    # a cut connection is what is wanted here: no traceback of it
    handle_error = staticmethod(lambda *_: None)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, File] = {}
        self.requests: list[Request] = []
        self.sent_bytes = 0
        self.over = threading.Event()
        self.sending = threading.Event()
        self.lock = threading.Lock()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def add(self, path: str, /, content: bytes = b"", **facts: object) -> File:
        self.files[path] = File(content, **facts)
        return self.files[path]

    def ranges(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.requests.append(Request(self.path, headers))
        file = self.server.files.get(urlsplit(self.path).path)
        if file is None:
            self._error(Reply(404))
            return
        reply = file.replies.pop(0) if file.replies else Reply()
        if reply.is_silent:
            self.server.over.wait(10)
            self.close_connection = True
        elif reply.status:
            self._error(reply)
        else:
            self._file(file, reply, headers)

    def _error(self, reply: Reply) -> None:
        body = reply.body if reply.body is not None else b"<html>no</html>"
        self.send_response(reply.status)
        self._head({"Content-Length": str(len(body)), "Content-Type": "text/html", **reply.headers})
        self._send(body)

    def _file(self, file: File, reply: Reply, headers: dict[str, str]) -> None:
        size, first, last = file.size, 0, file.size - 1
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        is_fresh = headers.get("if-range", file.etag) in {file.etag, file.modified}
        is_part = bool(found and file.has_ranges and is_fresh)
        if found and is_part:
            first, last = int(found[1]), min(int(found[2] or last), last)
            if first >= size:
                self._error(Reply(416, {"Content-Range": f"bytes */{size}"}))
                return
        if reply.most_bytes is not None and is_part:
            last = min(last, first + reply.most_bytes - 1)
        length = last - first + 1
        now = formatdate(usegmt=True)
        modified = now if file.is_new else file.modified
        head = {"ETag": file.etag, "Last-Modified": modified, "Date": now}
        if is_part:
            head["Content-Range"] = f"bytes {first}-{last}/{size}"
        is_chunked = reply.is_chunked or file.is_chunked
        head |= {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(length)}
        if reply.announces is not None:
            head["Content-Length"] = str(reply.announces)
        self.send_response_only(206 if is_part else 200)
        self._head({name: value for name, value in (head | reply.headers).items() if value is not None})
        self._body(file, reply, first, length, is_chunked)

    def _body(self, file: File, reply: Reply, first: int, length: int, is_chunked: bool) -> None:
        stops = [stop for stop in (reply.cut_after, reply.hangs_after) if stop is not None]
        end = first + min([length, *stops])
        while first < end:
            block = file.read(first, min(BLOCK, end - first)) if reply.body is None else reply.body
            self._send(b"%x\r\n%s\r\n" % (len(block), block) if is_chunked else block)
            self.server.sending.set()
            first += len(block)
        if reply.hangs_after is not None:
            self.server.over.wait(10)
            self.close_connection = True
        elif reply.cut_after is not None:
            if reply.is_reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                self.connection.close()
            self.close_connection = True
        elif is_chunked:
            self._send(b"0\r\n\r\n")
        elif reply.announces is not None:
            self.close_connection = True

    def _head(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        with self.server.lock:
            self.server.sent_bytes += sum(map(len, self._headers_buffer)) + 2
        self.end_headers()

    def _send(self, content: bytes) -> None:
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True
            raise
        with self.server.lock:
            self.server.sent_bytes += len(content)


@contextmanager
def serving() -> Iterator[FileServer]:
    """Serve until the block ends."""
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
