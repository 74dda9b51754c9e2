"""Awards and recipients in, enriched awards out: what is linked is written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.engine.linking import Linked, LinkRequest, files_of, link_files
from sbir_gate.engine.matching.enriched import check_output, count_links, write_enriched
from sbir_gate.engine.tracking import ChunkWatch, no_progress, no_watch
from sbir_gate.errors import OutputError
from sbir_gate.files import check_outputs, create_file, output_target, unwritable
from sbir_gate.model.diagnosis import Diagnosis
from sbir_gate.model.records import Reject
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.progress import Progress
from sbir_gate.reading.accounts import Account
from sbir_gate.remote_paths import is_remote
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.reading import work_folder
from sbir_gate.settings.schema import Settings
from sbir_gate.time_left import WRITE


@dataclass(frozen=True, slots=True)
class EnrichRequest:
    """Files in and out; `rejects` and `metrics` are written only where named.

    Without `is_resuming` what an interrupted run left is not used. Progress is written to a file in
    `progress_folder`, the index of all recipients (`recipient_index`) in `index_folder`, if they are named.
    Finished chunks are kept in `chunk_folder`, if it is named and they are kept, else beside the output.
    The parts of `kept_recipients` (`linking.keep_recipients`) are used instead of reading the recipients.
    `later_stages` are those of the caller's own that follow, so that the time left counts them.
    """

    awards: str
    recipients: str
    output: Path
    rejects: Path | None = None
    metrics: Path | None = None
    is_resuming: bool = True
    progress_folder: Path | None = None
    index_folder: Path | None = None
    chunk_folder: Path | None = None
    kept_recipients: Path | None = None
    later_stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnrichSummary:
    """What one enrichment did, for people; `first_reject` is the first row that could not be read.

    `accounts` account for every row that was read, `findings` what was seen on the way.
    """

    awards: int
    recipients: int
    rejects: int
    decisions: Mapping[str, int]
    notes: Mapping[str, str]
    accounts: tuple[Account, ...]
    findings: tuple[Diagnosis, ...]
    first_reject: Reject | None = None


def link_and_write(
    request: EnrichRequest,
    settings: Settings | None = None,
    monitor: PerformanceMonitor | None = None,
    progress: Progress = no_progress,
    watch: ChunkWatch = no_watch,
) -> EnrichSummary:
    """Link the awards to the recipients and write the enriched file.

    Without `settings` those of the current folder and environment apply, as on the command line. `monitor`
    collects seconds and peak memory of each stage; `progress` and `watch` are called while it runs.

    Raises UsageError for an output that would replace an input or another output, InputError for inputs
    that cannot be read, OutputError for outputs that cannot be written, ToolError when the time or the
    memory that the settings grant does not suffice.
    """
    settings = settings or load_settings(None, os.environ).settings
    monitor = monitor or PerformanceMonitor()
    check_output(request.output)
    check_targets(request, settings)
    link_request = LinkRequest(
        request.awards,
        request.recipients,
        request.rejects,
        _chunk_folder(request, settings),
        request.is_resuming,
        request.progress_folder,
        request.index_folder,
        request.kept_recipients,
        (WRITE, *request.later_stages),
    )
    with link_files(link_request, settings, monitor, progress, watch) as linked:
        with linked.track.stage(WRITE, WRITE):
            write_enriched(
                linked.connection, linked.matched, linked.awards.columns, request.output, linked.folder
            )
        return _summary(linked, request, monitor, progress)


def _summary(
    linked: Linked, request: EnrichRequest, monitor: PerformanceMonitor, progress: Progress
) -> EnrichSummary:
    """Count what was done, write the metrics if they are wanted, and say all of it for people."""
    awards, read, matched = linked.awards, linked.recipients, linked.matched
    progress("done", awards.rows, None)
    monitor.count("recipients_scanned", read.recipients)
    accounts = (awards.account, read.account)
    for account in accounts:
        for name, count in account.counters().items():
            monitor.count(name, count)
    for name, count in matched.counters.items():
        monitor.count(name, count)
    notes = {**matched.notes, **read.notes}
    for name, text in notes.items():
        monitor.note(name, text)
    if request.metrics is not None:
        _write_metrics(request.metrics, monitor)
    return EnrichSummary(
        awards.rows,
        read.recipients,
        linked.rejects.count,
        count_links(linked.connection),
        notes,
        accounts,
        (*awards.findings, *read.account.diagnoses()),
        next(iter(linked.rejects.first), None),
    )


def check_targets(request: EnrichRequest, settings: Settings) -> None:
    """Refuse, before any work is done, to write over what is read or over another output."""
    outputs = [path for path in (request.output, request.rejects, request.metrics) if path is not None]
    check_outputs(outputs, files_of([request.awards, request.recipients], settings))
    for path in outputs:
        if not is_remote(path) and not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist", "make the folder first", path=path)


def _write_metrics(path: Path, monitor: PerformanceMonitor) -> None:
    try:
        with create_file(path) as file:
            file.write((json.dumps(monitor.export(), indent=1) + "\n").encode())
    except OSError as error:
        raise unwritable(path, error) from error


def _chunk_folder(request: EnrichRequest, settings: Settings) -> Path | None:
    """Return where the finished chunks of the recipients are kept, None where they are not."""
    if not settings.enrichment.keeps_chunks or request.kept_recipients is not None:
        return None
    output = output_target(request.output)  # two runs that write one file meet there, by whatever link
    kept_in = work_folder(settings) or output.parent
    if is_remote(kept_in) and settings.enrichment.cluster is None:
        return request.chunk_folder  # one machine reads its parts again and again: not over the network
    return request.chunk_folder or kept_in / f"{output.name}.parts"
