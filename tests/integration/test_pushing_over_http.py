"""Pushes to a real git server over HTTP that asks for a token, as GitHub does."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sbir_gate.gate.live_check import LiveEdges, check_live
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.model.diagnosis import Flaw
from sbir_gate.settings.effective import load_settings
from tests.factories_git import ENVIRONMENT
from tests.factories_history import make_entry
from tests.factories_remote import Waiter, make_remote
from tests.fakes import make_event
from tests.fakes_github import connected, github

ROOT = Path(__file__).parents[2]
CANARY = "ghs_canary0123456789abcdef"


def basic(token):
    return "basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


class Server(ThreadingHTTPServer):
    """git's own server behind HTTP; it keeps the Authorization headers that it was sent."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.seen = []
        self.busy_requests = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def _answer(self):
        headers = self.headers.get_all("Authorization") or []
        self.server.seen.append(headers)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if len(self.server.seen) <= self.server.busy_requests:
            return self._say(503, b"busy")
        if len(headers) > 1:
            return self._say(400, b"Duplicate header: Authorization")
        if headers != [basic(CANARY)]:
            return self._say(403, b"Write access to repository not granted.")
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "-c", "http.receivepack=true", "http-backend"],
            input=body,
            env=ENVIRONMENT
            | {
                "GIT_PROJECT_ROOT": str(self.server.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "me",
            },
            capture_output=True,
            check=False,
        ).stdout
        head, _, content = done.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return self._say(int(fields.pop("Status", "200").split()[0]), content, fields)

    def _say(self, status, content, fields=None):
        self.send_response(status)
        for name, value in (fields or {"Content-Type": "text/plain"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "served" / "remote.git")


@pytest.fixture
def server(remote):
    with Server(remote.folder.parent) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def clone(remote, server, tmp_path):
    """Return a clone as actions/checkout leaves it, with a header of its own that has lost its rights."""
    made = remote.clone(tmp_path / "clone")
    made.git("remote", "set-url", "origin", f"{server.url}/remote.git")
    made.git("config", f"http.{server.url}/.extraheader", f"AUTHORIZATION: {basic('expired')}")
    keep_entry(made.folder / "reports" / "history", make_entry(0))
    return made


def push(clone, tmp_path, **changes):
    """Run `sbir-gate history push`, and return how it ended with every command line of git."""
    shims = tmp_path / "shims"
    shims.mkdir()
    shim = shims / "git"
    shim.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/argv\nexec {shutil.which("git")} "$@"\n')
    shim.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "sbir_gate", "history", "push"],
        cwd=clone.folder,
        env=ENVIRONMENT
        | {"PATH": f"{shims}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "GIT_TRACE_CURL": "1"}
        | {"GIT_TRACE_REDACT": "0", "GITHUB_TOKEN": CANARY}
        | changes,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done, (tmp_path / "argv").read_text()


def check_nobody_learned_it(done, argv, clone):
    secrets = (CANARY, basic(CANARY).removeprefix("basic "))
    files = [path.read_bytes() for path in clone.folder.rglob("*") if path.is_file()]
    for secret in secrets:
        assert secret not in done.stdout + done.stderr + argv
        assert not any(secret.encode() in content for content in files)


def test_the_token_of_the_job_is_shown_in_place_of_the_checkouts(remote, server, clone, tmp_path):
    done, argv = push(clone, tmp_path, GITHUB_SERVER_URL=server.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "origin/sbir-gate-history: Runs added: 1; already present: 0\n"
    assert len(remote.files("sbir-gate-history")) == 1
    assert server.seen
    assert all(headers == [basic(CANARY)] for headers in server.seen)
    check_nobody_learned_it(done, argv, clone)


@pytest.mark.slow
def test_a_server_that_is_busy_is_asked_again(remote, server, clone, tmp_path):
    server.busy_requests = 2
    done, _ = push(clone, tmp_path, GITHUB_SERVER_URL=server.url)
    assert done.returncode == 0, done.stderr
    assert len(remote.files("sbir-gate-history")) == 1


def test_a_server_that_is_not_the_tokens_does_not_see_it(server, clone, tmp_path):
    done, argv = push(clone, tmp_path)
    assert done.returncode == 3
    assert server.seen
    assert all(headers == [basic("expired")] for headers in server.seen)
    check_nobody_learned_it(done, argv, clone)


def test_a_token_without_the_right_is_told_what_it_needs(server, clone, tmp_path):
    weak = "ghs_weak0123456789abcdef"
    done, argv = push(clone, tmp_path, GITHUB_SERVER_URL=server.url, GITHUB_TOKEN=weak)
    assert done.returncode == 3
    assert "origin/sbir-gate-history was not pushed: permission is missing" in done.stderr
    assert "contents: write" in done.stderr
    assert done.stderr.count("\n") == 1
    for secret in (weak, basic(weak).removeprefix("basic ")):
        assert secret not in done.stdout + done.stderr + argv


@pytest.mark.parametrize(("token", "is_allowed"), [(CANARY, True), ("ghs_weak0123456789abcdef", False)])
def test_the_self_check_pushes_and_removes_with_the_token_of_the_job(
    remote, server, clone, monkeypatch, token, is_allowed
):
    monkeypatch.chdir(clone.folder)
    git = Git(clone.folder, ENVIRONMENT | {"GITHUB_TOKEN": token, "GITHUB_SERVER_URL": server.url})
    with github() as fake:
        edges = LiveEdges(connected(fake), git, Waiter().retrying())
        found = check_live(load_settings(None, {}).settings, make_event("workflow_dispatch"), edges, str)
    outcomes = {str(each.place): each for each in found}
    assert remote.repository.git("for-each-ref", "--format=%(refname:short)") == "main"
    if is_allowed:
        assert {each.flaw for each in found} == {Flaw.LIVE_WORKS, Flaw.LIVE_CLEANED}
    else:
        assert outcomes["scratch branch"].flaw is Flaw.LIVE_FAILED
        assert "contents: write" in outcomes["scratch branch"].facts["hint"]
        assert "contents: write" in outcomes["history push"].facts["hint"]
        assert fake.verbs() == []
