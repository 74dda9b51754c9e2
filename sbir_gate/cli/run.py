"""`sbir-gate run`: measure, judge, and print the verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from sbir_gate.cli.completion import complete_ref
from sbir_gate.cli.judging import fail_on_option, format_option, renderer, verbose_option
from sbir_gate.cli.options import (
    Choice,
    base_name,
    effective_settings,
    policy_from_option,
    policy_request,
    quiet_option,
    settings_options,
    through_options,
)
from sbir_gate.cli.printing import harmless, put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import ConfigurationError, SbirGateError, UsageError


@click.command(
    epilog="""\b
Examples:
  sbir-gate run
  sbir-gate run --enricher '{python} enrich.py {awards} {recipients} {output}'
  sbir-gate run --set matching.methods='[duns-exact, name-exact, name-fuzzy]'
  sbir-gate run --quick
  sbir-gate run --base
  sbir-gate run --base origin/release --max-seconds 600
  sbir-gate run --policy-from origin/main
  sbir-gate run --through dagster
"""
)
@click.option("--awards", type=click.Path(), help="Fixture awards; default: fixtures.awards.")
@click.option("--recipients", type=click.Path(), help="Fixture recipients; default: fixtures.recipients.")
@click.option("--truth", type=click.Path(), help="Correct recipients; default: fixtures.truth.")
@click.option("--enricher", help="Command line of your engine, with {awards} {recipients} {output}.")
@click.option("--repeats", type=click.IntRange(min=1), help="Number of measured repeats.")
@click.option("--baselines", type=click.Path(), help="Folder of the baselines.")
@click.option("--reports", type=click.Path(), help="Folder for reports.")
@click.option(
    "--base",
    metavar="[REF]",
    shell_complete=complete_ref,
    is_flag=False,
    flag_value="",
    help="Compare with the merge base of HEAD and REF (default: the default branch),"
    " measured side by side, instead of with the baseline.",
)
@click.option(
    "--pairs",
    type=click.IntRange(1, 1000),
    help="With --base: exact number of pairs, at least 5; default: as many as needed.",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="With --base: time budget for all pairs.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Run each side once and judge only the exact metrics, not time and memory.",
)
@click.option(
    "--through",
    type=Choice(["dagster"]),
    help="Measure the engine as the Dagster job sbir_etl_job, in a separate gate <gate.name>-dagster.",
)
@format_option
@verbose_option
@fail_on_option
@partial(policy_from_option, more=" With --base, the base commit is the default.")
@settings_options
@quiet_option
def run(
    awards: str | None,
    recipients: str | None,
    truth: str | None,
    enricher: str | None,
    repeats: int | None,
    baselines: str | None,
    reports: str | None,
    base: str | None,
    pairs: int | None,
    max_seconds: float | None,
    quick: bool,
    through: str | None,
    format_: str,
    verbose: bool,
    fail_on: str,
    policy_from: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> NoReturn:
    """Benchmark the enricher on the fixtures, compare with the baseline or base, and report the verdict."""
    from sbir_gate.gate.comparing.gate import exit_status
    from sbir_gate.gate.interface import judge_here, judged_by
    from sbir_gate.gate.reporting.notices import render_alerts
    from sbir_gate.settings.base_settings import Given

    _check_options(base, {"--repeats": repeats}, {"--pairs": pairs, "--max-seconds": max_seconds}, quick)
    options: dict[str, object] = {
        "fixtures.awards": awards,
        "fixtures.recipients": recipients,
        "fixtures.truth": truth,
        "enricher.command": enricher,
        "benchmark.repeats": repeats,
        **dict.fromkeys(("benchmark.min_pairs", "benchmark.max_pairs"), pairs),
        "benchmark.max_seconds": max_seconds,
        "gate.baselines_folder": baselines,
        "reports.folder": reports,
        "benchmark.is_timed": False if quick else None,
    }
    with _settings_faults_left(config_file, assignments, options, format_):
        options |= through_options(through, config_file, assignments, options)
        effective = effective_settings(config_file, assignments, options)
    request = policy_request(policy_from, config_file, assignments, options)
    named = base_name(base) if base is not None else None
    given = Given(config_file, os.environ, options, assignments)
    render = renderer(format_, verbose)
    with _all_loaded(), _error_printed(effective.settings.reports.folder, format_):
        with Ticker(is_quiet=quiet, keeps_first=True) as ticker:
            result = judge_here(effective, given, named, request, ticker.say)
        put(render(judged_by(result, effective)))
        for warning in result.warnings:
            put_line(f"warning: {harmless(warning)}", is_error=True)
        put(render_alerts(result.alerts), is_error=True)
        if not quiet:
            beside = f"  base: {result.reference_path}" if result.reference_path else ""
            put_line(f"Run: {result.run_path}{beside}  report: {result.report_path}", is_error=True)
        sys.exit(exit_status(result.verdict, fail_on == "inconclusive"))


@contextmanager
def _all_loaded() -> Iterator[None]:
    """Load what measures and judges before an engine runs, which could change it; then read sources alone."""
    from sbir_gate.gate.measuring.own_code import sources_alone
    from sbir_gate.gate.reporting.messages import catalogue

    catalogue()
    import_module("sbir_gate.gate.side_by_side")
    with sources_alone():
        yield


@contextmanager
def _error_printed(reports: Path, format_: str) -> Iterator[None]:
    """Print the verdict `error` that is left in the folder of reports, in a format that is for a file."""
    began = datetime.now(UTC).replace(microsecond=0)
    try:
        yield
    except SbirGateError:
        _print_error(reports, format_, began)
        raise


def _print_error(reports: Path, format_: str, began: datetime) -> None:
    from sbir_gate.documents import load_verdict
    from sbir_gate.gate.conclusion import VERDICT_NAME
    from sbir_gate.gate.rendering import render_error

    with suppress(SbirGateError, OSError):  # what broke is reported, not this
        verdict = load_verdict(reports / VERDICT_NAME)
        if verdict.head_started_at >= began:  # else it is of an earlier run
            put(render_error(verdict, format_))


@contextmanager
def _settings_faults_left(
    config_file: Path | None, assignments: tuple[str, ...], options: Mapping[str, object], format_: str
) -> Iterator[None]:
    """Save a verdict `error` for invalid settings, if they still define the reports folder.

    A slip on the command line saves none: whoever typed it reads the error, and keeps the last report.
    """
    from sbir_gate.gate.conclusion import leave_error_verdict
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.settings.effective import inspect_settings
    from sbir_gate.settings.layers import ASSIGNMENT_OPTION, COMMAND_LINE

    began = datetime.now(UTC).replace(microsecond=0)
    try:
        yield
    except ConfigurationError as error:
        found, _ = inspect_settings(config_file, os.environ, options, assignments)
        is_slip = all(fault.path in {ASSIGNMENT_OPTION, COMMAND_LINE} for fault in error.faults)
        if found is not None and not is_slip:
            with suppress(SbirGateError, OSError):  # report the settings error, not this one
                leave_error_verdict(found, real_edges(), error)
            _print_error(found.settings.reports.folder, format_, began)
        raise


def _check_options(
    base: str | None, alone: Mapping[str, object], side_by_side: Mapping[str, object], is_quick: bool
) -> None:
    """Raise UsageError for an option that has no effect."""
    numbers = [name for name, value in {**alone, **side_by_side}.items() if value is not None]
    if is_quick and numbers:
        raise UsageError(f"{numbers[0]} has no effect with --quick", "remove one of the two options")
    surplus = [name for name, value in (side_by_side if base is None else alone).items() if value is not None]
    if surplus and base is None:
        raise UsageError(f"{surplus[0]} needs --base", "add --base, or remove the option")
    if surplus:
        raise UsageError(f"{surplus[0]} has no effect with --base", "set the number of pairs with --pairs")
