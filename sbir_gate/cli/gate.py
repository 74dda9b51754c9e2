"""`sbir-gate run`, `diff` and `report`: the verdict, measured now or from saved documents."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import click

from sbir_gate.cli.options import (
    FilePath,
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
from sbir_gate.cli.rendering import renderer
from sbir_gate.errors import ConfigurationError, InputError, SbirGateError, UsageError
from sbir_gate.files import check_outputs
from sbir_gate.model.moments import moment_text

if TYPE_CHECKING:
    from sbir_gate.gate.conclusion import GateResult
    from sbir_gate.gate.policy import Judgement, PolicyRequest
    from sbir_gate.gate.storing.merge_base import BaseName
    from sbir_gate.model.companions import Companions
    from sbir_gate.model.run import Run
    from sbir_gate.model.verdict import Verdict
    from sbir_gate.settings.base_settings import Given
    from sbir_gate.settings.effective import EffectiveSettings
    from sbir_gate.settings.schema import Settings

FORMATS = ("console", "markdown", "json")

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="console",
    show_default=True,
    help="What to print.",
)
verbose_option = click.option(
    "--verbose", "-v", is_flag=True, help="On the console, also metrics without a limit and the environment."
)
fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["fail", "inconclusive"]),
    default="fail",
    show_default=True,
    help="The mildest verdict that ends with a status above 0.",
)


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
@click.option("--awards", "awards", help="Awards of the fixture; default: fixtures.awards of the settings.")
@click.option("--recipients", help="Recipients of the fixture.")
@click.option("--truth", help="Known right recipients of the fixture.")
@click.option("--enricher", help="Command line of another engine, with {awards} {recipients} {output}.")
@click.option("--repeats", type=click.IntRange(min=1), help="Measured repeats.")
@click.option("--baselines", help="Folder of the baselines.")
@click.option("--reports", help="Folder to write to.")
@click.option(
    "--base",
    metavar="[REF]",
    is_flag=False,
    flag_value="",
    help="Compare with the commit that HEAD was branched off from REF (the default branch without one),"
    " measured side by side with it, not with the baseline.",
)
@click.option(
    "--pairs",
    type=click.IntRange(1, 1000),
    help="With --base: exactly so many pairs, at least 5 (--quick for a quick look); default: as needed.",
)
@click.option(
    "--max-seconds", type=click.FloatRange(min=0, min_open=True), help="With --base: time for all pairs."
)
@click.option(
    "--quick",
    is_flag=True,
    help="Run each side once and judge the exact metrics alone, without time and memory.",
)
@click.option(
    "--through",
    type=click.Choice(["dagster"]),
    help="Measure sbir_etl_job of Dagster, the engine as operators run it, as the gate <gate.name>-dagster.",
)
@format_option
@verbose_option
@fail_on_option
@policy_from_option
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
    """Benchmark the enricher on the fixtures, compare with the baseline or the base, and give the verdict."""
    from sbir_gate.gate.comparing.gate import exit_status
    from sbir_gate.gate.measuring.own_code import sources_alone
    from sbir_gate.gate.reporting.alert_text import render_alerts
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
    with _settings_faults_left(config_file, assignments, options):
        options |= through_options(through, config_file, assignments, options)
        effective = effective_settings(config_file, assignments, options)
    request = policy_request(policy_from, config_file, assignments, options)
    given = Given(config_file, os.environ, options, assignments)
    render = renderer(format_, verbose)  # loaded before an engine runs: it could change what is not
    with sources_alone():
        with Ticker(is_quiet=quiet, keeps_first=True) as ticker:
            if base is None:
                result = _alone(effective, given, request, ticker)
            else:
                result = _beside_base(effective, given, base_name(base), ticker, request)
        put(render(result.run, result.verdict))
        for warning in result.warnings:
            put_line(f"warning: {harmless(warning)}", is_error=True)
        if not quiet:
            put(render_alerts(result.alerts), is_error=True)
            beside = f"  base: {result.reference_path}" if result.reference_path else ""
            put_line(f"Run: {result.run_path}{beside}  report: {result.report_path}", is_error=True)
        sys.exit(exit_status(result.verdict, fail_on == "inconclusive"))


@click.command(
    epilog="""\b
Examples:
  sbir-gate diff baselines/enrichment.json reports/benchmarks/20260101T120000Z.json --format markdown
  sbir-gate diff BASE.json HEAD.json --policy-from origin/main
"""
)
@click.argument("reference", type=FilePath())
@click.argument("head", type=FilePath())
@format_option
@verbose_option
@fail_on_option
@policy_from_option
@settings_options
def diff(
    reference: Path,
    head: Path,
    format_: str,
    verbose: bool,
    fail_on: str,
    policy_from: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> NoReturn:
    """Judge the saved Run HEAD against the saved Run REFERENCE; nothing is measured."""
    from sbir_gate.documents import load_run
    from sbir_gate.gate.comparing.gate import exit_status
    from sbir_gate.gate.storing.sessions import load_companions

    head_run, reference_run = load_run(head), load_run(reference)
    settings, judgement = _judgement(
        policy_from, head_run, reference_run, config_file, assignments, is_diff=True
    )
    head_run, companions = load_companions(head, head_run).with_reference(head_run, reference_run)
    verdict = _verdict(head_run, companions, settings, judgement)
    put(renderer(format_, verbose)(head_run, verdict))
    sys.exit(exit_status(verdict, fail_on == "inconclusive"))


@click.command(
    epilog="""\b
Examples:
  sbir-gate report reports/benchmarks/20260101T120000Z.json --format markdown
  sbir-gate report RUN.json --verdict reports/verdict.json --output report.md
  sbir-gate report RUN.json --policy-from origin/main
"""
)
@click.argument("run_document", metavar="RUN", type=FilePath())
@click.option(
    "--verdict",
    "verdict_document",
    type=FilePath(),
    help="Saved verdict; default: judged again.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="markdown", show_default=True)
@click.option("--output", type=FilePath(), help="File to write; default: standard output.")
@policy_from_option
@settings_options
def report(
    run_document: Path,
    verdict_document: Path | None,
    format_: str,
    output: Path | None,
    policy_from: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Make the report of a saved RUN again, against its saved verdict, its base, or the baseline of now."""
    from sbir_gate.documents import load_run, load_verdict, save_output
    from sbir_gate.gate.history import consult_history
    from sbir_gate.gate.saved_runs import files_of_report
    from sbir_gate.gate.storing.sessions import load_companions
    from sbir_gate.settings.effective import inspect_settings

    if output is not None:
        settled, _ = inspect_settings(config_file, os.environ, {}, assignments)
        check_outputs((output,), files_of_report(run_document, verdict_document, settled))
    head = load_run(run_document)
    if verdict_document is not None and policy_from is not None:
        raise UsageError(
            "--verdict and --policy-from: a saved verdict is shown as it was judged",
            "leave --verdict out to have the Run judged again",
        )
    if verdict_document is not None:
        verdict = load_verdict(verdict_document)
        if (verdict.gate, verdict.head_started_at) != (head.gate, head.started_at):
            raise InputError(
                f"{verdict_document}: the verdict is on another Run, of"
                f" {moment_text(verdict.head_started_at)}",
                "name the verdict and the Run that belong together, or leave --verdict out",
            )
    else:
        beside = load_companions(run_document, head)
        settings, judgement = _judgement(
            policy_from, head, beside.base, config_file, assignments, {"gate.name": head.gate}
        )
        past = consult_history(head, _verdict(head, beside, settings, judgement), settings, judgement.history)
        verdict = past.verdict
        for warning in past.warnings:
            put_line(f"warning: {harmless(warning)}", is_error=True)
    text = renderer(format_, is_verbose=True)(head, verdict)
    if output is None:
        put(text)
    else:
        save_output(output, text)


@contextmanager
def _settings_faults_left(
    config_file: Path | None, assignments: tuple[str, ...], options: Mapping[str, object]
) -> Iterator[None]:
    """Leave a verdict `error` for settings that cannot be used, as far as they say where reports go."""
    from sbir_gate.gate.conclusion import leave_error_verdict
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.settings.effective import inspect_settings

    try:
        yield
    except ConfigurationError as error:
        found, _ = inspect_settings(config_file, os.environ, options, assignments)
        if found is not None:
            with suppress(SbirGateError, OSError):  # the fault of the settings is the one to report
                leave_error_verdict(found, real_edges(), error)
        raise


def _alone(
    effective: EffectiveSettings, given: Given, request: PolicyRequest | None, ticker: Ticker
) -> GateResult:
    """Compare with the baseline: as it is stored, or with its commit if it is of another machine."""
    from sbir_gate.gate.baseline_commit import commit_to_measure, quick_look
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.gate.run import run_gate
    from sbir_gate.gate.storing.git import Git
    from sbir_gate.gate.storing.merge_base import BaseName

    edges = real_edges()
    here = Git(Path.cwd())
    if request is None and (commit := commit_to_measure(effective, given, edges.machine(), here)):
        options = {**given.options, **quick_look(effective)}
        effective = effective_settings(given.config_file, given.assignments, options)
        return _beside_base(effective, given, BaseName(commit), ticker, by_own_policy=True)
    return run_gate(effective, edges, ticker.say, request)


def _beside_base(
    effective: EffectiveSettings,
    given: Given,
    base: BaseName,
    ticker: Ticker,
    request: PolicyRequest | None = None,
    *,
    by_own_policy: bool = False,
) -> GateResult:
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.gate.side_by_side import run_beside_base
    from sbir_gate.gate.storing.git import CHECKOUT_SECONDS, Git

    git = Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    return run_beside_base(
        effective, given, base, git, real_edges(), ticker.say, request, by_own_policy=by_own_policy
    )


def _judgement(
    policy_from: str | None,
    head: Run,
    reference: Run | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    options: Mapping[str, object] = MappingProxyType({}),
    *,
    is_diff: bool = False,
) -> tuple[Settings, Judgement]:
    """Return the settings and what saved Runs are judged by: what is asked for, else what judged them."""
    from sbir_gate.gate.policy import PolicyRequest
    from sbir_gate.gate.saved_runs import judgement_again, saved_base
    from sbir_gate.gate.storing.merge_base import BaseName

    effective = effective_settings(config_file, assignments, options)
    named = BaseName(policy_from) if policy_from else saved_base(head, reference, is_diff=is_diff)
    request = (
        PolicyRequest(named, Path.cwd(), config_file, os.environ, options, assignments) if named else None
    )
    effective, judgement = judgement_again(
        request, effective, head, has_baseline=reference is None, is_asked=policy_from is not None
    )
    return effective.settings, judgement


def _verdict(head: Run, companions: Companions, settings: Settings, judgement: Judgement) -> Verdict:
    from sbir_gate.gate.policy import judged_with_history

    return judged_with_history(judgement, head, companions, settings, datetime.now(UTC).date())


def _check_options(
    base: str | None, alone: Mapping[str, object], side_by_side: Mapping[str, object], is_quick: bool
) -> None:
    """Raise UsageError for an option that would do nothing."""
    numbers = [name for name, value in {**alone, **side_by_side}.items() if value is not None]
    if is_quick and numbers:
        raise UsageError(f"{numbers[0]} does nothing with --quick", "leave one of the two out")
    surplus = [name for name, value in (side_by_side if base is None else alone).items() if value is not None]
    if surplus and base is None:
        raise UsageError(f"{surplus[0]} is for runs side by side", "give --base too, or leave it out")
    if surplus:
        raise UsageError(f"{surplus[0]} does nothing with --base", "say how many pairs with --pairs")
