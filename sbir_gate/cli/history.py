"""`sbir-gate history`: list past Runs and quality reports, query metrics and show trends."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from sbir_gate.cli.completion import complete_metric
from sbir_gate.cli.options import (
    Choice,
    FilePath,
    Group,
    change_points_option,
    effective_settings,
    has_change_points,
    settings_options,
)
from sbir_gate.cli.printing import harmless, put, put_line

if TYPE_CHECKING:
    from sbir_gate.gate.storing.history import History
    from sbir_gate.gate.storing.history_branch import HistoryTransfer
    from sbir_gate.model.history import HistoryQuery
    from sbir_gate.settings.schema import Settings

FORMATS = ("table", "csv", "json")
_WIDTH = 120

F = TypeVar("F", bound=Callable[..., object])


@click.group(cls=Group)
def history() -> None:
    """List past Runs, query metrics and trends, or import and share Runs."""


def _choice_options(limit: int) -> Callable[[F], F]:
    """Add the options that choose Runs, and --format."""

    def add(function: F) -> F:
        options = (
            click.option(
                "--since", metavar="WHEN", help="A date (2026-01-31), a time, or a span (12h, 30d, 6w)."
            ),
            click.option("--branch", help="Only Runs of this branch."),
            click.option("--gate", help="Only Runs of this gate; default: gate.name."),
            click.option(
                "--limit",
                type=click.IntRange(min=0),
                default=limit,
                show_default=True,
                help="Number of newest Runs; 0 means all.",
            ),
            click.option("--format", "format_", type=Choice(FORMATS), default="table", show_default=True),
        )
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _branch_options(function: F) -> F:
    """Add the options that name the branch of the history."""
    function = click.option("--branch", help="Branch of the history; default: history.branch.")(function)
    return click.option("--remote", help="Git remote; default: history.remote.")(function)


@history.command(
    name="list",
    epilog="""\b
Examples:
  sbir-gate history list
  sbir-gate history list --since 30d --branch main --limit 0 --format csv
""",
)
@_choice_options(limit=20)
@settings_options
def list_(
    since: str | None,
    branch: str | None,
    gate: str | None,
    limit: int,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """List Runs, oldest first."""
    from sbir_gate.gate.reporting.history import HistoryFormat, render_rows

    settings = effective_settings(config_file, assignments, {}).settings
    query = _query(settings, since, branch, gate, limit)
    with _opened(settings) as past:
        put(render_rows(past.rows(query), HistoryFormat(format_), _width()))


@history.command(
    epilog="""\b
Examples:
  sbir-gate history query --metric wall_seconds --since 30d
  sbir-gate history query --metric match_rate --metric precision --format json
"""
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    required=True,
    shell_complete=complete_metric,
    help="Metric to print; repeatable.",
)
@_choice_options(limit=0)
@settings_options
def query(
    metrics: tuple[str, ...],
    since: str | None,
    branch: str | None,
    gate: str | None,
    limit: int,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Print metrics of past Runs, one line per Run and metric."""
    from sbir_gate.gate.reporting.history import HistoryFormat, render_points
    from sbir_gate.gate.trends import metric_points

    settings = effective_settings(config_file, assignments, {}).settings
    chosen = _query(settings, since, branch, gate, limit)
    with _opened(settings) as past:
        points = [point for metric in metrics for point in metric_points(past, metric, chosen)]
        put(render_points(points, HistoryFormat(format_), _width()))


@history.command(
    epilog="""\b
Examples:
  sbir-gate history trend --metric wall_seconds
  sbir-gate history trend --metric match_rate --branch main --since 2026-01-01 --format json
"""
)
@click.option("--metric", required=True, shell_complete=complete_metric, help="Metric to show.")
@change_points_option
@_choice_options(limit=0)
@settings_options
def trend(
    metric: str,
    wants_changes: bool | None,
    since: str | None,
    branch: str | None,
    gate: str | None,
    limit: int,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Show the trend of a metric: its level, dispersion, direction and change points."""
    from sbir_gate.gate.reporting.history import HistoryFormat, render_trend
    from sbir_gate.gate.trends import metric_history

    settings = effective_settings(config_file, assignments, {}).settings
    chosen = _query(settings, since, branch, gate, limit)
    with _opened(settings) as past:
        course = metric_history(past, metric, chosen, has_changes=has_change_points(wants_changes))
        put(render_trend(course, HistoryFormat(format_), _width()))


@history.command(
    epilog="""\b
Examples:
  sbir-gate history quality
  sbir-gate history quality --since 30d --format csv
  sbir-gate history quality --history sbir-gate-history
  sbir-gate history quality reports/quality/2026-01-30.json reports/quality/2026-01-31.json
"""
)
@click.argument("compared", metavar="[BEFORE AFTER]", type=FilePath(), nargs=-1)
@click.option("--since", metavar="WHEN", help="A date (2026-01-31), a time, or a span (12h, 30d, 6w).")
@click.option("--gate", help="Only reports of this gate; '' for those of files alone; default: all.")
@click.option(
    "--history",
    "source",
    metavar="BRANCH",
    help="Branch of the history on history.remote; default: the folder quality/ of reports.folder.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Number of newest reports; 0 means all.",
)
@click.option("--format", "format_", type=Choice(FORMATS), default="table", show_default=True)
@settings_options
def quality(
    compared: tuple[Path, ...],
    since: str | None,
    gate: str | None,
    source: str | None,
    limit: int,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """List quality reports and compare the newest with the one before; or compare BEFORE with AFTER."""
    from sbir_gate.errors import UsageError
    from sbir_gate.gate.branches import reports_on_branch
    from sbir_gate.gate.kept_runs import skipped_text
    from sbir_gate.gate.quality_history import compared_reports, kept_reports, quality_folder
    from sbir_gate.gate.reporting.history import HistoryFormat
    from sbir_gate.gate.reporting.quality_history import render_comparison, render_reports
    from sbir_gate.gate.trends import since_moment

    if compared:
        if len(compared) != 2:
            raise UsageError(f"{len(compared)} reports are named", "name two to compare, or none")
        put(render_comparison(compared_reports(*compared), HistoryFormat(format_), _width()))
        return
    settings = effective_settings(config_file, assignments, {}).settings
    moment = since_moment(since, datetime.now(UTC)) if since is not None else None
    if source is None:
        kept = kept_reports(quality_folder(settings), gate, moment, limit)
    else:
        kept = reports_on_branch(settings, source, gate, moment, limit)
    for line in skipped_text(kept.skipped, "quality reports"):
        put_line(f"warning: {harmless(line)}", is_error=True)
    put(render_reports(kept.reports, kept.comparison, HistoryFormat(format_), _width()))


@history.command(
    name="import",
    epilog="""\b
Examples:
  sbir-gate history import reports/benchmarks
  sbir-gate history import old/*.json --set history.folder=history
""",
)
@click.argument("paths", metavar="PATHS...", type=FilePath(), nargs=-1, required=True)
@settings_options
def import_(paths: Sequence[Path], config_file: Path | None, assignments: tuple[str, ...]) -> None:
    """Import saved Runs into the history; for a folder, all JSON files in it."""
    from sbir_gate.gate.kept_runs import import_runs, skipped_text

    settings = effective_settings(config_file, assignments, {}).settings
    done = import_runs(paths, settings)
    for line in skipped_text(done.skipped, "files to import"):
        put_line(f"warning: {harmless(line)}", is_error=True)
    put_line(f"{done.folder}: Runs imported: {done.taken:,}; already present: {done.known:,}")


@history.command(
    epilog="""\b
Examples:
  sbir-gate history push
  sbir-gate history push --remote upstream --branch gate-history

The token comes from SBIR_GATE_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN; it is sent only to GITHUB_SERVER_URL.
"""
)
@_branch_options
@settings_options
def push(
    remote: str | None, branch: str | None, config_file: Path | None, assignments: tuple[str, ...]
) -> None:
    """Add the local Runs to the history branch; the first push creates the branch."""
    from sbir_gate.gate.branches import history_branch, push_kept_history, push_retrying
    from sbir_gate.gate.storing.git import Git

    settings = effective_settings(config_file, assignments, {}).settings
    place = history_branch(settings, Git(Path.cwd()), remote, branch)
    done = push_kept_history(settings, place, push_retrying())
    _report(done, place.shown)
    if done.reports:
        put_line(f"{place.shown}: quality reports added: {done.reports:,}")


@history.command(
    epilog="""\b
Examples:
  sbir-gate history pull
  sbir-gate history pull --set history.folder=history
"""
)
@_branch_options
@settings_options
def pull(
    remote: str | None, branch: str | None, config_file: Path | None, assignments: tuple[str, ...]
) -> None:
    """Add the Runs of the history branch to the local history."""
    from sbir_gate.gate.branches import fetch_kept_history, history_branch
    from sbir_gate.gate.judging_history import history_folder
    from sbir_gate.gate.storing.git import Git

    settings = effective_settings(config_file, assignments, {}).settings
    place = history_branch(settings, Git(Path.cwd()), remote, branch)
    done = fetch_kept_history(settings, place)
    if done.commit:
        _report(done, str(history_folder(settings)))
    else:
        put_line(f"{place.shown}: no such branch yet; the first 'history push' creates it")


def _report(done: HistoryTransfer, place: str) -> None:
    from sbir_gate.gate.kept_runs import skipped_text

    for line in skipped_text(done.skipped):
        put_line(f"warning: {harmless(line)}", is_error=True)
    put_line(f"{place}: Runs added: {done.added:,}; already present: {done.known:,}")


def _query(
    settings: Settings, since: str | None, branch: str | None, gate: str | None, limit: int
) -> HistoryQuery:
    from sbir_gate.gate.trends import horizon, since_moment
    from sbir_gate.model.history import HistoryQuery

    now = datetime.now(UTC)
    moment = since_moment(since, now) if since is not None else None
    name = gate or settings.gate.name
    return HistoryQuery(gate=name, branch=branch, since=moment, before=horizon(now), limit=limit)


@contextmanager
def _opened(settings: Settings) -> Iterator[History]:
    """Open the history; warn about files that are not entries."""
    from sbir_gate.gate.judging_history import history_folder
    from sbir_gate.gate.kept_runs import skipped_text
    from sbir_gate.gate.storing.history import open_history
    from sbir_gate.gate.trends import future_text

    with open_history(history_folder(settings)) as past:
        for line in (*skipped_text(past.skipped), *future_text(past, datetime.now(UTC))):
            put_line(f"warning: {harmless(line)}", is_error=True)
        yield past


def _width() -> int:
    return shutil.get_terminal_size((_WIDTH, 24)).columns
