"""What is known of an asset or a check, as metadata: a number that is kept over runs becomes a plot.

Text that comes from data is handed over as text or JSON, never as Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from sbir_gate.documents import MAX_DOCUMENT_BYTES
from sbir_gate.files import read_file
from sbir_gate.gate.conclusion import REPORT_NAME, VERDICT_NAME
from sbir_gate.gate.reporting.messages import limit_text, texts
from sbir_gate.gate.reporting.notices import check_text
from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import Run
from sbir_gate.monitor import MonitorExport, StageExport
from sbir_gate.orchestration.records import FINGERPRINT, PATH, run_line
from sbir_gate.pipeline.places import Place
from sbir_gate.progress import ChunkProgress
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.sources import source_paths
from sbir_gate.settings.reading import reading_options
from sbir_gate.settings.schema import Settings

FINDINGS = "findings"
DATA_SET = "data_set"
_DATA_SET_DIGITS = 8
PROGRESS_NAMES = (
    "progress_records_processed",
    "progress_checkpoint",
    "progress_resumable",
    "estimated_time_remaining",
)

Metadata = dict[str, dg.MetadataValue]

_SEVERITY = {True: dg.AssetCheckSeverity.ERROR, False: dg.AssetCheckSeverity.WARN}


def performance_facts(
    monitor: MonitorExport, seconds: float, cpu_seconds: float, records: int | None
) -> Metadata:
    """Return time, memory and rate of a step, and of each of its stages."""
    start_mib, peak_mib = monitor["start_rss_mib"], monitor["peak_rss_mib"]
    found: dict[str, float | None] = {
        "duration_seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "records": records,
        "records_per_second": records / seconds if records is not None and seconds > 0 else None,
        "peak_memory_mib": peak_mib,
        "memory_delta_mib": None if peak_mib is None or start_mib is None else peak_mib - start_mib,
    }
    for stage in monitor["stages"]:
        found |= _stage_facts(stage)
    found |= {f"work/{name}": float(count) for name, count in monitor["counters"].items()}
    notes: Metadata = {f"note/{name}": dg.MetadataValue.text(text) for name, text in monitor["notes"].items()}
    return {**numbers(found), **notes}


def source_facts(source: Path, settings: Settings) -> Metadata:
    """Return what is known of the files of a source without reading them.

    Raises InputError for files that are not there.
    """
    options = reading_options(settings)
    paths = [path for file in resolve_files(str(source)) for path in source_paths(file, options)]
    counts = {"files": float(len(paths)), "bytes": float(sum(path.stat().st_size for path in paths))}
    return {"path": dg.MetadataValue.path(source.resolve()), **numbers(counts)}


def _stage_facts(stage: StageExport) -> dict[str, float | None]:
    name = stage["name"]
    return {
        f"stage_seconds/{name}": stage["wall_seconds"],
        f"stage_cpu_seconds/{name}": stage["cpu_seconds"],
        f"stage_peak_mib/{name}": stage["peak_rss_mib"],
    }


def place_facts(path: Path, place: Place) -> Metadata:
    """Return where data lie and what their content is: what the steps after this one go by."""
    return {
        PATH: dg.MetadataValue.path(path.absolute()),
        FINGERPRINT: dg.MetadataValue.text(place.fingerprint),
    }


def report_facts(folder: Path) -> Metadata:
    """Return the report of the gate, as Markdown, and where it lies."""
    report = folder / REPORT_NAME
    return {
        "report": dg.MetadataValue.md(read_file(report, MAX_DOCUMENT_BYTES).decode()),
        "report_path": dg.MetadataValue.path(report.absolute()),
        "verdict_path": dg.MetadataValue.path((folder / VERDICT_NAME).absolute()),
    }


def numbers(found: Mapping[str, float | None]) -> Metadata:
    """Return the numbers that are known."""
    return {name: dg.MetadataValue.float(float(value)) for name, value in found.items() if value is not None}


def quality_facts(run: Run) -> Metadata:
    """Return the quality of what was decided; of the rates there is also one series for each data set."""
    quality, rates = run.quality, run.quality.rates()
    counts = {"awards": float(quality.awards), "links": float(quality.links)}
    methods = {f"links/{method}": float(count) for method, count in quality.links_by_method.items()}
    return {
        **numbers({**rates, **counts, **methods}),
        **of_data_set(run.fixture.fingerprint, rates),
    }


def of_data_set(fingerprint: str, found: Mapping[str, float | None]) -> Metadata:
    """Return the fingerprint of a data set, and numbers under names that hold it.

    Dagster plots the values of one name over all runs: so those of other data get a name of their own.
    """
    return {
        DATA_SET: dg.MetadataValue.text(fingerprint),
        **numbers({f"{name}/{fingerprint[:_DATA_SET_DIGITS]}": value for name, value in found.items()}),
    }


def progress_facts(chunk: ChunkProgress, seconds: float) -> Metadata:
    """Return how far a step is that has taken `seconds`; what is not known yet is null, never left out."""
    left = chunk.seconds_left
    checkpoint = chunk.checkpoint_at
    facts: dict[str, float | None] = {
        "records_reused": chunk.records_reused,
        "records_expected": chunk.records_in_all,
        "records_per_second": chunk.records_per_second,
        "percent": None if left is None or seconds + left <= 0 else 100 * seconds / (seconds + left),
        "chunk_size": chunk.chunk_size,
    }
    progress = (
        dg.MetadataValue.int(chunk.records),
        dg.MetadataValue.null() if checkpoint is None else dg.MetadataValue.timestamp(checkpoint),
        dg.MetadataValue.bool(chunk.is_resumable),
        dg.MetadataValue.null() if left is None else dg.MetadataValue.float(left),
    )
    return {
        **dict(zip(PROGRESS_NAMES, progress, strict=True)),
        "chunk": dg.MetadataValue.int(chunk.chunks),
        "stage": dg.MetadataValue.text(chunk.stage),
        **numbers(facts),
    }


def check_result(
    finding: CheckFinding,
    asset_key: dg.AssetKey | None = None,
    is_blocking: bool = True,
    fingerprint: str = "",
    data_set: str = "",
) -> dg.AssetCheckResult:
    """Return a finding as Dagster's result; one of a check that does not block is a warning at most.

    `fingerprint` is that of the place that was checked: Dagster shows the result with the latest
    materialization, which can be another.
    """
    is_error = is_blocking and (finding.is_passed or finding.severity is Severity.FAIL)
    limits = ", ".join(map(limit_text, finding.limits))
    text = {"metric": finding.metric, "unit": finding.unit, "limit": limits, FINGERPRINT: fingerprint}
    measured = {"value": finding.value, "baseline": finding.reference}
    lists = {
        "examples": finding.examples,
        "reasons": texts(finding.findings),
        FINDINGS: tuple(found.key for found in finding.findings),
    }
    return dg.AssetCheckResult(
        passed=finding.is_passed,
        asset_key=asset_key,
        check_name=finding.name,
        severity=_SEVERITY[is_error],
        description=check_text(finding),
        metadata={
            **numbers({**measured, **finding.facts}),
            **(of_data_set(data_set, measured) if data_set else {}),
            **{name: dg.MetadataValue.text(words) for name, words in text.items() if words},
            **{name: dg.MetadataValue.json(list(listed)) for name, listed in lists.items() if listed},
            "severity": dg.MetadataValue.text(finding.severity.value),
        },
    )


_STARTS = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}


def attempt_facts(context: dg.AssetExecutionContext) -> Metadata:
    """Return the number of the attempt, and the seconds from the start of the first one to its own."""
    step = context.op_execution_context.get_step_execution_context().step.key
    starts = sorted(
        record.event_log_entry.timestamp
        for run_id in run_line(context.instance, context.run)
        for record in context.instance.get_records_for_run(run_id, of_type=_STARTS).records
        if record.event_log_entry.step_key == step
    )
    lost = starts[-1] - starts[0] if starts else 0.0
    return {
        "attempt": dg.MetadataValue.int(max(len(starts), 1)),
        "recovery_seconds": dg.MetadataValue.float(lost),
    }
