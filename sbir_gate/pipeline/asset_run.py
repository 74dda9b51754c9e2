"""An enrichment that was measured where it ran, as a step of a pipeline: its Run."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sbir_gate.documents import load_award_table, write_run
from sbir_gate.engine.enrichment import EnrichRequest, EnrichSummary, link_and_write
from sbir_gate.engine.tracking import ChunkWatch, engine_seconds_left
from sbir_gate.errors import InputError
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.fixture import ReadFixture, UnreadAwards, fixture_of
from sbir_gate.gate.measuring.benchmark import Repeat, Tally
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.measuring.telemetry import Telemetry
from sbir_gate.gate.reporting.notices import check_text
from sbir_gate.gate.run import run_of
from sbir_gate.model.award_columns import uncollected
from sbir_gate.model.records import Reject
from sbir_gate.model.run import Run
from sbir_gate.model.samples import Calibration
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.pipeline.asset_files import EnrichedFiles, ValidatedFiles, with_awards
from sbir_gate.pipeline.validation import check_awards
from sbir_gate.progress import Progress
from sbir_gate.reading.award_table import STRATA_COLUMNS, load_profiles
from sbir_gate.reading.recipient_index import RecipientIndex
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings
from sbir_gate.time_left import QUALITY, StageState

ENRICHER = "sbir_etl_job"
RESUMED = "resumed"
# how memory and processor time are measured here: by the process itself, not by a launcher above it
IN_PROCESS = "in-process"


class Engine(Protocol):
    """The edge that `pipeline.enrichment.enrich` is; tests put another in its place."""

    def __call__(
        self,
        request: EnrichRequest,
        settings: Settings,
        monitor: PerformanceMonitor,
        progress: Progress,
        watch: ChunkWatch,
    ) -> EnrichSummary:
        """Link the awards to the recipients and write the enriched file."""


@dataclass(frozen=True, slots=True)
class _Timing:
    """What one enrichment took; the telemetry is the engine's own, for its process does more than enrich."""

    started_at: datetime
    wall_seconds: float
    cpu_seconds: float
    calibration: Calibration
    telemetry: Telemetry


@dataclass(frozen=True, slots=True)
class ValidatedAwards:
    """Validated awards: their files, the source that they were read from, and its digest at that time.

    `is_partial` says that they are of one year alone.
    """

    files: ValidatedFiles
    source: Path
    digest: str
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class RecipientParts:
    """Where the recipients' parts are: `chunks` are made in this run, `kept` ones were read before it.

    Without `is_resuming` chunks of an interrupted run are not used.
    """

    chunks: Path | None = None
    kept: Path | None = None
    is_resuming: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """A Run of one enrichment, and what the engine said of it."""

    run: Run
    summary: EnrichSummary


def measure_enrichment(
    effective: EffectiveSettings,
    validated: ValidatedAwards,
    files: EnrichedFiles,
    edges: Edges,
    monitor: PerformanceMonitor,
    progress: Progress,
    watch: ChunkWatch,
    parts: RecipientParts,
    engine: Engine = link_and_write,
) -> Measured:
    """Enrich the validated awards, measure it as one repeat, and save its Run.

    `effective` are the settings of the assets. Raises InputError where the awards did not pass their checks,
    and what `fixture_of` raises.
    """
    effective = with_awards(effective, validated.source)
    settings = effective.settings
    refuse_bad_awards(settings, validated.files)
    scratch = settings.enrichment.work_folder or files.folder
    # of the recipients only those that matter are looked up, in what the engine kept of its one pass
    with tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=scratch) as name:
        request = EnrichRequest(
            awards=str(validated.files.awards),
            recipients=str(settings.fixtures.recipients),
            output=files.awards,
            rejects=files.rejects,
            metrics=files.metrics,
            is_resuming=parts.is_resuming,
            index_folder=Path(name),
            chunk_folder=parts.chunks,
            kept_recipients=parts.kept,
            later_stages=(QUALITY,),
        )
        started_at, calibration = edges.now(), edges.calibrate()
        started, started_cpu = edges.clock(), time.process_time()
        summary = engine(request, settings, monitor, progress, watch)
        timing = _Timing(
            started_at,
            wall_seconds=edges.clock() - started,
            cpu_seconds=time.process_time() - started_cpu,
            calibration=calibration,
            telemetry=Telemetry.model_validate(monitor.export()),
        )
        # what judges the awards needs no other place than theirs
        shutil.copyfile(validated.files.profiles, files.profiles)
        recipients = RecipientIndex(
            tuple(sorted(Path(name).iterdir())), summary.recipients, summary.rejects, summary.first_reject
        )
        left = engine_seconds_left(
            monitor, summary.awards, summary.recipients, StageState(QUALITY), [QUALITY]
        )
        progress(QUALITY, 0, None, "", left)
        with monitor.monitor_block(QUALITY), uncollected():
            run = _run(effective, validated, files, edges, timing, recipients)
            run = replace(run, engine_notes={**run.engine_notes, **_resumed(summary)})
            write_run(files.run, run)
    return Measured(run, summary)


def refuse_bad_awards(settings: Settings, files: ValidatedFiles) -> None:
    """Ask the checks again: a run of a later step alone has run none of them."""
    faults = [check_text(each) for each in check_awards(settings, files) if each.is_blocking]
    if faults:
        hint = "correct the source, and materialise raw_sbir_awards and validated_sbir_awards again"
        raise InputError(f"the awards did not pass: {'; '.join(faults)}", hint, path=files.awards)


def validated_fixture(
    effective: EffectiveSettings,
    validated: ValidatedAwards,
    started_at: datetime,
    recipients: RecipientIndex,
    handed: tuple[Path, Path] | None = None,
) -> ReadFixture:
    """Return the validated awards as a fixture; `handed` are the files that another engine gets.

    Raises what `fixture_of` raises.
    """
    table = load_award_table(validated.files.table)
    first = next((Reject("", 0, "", "", example) for example in table.reject_examples), None)
    # the fixture is what the source holds, so that a Run of 'sbir-gate run' on the same files is comparable
    return fixture_of(
        effective,
        started_at,
        load_profiles(validated.files.profiles, STRATA_COLUMNS),
        UnreadAwards(table.rejects, first),
        recipients,
        handed,
        is_partial=validated.is_partial,
        awards_digest=validated.digest,
    )


def _run(
    effective: EffectiveSettings,
    validated: ValidatedAwards,
    files: EnrichedFiles,
    edges: Edges,
    timing: _Timing,
    recipients: RecipientIndex,
) -> Run:
    """Return the Run of what was enriched, with the enrichment as its one repeat."""
    read = validated_fixture(effective, validated, timing.started_at, recipients)
    telemetry = timing.telemetry
    process = ProcessResult(
        exit_status=0,
        is_timed_out=False,
        wall_seconds=timing.wall_seconds,
        cpu_seconds=timing.cpu_seconds,
        peak_rss_mib=telemetry.highest_mib(),
        memory_method=IN_PROCESS,
        cpu_method=IN_PROCESS,
    )
    tally = Tally(read.profiles.award_ids)
    tally.add(Repeat(process, telemetry, read_decisions(files.awards)), timing.calibration)
    return replace(run_of(effective, edges, read, tally.result(edges.calibrate())), enricher=ENRICHER)


def _resumed(summary: EnrichSummary) -> Mapping[str, str]:
    return {RESUMED: summary.notes[RESUMED]} if RESUMED in summary.notes else {}
