"""`sbir-gate report`: regenerate the report of a saved Run."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.judging import FORMATS, renderer
from sbir_gate.cli.options import Choice, FilePath, policy_from_option, settings_options
from sbir_gate.cli.printing import STANDARD_OUTPUT, deliver, harmless, put_line
from sbir_gate.errors import InputError, SbirGateError, UsageError
from sbir_gate.files import check_outputs
from sbir_gate.model.moments import moment_text

if TYPE_CHECKING:
    from sbir_gate.model.run import Run
    from sbir_gate.settings.schema import Settings


@click.command(
    epilog="""\b
Examples:
  sbir-gate report reports/benchmarks/20260101T120000Z.json --format markdown
  sbir-gate report RUN.json --verdict reports/verdict.json --output report.md
  sbir-gate report RUN.json --policy-from origin/main
  sbir-gate report RUN.json --format html --output report.html
"""
)
@click.argument("run_document", metavar="RUN", type=FilePath())
@click.option(
    "--verdict",
    "verdict_document",
    type=FilePath(),
    help="Saved verdict; default: judge the Run again.",
)
@click.option("--format", "format_", type=Choice(FORMATS), default="markdown", show_default=True)
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
    """Regenerate the report of a saved RUN against its saved verdict, its base or the current baseline."""
    from sbir_gate.documents import load_run, load_verdict
    from sbir_gate.gate.history import consult_history
    from sbir_gate.gate.interface import saved_judgement, saved_verdict
    from sbir_gate.gate.rendering import Judged
    from sbir_gate.gate.saved_runs import files_of_report
    from sbir_gate.gate.storing.sessions import load_companions
    from sbir_gate.settings.effective import inspect_settings

    settled, _ = inspect_settings(config_file, os.environ, {}, assignments)
    if output is not None:
        check_outputs((output,), files_of_report(run_document, verdict_document, settled))
    head = load_run(run_document)
    if verdict_document is not None and policy_from is not None:
        raise UsageError(
            "--verdict cannot be used with --policy-from: a saved verdict is not judged again",
            "omit --verdict to judge the Run again",
        )
    settings = settled.settings if settled is not None else None
    if verdict_document is not None:
        verdict = load_verdict(verdict_document)
        if (verdict.gate, verdict.head_started_at) != (head.gate, head.started_at):
            raise InputError(
                f"the verdict belongs to another Run, of {moment_text(verdict.head_started_at)}",
                "name the verdict of this Run, or omit --verdict",
                path=verdict_document,
            )
        compared = _compared(run_document, head, settings)
    else:
        beside = load_companions(run_document, head)
        settings, judgement = saved_judgement(
            policy_from, head, beside.base, config_file, assignments, {"gate.name": head.gate}
        )
        past = consult_history(
            head, saved_verdict(head, beside, settings, judgement), settings, judgement.history
        )
        verdict, compared = past.verdict, judgement.compared_with(beside)
        for warning in past.warnings:
            put_line(f"warning: {harmless(warning)}", is_error=True)
    text = renderer(format_, is_verbose=True)(Judged(head, verdict, compared, settings))
    deliver(output or STANDARD_OUTPUT, text)


def _compared(run_document: Path, head: Run, settings: Settings | None) -> tuple[Run, ...]:
    """Return the Runs that a saved verdict may have compared head with, as far as they can be read."""
    from sbir_gate.gate.storing.baselines import load_baseline
    from sbir_gate.gate.storing.sessions import load_companions

    found: tuple[Run, ...] = ()
    with suppress(SbirGateError):  # without them the page only lacks the repeats of the other side
        found = load_companions(run_document, head).runs
        if not found and settings is not None:
            baseline = load_baseline(settings.gate.baselines_folder, head.gate)
            found = (baseline,) if baseline is not None else ()
    return found
