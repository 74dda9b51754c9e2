"""The history and the baseline on branches of a remote: brought there, and the history fetched."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sbir_gate.errors import InputError, UsageError
from sbir_gate.gate.github_token import token_of
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.main_branch import main_branch_name
from sbir_gate.gate.quality_history import KeptReports, chosen_reports, quality_folder, reports_by_run
from sbir_gate.gate.storing.baseline_branch import BaselinePush, push_baseline
from sbir_gate.gate.storing.baselines import baseline_path, check_promotable
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history_branch import HistoryTransfer, fetch_history, push_history, reports_at
from sbir_gate.gate.storing.remote_branch import RemoteBranch, remote_branch
from sbir_gate.gate.storing.revisions import Revision, place_in
from sbir_gate.model.run import Run
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.schema import Settings

# the newest reports of a branch: older ones are in a clone of it
MAX_REPORTS = 2000


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
    """Add the Runs kept here and their quality reports to the branch. Raises ToolError if that fails."""
    reports = reports_by_run(quality_folder(settings))
    return push_history(branch, history_folder(settings), retrying, reports)


def fetch_kept_history(settings: Settings, branch: RemoteBranch) -> HistoryTransfer:
    """Add what the branch of the history holds to the history here. Raises ToolError, OutputError."""
    return fetch_history(branch, history_folder(settings))


def history_at_branch(settings: Settings, name: str) -> Revision:
    """Return the newest commit of a branch of the history. Raises InputError if there is no such branch."""
    tip = history_branch(settings, Git(Path.cwd()), name=name).tip()
    if tip is None:
        raise InputError(
            f"--history {name[:80]!r} is neither a folder nor a branch of {settings.history.remote}",
            "name the folder of the history, or its branch: 'sbir-gate history push' creates it",
        )
    return tip


def reports_on_branch(
    settings: Settings, name: str, gate: str | None, since: datetime | None, limit: int
) -> KeptReports:
    """Return the quality reports on a branch of the history, as `kept_reports` does those of a folder."""
    found, skipped = reports_at(history_at_branch(settings, name), gate or None, MAX_REPORTS)
    ordered = sorted(found.items(), key=lambda each: each[1].made_at)
    return chosen_reports([(Path(file), report) for file, report in ordered], skipped, gate, since, limit)


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
