"""`sbir-gate baseline`: the stored Run that a gate compares with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import FilePath, Group, effective_settings, settings_options
from sbir_gate.cli.printing import harmless, put_line
from sbir_gate.errors import InputError, UsageError
from sbir_gate.model.moments import moment_text

if TYPE_CHECKING:
    from sbir_gate.model.run import Run
    from sbir_gate.settings.schema import Settings


@click.group(cls=Group)
def baseline() -> None:
    """Show, promote or verify the baseline of a gate."""


@baseline.command(
    epilog="""\b
Example:
  sbir-gate baseline show
"""
)
@settings_options
def show(config_file: Path | None, assignments: tuple[str, ...]) -> None:
    """Print the baseline and its main figures."""
    settings = effective_settings(config_file, assignments, {}).settings
    path, found = _existing(settings)
    for line in _lines(path, found):
        put_line(line)


@baseline.command(
    epilog="""\b
Examples:
  sbir-gate baseline promote
  sbir-gate baseline promote reports/benchmarks/20260101T120000Z.json
  sbir-gate baseline promote --push
  sbir-gate baseline promote --push --to-branch gate/baseline

With --push, the token comes from SBIR_GATE_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN; it is sent only to
GITHUB_SERVER_URL.
"""
)
@click.argument("run_document", metavar="[RUN]", type=FilePath(), required=False)
@click.option(
    "--force",
    is_flag=True,
    help="Promote a Run of uncommitted code, or one that failed or drifted.",
)
@click.option(
    "--push",
    is_flag=True,
    help="Commit the baseline on the remote's main branch and push it; nothing changes locally.",
)
@click.option("--remote", help="With --push: git remote; default: history.remote.")
@click.option("--branch", help="With --push: main branch; default: drift.branch, else the default branch.")
@click.option("--to-branch", help="With --push: push to this branch instead, to open a pull request.")
@settings_options
def promote(
    run_document: Path | None,
    force: bool,
    push: bool,
    remote: str | None,
    branch: str | None,
    to_branch: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Make a saved RUN the baseline (default: the latest Run with measured time)."""
    from sbir_gate.documents import load_run
    from sbir_gate.gate.baseline import promotion_obstacle
    from sbir_gate.gate.reporting.notices import obstacle_text
    from sbir_gate.gate.storing import baselines
    from sbir_gate.gate.storing.sessions import latest_measured_run, latest_run_path

    if not push and (remote or branch or to_branch):
        raise UsageError("--remote, --branch and --to-branch need --push", "add --push")
    settings = effective_settings(config_file, assignments, {}).settings
    if run_document is not None:
        chosen, run = run_document, load_run(run_document)
    else:
        chosen, run = latest_measured_run(settings.reports.folder)
        newest = latest_run_path(settings.reports.folder)
        if newest != chosen:
            words = f"{newest} has no measured time: using {chosen}, the newest Run that has"
            put_line(f"note: {harmless(words)}", is_error=True)
    baselines.check_promotable(run, force)
    if not force:
        effective = effective_settings(config_file, assignments, {"gate.name": run.gate})
        obstacle = promotion_obstacle(run, chosen, effective, datetime.now(UTC).date())
        if obstacle:
            raise InputError(
                f"the Run of {moment_text(run.started_at)} cannot be the baseline: {obstacle_text(obstacle)}",
                "fix the cause and measure again, or accept the Run with --force",
            )
    if push:
        put_line(harmless(_pushed(run, settings, remote, branch, to_branch, force)))
        return
    path = baselines.promote(run, settings.gate.baselines_folder, force)
    put_line(f"{chosen} is now the baseline {path}: commit it on the main branch")


def _pushed(
    run: Run,
    settings: Settings,
    remote: str | None,
    branch: str | None,
    to_branch: str | None,
    is_forced: bool,
) -> str:
    """Push the Run as the baseline and print the result."""
    from sbir_gate.gate.branches import main_branch, push_promoted, push_retrying
    from sbir_gate.gate.storing.baseline_branch import Standing
    from sbir_gate.gate.storing.git import Git

    main = main_branch(settings, Git(Path.cwd()), remote, branch)
    done = push_promoted(run, settings, main, push_retrying(), to_branch, is_forced)
    place = f"{main.remote}/{to_branch}" if to_branch else main.shown
    words = f"the Run of {moment_text(run.started_at)} at {run.source.commit[:12] or 'an unknown commit'}"
    if done.standing is Standing.PUSHED:
        return f"{words} is now the baseline of {run.gate} on {place}, commit {done.commit[:12]}"
    if done.other is None:
        return f"{words} is already the baseline of {run.gate}; nothing was pushed"
    other = f"{moment_text(done.other.started_at)} at {done.other.source.commit[:12] or 'an unknown commit'}"
    older = f"{words} is older than the baseline of {run.gate}, the Run of {other}"
    return f"{older}, which stays; nothing was pushed"


@baseline.command(
    epilog="""\b
Example:
  sbir-gate baseline verify
"""
)
@settings_options
def verify(config_file: Path | None, assignments: tuple[str, ...]) -> None:
    """Check that the baseline is complete, valid, and measured on the current fixtures."""
    from sbir_gate.gate.fixture import describe_fixture, read_profiles
    from sbir_gate.gate.storing import baselines

    effective = effective_settings(config_file, assignments, {})
    settings = effective.settings
    path, found = _existing(settings)
    problems = list(baselines.verify(found))
    fixture = describe_fixture(effective, len(read_profiles(effective)))
    if fixture.fingerprint != found.fixture.fingerprint:
        problems.append("it was measured on different fixtures")
    if problems:
        raise InputError(
            f"{'; '.join(problems)}", "measure with 'sbir-gate run' and promote that Run", path=path
        )
    put_line(f"{path}: valid, measured {moment_text(found.started_at)} on the current fixtures")


def _existing(settings: Settings) -> tuple[Path, Run]:
    """Return the baseline and its path. Raises InputError if there is none."""
    from sbir_gate.gate.storing.baselines import baseline_path, load_baseline

    path = baseline_path(settings.gate.baselines_folder, settings.gate.name)
    found = load_baseline(settings.gate.baselines_folder, settings.gate.name)
    if found is None:
        raise InputError(
            "no baseline yet", "create one: sbir-gate run, then sbir-gate baseline promote", path=path
        )
    return path, found


def _lines(path: Path, found: Run) -> list[str]:
    metrics = [
        f"  {metric.name:<28} {sorted(metric.values)[len(metric.values) // 2]:>14,.4f} {metric.unit}"
        for metric in found.metrics
        if metric.values
    ]
    machine = found.machine
    measured = (
        f"measured {moment_text(found.started_at)} at {found.source.commit[:12] or 'an unknown commit'}"
    )
    where = f"{machine.cpu_model}, {machine.cores} cores, Python {machine.python_version}"
    return [
        f"{path}: gate {found.gate}, {measured} by sbir-gate {found.tool_version}",
        f"  {found.fixture.awards:,} awards, {len(found.samples)} repeats, {where}",
        *metrics,
    ]
