"""Awards before anything is matched: read, checked, rejects put aside, the rest written for later steps."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from sbir_gate.documents import load_award_table, save_award_table
from sbir_gate.errors import InputError, OutputError
from sbir_gate.gate.comparing.award_checks import award_findings, recipients_finding
from sbir_gate.gate.conclusion import discard_verdict
from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.records import AwardTable
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.pipeline.asset_files import AssetFiles
from sbir_gate.reading.award_table import write_awards
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.database import open_database
from sbir_gate.reading.recipients import check_recipients
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.settings.reading import database_options, reading_options
from sbir_gate.settings.schema import Settings

_EVERY_REJECT = 100.0


def validate_awards(
    settings: Settings, files: AssetFiles, monitor: PerformanceMonitor, award_year: int | None = None
) -> AwardTable:
    """Read `fixtures.awards`, write what could be read, and return and save what is known of it.

    However many rows are rejected: that is judged afterwards. Raises InputError for a source that cannot be
    read at all, OutputError for files that cannot be written.
    """
    options = replace(reading_options(settings), max_reject_percent=_EVERY_REJECT)
    # what was made of other awards is not of these
    discard_run(files)
    files.award_table.unlink(missing_ok=True)
    work_folder = settings.enrichment.work_folder or files.folder
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=work_folder) as name,
        RejectLog(files.award_rejects) as rejects,
        open_database(database_options(settings), Path(name)) as connection,
    ):
        with monitor.monitor_block("read-awards"):
            read = read_awards(connection, str(settings.fixtures.awards), Path(name), options, rejects)
        with monitor.monitor_block("write-awards"):
            table = write_awards(
                connection, read, rejects, files.validated, files.profiles, Path(name), award_year
            )
    save_award_table(files.award_table, table)
    return table


def check_awards(settings: Settings, files: AssetFiles) -> tuple[CheckFinding, ...]:
    """Return the answers to the checks of the awards that were validated.

    Of labelled awards every row must be readable, as `sbir-gate run` has it.
    """
    is_labelled = settings.fixtures.truth is not None
    return award_findings(
        load_award_table(files.award_table),
        0.0 if is_labelled else settings.reading.max_reject_percent,
        settings.orchestration.min_complete_percent,
    )


def check_inputs(settings: Settings, files: AssetFiles) -> tuple[CheckFinding, ...]:
    """Return the answers to the checks of the awards and of the recipients, before anything is matched."""
    fault = ""
    try:
        check_recipients(str(settings.fixtures.recipients), reading_options(settings))
    except InputError as error:
        fault = "; ".join(filter(None, (error.message, error.hint)))
    return (*check_awards(settings, files), recipients_finding(fault))


def discard_run(files: AssetFiles) -> None:
    """Remove the Run of an earlier enrichment and the verdict on it: neither is of the next one."""
    discard_verdict(files.folder)
    try:
        files.run.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"the Run of an earlier enrichment cannot be removed ({error.strerror})",
            "name a folder that you may write to in orchestration.folder",
            path=files.run,
        ) from error
