"""`sbir-gate enrich`: link real files."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import (
    Choice,
    NewFile,
    check_dagster,
    effective_settings,
    quiet_option,
    settings_options,
)
from sbir_gate.cli.printing import harmless, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import OutputError, SbirGateError
from sbir_gate.files import check_outputs, save_output

if TYPE_CHECKING:
    from sbir_gate.engine.enrichment import EnrichRequest, EnrichSummary
    from sbir_gate.monitor import PerformanceMonitor

EPILOG = """\b
Examples:
  sbir-gate enrich --awards awards.csv --recipients recipients.csv.gz --output linked.parquet
  sbir-gate enrich --awards 'sbir/*.csv' --recipients recipients/ --output linked.csv --rejects bad.csv
  sbir-gate enrich --awards awards.csv --recipients 'dump.zip#rpt.recipient_lookup' --output linked.csv
  sbir-gate enrich --awards awards.csv --recipients s3://bucket/recipients --output s3://bucket/linked.parquet
"""


@click.command(epilog=EPILOG)
@click.option(
    "--awards",
    type=click.Path(),
    required=True,
    help="CSV, JSON or SAM extract (also .gz or in a .zip) or Parquet, or a folder or glob of such files.",
)
@click.option(
    "--recipients",
    type=click.Path(),
    required=True,
    help="The same, or a PostgreSQL dump (folder or .zip) as DUMP or DUMP#schema.table. Both also at an "
    "address, such as s3://bucket/folder.",
)
@click.option(
    "--output",
    required=True,
    type=NewFile(may_be_remote=True),
    help="File to write: .parquet, .csv or .csv.gz; also at an address such as s3://bucket/linked.parquet.",
)
@click.option("--rejects", type=NewFile(), help="CSV file for rows that could not be read.")
@click.option("--metrics", type=NewFile(), help="JSON file for stages and work counters.")
@click.option("--workers", type=click.IntRange(min=1), help="Number of threads; default: all cores.")
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="local:N for N worker processes, or a Dask scheduler, as tcp://HOST:8786.",
)
@click.option(
    "--resume/--fresh",
    "is_resuming",
    default=True,
    show_default=True,
    help="Resume from the finished chunks of an interrupted run, or start over.",
)
@click.option(
    "--through",
    type=Choice(["dagster"]),
    help="Run the same engine as the Dagster job sbir_etl_job, in this process. It does not resume.",
)
@settings_options
@quiet_option
def enrich(
    awards: str,
    recipients: str,
    output: Path,
    rejects: Path | None,
    metrics: Path | None,
    workers: int | None,
    cluster: str | None,
    is_resuming: bool,
    through: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Link awards to recipients and write every award with its decision."""
    from sbir_gate.engine.enrichment import EnrichRequest, check_targets, link_and_write
    from sbir_gate.monitor import PerformanceMonitor

    options = {"enrichment.performance.workers": workers, "enrichment.cluster": cluster}
    effective = effective_settings(config_file, assignments, options)
    settings = effective.settings
    check_outputs((output, rejects, metrics), (effective.file,))
    if through is not None:
        request = EnrichRequest(awards, recipients, output, rejects, metrics)
        check_targets(request, settings)
        chosen = [f"{key}={value}" for key, value in options.items() if value is not None]
        assignments = (*assignments, *chosen)
        if Path(awards).resolve() != settings.fixtures.awards.resolve():
            # the truth covers only the awards in the settings
            assignments = (*assignments, "fixtures.truth=null", "fixtures.draw=null")
        _enrich_through_dagster(request, config_file, assignments, quiet)
        return
    monitor = PerformanceMonitor()
    with Ticker(is_quiet=quiet) as ticker:
        request = EnrichRequest(
            awards,
            recipients,
            output,
            rejects,
            metrics,
            is_resuming,
            None if quiet else settings.reports.folder / "progress",
        )
        check_targets(request, settings)  # what follows may write to `metrics`
        try:
            summary = link_and_write(request, settings, monitor, ticker.count)
        except SbirGateError as error:
            if metrics is not None:  # whoever started this process gets the fields, not the text alone
                with suppress(OutputError):
                    save_output(metrics, json.dumps({"error": error.facts_of(error.fault)}))
            raise
    for warning in _warnings(summary, rejects):
        put_line(f"warning: {harmless(warning)}", is_error=True)
    if not quiet:
        for line in _summary_lines(summary, output, monitor):
            put_line(line)


def _enrich_through_dagster(
    request: EnrichRequest, config_file: Path | None, assignments: tuple[str, ...], quiet: bool
) -> None:
    check_dagster()
    from sbir_gate.orchestration.in_process import enrich_through_job

    refused = enrich_through_job(request, config_file, assignments, is_quiet=quiet)
    for reason in refused:
        put_line(f"warning: the job rejected its own result: {harmless(reason)}", is_error=True)
    if not quiet:
        put_line(f"written to {request.output}")


def _warnings(summary: EnrichSummary, rejects: Path | None) -> list[str]:
    from sbir_gate.gate.reporting.diagnoses import diagnosis_lines
    from sbir_gate.model.diagnosis import Gravity

    warnings = diagnosis_lines(summary.findings, Gravity.WARNING)
    if not summary.rejects:
        return warnings
    where = f": see {rejects}" if rejects else "; --rejects FILE lists them"
    return [f"{summary.rejects:,} rows could not be read{where}", *warnings]


def _summary_lines(summary: EnrichSummary, output: Path, monitor: PerformanceMonitor) -> list[str]:
    from sbir_gate.gate.reporting.diagnoses import diagnosis_lines
    from sbir_gate.model.diagnosis import Gravity

    links = summary.decisions["link"]
    candidates, nothing = summary.decisions["candidate"], summary.decisions["none"]
    for_review = f"{candidates:,} with candidates for review, {nothing:,} without"
    stages = ", ".join(f"{stage.name} {stage.wall_seconds:.1f}" for stage in monitor.stages())
    return [
        *map(harmless, diagnosis_lines(summary.findings, Gravity.NOTE)),
        f"{summary.awards:,} awards, {summary.recipients:,} recipients",
        f"{links:,} linked ({100 * links / summary.awards:.1f}%), {for_review}",
        f"model {summary.notes['model']}, acceptance limit {summary.notes['acceptance_limit']}",
        f"seconds: {stages}",
        f"written to {output}",
    ]
