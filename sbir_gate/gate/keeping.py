"""What a job of the action finds of earlier ones and keeps for later ones: the history, and the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sbir_gate.errors import PublishError
from sbir_gate.gate.branches import (
    fetch_kept_history,
    history_branch,
    main_branch,
    push_kept_history,
    push_promoted,
)
from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.github_token import NO_TOKEN_HINT
from sbir_gate.gate.main_branch import is_main_branch, main_branch_name
from sbir_gate.gate.publishing.baseline_pull_request import baseline_branch, baseline_proposal, propose
from sbir_gate.gate.publishing.event import Event
from sbir_gate.gate.publishing.github import Pulls
from sbir_gate.gate.reporting.notices import obstacle_text
from sbir_gate.gate.saved_verdict import Saved
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.run import Run
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.action_inputs import ActionInputs, InputMode, Promotion
from sbir_gate.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class KeepEdges:
    """What keeping needs: git here, how long others are made way for, and GitHub if there is a token."""

    git: Git
    retrying: RetryPolicy
    github: Pulls | None


def fetch_past(inputs: ActionInputs, settings: Settings, git: Git) -> str:
    """Fetch the history branch, so that drift and noise are known; return a message with the result.

    Raises ToolError or UsageError where it cannot be fetched.
    """
    if not inputs.history_branch:
        return "the history is switched off"
    branch = history_branch(settings, git, None, inputs.history_branch)
    done = fetch_kept_history(settings, branch)
    return (
        f"{branch.shown}: Runs fetched: {done.added:,}" if done.commit else f"{branch.shown}: not there yet"
    )


def keep_for_later(
    saved: Saved,
    mode: InputMode,
    inputs: ActionInputs,
    event: Event,
    settings: Settings,
    edges: KeepEdges,
) -> Iterator[Callable[[], str]]:
    """Yield what is left to be kept of a Run, each to be called: it returns a message on what was done.

    On the main branch the Run joins the history, one that broke too: what works again is news then. It
    becomes the baseline unless it failed or broke, or follows a slow decline (`baseline_obstacle`). A
    change keeps nothing: unmerged Runs are not references for others. Each raises SbirGateError.
    """
    run = saved.run
    if mode not in {InputMode.BASELINE, InputMode.FULL}:
        return
    main = main_branch_name(settings, edges.git, event.default_branch)
    if not is_main_branch(event, settings, edges.git):
        yield lambda: _not_kept(event, main)
        return
    if inputs.history_branch:
        yield lambda: _pushed_history(inputs, settings, edges)
    if run is None or mode is not InputMode.BASELINE or inputs.promote is Promotion.NOTHING:
        return
    obstacle = baseline_obstacle(saved.verdict)
    if obstacle:
        yield lambda: f"the baseline stays: {obstacle_text(obstacle)}"
    elif inputs.promote is Promotion.COMMIT:
        yield lambda: _pushed_baseline(run, settings, main, edges)
    else:
        yield lambda: _proposed_baseline(run, event, settings, main, edges)


def _not_kept(event: Event, main: str) -> str:
    where = f"the branch {event.branch!r}" if event.branch else "no branch"
    kept = f"the main branch is {main!r}" if main else "nothing says which is the main one (drift.branch)"
    return f"nothing was kept: this commit is on {where}, and {kept}"


def _pushed_history(inputs: ActionInputs, settings: Settings, edges: KeepEdges) -> str:
    branch = history_branch(settings, edges.git, None, inputs.history_branch)
    done = push_kept_history(settings, branch, edges.retrying)
    return f"{branch.shown}: Runs added: {done.added:,}"


def _pushed_baseline(run: Run, settings: Settings, name: str, edges: KeepEdges) -> str:
    main = main_branch(settings, edges.git, None, name)
    done = push_promoted(run, settings, main, edges.retrying)
    return f"{main.shown}: this Run as the baseline: {done.standing}"


def _proposed_baseline(run: Run, event: Event, settings: Settings, name: str, edges: KeepEdges) -> str:
    if edges.github is None:
        raise PublishError("there is no token for GitHub to propose the baseline with", NO_TOKEN_HINT)
    main = main_branch(settings, edges.git, None, name)
    done = push_promoted(run, settings, main, edges.retrying, baseline_branch(run.gate))
    if not done.commit:
        return f"{main.shown}: this Run as the baseline: {done.standing}"
    proposal = baseline_proposal(run.gate, main.name, run.source.commit, event.run_url)
    found = propose(edges.github, event.repository.partition("/")[0], proposal)
    return f"this Run is proposed as the baseline: {found.url}"
