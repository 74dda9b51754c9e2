"""An enrichment that was measured where it ran, as a step of a pipeline, and what the gate makes of it."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sbir_gate.documents import load_award_table, load_run, save_alerts, write_run
from sbir_gate.engine.enrichment import ChunkWatch, EnrichRequest, EnrichSummary, enrich
from sbir_gate.errors import InputError, OutputError, SbirGateError, UsageError
from sbir_gate.gate.comparing.award_checks import award_findings, recipients_finding
from sbir_gate.gate.comparing.other_data import declined, judge_step
from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.comparing.run_checks import is_refused, run_findings, single_run_policy
from sbir_gate.gate.conclusion import ALERTS_NAME, discard_verdict, error_verdict, write_verdict
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.fixture import UnreadAwards, fixture_of
from sbir_gate.gate.history import consult_history, drift_before_promotion, keep_run
from sbir_gate.gate.measuring.benchmark import Repeat, Tally
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.measuring.telemetry import Telemetry
from sbir_gate.gate.policy import own_judgement
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.gate.reporting.notices import check_text, obstacle_text
from sbir_gate.gate.run import run_of
from sbir_gate.gate.storing.baselines import load_baseline, promote
from sbir_gate.model.alert import AlertList
from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.samples import Calibration
from sbir_gate.model.verdict import Verdict
from sbir_gate.model.waiver import Waivers
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.pipeline.asset_files import AssetFiles, asset_settings
from sbir_gate.progress import Progress
from sbir_gate.reading.award_profiles import load_profiles
from sbir_gate.reading.recipient_index import RecipientIndex
from sbir_gate.reading.recipients import check_recipients
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.reading import reading_options
from sbir_gate.settings.schema import Settings

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
class Measured:
    """A Run of one enrichment, and what the engine said of it."""

    run: Run
    summary: EnrichSummary


@dataclass(frozen=True, slots=True)
class Judged:
    """A Run, what it was held against, the verdict with drift, and the answers to the checks."""

    run: Run
    reference: Run | None
    verdict: Verdict
    alerts: AlertList
    findings: tuple[CheckFinding, ...]
    warnings: tuple[str, ...]

    @property
    def is_refused(self) -> bool:
        """Say whether what was made may not be used."""
        return is_refused(self.verdict)


def measure_enrichment(
    effective: EffectiveSettings,
    files: AssetFiles,
    edges: Edges,
    monitor: PerformanceMonitor,
    progress: Progress,
    watch: ChunkWatch,
    engine: Engine = enrich,
    *,
    is_resuming: bool = True,
    is_partial: bool = False,
) -> Measured:
    """Enrich the validated awards, measure it as one repeat, and save its Run; no verdict stays from before.

    `effective` are the settings of the assets, `is_partial` says that the awards are of one year alone.
    Raises InputError where the awards were not validated, or did not pass their checks, and what
    `fixture_of` raises.
    """
    settings = effective.settings
    check_engine(settings)
    discard_run(files)
    _refuse_bad_awards(settings, files)
    work_folder = settings.enrichment.work_folder or files.folder
    # of the recipients only those that matter are looked up, in what the engine kept of its one pass
    with tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=work_folder) as name:
        request = EnrichRequest(
            awards=str(files.validated),
            recipients=str(settings.fixtures.recipients),
            output=files.enriched,
            rejects=files.rejects,
            metrics=files.metrics,
            is_resuming=is_resuming,
            index_folder=Path(name),
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
        recipients = RecipientIndex(
            tuple(sorted(Path(name).iterdir())), summary.recipients, summary.rejects, summary.first_reject
        )
        with monitor.monitor_block("quality"), _uncollected():
            run = _run(effective, files, edges, timing, recipients, is_partial=is_partial)
            run = replace(run, engine_notes={**run.engine_notes, **_resumed(summary)})
            write_run(files.run, run)
    return Measured(run, summary)


def _refuse_bad_awards(settings: Settings, files: AssetFiles) -> None:
    """Ask the checks again: a run of a later step alone has run none of them."""
    hint = "materialise validated_sbir_awards before what comes of it"
    if not (files.validated.is_file() and files.award_table.is_file()):
        raise InputError(f"{files.validated}: the awards were not validated", hint)
    faults = [check_text(each) for each in check_awards(settings, files) if each.is_blocking]
    if faults:
        raise InputError(f"{files.validated}: the awards did not pass: {'; '.join(faults)}", hint)


def discard_run(files: AssetFiles) -> None:
    """Remove the Run of an earlier enrichment and the verdict on it: neither is of the next one."""
    discard_verdict(files.folder)
    try:
        files.run.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{files.run}: the Run of an earlier enrichment cannot be removed ({error.strerror})",
            "name a folder that you may write to in orchestration.folder",
        ) from error


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


def check_engine(settings: Settings) -> None:
    """Raise UsageError for another enricher: a step runs the engine in its own process."""
    if settings.enricher.command is not None:
        raise UsageError(
            "enricher.command: the assets run the built-in engine",
            "leave it at null here; 'sbir-gate run' gates any command",
        )


def judge_assets(
    effective: EffectiveSettings, files: AssetFiles, edges: Edges, award_year: int | None = None
) -> Judged:
    """Judge the saved Run of the assets against their baseline; nothing is written.

    `effective` are the settings as they are loaded: the baseline that is committed lies where they say. It is
    the reference until the assets have one of their own, if it is of the same data; its times and sizes, of
    another kind of process, are left out. Raises InputError where nothing was enriched, DocumentError for a
    Run or a baseline that cannot be read.
    """
    if not files.run.exists():
        raise InputError(
            f"{files.run}: there is no Run, for the awards were not enriched since they were read",
            "materialise enriched_sbir_awards before what comes of it",
        )
    settings = asset_settings(effective, award_year).settings
    judgement = own_judgement(effective, has_baseline=False)
    rules = single_run_policy(judgement.rules.policy)
    with _uncollected():
        run = load_run(files.run)
        reference = _reference(run, files, effective.settings)
    waivers = Waivers(judgement.rules.waivers, edges.now().date())
    past = consult_history(run, judge_step(run, reference, rules, waivers=waivers), settings)
    return Judged(
        run,
        reference,
        past.verdict,
        past.alerts,
        run_findings(run, reference, rules, past.verdict),
        past.warnings,
    )


def conclude_assets(
    effective: EffectiveSettings,
    files: AssetFiles,
    edges: Edges,
    award_year: int | None,
    *,
    is_final: bool,
) -> Judged:
    """Judge the saved Run, and record the verdict if it `is_final`, or refused: then no report follows.

    Whatever breaks leaves a verdict `error`, and is raised.
    """
    with error_verdict(asset_settings(effective, award_year), edges, f"the Run is saved: {files.run}"):
        judged = judge_assets(effective, files, edges, award_year)
        if is_final or judged.is_refused:
            _record(judged, effective, edges, award_year)
    return judged


def _record(judged: Judged, effective: EffectiveSettings, edges: Edges, award_year: int | None) -> None:
    """Write verdict, report and alerts beside the assets, and keep the Run in their history."""
    settings = asset_settings(effective, award_year).settings
    folder = settings.reports.folder
    write_verdict(folder, judged.run, judged.verdict)
    save_alerts(folder / ALERTS_NAME, judged.alerts)
    keep_run(judged.run, judged.verdict.outcome, edges.tags(), settings, judged.alerts)


def store_baseline(
    judged: Judged, effective: EffectiveSettings, files: AssetFiles, award_year: int | None
) -> str:
    """Make the Run the baseline of the next one if it is fit for that; return in words what became of it.

    It is not if it failed or broke (`baseline_obstacle`), if it resumed what another began (its time is not
    its own), if it drifted, or if a rate is worse than the baseline's: a baseline that moves with every step
    of a slow decline hides it.
    """
    settings = asset_settings(effective, award_year).settings
    if not settings.orchestration.stores_baseline:
        return "not stored: orchestration.stores_baseline is false"
    obstacle = _obstacle(judged, effective, settings)
    if obstacle:
        return f"not stored: {obstacle}"
    try:
        path = promote(judged.run, files.baselines)
    except (InputError, OutputError) as error:
        return f"not stored: {error.message}"
    return f"stored: {path}"


def _obstacle(judged: Judged, effective: EffectiveSettings, settings: Settings) -> str:
    run = judged.run
    obstacle = baseline_obstacle(judged.verdict)
    if obstacle is not None:
        return obstacle_text(obstacle)
    if RESUMED in run.engine_notes:
        return "the Run went on from the chunks of another"
    if judged.reference is not None:
        policy = own_judgement(effective, has_baseline=False).rules.policy
        worse = declined(run, judged.reference, policy)
        if worse:
            return f"worse than the baseline, if within the limits: {'; '.join(texts(worse))}"
    try:
        obstacle = baseline_obstacle(judged.verdict, drift_before_promotion(run, settings))
    except SbirGateError as error:
        return f"drift cannot be judged ({error.message})"
    return "" if obstacle is None else obstacle_text(obstacle)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile.

    Hundreds of thousands of decisions are made, and none is garbage: to walk them again and again takes a
    third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _reference(run: Run, files: AssetFiles, settings: Settings) -> Run | None:
    own = load_baseline(files.baselines, run.gate)
    if own is not None:
        return own
    committed = load_baseline(settings.gate.baselines_folder, run.gate)
    if committed is None or committed.fixture.fingerprint != run.fixture.fingerprint:
        return None
    exact = tuple(metric for metric in committed.metrics if metric.kind is MetricKind.EXACT)
    return replace(committed, metrics=exact)


def _run(
    effective: EffectiveSettings,
    files: AssetFiles,
    edges: Edges,
    timing: _Timing,
    recipients: RecipientIndex,
    *,
    is_partial: bool,
) -> Run:
    """Return the Run of what was enriched, with the enrichment as its one repeat."""
    profiles, table = load_profiles(files.profiles), load_award_table(files.award_table)
    unread = UnreadAwards(table.rejects, *table.reject_examples[:1])
    # the fixture is what the source holds, so that a Run of 'sbir-gate run' on the same files is comparable
    read = fixture_of(effective, timing.started_at, profiles, unread, recipients, is_partial=is_partial)
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
    tally = Tally([profile.award_id for profile in profiles])
    tally.add(Repeat(process, telemetry, read_decisions(files.enriched)), timing.calibration)
    return replace(run_of(effective, edges, read, tally.result(edges.calibrate())), enricher=ENRICHER)


def _resumed(summary: EnrichSummary) -> Mapping[str, str]:
    return {RESUMED: summary.notes[RESUMED]} if RESUMED in summary.notes else {}
