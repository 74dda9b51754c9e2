"""What the gate does on GitHub, done once: on a scratch branch and its pull request, which are then removed.

Nothing is measured, and no other branch is written to: not the main branch, and not that of the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sbir_gate.errors import PublishError, SbirGateError
from sbir_gate.gate.branches import main_branch
from sbir_gate.gate.publish import check_place
from sbir_gate.gate.publishing.check_run import begin_check, check_key, check_name, complete_check
from sbir_gate.gate.publishing.event import Event
from sbir_gate.gate.publishing.github import CheckRun, Comment, Conclusion, GitHub, Pull
from sbir_gate.gate.publishing.pull_request import State, digest_of, publish_comment, read_marker
from sbir_gate.gate.storing.baselines import baseline_path
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.remote_branch import Edit, RemoteBranch
from sbir_gate.gate.storing.revisions import place_in
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.model.publication import Annotation, AnnotationLevel
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.schema import Settings

GATE = "self-check"
"""The name that comment and check have: those of the real gates are not touched."""
SCRATCH_FILE = "sbir-gate-self-check.txt"
_TITLE = "sbir-gate self-check: closes itself"
_TEXT = "`sbir-gate doctor --live` tries here what the gate does on GitHub, and then removes all of it.\n"
# other services build every branch that is pushed
_MESSAGE = "Try what the gate does on GitHub\n\n[skip ci]\n"


class Step(StrEnum):
    """What is tried, in this order; the name is the place of its diagnosis."""

    BRANCH = "scratch branch"
    PULL = "pull request"
    COMMENT = "comment"
    CHECK = "check"
    ANNOTATION = "annotation"
    HISTORY = "history push"
    BASELINE = "baseline push"
    CLEAN_UP = "clean-up"


@dataclass(frozen=True, slots=True)
class LiveEdges:
    """What a live check needs of the world; `retrying` is how often a push is tried."""

    github: GitHub
    git: Git
    retrying: RetryPolicy


def check_live(
    settings: Settings, event: Event, edges: LiveEdges, progress: Callable[[str], None]
) -> tuple[Diagnosis, ...]:
    """Try each step and return a diagnosis of each; whatever fails, all that was made is removed.

    Raises UsageError where there is no repository, no remote or no main branch.
    """
    main = main_branch(settings, edges.git, name=event.default_branch or None)
    attempt = _Attempt(settings, event, edges, main, progress)
    try:
        attempt.go()
    finally:
        attempt.clean_up()
    return tuple(attempt.found)


class _Attempt:
    """The steps that were tried, and how each thing that they made is removed."""

    def __init__(
        self,
        settings: Settings,
        event: Event,
        edges: LiveEdges,
        main: RemoteBranch,
        progress: Callable[[str], None],
    ) -> None:
        self.found: list[Diagnosis] = []
        self._settings, self._event, self._edges, self._progress = settings, event, edges, progress
        self._main = main
        key = check_key(event.run_id, event.run_attempt, event.job)
        self._scratch = main.named(f"sbir-gate/{GATE}-{key}")
        # beside the real one: rules for the names of branches meet both
        self._history = main.named(f"{settings.history.branch}-{GATE}-{key}")
        self._made: list[tuple[str, Callable[[], None]]] = []
        self._failed: set[Step] = set()
        self._pull: Pull | None = None
        self._check: CheckRun | None = None

    def go(self) -> None:
        """Try everything; what needs a step that failed is not tried."""
        self._try(Step.BRANCH, self._push_scratch)
        self._try(Step.PULL, self._open_pull, Step.BRANCH)
        self._try(Step.COMMENT, self._comment, Step.PULL)
        self._try(Step.CHECK, self._begin_and_end_check, Step.PULL)
        self._try(Step.ANNOTATION, self._count_annotations, Step.CHECK)
        self._try(Step.HISTORY, self._push_history)
        self._try(Step.BASELINE, self._push_baseline, Step.BRANCH)

    def clean_up(self) -> None:
        """Remove all that was made, the newest first, as far as it goes."""
        left: dict[str, str] = {}
        for name, remove in reversed(self._made):
            self._progress(f"removing {name}")
            try:
                remove()
            except SbirGateError as error:
                left[name] = error.message
        if left:
            facts: dict[str, Fact] = {"names": tuple(left), "text": next(iter(left.values()))}
            self.found.append(Diagnosis(Gravity.ERROR, Flaw.LIVE_LEFT_BEHIND, Step.CLEAN_UP, facts))
        elif self._made:
            names = tuple(name for name, _ in self._made)
            self.found.append(Diagnosis(Gravity.NOTE, Flaw.LIVE_CLEANED, Step.CLEAN_UP, {"names": names}))

    def _try(self, step: Step, do: Callable[[], str], needs: Step | None = None) -> None:
        if needs in self._failed:
            self._failed.add(step)
            facts = {"needs": str(needs)}
            self.found.append(Diagnosis(Gravity.ERROR, Flaw.LIVE_NOT_TRIED, step, facts))
            return
        self._progress(f"trying: {step}")
        try:
            where = do()
        except SbirGateError as error:
            self._failed.add(step)
            failure = {"text": error.message, "hint": error.hint}
            self.found.append(Diagnosis(Gravity.ERROR, Flaw.LIVE_FAILED, step, failure))
        else:
            self.found.append(Diagnosis(Gravity.NOTE, Flaw.LIVE_WORKS, step, {"where": where}))

    def _push_scratch(self) -> str:
        start = self._main.tip()
        content = {SCRATCH_FILE: _TEXT.encode()}
        self._push(self._scratch, Edit(content, _MESSAGE, start))
        return self._scratch.shown

    def _push_history(self) -> str:
        self._push(self._history, Edit({SCRATCH_FILE: _TEXT.encode()}, _MESSAGE))
        return self._history.shown

    def _push_baseline(self) -> str:
        """Commit a file beside the baseline, on the scratch branch."""
        path = baseline_path(self._settings.gate.baselines_folder, GATE)
        place = place_in(self._main.root, Path.cwd() / path)
        if place is None:
            raise PublishError(
                f"{path} is outside the repository", "keep baselines in it: gate.baselines_folder"
            )
        edit = Edit({place: b"{}\n"}, _MESSAGE)
        pushed = self._scratch.push(lambda _tip: edit, self._edges.retrying)
        return f"{place} at {pushed.commit[:12]}"

    def _push(self, branch: RemoteBranch, edit: Edit) -> None:
        # also where the answer to the push is lost: removing what is not there is no fault
        self._made.append((branch.shown, lambda: branch.remove(self._edges.retrying)))
        branch.push(lambda _tip: edit, self._edges.retrying)

    def _open_pull(self) -> str:
        github = self._edges.github
        pull = github.create_pull(self._scratch.name, self._main.name, _TITLE, _TEXT)
        self._made.append((f"pull request {pull.number}", lambda: github.close_pull(pull.number)))
        self._pull = pull
        return pull.url

    @property
    def _opened(self) -> Pull:
        if self._pull is None:
            raise PublishError("there is no pull request to try it on", "run the self-check again")
        return self._pull

    def _comment(self) -> str:
        """Write the comment and change it: the second time it must be found again."""
        github, event, pull = self._edges.github, self._event, self._opened
        self._made.append(("comment", self._remove_comments))
        for text in (_TEXT, f"{_TEXT}\nChanged once.\n"):
            state = State(pull.head_sha, event.run_id, event.run_attempt, digest_of(text), event.job)
            result = publish_comment(github, pull.number, GATE, [text], state)
            if not result.is_written:
                raise PublishError("; ".join(result.notes), "run the self-check again")
        count = len(self._own_comments())
        if count != 1:
            raise PublishError(
                f"there are {count} comments where there should be 1",
                "set publishing.login to the login that the token writes as",
            )
        return result.url

    def _own_comments(self) -> list[Comment]:
        comments = self._edges.github.comments(self._opened.number)
        return [comment for comment in comments if read_marker(GATE, comment.body)]

    def _remove_comments(self) -> None:
        for comment in self._own_comments():
            self._edges.github.delete_comment(comment.number)

    def _begin_and_end_check(self) -> str:
        checks, place = (
            self._edges.github,
            check_place(replace(self._event, head_sha=self._opened.head_sha), GATE),
        )
        begin_check(checks, place)
        remark = Annotation(AnnotationLevel.NOTICE, _TITLE, "An annotation of the gate.", SCRATCH_FILE, 1)
        self._check = complete_check(checks, place, Conclusion.NEUTRAL, _TITLE, [_TEXT], [remark])
        number = self._check.number
        there = {each.number: each for each in checks.check_runs(place.head_sha, check_name(GATE))}
        if number not in there or not there[number].is_completed:
            raise PublishError("the check was written, but is not on the commit", "run the self-check again")
        self._check = there[number]
        return self._check.url

    def _count_annotations(self) -> str:
        if self._check is None or self._check.annotations != 1:
            raise PublishError("the check was written without its annotation", "run the self-check again")
        return f"{SCRATCH_FILE}:1"
