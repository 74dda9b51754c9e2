"""The event that started a workflow: which commit, pull request and run it is about. Bytes in, facts out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sbir_gate.errors import UsageError
from sbir_gate.wrong_input import broken_rule

# GitHub sends no payload above 25 MB
MAX_PAYLOAD_BYTES = 25 * 1024 * 1024
_BRANCHES = "refs/heads/"
# whose runs get a token that may only read, unless the workflow grants more
DEPENDABOT = "dependabot[bot]"
PULL_REQUEST_EVENTS = frozenset({"pull_request", "pull_request_target"})

_NOT_THERE = (
    "run this as a step of a workflow; 'sbir-gate publish --dry-run' shows elsewhere what it would say"
)
_DAMAGED = "the payload is what GitHub leaves at $GITHUB_EVENT_PATH: give that file"
# an owner has letters, digits and hyphens; one of Enterprise Managed Users ends in _ and a short code
_OWNER = r"(?=[^/]{1,39}(?:/|$))[A-Za-z0-9][A-Za-z0-9-]*(?:_[A-Za-z0-9]+)?"
_NAME = re.compile(_OWNER + r"/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
# with a slash too: act, which runs workflows without GitHub, calls its user nektos/act
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,99}(?:\[bot\])?", re.ASCII)
# git's own rules for the name of a branch (git help check-ref-format), and no line break of any alphabet
_NO_REF = re.compile(
    r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[./-]|[./]$|^@?$"
)
_MAX_REF_CHARACTERS = 1024
_SHA_OR_ZERO = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_SHA = re.compile(r"(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)
# a branch, tag or commit, in an address
_ACTION_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)

P = TypeVar("P", bound=BaseModel)


def _matching(shape: re.Pattern[str], what: str) -> Callable[[str], str]:
    """Return a check that a whole text is of a shape; an unanchored pattern would let lines follow it."""

    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise ValueError(f"must be {what}")
        return text

    return check


def _ref(text: str) -> str:
    if len(text) > _MAX_REF_CHARACTERS or _NO_REF.search(text):
        raise ValueError("must be the name of a branch or tag")
    return text


Sha = Annotated[str, AfterValidator(_matching(_SHA_OR_ZERO, "a commit"))]
Ref = Annotated[str, AfterValidator(_ref)]
RepositoryName = Annotated[str, AfterValidator(_matching(_NAME, "owner/name"))]
Number = Annotated[int, Field(ge=1, le=10**18)]


@dataclass(frozen=True, slots=True)
class Trigger:
    """The finished run of a `workflow_run` event, according to GitHub.

    `head_repository` is where its commit came from, empty if that was deleted.
    """

    event: str
    head_sha: str
    head_repository: str
    head_branch: str
    run_id: int
    run_attempt: int


@dataclass(frozen=True, slots=True)
class Event:
    """What a workflow was started by.

    `head_sha` is the commit that is judged: of a pull request its own head, never the merge commit that
    GitHub checks out. `pull_number` is 0 where there is no pull request. `base_ref` is the branch that the
    change goes to, or that was pushed, empty where there is none. `base_sha` is the commit of that branch as
    the event gives it, `merge_sha` GitHub's own merge of the change into it; each is empty where the event
    has none. `branch` is the branch of the commit that is judged. `default_branch` is the repository's, empty
    if the payload has none. `is_fork` says that the change comes from another repository,
    so that the token may only read. `action_repository` and `action_ref` are where the action comes from that
    runs this, empty for one of the checkout. `job` names the job within its run, empty if that is not known.
    `trigger` is there for `workflow_run` alone.
    """

    name: str
    repository: str
    api_url: str
    server_url: str
    head_sha: str
    pull_number: int
    base_ref: str
    is_fork: bool
    run_id: int
    run_attempt: int
    workflow: str
    actor: str
    trigger: Trigger | None = None
    base_sha: str = ""
    merge_sha: str = ""
    branch: str = ""
    default_branch: str = ""
    action_repository: str = ""
    action_ref: str = ""
    job: str = ""

    @property
    def run_url(self) -> str:
        """The page of this attempt of the workflow run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}/attempts/{self.run_attempt}"

    @property
    def pull_url(self) -> str:
        """The page of the pull request, empty where there is none."""
        return f"{self.server_url}/{self.repository}/pull/{self.pull_number}" if self.pull_number else ""

    @property
    def commit_url(self) -> str:
        """The page of the commit that is judged."""
        return self.commit_url_of(self.head_sha)

    @property
    def docs_url(self) -> str:
        """The folder of the pages that belong to the action, empty where it is not known."""
        if not self.action_repository or not self.action_ref:
            return ""
        return f"{self.server_url}/{self.action_repository}/blob/{self.action_ref}/docs"

    def commit_url_of(self, commit: str) -> str:
        """Return the page of a commit, empty for none."""
        return f"{self.server_url}/{self.repository}/commit/{commit}" if commit else ""

    def compare_url(self, base: str, head: str) -> str:
        """Return the page that compares two commits, empty unless both are known and differ."""
        if not base or not head or base == head:
            return ""
        return f"{self.server_url}/{self.repository}/compare/{base}...{head}"


class _Part(BaseModel):
    """A part of a payload: what is used of it, in its strict type; GitHub may add what it likes."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Repository(_Part):
    full_name: RepositoryName
    default_branch: Ref | None = None


class _Side(_Part):
    ref: Ref
    sha: Sha
    repo: _Repository | None = None


class _PullRequest(_Part):
    number: Number
    head: _Side
    base: _Side


class _MergeGroup(_Part):
    head_sha: Sha
    base_ref: Ref
    base_sha: Sha | None = None


class _WorkflowRun(_Part):
    id: Number
    run_attempt: Number = 1
    event: Annotated[str, Field(pattern=r"^[a-z_]{1,50}$")]
    head_sha: Sha
    head_branch: Ref | None = None
    head_repository: _Repository | None = None


class _Payload(_Part):
    repository: _Repository | None = None


class _PullRequestPayload(_Payload):
    pull_request: _PullRequest


class _MergeGroupPayload(_Payload):
    merge_group: _MergeGroup


class _PushPayload(_Payload):
    after: Sha
    ref: Ref


class _WorkflowRunPayload(_Payload):
    workflow_run: _WorkflowRun


def read_event(environment: Mapping[str, str], payload: bytes | None) -> Event:
    """Return the event from the variables that a runner sets and the payload, which is None if there is none.

    Raises UsageError outside of a workflow, and for a payload that is none.
    """
    name = _variable(environment, "GITHUB_EVENT_NAME", re.compile(r"[a-z_]{1,50}", re.ASCII))
    event = Event(
        name=name,
        repository=_variable(environment, "GITHUB_REPOSITORY", _NAME),
        api_url=_address(environment, "GITHUB_API_URL", "https://api.github.com"),
        server_url=_address(environment, "GITHUB_SERVER_URL", "https://github.com"),
        head_sha="",
        pull_number=0,
        base_ref="",
        is_fork=False,
        run_id=int(_variable(environment, "GITHUB_RUN_ID", _NUMBER)),
        run_attempt=int(_variable({"GITHUB_RUN_ATTEMPT": "1", **environment}, "GITHUB_RUN_ATTEMPT", _NUMBER)),
        workflow=_line(environment.get("GITHUB_WORKFLOW", "")),
        actor=_optional(environment, "GITHUB_ACTOR", _LOGIN),
        action_repository=_optional(environment, "GITHUB_ACTION_REPOSITORY", _NAME),
        action_ref=_if_plain(environment.get("GITHUB_ACTION_REF", "")),
    )
    if name in PULL_REQUEST_EVENTS:
        return _of_pull_request(event, _parsed(_PullRequestPayload, name, payload), environment)
    if name == "merge_group":
        return _of_merge_group(event, _parsed(_MergeGroupPayload, name, payload))
    if name == "push":
        return _of_push(event, _parsed(_PushPayload, name, payload))
    if name == "workflow_run":
        return _of_workflow_run(event, _parsed(_WorkflowRunPayload, name, payload))
    found = _parsed(_Payload, name, payload) if payload and payload.strip() else _Payload()
    return replace(
        event,
        head_sha=_variable(environment, "GITHUB_SHA", _SHA),
        branch=_branch_variable(environment),
        default_branch=_default_branch(found),
    )


def _of_merge_group(event: Event, found: _MergeGroupPayload) -> Event:
    group = found.merge_group
    return replace(
        event,
        head_sha=group.head_sha,
        base_ref=_branch(group.base_ref),
        base_sha=group.base_sha or "",
        default_branch=_default_branch(found),
    )


def _of_push(event: Event, push: _PushPayload) -> Event:
    if not _SHA.fullmatch(push.after):
        raise UsageError("the push deleted its branch: there is no commit to report", _NOT_THERE)
    branch = _branch(push.ref)
    return replace(
        event,
        head_sha=push.after,
        base_ref=branch,
        branch=branch,
        default_branch=_default_branch(push),
    )


def _of_pull_request(event: Event, found: _PullRequestPayload, environment: Mapping[str, str]) -> Event:
    pull = found.pull_request
    head, base = pull.head.repo, pull.base.repo
    return replace(
        event,
        head_sha=pull.head.sha,
        pull_number=pull.number,
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        merge_sha=_optional(environment, "GITHUB_SHA", _SHA),
        branch=pull.head.ref,
        default_branch=_default_branch(found),
        # a fork that was deleted meanwhile has no repository any more
        is_fork=head is None or base is None or head.full_name.lower() != base.full_name.lower(),
    )


def _of_workflow_run(event: Event, found: _WorkflowRunPayload) -> Event:
    run = found.workflow_run
    origin = run.head_repository.full_name if run.head_repository else ""
    return replace(
        event,
        head_sha=run.head_sha,
        is_fork=origin.lower() != event.repository.lower(),
        branch=run.head_branch or "",
        default_branch=_default_branch(found),
        trigger=Trigger(
            event=run.event,
            head_sha=run.head_sha,
            head_repository=origin,
            head_branch=run.head_branch or "",
            run_id=run.id,
            run_attempt=run.run_attempt,
        ),
    )


def _parsed(kind: type[P], name: str, payload: bytes | None) -> P:
    if not payload or not payload.strip():
        raise UsageError(f"the payload of the event {name} is missing or empty", _NOT_THERE)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UsageError(
            f"the payload of the event {name} is larger than {MAX_PAYLOAD_BYTES:,} bytes", _DAMAGED
        )
    try:
        # json, not pydantic's own parser: a line break or a lone surrogate of a name must not end it
        return kind.model_validate(json.loads(payload))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(map(str, fault["loc"]))
        problem = f"{broken_rule(fault)} in the payload of the event {name}"
        raise UsageError(problem, _DAMAGED, column=key) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"the payload of the event {name} is not JSON ({type(error).__name__})", _DAMAGED
        ) from None


def _variable(environment: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = environment.get(name, "")
    if not value:
        raise UsageError(f"not a GitHub workflow: ${name} is not set", _NOT_THERE)
    if not shape.fullmatch(value):
        raise UsageError(f"${name} is {value[:80]!r}, which cannot be", "leave it as the runner sets it")
    return value


def _if_plain(ref: str) -> str:
    """Return a ref that can be part of an address as it is; nothing for any other, which only costs links."""
    return ref if _ACTION_REF.fullmatch(ref) else ""


def _optional(environment: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    """Return a variable that may be missing or empty; where it is set, its shape is checked."""
    return _variable(environment, name, shape) if environment.get(name) else ""


def _branch_variable(environment: Mapping[str, str]) -> str:
    """Return the branch that started the run, empty for a tag, or where the runner names none."""
    ref = environment.get("GITHUB_REF", "")
    if not ref:
        return ""
    try:
        return _ref(ref).removeprefix(_BRANCHES) if ref.startswith(_BRANCHES) else ""
    except ValueError:
        raise UsageError(
            f"$GITHUB_REF is {ref[:80]!r}, which cannot be", "leave it as the runner sets it"
        ) from None


def _default_branch(payload: _Payload) -> str:
    return (payload.repository.default_branch or "") if payload.repository else ""


def _address(environment: Mapping[str, str], name: str, default: str) -> str:
    """Return an address of GitHub, or of an Enterprise Server, without a slash at its end."""
    value = environment.get(name) or default
    try:
        parts = urlsplit(value)
        is_sound = (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and "@" not in parts.netloc
            and not (parts.query or parts.fragment)
            and re.fullmatch(r"[!-~]+", value)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        is_sound = False
    if not is_sound:
        raise UsageError(f"${name} is not a server URL", "leave it as the runner sets it")
    return value.rstrip("/")


def _branch(ref: str) -> str:
    return ref.removeprefix(_BRANCHES)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
