"""The check on the commit: begun before measuring, and ended whatever happens, always under the same name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sbir_gate.gate.publishing.github import (
    CheckRun,
    Checks,
    CheckText,
    Conclusion,
    GitHubError,
    SharedGateError,
)
from sbir_gate.model.publication import Annotation
from sbir_gate.model.verdict import Outcome

MAX_SUMMARY_CHARACTERS = 65_000
"""GitHub takes 65,535; how it counts is not written down."""
MAX_ANNOTATIONS = 50
"""In one request; more take more of them."""

_TOO_LONG = 422
_CONCLUSIONS = {
    Outcome.PASS: Conclusion.SUCCESS,
    Outcome.WARN: Conclusion.SUCCESS,
    Outcome.INCONCLUSIVE: Conclusion.NEUTRAL,
    Outcome.NO_BASELINE: Conclusion.NEUTRAL,
}


def check_name(gate: str) -> str:
    """Return the name of a gate's check; branch rules refer to it, so it never changes."""
    return f"sbir-gate / {gate}"


def check_key(run_id: int, run_attempt: int, job: str = "") -> str:
    """Return by what a check is known again by the attempt of the run, and by its job, that began it."""
    return "-".join(filter(None, (str(run_id), str(run_attempt), job)))


def conclusion_of(outcome: Outcome, fails_on_inconclusive: bool = False) -> Conclusion:
    """Return what an outcome means for a check, in step with the exit status of the gate.

    A warning passes. An undecided outcome is neutral, and so is a gate without a baseline.
    """
    if outcome is Outcome.INCONCLUSIVE and fails_on_inconclusive:
        return Conclusion.FAILURE
    return _CONCLUSIONS.get(outcome, Conclusion.FAILURE)


@dataclass(frozen=True, slots=True)
class CheckPlace:
    """Where a check belongs: the gate, the commit, the attempt of the run (`check_key`), and its page."""

    gate: str
    head_sha: str
    key: str
    details_url: str


def begin_check(checks: Checks, place: CheckPlace) -> CheckRun:
    """Let the commit show that the gate is at work.

    Raises SharedGateError where another job of this run has a check of the gate, and GitHubError.
    """
    others = _of_other_jobs(checks.check_runs(place.head_sha, check_name(place.gate)), place)
    if others:
        raise SharedGateError("check", place.gate, _job_of(others[0]))
    return checks.begin_check_run(place.head_sha, check_name(place.gate), place.key, place.details_url)


def complete_check(
    checks: Checks,
    place: CheckPlace,
    conclusion: Conclusion,
    title: str,
    summaries: Sequence[str],
    annotations: Sequence[Annotation] = (),
) -> CheckRun:
    """End the check that this attempt began, or add one that has ended, and return it.

    `summaries` go from the fullest to the barest: the first that GitHub takes is shown. Where another job of
    this run has a check of the gate, none is added. Raises SharedGateError then, and GitHubError.
    """
    name = check_name(place.gate)
    found = checks.check_runs(place.head_sha, name)
    begun, others = _begun(found, place), _of_other_jobs(found, place)
    if begun is None and others:
        raise SharedGateError("check", place.gate, _job_of(others[0]))

    def write(text: CheckText) -> CheckRun:
        if begun is not None:
            return checks.complete_check_run(begun.number, conclusion, text)
        return checks.create_check_run(place.head_sha, name, place.key, place.details_url, conclusion, text)

    pieces = _pieces(annotations)
    texts = [
        CheckText(title, summary, pieces[0])
        for summary in summaries
        if len(summary) <= MAX_SUMMARY_CHARACTERS
    ]
    # the last resort is a check without anything but its end: one in progress holds up the merge
    check, shown = _first_taken(write, [*texts, CheckText(title, title)])
    for piece in pieces[1:] if shown.annotations else ():
        check = checks.complete_check_run(check.number, conclusion, replace(shown, annotations=piece))
    if others and others[0].number < check.number:  # both began at the same moment
        raise SharedGateError("check of its own", place.gate, _job_of(others[0]))
    return check


def cancel_check(checks: Checks, place: CheckPlace, text: CheckText) -> CheckRun | None:
    """End the check that this attempt left in progress, as cancelled; None if there is none.

    One in progress holds up the merge, and nothing else would complete it. Raises GitHubError.
    """
    begun = _begun(checks.check_runs(place.head_sha, check_name(place.gate)), place)
    return None if begun is None else checks.complete_check_run(begun.number, Conclusion.CANCELLED, text)


def _begun(found: Sequence[CheckRun], place: CheckPlace) -> CheckRun | None:
    """Return the check that this job of this attempt began and that has not ended."""
    return next(
        (check for check in reversed(found) if check.key == place.key and not check.is_completed), None
    )


def _of_other_jobs(found: Sequence[CheckRun], place: CheckPlace) -> list[CheckRun]:
    """Return the checks that other jobs of the same run began, whatever the attempt, the oldest first."""
    run, _, job = _parts(place.key)
    others = [check for check in found if _parts(check.key)[0] == run and _job_of(check) not in {"", job}]
    return sorted(others, key=lambda check: check.number) if job else []


def _job_of(check: CheckRun) -> str:
    return _parts(check.key)[2]


def _parts(key: str) -> tuple[str, str, str]:
    """Return run, attempt and job of a key."""
    run, _, rest = key.partition("-")
    attempt, _, job = rest.partition("-")
    return run, attempt, job


def _pieces(annotations: Sequence[Annotation]) -> list[tuple[Annotation, ...]]:
    """Return the annotations in as many requests as they take, at least one."""
    placed = [annotation for annotation in annotations if annotation.path]  # a check shows no others
    firsts = range(0, max(len(placed), 1), MAX_ANNOTATIONS)
    return [tuple(placed[first : first + MAX_ANNOTATIONS]) for first in firsts]


def _first_taken(
    write: Callable[[CheckText], CheckRun], texts: Sequence[CheckText]
) -> tuple[CheckRun, CheckText]:
    for text in texts[:-1]:
        try:
            return write(text), text
        except GitHubError as error:
            if error.status != _TOO_LONG:
                raise
    return write(texts[-1]), texts[-1]
