"""A GitHub of our own on localhost: its REST API as far as sbir-gate asks for it, with a memory and moods.

Every request that it gets and every answer that it gives is held against GitHub's own OpenAPI description
(tests/data/github/description.json), so that neither the program nor this fake drifts from the truth. What is
at odds with it is answered 400 and kept in `violations`, which must be empty at the end. The description does
not list every failure: an answer above 399 that it does not know is not checked, nor is GraphQL.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse

from sbir_gate.gate.publishing.github_api import GitHubApi
from sbir_gate.gate.publishing.github_client import Connection
from sbir_gate.retrying import RetryPolicy, full_pause

DESCRIPTION = Path(__file__).parent / "data" / "github" / "description.json"
REPOSITORY = "octo-org/octo-repo"
TOKEN = "ghs_canary0123456789canary0123456789"  # noqa: S105 -- of this fake alone; tests look for it in what is said
BOT = "github-actions[bot]"
MAX_COMMENT = 65_536
# an Enterprise Server has its APIs at other places; the fake answers at both
ENTERPRISE = {"/api/v3": "", "/api/graphql": "/graphql"}
NOT_ACCESSIBLE = "Resource not accessible by integration"
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Fault:
    """What the requests that it is for get instead of an answer, so many times.

    The first `after` of them are answered. `is_done` does what was asked before it fails. `is_cut` resets the
    connection; so does `silent_seconds`, after a while.
    """

    verb: str
    path: str
    status: int = 0
    message: str = "as the test wants it"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: int = 0
    is_done: bool = False
    is_cut: bool = False
    silent_seconds: float = 0.0

    def is_for(self, verb: str, path: str) -> bool:
        """Say whether it strikes now, and count."""
        if self.verb != verb or not re.search(self.path, path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    verb: str
    path: str
    query: dict[str, str]
    body: object
    headers: dict[str, str]


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@cache
def _openapi() -> OpenAPI:
    return OpenAPI.from_dict(json.loads(DESCRIPTION.read_text("utf-8")))


@cache
def _schemas() -> dict[str, dict]:
    return json.loads(DESCRIPTION.read_text("utf-8"))["components"]["schemas"]


_TEXTS = {"uri": "https://github.example/", "date-time": "2026-01-31T12:00:00Z"}
_VALUES = {"integer": 1, "number": 1.0, "boolean": False, "array": []}


def example(schema: dict) -> object:
    """Return the smallest value that a schema allows: all that is required, and nothing else."""
    if "$ref" in schema:
        return example(_schemas()[schema["$ref"].rsplit("/", 1)[1]])
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants and "properties" not in schema:
        return example(variants[0])
    kind = schema.get("type", "object")
    if kind == "object":
        return {
            key: example(part)
            for key, part in schema.get("properties", {}).items()
            if key in schema.get("required", ())
        }
    return _TEXTS.get(schema.get("format", ""), "x") if kind == "string" else _VALUES[kind]


def made(schema: str, **facts: object) -> dict:
    """Return the smallest answer of a schema with these facts in it."""
    return {**example(_schemas()[schema]), **facts}


class FakeGitHub(ThreadingHTTPServer):
    """One repository, and what was asked of it."""

    daemon_threads = True
    handle_error = staticmethod(lambda *_: None)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.login = BOT
        self.has_graphql = True
        self.is_app = True
        self.is_read_only = False
        self.pulls: dict[int, dict] = {}
        self.files: dict[int, list[dict]] = {}
        self.comments: dict[int, list[dict]] = {}
        self.checks: list[dict] = []
        self.annotations: dict[int, list[dict]] = {}
        self.commits: dict[str, list[int]] = {}
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.violations: list[str] = []
        self.before: Callable[[Asked], None] = lambda _: None
        self._numbers = iter(range(1000, 10**9))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add_pull(self, number: int, sha: str, head: str = REPOSITORY, ref: str = "change", **facts) -> dict:
        """Open a pull request; `head` is the repository that it comes from, empty for one that is gone."""
        base = self.repository(REPOSITORY)
        pull = made(
            "pull-request",
            number=number,
            state="open",
            title="A change",
            html_url=f"https://github.example/{REPOSITORY}/pull/{number}",
            head={
                **example(_schemas()["pull-request"]["properties"]["head"]),
                "ref": ref,
                "sha": sha,
                "repo": self.repository(head) if head else None,
            },
            base={
                **example(_schemas()["pull-request"]["properties"]["base"]),
                "ref": "main",
                "repo": base,
            },
        )
        self.pulls[number] = {**pull, **facts}
        self.commits.setdefault(sha, []).append(number)
        self.comments.setdefault(number, [])
        return self.pulls[number]

    def push(self, number: int, sha: str) -> None:
        """Let a pull request have a new head."""
        self.pulls[number]["head"]["sha"] = sha
        self.commits.setdefault(sha, []).append(number)

    def add_comment(self, number: int, body: str, login: str = BOT) -> dict:
        """Let somebody comment."""
        with self.lock:
            key = next(self._numbers)
            user = self.user(login)
            comment = made(
                "issue-comment",
                id=key,
                body=body,
                user=user,
                html_url=f"https://github.example/{REPOSITORY}/pull/{number}#issuecomment-{key}",
            )
            self.comments[number].append(comment)
            return comment

    def bodies(self, number: int) -> list[str]:
        """Return what is to be read on a pull request."""
        return [comment["body"] for comment in self.comments[number]]

    def verbs(self) -> list[str]:
        """Return what was asked that writes, as verb and path within the repository."""
        return [
            f"{each.verb} {each.path.removeprefix(f'/repos/{REPOSITORY}')}"
            for each in self.asked
            if each.verb != "GET" and each.path != "/graphql"
        ]

    def user(self, login: str) -> dict:
        return made("simple-user", login=login, type="Bot" if login.endswith("[bot]") else "User")

    def repository(self, name: str) -> dict:
        return made("repository", full_name=name, name=name.partition("/")[2])

    def answer(self, asked: Asked) -> tuple[int, object, dict[str, str]]:
        """Return status, content and headers; raises RefusedError."""
        if asked.headers.get("authorization", "") not in {f"token {TOKEN}", f"Bearer {TOKEN}"}:
            raise RefusedError(401, "Bad credentials")
        if asked.path == "/graphql":
            return self._graphql(asked)
        if asked.path == "/user":
            if self.is_app:
                raise RefusedError(403, NOT_ACCESSIBLE)
            return 200, made("private-user", login=self.login, user_view_type="private"), {}
        if self.is_read_only and asked.verb != "GET":
            raise RefusedError(403, NOT_ACCESSIBLE)
        place = asked.path.removeprefix(f"/repos/{REPOSITORY}")
        for verb, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, place)
            if found and verb == asked.verb:
                return answer(self, asked, *found.groups())
        raise RefusedError(404, "Not Found")

    def _graphql(self, asked: Asked) -> tuple[int, object, dict[str, str]]:
        if not self.has_graphql:
            raise RefusedError(404, "Not Found")
        if asked.body != {"query": "query { viewer { login } }", "variables": {}}:
            return 200, {"errors": [{"message": "the fake does not know this query"}]}, {}
        return 200, {"data": {"viewer": {"login": self.login}}}, {}

    def _list_comments(self, asked: Asked, number: str) -> tuple[int, object, dict[str, str]]:
        if int(number) not in self.comments:
            raise RefusedError(404, "Not Found")
        return self._page(asked, self.comments[int(number)])

    def _create_comment(self, asked: Asked, number: str) -> tuple[int, object, dict[str, str]]:
        if int(number) not in self.comments:
            raise RefusedError(404, "Not Found")
        if self.pulls[int(number)].get("locked"):
            raise RefusedError(403, "Unable to create comment because issue is locked.")
        self._check_length(asked.body["body"])
        return 201, self.add_comment(int(number), asked.body["body"], self.login), {}

    def _edit_comment(self, asked: Asked, key: str) -> tuple[int, object, dict[str, str]]:
        self._check_length(asked.body["body"])
        comment = self._comment(int(key))
        comment["body"] = asked.body["body"]
        return 200, comment, {}

    def _delete_comment(self, _: Asked, key: str) -> tuple[int, object, dict[str, str]]:
        comment = self._comment(int(key))
        for comments in self.comments.values():
            if comment in comments:
                comments.remove(comment)
        return 204, None, {}

    def _comment(self, key: int) -> dict:
        found = [each for comments in self.comments.values() for each in comments if each["id"] == key]
        if not found:
            raise RefusedError(404, "Not Found")
        return found[0]

    def _check_length(self, body: str) -> None:
        if len(body) > MAX_COMMENT:
            raise RefusedError(422, f"Body is too long (maximum is {MAX_COMMENT} characters)")

    def _get_pull(self, _: Asked, number: str) -> tuple[int, object, dict[str, str]]:
        if int(number) not in self.pulls:
            raise RefusedError(404, "Not Found")
        return 200, self.pulls[int(number)], {}

    def _list_files(self, asked: Asked, number: str) -> tuple[int, object, dict[str, str]]:
        return self._page(asked, [made("diff-entry", **facts) for facts in self.files.get(int(number), [])])

    def _list_pulls(self, asked: Asked) -> tuple[int, object, dict[str, str]]:
        owner, _, branch = asked.query.get("head", ":").partition(":")
        found = [
            pull
            for pull in self.pulls.values()
            if asked.query.get("state", "open") in {"all", pull["state"]}
            and (not branch or pull["head"]["ref"] == branch)
            and (not owner or ((pull["head"]["repo"] or {}).get("full_name", "").split("/")[0] == owner))
        ]
        return self._page(asked, [self._simple(pull) for pull in found])

    def _create_pull(self, asked: Asked) -> tuple[int, object, dict[str, str]]:
        body = asked.body
        if any(
            pull["state"] == "open" and pull["head"]["ref"] == body["head"] for pull in self.pulls.values()
        ):
            raise RefusedError(422, f"A pull request already exists for octo-org:{body['head']}.")
        number = max(self.pulls, default=0) + 1
        pull = self.add_pull(number, "b" * 40, ref=body["head"], title=body["title"], body=body["body"])
        return 201, pull, {}

    def _edit_pull(self, asked: Asked, number: str) -> tuple[int, object, dict[str, str]]:
        if int(number) not in self.pulls:
            raise RefusedError(404, "Not Found")
        self.pulls[int(number)].update(asked.body)
        return 200, self.pulls[int(number)], {}

    def _pulls_of_commit(self, asked: Asked, sha: str) -> tuple[int, object, dict[str, str]]:
        # GitHub knows commits of forks only once they are in the repository itself
        numbers = dict.fromkeys(self.commits.get(sha, ()))
        return self._page(asked, [self._simple(self.pulls[number]) for number in numbers])

    def _simple(self, pull: dict) -> dict:
        known = _schemas()["pull-request-simple"]["properties"]
        return {
            **example(_schemas()["pull-request-simple"]),
            **{key: part for key, part in pull.items() if key in known and key != "_links"},
        }

    def _list_checks(self, asked: Asked, sha: str) -> tuple[int, object, dict[str, str]]:
        found = [
            check
            for check in self.checks
            if check["head_sha"] == sha and check["name"] == asked.query.get("check_name", check["name"])
        ]
        return 200, {"total_count": len(found), "check_runs": found}, {}

    def _create_check(self, asked: Asked) -> tuple[int, object, dict[str, str]]:
        if not self.is_app:
            raise RefusedError(403, "You must authenticate via a GitHub App.")
        key = next(self._numbers)
        check = made("check-run", id=key, html_url=f"https://github.example/check/{key}", conclusion=None)
        check |= {"status": "queued", "check_suite": {"id": key}}  # PyGithub takes no null for the suite
        self.checks.append(check)
        self.annotations[key] = []
        self._write_check(check, asked.body)
        return 201, check, {}

    def _edit_check(self, asked: Asked, key: str) -> tuple[int, object, dict[str, str]]:
        found = [check for check in self.checks if check["id"] == int(key)]
        if not found:
            raise RefusedError(404, "Not Found")
        self._write_check(found[0], asked.body)
        return 200, found[0], {}

    def _write_check(self, check: dict, facts: dict) -> None:
        output = facts.get("output", {})
        annotations = self.annotations[check["id"]]
        annotations += output.get("annotations", [])
        check.update({key: part for key, part in facts.items() if key != "output"})
        check["output"] = {
            **check["output"],
            **{key: part for key, part in output.items() if key != "annotations"},
            "annotations_count": len(annotations),
            "annotations_url": "https://github.example/annotations",
        }
        for key in ("title", "summary", "text"):
            check["output"].setdefault(key, None)

    def _page(self, asked: Asked, items: list[dict]) -> tuple[int, object, dict[str, str]]:
        size, page = (int(asked.query.get(key, default)) for key, default in (("per_page", 30), ("page", 1)))
        first = (page - 1) * size
        is_last = first + size >= len(items)
        link = f'<{self.url}{asked.path}?per_page={size}&page={page + 1}>; rel="next"'
        return 200, items[first : first + size], {} if is_last else {"Link": link}


_ROUTES = (
    ("GET", r"/issues/(\d+)/comments", FakeGitHub._list_comments),
    ("POST", r"/issues/(\d+)/comments", FakeGitHub._create_comment),
    ("PATCH", r"/issues/comments/(\d+)", FakeGitHub._edit_comment),
    ("DELETE", r"/issues/comments/(\d+)", FakeGitHub._delete_comment),
    ("GET", r"/pulls/(\d+)", FakeGitHub._get_pull),
    ("PATCH", r"/pulls/(\d+)", FakeGitHub._edit_pull),
    ("GET", r"/pulls/(\d+)/files", FakeGitHub._list_files),
    ("GET", r"/pulls", FakeGitHub._list_pulls),
    ("POST", r"/pulls", FakeGitHub._create_pull),
    ("GET", r"/commits/([0-9a-f]+)/pulls", FakeGitHub._pulls_of_commit),
    ("GET", r"/commits/([0-9a-f]+)/check-runs", FakeGitHub._list_checks),
    ("POST", r"/check-runs", FakeGitHub._create_check),
    ("PATCH", r"/check-runs/(\d+)", FakeGitHub._edit_check),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body are two packets: without this each answer takes 40 ms
    disable_nagle_algorithm = True
    server: FakeGitHub

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        for prefix, plain in ENTERPRISE.items():
            path = plain + path.removeprefix(prefix) if path.startswith(prefix) else path
        asked = Asked(
            self.command,
            path,
            {key: values[-1] for key, values in parse_qs(parts.query).items()},
            json.loads(content) if content else None,
            {key.lower(): value for key, value in self.headers.items()},
        )
        request = MockRequest(
            "https://api.github.com",
            asked.verb.lower(),
            asked.path,
            args=asked.query,
            headers=dict(self.headers),
            data=content,
            content_type="application/json",
        )
        fake = self.server
        fake.before(asked)
        with fake.lock:
            fake.asked.append(asked)
            fault = next((each for each in fake.faults if each.is_for(asked.verb, asked.path)), None)
            if fault is None or fault.is_done:
                status, answer, headers = self._answered(asked, request)
        if fault is not None:
            if fault.silent_seconds:
                fake.over.wait(fault.silent_seconds)
            if fault.is_cut or fault.silent_seconds:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.connection.close()
                self.close_connection = True
                return
            status, answer, headers = fault.status, {"message": fault.message}, fault.headers
        self._send(status, answer, headers)

    def _answered(self, asked: Asked, request: MockRequest) -> tuple[int, object, dict[str, str]]:
        """Return the answer, once both it and the request are as GitHub describes them."""
        fake = self.server
        is_described = asked.path != "/graphql"
        try:
            if is_described:
                _openapi().validate_request(request)
            status, answer, headers = fake.answer(asked)
        except RefusedError as refused:
            status, headers = refused.status, refused.headers
            answer = {"message": str(refused), "documentation_url": "https://docs.github.example"}
        except OpenAPIError as error:
            return self._violation(asked, "request", error)
        if not is_described:
            return status, answer, headers
        data = b"" if answer is None else json.dumps(answer).encode()
        try:
            _openapi().validate_response(request, MockResponse(data, status, headers, "application/json"))
        except ResponseNotFound as error:
            if status < 400:
                return self._violation(asked, "answer", error)
        except OpenAPIError as error:
            return self._violation(asked, "answer", error)
        return status, answer, headers

    def _violation(self, asked: Asked, what: str, error: Exception) -> tuple[int, object, dict[str, str]]:
        causes = [str(cause) for cause in (error, error.__cause__) if cause]
        causes += [str(each)[:500] for each in getattr(error.__cause__, "schema_errors", ())]
        self.server.violations.append(f"{what} of {asked.verb} {asked.path}: {'; '.join(causes)}")
        return 400, {"message": "not as GitHub describes it"}, {}

    def _send(self, status: int, answer: object, headers: dict[str, str]) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 -- names of http.server


@contextmanager
def serving(fake: FakeGitHub) -> Iterator[None]:
    """Answer until the block ends."""
    thread = threading.Thread(target=fake.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        fake.over.set()
        fake.shutdown()
        fake.server_close()
        thread.join()


@contextmanager
def github() -> Iterator[FakeGitHub]:
    """Be GitHub until the block ends, and then insist that everything was as it describes itself."""
    with FakeGitHub() as fake:
        with serving(fake):
            yield fake
        assert fake.violations == []


class FakeClock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.moment = 1_000_000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.moment += seconds


def connected(
    fake: FakeGitHub, clock: FakeClock | None = None, retries: int = 3, **facts: object
) -> GitHubApi:
    """Return the program's own edge to GitHub, connected to the fake."""
    sleep = (clock or FakeClock()).sleep
    retrying = RetryPolicy("exponential", retries, 1.0, 120.0, sleep=sleep, jitter=full_pause)
    usual = {"api_url": fake.url, "token": TOKEN, "login": "", "seconds_between_writes": 0}
    usual |= {"timeout_seconds": 5, "retrying": retrying}
    return GitHubApi(Connection(repository=REPOSITORY, **{**usual, **facts}))
