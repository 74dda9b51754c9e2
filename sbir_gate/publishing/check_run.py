"""The check on the commit: begun before measuring, and ended whatever happens, always under the same name."""

from __future__ import annotations

from collections.abc import Sequence

from sbir_gate.model.publication import Annotation
from sbir_gate.model.verdict import Outcome
from sbir_gate.publishing.github import CheckRun, Checks, CheckText, Conclusion, GitHubError

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


def check_key(run_id: int, run_attempt: int) -> str:
    """Return by what a check is known again by the attempt of the run that began it."""
    return f"{run_id}-{run_attempt}"


def conclusion_of(outcome: Outcome, fails_on_inconclusive: bool = False) -> Conclusion:
    """Return what an outcome means for a check, in step with the exit status of the gate.

    A warning passes. What could not be told is neutral, and so is a gate without a baseline.
    """
    if outcome is Outcome.INCONCLUSIVE and fails_on_inconclusive:
        return Conclusion.FAILURE
    return _CONCLUSIONS.get(outcome, Conclusion.FAILURE)


def begin_check(checks: Checks, gate: str, head_sha: str, key: str, details_url: str) -> CheckRun:
    """Let the commit show that the gate is at work. Raises GitHubError."""
    return checks.begin_check_run(head_sha, check_name(gate), key, details_url)


def complete_check(
    checks: Checks,
    gate: str,
    head_sha: str,
    key: str,
    details_url: str,
    conclusion: Conclusion,
    title: str,
    summaries: Sequence[str],
    annotations: Sequence[Annotation] = (),
) -> CheckRun:
    """End the check that this attempt began, or add one that has ended, and return it.

    `summaries` go from the fullest to the barest: the first that GitHub takes is shown. Raises GitHubError.
    """
    name = check_name(gate)
    open_ones = [
        check for check in checks.check_runs(head_sha, name) if check.key == key and not check.is_completed
    ]

    def write(text: CheckText) -> CheckRun:
        if open_ones:
            return checks.complete_check_run(open_ones[-1].number, conclusion, text)
        return checks.create_check_run(head_sha, name, key, details_url, conclusion, text)

    # a check shows remarks on lines only
    placed = [annotation for annotation in annotations if annotation.path]
    pieces = [
        tuple(placed[first : first + MAX_ANNOTATIONS]) for first in range(0, len(placed), MAX_ANNOTATIONS)
    ] or [()]
    texts = [summary for summary in summaries if len(summary) <= MAX_SUMMARY_CHARACTERS] or [title]
    for place, summary in enumerate(texts):
        try:
            check = write(CheckText(title, summary, pieces[0]))
        except GitHubError as error:
            # the last resort is a check without anything but its end: one in progress holds up the merge
            if error.status != _TOO_LONG:
                raise
            if place == len(texts) - 1:
                return write(CheckText(title, title))
            continue
        for piece in pieces[1:]:
            check = checks.complete_check_run(check.number, conclusion, CheckText(title, summary, piece))
        return check
    raise AssertionError("there is always a text")
