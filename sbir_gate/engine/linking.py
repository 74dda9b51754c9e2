"""From files to decisions: reading, the parts of the recipients and matching joined."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from sbir_gate.engine.cluster import Cluster, ClusterOptions, open_cluster
from sbir_gate.engine.matching.candidates import BlockingOptions
from sbir_gate.engine.matching.cascade import Matched, MatchingOptions, match_firms
from sbir_gate.engine.matching.checkpoints import MatchingCheckpoints
from sbir_gate.engine.matching.ledger import ChunkFolder, Ledger
from sbir_gate.engine.matching.parts import Batches, index_part, open_parts, register_functions
from sbir_gate.engine.matching.query_parts import ScoreParts, score_here
from sbir_gate.engine.partitions import Reading, SharedFolder, SpreadBatches, read_partitions, score_on
from sbir_gate.engine.recipient_parts import (
    KeptParts,
    PartEdges,
    PartMaker,
    PartsRead,
    check_unchanged,
    code_version,
    fingerprint,
    kept_chunks,
    parts_key,
    progress_of,
    share_in_use,
)
from sbir_gate.engine.tracking import ChunkWatch, Track, no_progress, no_watch, time_limit
from sbir_gate.errors import OutputError, SbirGateError, ToolError
from sbir_gate.files import error_reason, write_durably
from sbir_gate.model.award_columns import uncollected
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.probes import process_peaks
from sbir_gate.progress import Progress, ProgressFile
from sbir_gate.reading.award_table import check_award_ids
from sbir_gate.reading.awards import AwardsRead, read_awards
from sbir_gate.reading.database import open_database, storage_fault
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.reading.sources import source_paths
from sbir_gate.remote_paths import StorageError, is_remote
from sbir_gate.settings.reading import database_options, reading_options, work_folder
from sbir_gate.settings.schema import Settings
from sbir_gate.time_left import INDEX, QUALITY, READ_AWARDS, READ_RECIPIENTS, STAGE_COSTS, WRITE


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """Files in, and where chunks (`chunks`, None keeps none), progress and index are kept on the way.

    `kept_recipients` is a folder of `keep_recipients`, whose parts are used instead of reading the source.
    `later_stages` are those that follow the linking: the time left counts them.
    `needed_awards` are ids without which nothing is linked.
    """

    awards: str
    recipients: str
    rejects: Path | None = None
    chunks: Path | None = None
    is_resuming: bool = True
    progress_folder: Path | None = None
    index_folder: Path | None = None
    kept_recipients: Path | None = None
    later_stages: tuple[str, ...] = ()
    needed_awards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """The decisions, with the database that holds the awards, the firms and the candidates behind them."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    awards: AwardsRead
    recipients: PartsRead
    rejects: RejectLog
    matched: Matched
    track: Track


@contextmanager
def link_files(
    request: LinkRequest,
    settings: Settings,
    monitor: PerformanceMonitor,
    progress: Progress = no_progress,
    watch: ChunkWatch = no_watch,
) -> Iterator[Linked]:
    """Link the awards to the recipients, and give the tables behind the decisions while the context lasts.

    Raises as `enrich` does.
    """
    with _opened(request, settings, monitor, progress, watch) as place:
        yield _link(request, settings, place)


def keep_recipients(
    request: LinkRequest,
    settings: Settings,
    awards: int,
    monitor: PerformanceMonitor,
    progress: Progress = no_progress,
    watch: ChunkWatch = no_watch,
) -> bool:
    """Read the recipients into `request.chunks` for any number of later runs; False where that was done.

    `awards` are those of the run that uses them next, for the time left. One process at a time; an
    interrupted one is resumed. Raises as `enrich` does.
    """
    paths = files_of([request.recipients], settings)
    states = [fingerprint(path) for path in paths]
    with _opened(request, settings, monitor, progress, watch) as place:
        ledger = place.ledger
        if ledger is None:
            raise ValueError("chunks that are to be kept need a folder")
        if ledger.is_whole:
            return False
        place.track.awards_read(awards)
        _read_recipients(request, settings, place)
        check_unchanged(paths, states)
        ledger.complete()
        return True


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the work is done: database, folder, the ledger of finished chunks if they are kept, reports.

    With a cluster its workers read and search the recipients, and score the pairs.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path
    ledger: Ledger | None
    track: Track
    rejects: RejectLog
    memory_share: Callable[[], float]
    cluster: Cluster | None


@contextmanager
def _opened(
    request: LinkRequest,
    settings: Settings,
    monitor: PerformanceMonitor,
    progress: Progress,
    watch: ChunkWatch,
) -> Iterator[_Place]:
    performance = settings.enrichment.performance
    memory_share = share_in_use(performance.memory_threshold_mb, process_peaks())
    with _workplace(request, settings) as (folder, ledger):
        try:
            with (
                uncollected(),
                Track(monitor, progress, watch, _progress_file(request), _planned(request)) as track,
                RejectLog(request.rejects) as rejects,
                open_database(database_options(settings), folder) as connection,
                _opened_cluster(settings) as cluster,
                time_limit(
                    connection,
                    track.pulse,
                    performance.timeout_seconds,
                    None if cluster is None else cluster.stop,
                ),
            ):
                register_functions(connection)
                yield _Place(connection, folder, ledger, track, rejects, memory_share, cluster)
        except duckdb.IOException as error:
            hint = "name a folder with room in enrichment.work_folder"
            raise OutputError(f"the work folder cannot be used ({error_reason(error)})", hint) from error
        except duckdb.Error as error:
            fault = storage_fault(error)
            if fault is None:
                raise
            hint = getattr(fault, "hint", StorageError.hint)
            raise ToolError(f"remote storage failed ({error_reason(fault)})", hint) from error


@contextmanager
def _opened_cluster(settings: Settings) -> Iterator[Cluster | None]:
    """Give the cluster of the settings, if they name one."""
    performance = settings.enrichment.performance
    with ExitStack() as stack:
        cluster = None
        if settings.enrichment.cluster is not None:
            options = ClusterOptions(
                settings.enrichment.cluster,
                performance.memory_threshold_mb,
                performance.workers,
                performance.timeout_seconds,
            )
            cluster = stack.enter_context(open_cluster(options))
        yield cluster


def _planned(request: LinkRequest) -> set[str]:
    """Return the stages of the whole work, those that follow the linking included."""
    # an index of parts that are files takes no time
    is_in_files = request.chunks is not None or request.kept_recipients is not None
    index = {INDEX} if request.index_folder is not None and not is_in_files else set()
    return (STAGE_COSTS.keys() - {INDEX, WRITE, QUALITY}) | index | {*request.later_stages}


def _progress_file(request: LinkRequest) -> ProgressFile:
    identity = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
    return ProgressFile(request.progress_folder, identity, time.monotonic, lambda: datetime.now(UTC))


@contextmanager
def _workplace(request: LinkRequest, settings: Settings) -> Iterator[tuple[Path, Ledger | None]]:
    """Give a folder for the work, and the ledger of finished chunks if they are to be kept.

    If the work ends early, the error says which finished chunks can be resumed.
    """
    if request.chunks is None:
        # a worker that is still at a task may write to it while it is removed
        with tempfile.TemporaryDirectory(
            prefix="sbir-gate-", dir=work_folder(settings), ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder), None
        return
    paths = files_of([request.recipients], settings)
    ledger = Ledger(
        request.chunks, parts_key(paths, reading_options(settings)), is_fresh=not request.is_resuming
    )
    is_done = False
    try:
        with ExitStack() as stack:
            here = ledger.scratch
            if is_remote(here):
                here = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sbir-gate-")))
            yield here, ledger
        is_done = True
    except (SbirGateError, duckdb.Error, KeyboardInterrupt) as error:
        if ledger.has_chunks:
            error.add_note(f"finished chunks are kept in {ledger.folder}: run the same command to resume")
        raise
    finally:
        ledger.close(is_done=is_done)


def matching_options(settings: Settings) -> MatchingOptions:
    """Return what matching is given of the settings."""
    matching = settings.matching
    return MatchingOptions(
        methods=matching.methods,
        min_precision=matching.min_precision,
        acceptance_limit=matching.acceptance_limit,
        max_candidates=matching.max_candidates,
        max_frequency_in_state=matching.namesakes_in_state,
        min_training_labels=matching.min_training_labels,
        max_training_labels=matching.max_training_labels,
        blocking=BlockingOptions(
            max_firms_per_key=matching.max_firms_per_key,
            max_pairs_per_key=matching.max_pairs_per_key,
            pairs_per_query=matching.pairs_per_query,
        ),
    )


def _link(request: LinkRequest, settings: Settings, place: _Place) -> Linked:
    options, track = reading_options(settings), place.track
    connection, rejects = place.connection, place.rejects
    paths = files_of([request.awards, request.recipients], settings)
    states = [fingerprint(path) for path in paths]
    with track.stage(READ_AWARDS):
        awards = read_awards(connection, request.awards, place.folder, options, rejects)
        check_award_ids(connection, request.needed_awards, request.awards)
    track.awards_read(awards.rows)
    read = _read_recipients(request, settings, place)
    batches = _batches(read, place)
    check_unchanged(paths, states)
    if request.index_folder is not None:
        with track.stage(INDEX):
            for number, part in enumerate(read.parts):
                index_part(connection, part, request.index_folder, number)

    def stage(name: str) -> AbstractContextManager[None]:
        return track.stage(name, f"matching: {name}")

    matching = matching_options(settings)
    checkpoints = None
    if place.ledger is not None:
        facts = {
            "sources": states,
            "code": code_version(),
            "reading": (options.max_record_mib, options.find_header),
            "matching": asdict(matching),
        }
        checkpoints = MatchingCheckpoints(place.ledger, facts)
    score = _score_parts(place)
    matched = match_firms(connection, matching, stage, batches, track.pulse.beat, checkpoints, score)
    return Linked(connection, place.folder, awards, read, rejects, matched, track)


def _batches(read: PartsRead, place: _Place) -> Batches:
    """Return the batches of the recipients, searched by the workers if there are any."""
    if place.cluster is None:
        return open_parts(place.connection, read.parts)
    return SpreadBatches(place.cluster, place.connection, read.parts, _shared_folder(place).folder)


def _score_parts(place: _Place) -> ScoreParts:
    """Return who works on parts of the queries: the workers if there are any."""
    if place.cluster is None:
        return score_here
    return partial(score_on, place.cluster, _shared_folder(place).folder)


def _read_recipients(request: LinkRequest, settings: Settings, place: _Place) -> PartsRead:
    """Make the parts of the recipients, or find those that are kept; report progress after each chunk."""
    track, ledger, performance = place.track, place.ledger, settings.enrichment.performance
    options = reading_options(settings)
    if place.cluster is not None:
        _check_cluster(place.cluster, request, settings, place)
    if request.kept_recipients is not None:
        key = parts_key(files_of([request.recipients], settings), options)
        with track.stage(READ_RECIPIENTS):
            kept = KeptParts(request.kept_recipients, key)
            read = kept.read(place.connection, request.recipients, place.folder, options, place.rejects)
            track.chunk(progress_of(read, performance.chunk_size))
            return read
    if ledger is not None:
        for message in ledger.findings():
            track.note(message)
        if ledger.finished:
            track.kept(kept_chunks(ledger, performance.chunk_size))
    if place.cluster is not None:
        return _read_on_cluster(place.cluster, request, settings, place)
    place.memory_share()  # the peak while awards were read must not shrink chunks
    edges = PartEdges(memory_share=place.memory_share, report=track.chunk)
    with track.stage(READ_RECIPIENTS):
        maker = PartMaker(place.connection, place.folder, options, performance.chunk_size, ledger, edges)
        return maker.read(request.recipients, place.rejects, ledger.finished if ledger is not None else ())


def _read_on_cluster(cluster: Cluster, request: LinkRequest, settings: Settings, place: _Place) -> PartsRead:
    reading = Reading(
        request.recipients,
        place.folder,
        reading_options(settings),
        settings.enrichment.performance.chunk_size,
        place.rejects,
        place.track.chunk,
    )
    with place.track.stage(READ_RECIPIENTS):
        return read_partitions(cluster, place.connection, _shared_folder(place), reading)


def _check_cluster(cluster: Cluster, request: LinkRequest, settings: Settings, place: _Place) -> None:
    """Raise an error unless all workers have this code, and see the recipients and the parts' folder."""
    mark = _shared_folder(place).folder / f"seen-by-{os.getpid()}"
    write_durably(mark, b"")
    kept = request.kept_recipients
    files = files_of([request.recipients], settings) if kept is None else list(kept.glob("part-*"))
    # of remote files one says whether a worker may read there; each would be a request of each worker
    asked = [*itertools.filterfalse(is_remote, files), *itertools.islice(filter(is_remote, files), 1)]
    workers = cluster.check([*asked, mark])
    place.track.note(f"Dask workers: {workers}; dashboard: {cluster.dashboard}")


def _shared_folder(place: _Place) -> SharedFolder:
    """Return the folder that all workers must see: that of the ledger, or the one for temporary files."""
    if place.ledger is None:
        return SharedFolder(ChunkFolder(place.folder, place.folder), (), is_resumable=False)
    ledger = place.ledger
    return SharedFolder(ChunkFolder(ledger.folder, ledger.scratch), ledger.finished, is_resumable=True)


def files_of(sources: Sequence[str], settings: Settings) -> list[Path]:
    """Return the files that hold the sources, in the order in which they are read."""
    options = reading_options(settings)
    return [
        path for source in sources for file in resolve_files(source) for path in source_paths(file, options)
    ]
