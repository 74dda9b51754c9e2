"""The baseline on the main branch of a remote: a commit of its file alone, and never of an older Run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.errors import DocumentError, UsageError
from sbir_gate.gate.storing.baselines import committed_baseline
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import is_ancestor
from sbir_gate.gate.storing.references import HASH
from sbir_gate.gate.storing.remote_branch import Edit, RemoteBranch
from sbir_gate.gate.storing.revisions import SHOWN_DIGITS, Revision
from sbir_gate.model.document import RUN, encode
from sbir_gate.model.moments import moment_text
from sbir_gate.model.run import Run
from sbir_gate.retrying import RetryPolicy

# or what is pushed would be measured, promoted and pushed again, for ever, where the token starts workflows
_NO_BUILD = "[skip ci]"


class Standing(StrEnum):
    """The result of proposing a Run as the baseline."""

    PUSHED = "pushed"
    THERE = "there already"
    OLDER = "older than the baseline"


@dataclass(frozen=True, slots=True)
class BaselinePush:
    """The result; `other` is the newer Run that stays, `commit` the new tip, empty if none was made."""

    standing: Standing
    commit: str = ""
    attempts: int = 1
    other: Run | None = None


def push_baseline(
    run: Run,
    path: str,
    main: RemoteBranch,
    retrying: RetryPolicy,
    proposal: RemoteBranch | None = None,
    *,
    is_forced: bool = False,
) -> BaselinePush:
    """Commit the Run as the file `path` (from the root) on the newest tip of `main`, and push that.

    With a `proposal` the commit goes to that branch instead, for a pull request: it is main with the baseline
    changed, whatever the branch held before. A baseline of a newer Run stays, on either branch.

    Raises DocumentError for a baseline there that cannot be read, unless `is_forced`; UsageError if there is
    no main branch, ToolError if the branch cannot be pushed to.
    """
    content = encode(RUN, run).encode()
    outcome = BaselinePush(Standing.PUSHED)

    def edit_of(tip: Revision | None) -> Edit | None:
        nonlocal outcome
        start = tip if proposal is None else main.tip()
        if start is None:
            raise UsageError(
                f"{main.shown}: the remote has no such branch", "name the main branch with --branch"
            )
        for revision in filter(None, (start, tip)):
            try:
                there = committed_baseline(revision, path, run.gate)
            except DocumentError:
                if not is_forced:
                    raise
                continue
            if there == run:
                outcome = BaselinePush(Standing.THERE)
                return None
            if there is not None and is_newer(main.git, there, run):
                outcome = BaselinePush(Standing.OLDER, other=there)
                return None
        outcome = BaselinePush(Standing.PUSHED)
        message = _message(run, is_proposal=proposal is not None)
        return Edit({path: content}, message, start if proposal is not None else None)

    pushed = (proposal or main).push(edit_of, retrying)
    return BaselinePush(outcome.standing, pushed.commit, pushed.attempts, outcome.other)


def is_newer(git: Git, there: Run, ours: Run) -> bool:
    """Say whether the Run that is there is newer than ours: of a later commit, else measured later.

    A job that is run again measures an old commit late; what counts is the commit, where git knows both.
    """
    later, earlier = there.source.commit, ours.source.commit
    if later != earlier and HASH.fullmatch(later) and HASH.fullmatch(earlier):
        if is_ancestor(git, earlier, later):
            return True
        if is_ancestor(git, later, earlier):
            return False
    return there.started_at > ours.started_at


def _message(run: Run, *, is_proposal: bool) -> str:
    commit = run.source.commit
    of = f" at commit {commit[:SHOWN_DIGITS]}" if HASH.fullmatch(commit) else ""
    body = f"The Run of {moment_text(run.started_at)}{of}."
    # a pull request waits for the checks of its newest commit: there, nothing may be skipped
    return f"Promote the baseline of {run.gate}\n\n{body}\n" + ("" if is_proposal else f"\n{_NO_BUILD}\n")
