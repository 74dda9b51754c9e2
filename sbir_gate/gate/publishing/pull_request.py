"""The sticky comment: one on each pull request for each gate, found again by a hidden marker.

The marker is the first line of our own comments and nowhere else, so nothing in a text can forge one, and a
comment by anybody else is never touched, whatever it says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sbir_gate.errors import PublishError
from sbir_gate.gate.publishing.github import Comment, Comments, GitHubError, SharedGateError

MAX_CHARACTERS = 65_000
"""GitHub takes 65,536; how it counts is not written down."""

_GATE = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}", re.ASCII)
_MARKER = re.compile(
    r"<!-- sbir-gate:(?P<gate>[a-z0-9_-]+) head=(?P<head>[0-9a-f]{40}|[0-9a-f]{64})"
    r" run=(?P<run>[0-9]{1,18}) attempt=(?P<attempt>[0-9]{1,9})(?: job=(?P<job>[A-Za-z0-9_-]{1,250}))?"
    r" digest=(?P<digest>[0-9a-f]{64}) -->",
    re.ASCII,
)
_MOST_CREATIONS = 3
_COMMIT_CHARACTERS = 12
_TOO_LONG = 422


@dataclass(frozen=True, slots=True)
class State:
    """Which run wrote a comment, on which commit, and the digest of what it had to say.

    `job` names the job within the run, empty where it is not known.
    """

    head_sha: str
    run_id: int
    run_attempt: int
    digest: str
    job: str = ""

    def is_of_other_job(self, other: State) -> bool:
        """Say whether another job of the same run wrote it."""
        return self.run_id == other.run_id and bool(self.job and other.job) and self.job != other.job


@dataclass(frozen=True, slots=True)
class CommentResult:
    """Where the comment is, whether it was written now, and its notes."""

    url: str
    is_written: bool
    notes: tuple[str, ...] = ()


def digest_of(words: str) -> str:
    """Return the digest by which equal news are known."""
    return hashlib.sha256(words.encode("utf-8", errors="surrogatepass")).hexdigest()


def marker(gate: str, state: State) -> str:
    """Return the hidden first line of our comments."""
    if not _GATE.fullmatch(gate):
        raise PublishError(
            f"the gate {gate[:80]!r} has no name for a comment", "see gate.name in the settings"
        )
    return (
        f"<!-- sbir-gate:{gate} head={state.head_sha} run={state.run_id}"
        f" attempt={state.run_attempt}{f' job={state.job}' if state.job else ''} digest={state.digest} -->"
    )


def read_marker(gate: str, body: str) -> State | None:
    """Return the state that a comment of this gate begins with; None if it does not."""
    found = _MARKER.fullmatch(body.partition("\n")[0].rstrip("\r"))
    if found is None or found["gate"] != gate:
        return None
    return State(found["head"], int(found["run"]), int(found["attempt"]), found["digest"], found["job"] or "")


def reason_to_leave(there: State | None, own: State, current_head: str) -> str:
    """Return why our comment stays as it is, or is not made; empty if there is something to write.

    A run on a commit that is no longer the head has nothing to say. Of two runs on one commit the later
    counts. The same news on the same commit are not published again.
    """
    if current_head != own.head_sha:
        moved = current_head[:_COMMIT_CHARACTERS]
        return f"the pull request has moved on to {moved}: its own run reports on that"
    if there is None or there.head_sha != own.head_sha:
        return ""
    if (there.run_id, there.run_attempt) > (own.run_id, own.run_attempt):
        return f"a later run ({there.run_id}, attempt {there.run_attempt}) has commented already"
    return "it says the same already" if there.digest == own.digest else ""


def publish_comment(
    github: Comments, pull_number: int, gate: str, texts: Sequence[str], state: State
) -> CommentResult:
    """Write the comment, or leave it as it is; `texts` go from the fullest to the barest.

    Older comments of ours for the same gate, which two runs at the same moment may leave, are removed. Raises
    SharedGateError where another job of this run has commented for the gate, and PublishError.
    """
    bodies = fitting(gate, texts, state)
    login = github.viewer()
    ours = _ours(github, pull_number, gate, login)
    newest = ours[-1] if ours else None
    # read last: what is between this and writing is as little as can be
    current_head = github.pull(pull_number).head_sha
    there = read_marker(gate, newest.body) if newest else None
    if there is not None and there.is_of_other_job(state):
        raise SharedGateError("comment", gate, there.job)
    reason = reason_to_leave(there, state, current_head)
    if reason:
        return CommentResult(newest.url if newest else "", False, (f"comment left as it is: {reason}",))
    written = _written(github, pull_number, gate, login, newest, bodies)
    return CommentResult(written.url, True, tuple(_tidied(github, ours[:-1])))


def fitting(gate: str, texts: Sequence[str], state: State) -> tuple[str, ...]:
    """Return the comments that GitHub can be expected to take, the fullest first. Raises PublishError."""
    line = marker(gate, state)
    bodies = tuple(f"{line}\n{text}" for text in texts)
    found = tuple(body for body in bodies if len(body) <= MAX_CHARACTERS)
    if not found:
        shortest = min(map(len, bodies), default=0)
        raise PublishError(
            f"no text fits into a comment: the shortest has {shortest:,} characters",
            "this is a fault of sbir-gate: please report it",
        )
    return found


def _ours(github: Comments, pull_number: int, gate: str, login: str) -> list[Comment]:
    """Return our comments of this gate, the oldest first."""
    return sorted(
        (
            comment
            for comment in github.comments(pull_number)
            if comment.author.lower() == login.lower() and read_marker(gate, comment.body)
        ),
        key=lambda comment: comment.number,
    )


def _written(
    github: Comments, pull_number: int, gate: str, login: str, newest: Comment | None, bodies: Sequence[str]
) -> Comment:
    def create(body: str) -> Comment:
        return _created(github, pull_number, gate, login, body)

    if newest is None:
        return _stepping_down(create, bodies)
    number = newest.number
    try:
        return _stepping_down(lambda body: github.edit_comment(number, body), bodies)
    except GitHubError as error:
        if error.status not in {404, 410}:
            raise
    return _stepping_down(create, bodies)  # it was deleted in between


def _stepping_down(write: Callable[[str], Comment], bodies: Sequence[str]) -> Comment:
    """Write the first text that GitHub takes: what it counts as too long is for it to say."""
    for body in bodies[:-1]:
        try:
            return write(body)
        except GitHubError as error:
            if error.status != _TOO_LONG:
                raise
    return write(bodies[-1])


def _created(github: Comments, pull_number: int, gate: str, login: str, body: str) -> Comment:
    """Add the comment; where the answer is lost, look whether it is there before adding it again."""
    for _ in range(_MOST_CREATIONS - 1):
        try:
            return github.create_comment(pull_number, body)
        except GitHubError as error:
            if not error.is_unsure:
                raise
        ours = _ours(github, pull_number, gate, login)
        if ours:
            return ours[-1]
    return github.create_comment(pull_number, body)


def _tidied(github: Comments, surplus: Sequence[Comment]) -> list[str]:
    notes = []
    for comment in surplus:
        try:
            github.delete_comment(comment.number)
        except GitHubError as error:
            notes.append(f"an older comment of this gate is left ({comment.url}): {error.message}")
        else:
            notes.append(f"an older comment of this gate was removed ({comment.url})")
    return notes
