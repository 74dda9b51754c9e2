"""The four assets: raw, validated and enriched awards, and the report. Nothing but translation."""

# no postponed annotations here: Dagster reads those of the functions that it decorates

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from sbir_gate.documents import MAX_DOCUMENT_BYTES
from sbir_gate.engine import enrich
from sbir_gate.engine.recipient_parts import fingerprint
from sbir_gate.errors import ExitStatus, OutputError, SbirGateError, ToolError
from sbir_gate.files import read_file
from sbir_gate.gate.conclusion import REPORT_NAME, VERDICT_NAME
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.reporting.diagnoses import diagnosis_lines
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.locks import LockedError, Waiting, locked
from sbir_gate.model.diagnosis import Diagnosis, Gravity
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.orchestration.facts import Metadata, numbers, performance_facts, quality_facts
from sbir_gate.orchestration.names import ENRICHED, IO_MANAGER, RAW, REPORT, VALIDATED, award_year_of
from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.orchestration.sensors import Announce, announce_by_environment
from sbir_gate.pipeline.asset_files import AssetFiles, asset_files, asset_settings
from sbir_gate.pipeline.asset_run import Engine, measure_enrichment
from sbir_gate.pipeline.asset_verdict import conclude_assets, store_baseline
from sbir_gate.pipeline.validation import validate_awards
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.sources import source_paths
from sbir_gate.settings.reading import reading_options
from sbir_gate.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class AssetEdges:
    """What the assets and sensors need of the world; tests pass fakes."""

    gate: Edges
    engine: Engine = enrich
    announce: Announce = announce_by_environment


@dataclass(frozen=True, slots=True)
class AssetShape:
    """One set of the assets: its group, what stands before its names, its partitions and retries."""

    retries: dg.RetryPolicy
    group: str
    prefix: tuple[str, ...] = ()
    partitions: dg.PartitionsDefinition[str] | None = None

    def key(self, name: str) -> dg.AssetKey:
        """Return the key of an asset of this set."""
        return dg.AssetKey([*self.prefix, name])


@dataclass(slots=True)
class Step:
    """One step at work: its settings, its files, its stage timer, and when it began."""

    gate: GateResource
    files: AssetFiles
    award_year: int | None
    monitor: PerformanceMonitor = field(default_factory=PerformanceMonitor)
    started: float = field(default_factory=time.perf_counter)
    started_cpu: float = field(default_factory=time.process_time)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.gate.effective().settings

    def performance(self, records: int | None = None) -> Metadata:
        """Return what the step has taken up to now, as metadata; the rate where it is one of records."""
        return performance_facts(
            self.monitor.export(),
            time.perf_counter() - self.started,
            time.process_time() - self.started_cpu,
            records,
        )


@contextmanager
def writing_step(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    gate: GateResource,
    events: ProgressEvents | None = None,
) -> Iterator[Step]:
    """Open a step that alone may write: another, be it an orphan of a killed run, is waited for."""
    with as_failures():
        settings, year = gate.effective().settings, award_year_of(context)
        files = asset_files(settings, year)
        tell = events.waiting if events is not None else _logged_by(context)
        with sole_writer(files.lock, Waiting(settings.enrichment.performance.timeout_seconds, tell)):
            yield Step(gate, files, year)


@contextmanager
def sole_writer(path: Path, waiting: Waiting) -> Iterator[None]:
    """Hold the lock of the assets, in a folder that is made. Raises ToolError when the time is up."""
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path, waiting))
        except OSError as error:
            raise OutputError(
                f"cannot be written or locked ({error.strerror})",
                "name a folder that you may write to, on a disk that has locks",
                path=path,
            ) from error
        except LockedError as error:
            raise ToolError(
                f"process {error.holder} is at work here after {waiting.seconds:g} seconds",
                "wait for it or end it; it may belong to a run whose worker was killed",
                path=path.parent,
            ) from error
        yield


def _logged_by(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Callable[[str], None]:
    def tell(holder: str) -> None:
        context.log.info("process %s is at work on these assets: waiting for it to end", holder)

    return tell


def make_assets(shape: AssetShape, edges: AssetEdges) -> list[dg.AssetsDefinition]:
    """Return the four assets of one set."""
    return [
        _raw(shape),
        _validated(shape),
        _enriched(shape, edges),
        _report(shape, edges),
    ]


def _raw(shape: AssetShape) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(RAW),
        group_name=shape.group,
        partitions_def=shape.partitions,
        io_manager_key=IO_MANAGER,
        kinds={"csv"},
        retry_policy=shape.retries,
        description="The awards as they were published: the files themselves, known by their fingerprint.",
    )
    def raw_sbir_awards(context: dg.AssetExecutionContext, gate: GateResource) -> dg.MaterializeResult[Path]:
        with as_failures():
            step = Step(gate, asset_files(gate.effective().settings), award_year_of(context))
            source, options = step.settings.fixtures.awards, reading_options(step.settings)
            paths = [path for file in resolve_files(str(source)) for path in source_paths(file, options)]
            version = dg.DataVersion(" ".join(fingerprint(path) for path in paths)[:100])
            size = sum(path.stat().st_size for path in paths)
            return dg.MaterializeResult(
                value=source,
                data_version=version,
                metadata={
                    "path": dg.MetadataValue.path(source.resolve()),
                    **numbers({"files": float(len(paths)), "bytes": float(size)}),
                    **step.performance(),
                },
            )

    return raw_sbir_awards


def _validated(shape: AssetShape) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(VALIDATED),
        ins={RAW: dg.AssetIn(key=shape.key(RAW), input_manager_key=IO_MANAGER)},
        group_name=shape.group,
        partitions_def=shape.partitions,
        io_manager_key=IO_MANAGER,
        kinds={"parquet", "duckdb"},
        retry_policy=shape.retries,
        description="The awards that could be read, with an id each, as one Parquet file.",
    )
    def validated_sbir_awards(
        context: dg.AssetExecutionContext, gate: GateResource, raw_sbir_awards: Path
    ) -> dg.MaterializeResult[Path]:
        with writing_step(context, gate) as step:
            context.log.info("reading %s", raw_sbir_awards)
            table = validate_awards(step.settings, step.files, step.monitor, step.award_year)
            counts = {
                "awards": float(table.awards),
                "rejects": float(table.rejects),
                "repeated_ids": float(table.repeated_ids),
            }
            return dg.MaterializeResult(
                value=step.files.validated,
                metadata={
                    "path": dg.MetadataValue.path(step.files.validated.resolve()),
                    "rejects_path": dg.MetadataValue.path(step.files.award_rejects.resolve()),
                    **numbers(counts),
                    **step.performance(table.awards),
                },
            )

    return validated_sbir_awards


def _enriched(shape: AssetShape, edges: AssetEdges) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(ENRICHED),
        ins={VALIDATED: dg.AssetIn(key=shape.key(VALIDATED), input_manager_key=IO_MANAGER)},
        group_name=shape.group,
        partitions_def=shape.partitions,
        io_manager_key=IO_MANAGER,
        kinds={"parquet", "duckdb"},
        retry_policy=shape.retries,
        automation_condition=_when_sound(),
        description="Every award, and the USAspending recipient it was linked to, how, and how surely.",
    )
    def enriched_sbir_awards(
        context: dg.AssetExecutionContext, gate: GateResource, validated_sbir_awards: Path
    ) -> dg.MaterializeResult[Path]:
        partition = context.partition_key if context.has_partition_key else None
        least_seconds = gate.effective().settings.orchestration.progress_seconds
        events = ProgressEvents(context.log_event, context.asset_key, partition, least_seconds)

        def tell(stage: str, records: int, share: float | None, remark: str = "") -> None:
            # chunks are events of their own
            if not records and share is None:
                context.log.info("%s", f"{stage} {remark}".strip())
                events.stage(stage)

        with writing_step(context, gate, events) as step:
            context.log.info("enriching %s", validated_sbir_awards)
            measured = measure_enrichment(
                asset_settings(gate.effective(), step.award_year),
                step.files,
                edges.gate,
                step.monitor,
                tell,
                events,
                edges.engine,
                is_resuming=not gate.is_fresh,
                is_partial=step.award_year is not None,
            )
            summary = measured.summary
            counts = {
                "recipients": float(summary.recipients),
                "rejects": float(summary.rejects),
                "progress_events": float(events.events),
                "records_reused": float(events.reused),
            }
            return dg.MaterializeResult(
                value=step.files.enriched,
                metadata={
                    "path": dg.MetadataValue.path(step.files.enriched.resolve()),
                    "run_path": dg.MetadataValue.path(step.files.run.resolve()),
                    "is_recovered": dg.MetadataValue.bool(events.reused > 0),
                    "warnings": _lines(summary.findings, Gravity.WARNING),
                    "reading": _lines(summary.findings, Gravity.NOTE),
                    **quality_facts(measured.run),
                    **numbers(counts),
                    **step.performance(summary.awards),
                },
            )

    return enriched_sbir_awards


def _lines(findings: Sequence[Diagnosis], gravity: Gravity) -> dg.JsonMetadataValue:
    return dg.MetadataValue.json(diagnosis_lines(findings, gravity))


def _report(shape: AssetShape, edges: AssetEdges) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(REPORT),
        ins={ENRICHED: dg.AssetIn(key=shape.key(ENRICHED), input_manager_key=IO_MANAGER)},
        group_name=shape.group,
        partitions_def=shape.partitions,
        io_manager_key=IO_MANAGER,
        kinds={"markdown"},
        retry_policy=shape.retries,
        automation_condition=_when_sound(),
        description="The verdict of the gate on the enriched awards. It is refused where they are.",
    )
    def sbir_usaspending_enrichment_report(
        context: dg.AssetExecutionContext, gate: GateResource, enriched_sbir_awards: Path
    ) -> dg.MaterializeResult[Path]:
        with writing_step(context, gate) as step:
            context.log.info("judging %s", enriched_sbir_awards)
            effective = gate.effective()
            # asked again: a run that selects this asset alone has run no check
            judged = conclude_assets(effective, step.files, edges.gate, step.award_year, is_final=True)
            verdict, reasons = judged.verdict, texts(judged.verdict.deciding)
            report = step.files.folder / REPORT_NAME
            shown: Metadata = {
                "verdict": dg.MetadataValue.text(verdict.outcome.value),
                "reasons": dg.MetadataValue.json(list(reasons)),
                "report": dg.MetadataValue.md(read_file(report, MAX_DOCUMENT_BYTES).decode()),
                "report_path": dg.MetadataValue.path(report.resolve()),
                "verdict_path": dg.MetadataValue.path((step.files.folder / VERDICT_NAME).resolve()),
                "alerts": dg.MetadataValue.int(len(judged.alerts.alerts)),
            }
            if judged.is_refused:
                raise dg.Failure(
                    f"the gate refuses the enriched awards ({verdict.outcome}): {'; '.join(reasons)}",
                    metadata=shown,
                    allow_retries=False,
                )
            baseline = store_baseline(judged, effective, step.files, step.award_year)
            return dg.MaterializeResult(
                value=report,
                metadata={
                    **shown,
                    "baseline": dg.MetadataValue.text(baseline),
                    "warnings": dg.MetadataValue.json(list(judged.warnings)),
                    **quality_facts(judged.run),
                    **step.performance(judged.run.quality.awards),
                },
            )

    return sbir_usaspending_enrichment_report


def _when_sound() -> dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]:
    """Return when an asset may run by itself: something before it is new, and its blocking checks passed."""
    return dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()


@contextmanager
def as_failures() -> Iterator[None]:
    """Let an error with a name end the step in its own words.

    Wrong input stays wrong: only what broke (a time-out, the machine) is left to the step's retry policy.
    """
    try:
        yield
    except SbirGateError as error:
        words = [error.message, error.hint, *getattr(error, "__notes__", [])]
        raise dg.Failure(
            description="; ".join(filter(None, words)),
            metadata={"status": error.exit_status.name},
            allow_retries=error.exit_status is ExitStatus.BROKEN,
        ) from error
