"""Awards before anything is matched: read, checked, rejects put aside, the rest written for later steps."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from sbir_gate.documents import load_award_table, save_award_table
from sbir_gate.errors import InputError
from sbir_gate.gate.comparing.award_checks import award_findings, recipients_finding
from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.records import AwardTable
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.pipeline.asset_files import ValidatedFiles
from sbir_gate.reading.award_table import write_awards
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.database import open_database
from sbir_gate.reading.layout import RECIPIENTS
from sbir_gate.reading.recipients import check_table
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.reading.sources import source_digest
from sbir_gate.settings.reading import database_options, reading_options
from sbir_gate.settings.schema import Settings

_EVERY_REJECT = 100.0


def validate_awards(
    settings: Settings,
    digest: str,
    files: ValidatedFiles,
    monitor: PerformanceMonitor,
    award_year: int | None = None,
) -> AwardTable:
    """Read `fixtures.awards`, write what could be read, and return and save what is known of it.

    However many rows are rejected: that is judged afterwards. Raises InputError for a source that cannot be
    read at all, or whose `source_digest` is not this one, OutputError for files that cannot be written.
    """
    options = replace(reading_options(settings), max_reject_percent=_EVERY_REJECT)
    work_folder = settings.enrichment.work_folder or files.folder
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=work_folder) as name,
        RejectLog(files.rejects) as rejects,
        open_database(database_options(settings), Path(name)) as connection,
    ):
        with monitor.monitor_block("read-awards"):
            read = read_awards(connection, str(settings.fixtures.awards), Path(name), options, rejects)
        with monitor.monitor_block("write-awards"):
            table = write_awards(
                connection, read, rejects, files.awards, files.profiles, Path(name), award_year
            )
        # asked afterwards: what was read before a change, and what after it, would be of two states
        if source_digest(settings.fixtures.awards, options) != digest:
            raise InputError(
                "has changed since its fingerprint was recorded",
                "materialise raw_sbir_awards again, when nothing writes to it any more",
                path=settings.fixtures.awards,
            )
    save_award_table(files.table, table)
    return table


def check_awards(settings: Settings, files: ValidatedFiles) -> tuple[CheckFinding, ...]:
    """Return the answers to the checks of the awards that were validated.

    Of labelled awards every row must be readable, as `sbir-gate run` has it.
    """
    is_labelled = settings.fixtures.truth is not None
    return award_findings(
        load_award_table(files.table),
        0.0 if is_labelled else settings.reading.max_reject_percent,
        settings.orchestration.min_complete_percent,
    )


def check_inputs(settings: Settings, files: ValidatedFiles) -> tuple[CheckFinding, ...]:
    """Return the answers to the checks of the awards and of the recipients, before anything is matched."""
    fault = ""
    try:
        check_table(str(settings.fixtures.recipients), reading_options(settings), RECIPIENTS)
    except InputError as error:
        fault = "; ".join(filter(None, (error.message, error.hint)))
    return (*check_awards(settings, files), recipients_finding(fault))
