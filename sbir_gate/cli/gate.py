"""`sbir-gate run`, `diff` and `report`: the verdict, measured now or from saved documents."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sbir_gate.cli.options import effective_settings, has_colour, quiet_option, settings_options
from sbir_gate.cli.printing import harmless, put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import InputError

if TYPE_CHECKING:
    from sbir_gate.model.run import Run
    from sbir_gate.model.verdict import Verdict

FORMATS = ("console", "markdown", "json")
_CONSOLE_WIDTH = 120


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
"""
)
@click.option("--awards", "awards", help="Awards of the fixture; default: fixtures.awards of the settings.")
@click.option("--recipients", help="Recipients of the fixture.")
@click.option("--truth", help="Known right recipients of the fixture.")
@click.option("--enricher", help="Command line of another engine, with {awards} {recipients} {output}.")
@click.option("--repeats", type=click.IntRange(min=1), help="Measured repeats.")
@click.option("--baselines", help="Folder of the baselines.")
@click.option("--reports", help="Folder to write to.")
@format_option
@verbose_option
@fail_on_option
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
    format_: str,
    verbose: bool,
    fail_on: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> NoReturn:
    """Benchmark the enricher on the fixtures, compare with the baseline, and give the verdict."""
    from sbir_gate.comparing.gate import exit_status
    from sbir_gate.pipeline.gate import real_edges, run_gate
    from sbir_gate.reporting.alert_text import render_alerts

    options = {
        "fixtures.awards": awards,
        "fixtures.recipients": recipients,
        "fixtures.truth": truth,
        "enricher.command": enricher,
        "benchmark.repeats": repeats,
        "gate.baselines_folder": baselines,
        "reports.folder": reports,
    }
    effective = effective_settings(config_file, assignments, options)
    with Ticker(is_quiet=quiet) as ticker:
        result = run_gate(effective, real_edges(), ticker.say)
    put(_rendered(result.run, result.verdict, format_, verbose))
    for warning in result.warnings:
        put_line(f"warning: {harmless(warning)}", is_error=True)
    if not quiet:
        put(render_alerts(result.alerts), is_error=True)
        put_line(f"Run: {result.run_path}  report: {result.report_path}", is_error=True)
    sys.exit(exit_status(result.verdict, fail_on == "inconclusive"))


@click.command(
    epilog="""\b
Example:
  sbir-gate diff baselines/enrichment.json reports/benchmarks/20260101T120000Z.json --format markdown
"""
)
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@format_option
@verbose_option
@fail_on_option
@settings_options
def diff(
    reference: Path,
    head: Path,
    format_: str,
    verbose: bool,
    fail_on: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> NoReturn:
    """Judge the saved Run HEAD against the saved Run REFERENCE; nothing is measured."""
    from sbir_gate.comparing.gate import exit_status, judge
    from sbir_gate.settings.judgement import policy
    from sbir_gate.storing.documents import load_run

    settings = effective_settings(config_file, assignments, {}).settings
    head_run = load_run(head)
    verdict = judge(head_run, load_run(reference), policy(settings))
    put(_rendered(head_run, verdict, format_, verbose))
    sys.exit(exit_status(verdict, fail_on == "inconclusive"))


@click.command(
    epilog="""\b
Examples:
  sbir-gate report reports/benchmarks/20260101T120000Z.json --format markdown
  sbir-gate report RUN.json --verdict reports/verdict.json --output report.md
"""
)
@click.argument("run_document", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--verdict",
    "verdict_document",
    type=click.Path(path_type=Path),
    help="Saved verdict; default: judged again.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="markdown", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="File to write; default: standard output.")
@settings_options
def report(
    run_document: Path,
    verdict_document: Path | None,
    format_: str,
    output: Path | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Make the report of a saved RUN again, against its saved verdict or the baseline of now."""
    from sbir_gate.comparing.gate import judge
    from sbir_gate.settings.judgement import policy
    from sbir_gate.storing.baselines import load_baseline
    from sbir_gate.storing.documents import load_run, load_verdict, save_text

    head = load_run(run_document)
    if verdict_document is not None:
        verdict = load_verdict(verdict_document)
        if (verdict.gate, verdict.head_started_at) != (head.gate, head.started_at):
            raise InputError(
                f"{verdict_document}: the verdict is on another Run, of {verdict.head_started_at}",
                "name the verdict and the Run that belong together, or leave --verdict out",
            )
    else:
        settings = effective_settings(config_file, assignments, {}).settings
        verdict = judge(head, load_baseline(settings.gate.baselines_folder, head.gate), policy(settings))
    text = _rendered(head, verdict, format_, is_verbose=True)
    if output is None:
        put(text)
    else:
        save_text(output, text)


def _rendered(run: Run, verdict: Verdict, format_: str, is_verbose: bool) -> str:
    from sbir_gate.reporting.console import render_console
    from sbir_gate.reporting.json_format import render_json
    from sbir_gate.reporting.markdown import render_markdown
    from sbir_gate.reporting.view import build_view

    if format_ == "json":
        return render_json(verdict)
    view = build_view(run, verdict)
    if format_ == "markdown":
        return render_markdown(view)
    width = shutil.get_terminal_size((_CONSOLE_WIDTH, 24)).columns
    return render_console(view, width, has_colour(), is_verbose)
