"""`sbir-gate quality`: the quality report of an enriched file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import FilePath, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import STANDARD_OUTPUT, deliver, harmless, put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import UsageError
from sbir_gate.files import check_outputs

if TYPE_CHECKING:
    from sbir_gate.model.quality_report import QualityReport

_CONSOLE_WIDTH = 120


@click.command(
    epilog="""\b
Examples:
  sbir-gate quality linked.parquet
  sbir-gate quality linked.csv --truth truth.csv --html quality.html
  sbir-gate quality output.csv --awards awards.csv --recipients recipients.csv
  sbir-gate quality linked.parquet --markdown - | less

The JSON is kept in reports/quality/DATE.json; 'sbir-gate history quality' compares such reports.
"""
)
@click.argument("enriched", type=FilePath())
@click.option("--truth", type=FilePath(), help="CSV of the known right recipients: award_id, recipient_ids.")
@click.option("--recipients", type=click.Path(), help="The recipients, for an output without their names.")
@click.option("--awards", type=click.Path(), help="The awards, for an output without their columns.")
@click.option("--html", type=FilePath(), help="HTML file to write; - for standard output.")
@click.option("--json", "json_", type=FilePath(), help="JSON file to write as well; - for standard output.")
@click.option("--markdown", type=FilePath(), help="Markdown file to write; - for standard output.")
@settings_options
@quiet_option
def quality(
    enriched: Path,
    truth: Path | None,
    recipients: str | None,
    awards: str | None,
    html: Path | None,
    json_: Path | None,
    markdown: Path | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Report the quality of the links in ENRICHED, the output of any engine (CSV, CSV.gz or Parquet)."""
    from sbir_gate.documents import save_quality
    from sbir_gate.gate.quality import QualityRequest, report_on_file
    from sbir_gate.gate.quality_history import quality_folder

    outputs = {"--html": html, "--json": json_, "--markdown": markdown}
    printed = [name for name, path in outputs.items() if path == STANDARD_OUTPUT]
    if len(printed) > 1:
        raise UsageError(f"{printed[0]} and {printed[1]} are both standard output", "name a file for one")
    effective = effective_settings(config_file, assignments, {})
    named = [path for path in outputs.values() if path is not None and path != STANDARD_OUTPUT]
    inputs = [enriched, truth, *(Path(name) for name in (recipients, awards) if name is not None)]
    check_outputs(named, [*inputs, effective.file])
    warnings: list[str] = []
    with Ticker(is_quiet=quiet) as ticker:
        request = QualityRequest(enriched, truth, recipients, awards)
        now = datetime.now(UTC)
        report = report_on_file(request, effective.settings, now, ticker.say, warnings.append)
        kept = save_quality(quality_folder(effective.settings), report)
    renderers = _renderers()
    for name, path in outputs.items():
        if path is not None:
            deliver(path, renderers[name](report))
    if not printed and not quiet:
        put(_console(report))
    for warning in warnings:
        put_line(f"warning: {harmless(warning)}", is_error=True)
    if not quiet:
        put_line(" ".join(["written to", str(kept), *(f"and {path}" for path in named)]), is_error=True)


def _renderers() -> Mapping[str, Callable[[QualityReport], str]]:
    """Return what makes the text of each output, by its option."""
    from sbir_gate.gate.reporting.quality_page import render_quality_html, render_quality_markdown
    from sbir_gate.model.document import QUALITY, encode

    return {
        "--html": render_quality_html,
        "--json": lambda report: encode(QUALITY, report),
        "--markdown": render_quality_markdown,
    }


def _console(report: QualityReport) -> str:
    from sbir_gate.gate.reporting.quality_page import render_quality_console

    return render_quality_console(report, shutil.get_terminal_size((_CONSOLE_WIDTH, 24)).columns)
