"""The history and the baseline on branches of a remote: brought there, and the history fetched."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.errors import UsageError
from sbir_gate.gate.github_token import token_of
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.main_branch import main_branch_name
from sbir_gate.gate.storing.baseline_branch import BaselinePush, push_baseline
from sbir_gate.gate.storing.baselines import baseline_path, check_promotable
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history_branch import HistoryTransfer, fetch_history, push_history
from sbir_gate.gate.storing.remote_branch import RemoteBranch, remote_branch
from sbir_gate.gate.storing.revisions import place_in
from sbir_gate.model.run import Run
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.schema import Settings


def push_retrying() -> RetryPolicy:
    """Return how often a job tries to push where others push too."""
    return RetryPolicy("exponential", retries=39, base_seconds=0.4, cap_seconds=8.0, max_seconds=300.0)


def history_branch(
    settings: Settings, git: Git, remote: str | None = None, name: str | None = None
) -> RemoteBranch:
    """Return the branch of the history, as the settings name it unless overridden. Raises UsageError."""
    history = settings.history
    return remote_branch(git, remote or history.remote, name or history.branch, token_of(git.environment))


def push_kept_history(settings: Settings, branch: RemoteBranch, retrying: RetryPolicy) -> HistoryTransfer:
    """Add what the history here holds to its branch. Raises ToolError if it cannot be pushed."""
    return push_history(branch, history_folder(settings), retrying)


def fetch_kept_history(settings: Settings, branch: RemoteBranch) -> HistoryTransfer:
    """Add what the branch of the history holds to the history here. Raises ToolError, OutputError."""
    return fetch_history(branch, history_folder(settings))


def main_branch(
    settings: Settings, git: Git, remote: str | None = None, name: str | None = None
) -> RemoteBranch:
    """Return the main branch, found out unless `name` is given. Raises UsageError where nothing says it."""
    chosen = name or main_branch_name(settings, git)
    if not chosen:
        raise UsageError(
            "nothing says which branch is the main one",
            "name it with --branch or drift.branch, or run 'git remote set-head origin --auto'",
        )
    return remote_branch(git, remote or settings.history.remote, chosen, token_of(git.environment))


def push_promoted(
    run: Run,
    settings: Settings,
    main: RemoteBranch,
    retrying: RetryPolicy,
    to_branch: str | None = None,
    is_forced: bool = False,
) -> BaselinePush:
    """Make the Run the baseline of its gate on the main branch, or on `to_branch` for a pull request.

    The working tree is not touched. Raises InputError for a Run that cannot be a baseline, UsageError if
    baselines are kept outside the repository, and what `push_baseline` raises.
    """
    check_promotable(run, is_forced)
    path = baseline_path(settings.gate.baselines_folder, run.gate)
    place = place_in(main.root, Path.cwd() / path)
    if place is None:
        raise UsageError(
            f"is outside the repository {main.root}",
            "keep baselines in it (gate.baselines_folder), or promote without --push",
            path=path,
        )
    proposal = main.named(to_branch) if to_branch else None
    return push_baseline(run, place, main, retrying, proposal, is_forced=is_forced)
