"""Recipients to parts: one pass over the source, chunk by chunk, within the budget, and resumable."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path

import duckdb

from sbir_gate import __version__
from sbir_gate.engine.matching.ledger import ChunkFolder, FinishedChunk, Ledger, whole_chunks
from sbir_gate.engine.matching.parts import Part, keep_part, part_in, spill_part, write_part
from sbir_gate.errors import InputError
from sbir_gate.files import open_file, state_of, unreadable, unwritable
from sbir_gate.model.chunks import Chunk
from sbir_gate.probes import PeakLedger
from sbir_gate.progress import ChunkProgress
from sbir_gate.reading.accounts import Account
from sbir_gate.reading.database import WORK_HINT
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipients import (
    Piece,
    RecipientBatch,
    count_recipients,
    iterate_piece,
    iterate_recipients,
)
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.remote_paths import is_remote, version_of

_SAMPLE_BYTES = 1 << 16
_SAMPLES = 64

HALVE_ABOVE = 0.80
SPILL_ABOVE = 0.95
GROW_BELOW = 0.50
"""Shares of the memory budget: above, chunks are halved or parts go to disk; below, chunks grow."""

SMALLEST_CHUNK = 1_000
"""Rows; smaller chunks cost time and save nothing."""

LONGEST_SECONDS = 10.0
"""Chunks do not grow beyond what takes this long at the speed of the last: so often there is a checkpoint."""

# each chunk costs some 40 ms, so there are few steps to the largest; small ones once memory was short
_GROWTH = 25
_REGROWTH = 2


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """Rows of the first chunk, and of the largest that chunks may grow to."""

    first: int
    largest: int


@dataclass(frozen=True, slots=True)
class ChunkCost:
    """What a chunk took: the most of the budget in use (above 1 beyond it), its rows and time."""

    memory_share: float
    seconds: float
    rows: int


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """How to go on: rows of the next chunk, whether parts are on disk, and by how much chunks may grow."""

    chunk_size: int
    is_spilling: bool
    growth: int = _GROWTH


def next_plan(plan: ChunkPlan, cost: ChunkCost, sizes: ChunkSizes) -> ChunkPlan:
    """Return how to go on after a chunk of this plan.

    A chunk is never made smaller than SMALLEST_CHUNK (or the first, if that is smaller) and never
    larger than `sizes.largest`. Parts that have begun to go to disk go on doing so.
    """
    chunk, growth = plan.chunk_size, plan.growth
    if cost.memory_share > HALVE_ABOVE:
        chunk, growth = max(chunk // 2, min(SMALLEST_CHUNK, sizes.first)), _REGROWTH
    elif cost.memory_share < GROW_BELOW:
        affordable = cost.rows * LONGEST_SECONDS / cost.seconds if cost.seconds > 0 else float("inf")
        chunk = max(chunk, int(min(chunk * growth, sizes.largest, max(affordable, sizes.first))))
    return ChunkPlan(chunk, plan.is_spilling or cost.memory_share > SPILL_ABOVE, growth)


def share_in_use(budget_mib: float, peaks: PeakLedger) -> Callable[[], float]:
    """Return a function that says how much of the budget was in use at most since it was called last.

    What counts is what was added to the process since now. What that holds already, of an orchestrator's
    worker say, is not the work's, and no smaller chunk frees it. 0 where sizes are not known.
    """
    mark = peaks.open()
    start_mib = mark.start_mib if mark is not None else 0.0

    def share() -> float:
        nonlocal mark
        peaks.close(mark)
        peak_mib = mark.peak_mib if mark is not None else 0.0
        mark = peaks.open()
        return max(peak_mib - start_mib, 0.0) / budget_mib

    return share


@dataclass(frozen=True, slots=True)
class PartEdges:
    """What making parts asks of the world: the share of memory, the clock, and where progress is reported.

    `memory_share` is the most of the budget that was in use since it was asked last, above 1 beyond it.
    """

    memory_share: Callable[[], float]
    report: Callable[[ChunkProgress], None]
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class PartsRead:
    """The result of one pass: the parts, their number of recipients, the account, and how the pass went."""

    parts: Sequence[Part]
    recipients: int
    reused: int
    account: Account
    notes: dict[str, str] = field(default_factory=dict)


def parts_key(paths: Sequence[Path], options: ReadingOptions) -> str:
    """Return the key of all that parts depend on: the source, the code that makes them, the settings.

    Raises InputError when a file cannot be read.
    """
    facts = {
        "source": [fingerprint(path) for path in paths],
        "code": code_version(),
        "duckdb": duckdb.__version__,
        "max_record_mib": options.max_record_mib,
        "find_header": options.find_header,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def fingerprint(path: Path) -> str:
    """Return the fingerprint of a file's state: size, time of change, and 64 samples of its bytes.

    A change that keeps size and time and misses every sample is not seen; to hash the whole of a dump
    would take as long as to read it. Remote storage is asked for the version that it gives the file.
    """
    try:
        if is_remote(path):
            return hashlib.sha256(f"{path} {version_of(path)}".encode()).hexdigest()
        state = path.stat()
        digest = hashlib.sha256(f"{path.name} {state.st_size} {state.st_mtime_ns}".encode())
        with open_file(path) as file:
            for number in range(_SAMPLES):
                file.seek(max(state.st_size - _SAMPLE_BYTES, 0) * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    except OSError as error:
        raise unreadable(path, error) from error
    return digest.hexdigest()


def code_version(*others: str) -> str:
    """Return the version, with a digest of the reading code: parts of other code are not used.

    `others` are packages whose code counts too.
    """
    digest = hashlib.sha256()
    for package in ("sbir_gate.reading", "sbir_gate.engine.matching", *others):
        for path in sorted(files(package).iterdir(), key=lambda path: path.name):
            if path.is_file() and not path.name.endswith(".pyc"):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{__version__} {digest.hexdigest()}"


class PartMaker:
    """Makes the parts of one pass: each a file in the ledger, or a table while there is room."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        options: ReadingOptions,
        first_chunk: int,
        chunks: ChunkFolder | None,
        edges: PartEdges,
    ) -> None:
        """Chunks begin with `first_chunk` rows and grow up to the options' `chunk_size`.

        Finished chunks are recorded in `chunks`, if they are kept.
        """
        self._connection = connection
        self._folder = folder
        self._options = options
        self._sizes = ChunkSizes(first_chunk, options.chunk_size)
        self._chunks = chunks
        self._edges = edges
        self._plan = ChunkPlan(first_chunk, is_spilling=chunks is not None)
        self._smallest = first_chunk
        self._parts: list[Part] = []
        self._recipients = 0

    def read(self, source: str, rejects: RejectLog, finished: Sequence[FinishedChunk] = ()) -> PartsRead:
        """Read the source once, but for what is finished.

        Raises what `iterate_recipients` and the writing of parts raise.
        """
        self._parts = [_part_of(done) for done in finished]
        self._recipients = reused = sum(done.chunk.kept for done in finished)
        started = self._edges.clock()
        accounts: list[Account] = []
        batches = iterate_recipients(
            self._connection,
            source,
            self._folder,
            self._options,
            rejects,
            finished=[done.chunk for done in finished],
            chunk_size=lambda: self._plan.chunk_size,
            on_account=accounts.append,
        )
        for batch, _ in self._written_parts(batches):
            self._edges.report(self._progress(batch, reused, self._edges.clock() - started))
        notes = self._notes(len(finished))
        return PartsRead(tuple(self._parts), self._recipients, reused, accounts[0], notes)

    def read_piece(self, piece: Piece, finished: Sequence[Chunk]) -> tuple[FinishedChunk, ...]:
        """Return the chunks of a piece, each with its part file. Raises as `read` does."""
        batches = iterate_piece(
            self._connection, piece, self._folder, self._options, finished, lambda: self._plan.chunk_size
        )
        return tuple(
            FinishedChunk(batch.chunk, part.path)
            for batch, part in self._written_parts(batches)
            if part.path is not None
        )

    def _written_parts(self, batches: Iterable[RecipientBatch]) -> Iterator[tuple[RecipientBatch, Part]]:
        """Make the part of each batch, and go by what it took."""
        started = self._edges.clock()
        for batch in batches:
            part = self._written(partial(self._part, batch))
            self._parts.append(part)
            self._recipients += batch.rows
            now = self._edges.clock()
            self._adapt(ChunkCost(self._edges.memory_share(), now - started, batch.chunk.rows))
            started = now
            yield batch, part

    def _written(self, write: Callable[[], Part]) -> Part:
        """Return the part that `write` makes, retried after transient errors of the disk or share."""
        try:
            return self._options.retrying.call(write)
        except OSError as error:
            if self._chunks is not None:
                raise self._chunks.unwritable(error) from error
            raise unwritable(self._folder, error, WORK_HINT) from error

    def _part(self, batch: RecipientBatch) -> Part:
        if self._chunks is not None:
            path = self._chunks.record(
                batch.chunk, lambda path: write_part(self._connection, batch.table, path)
            )
            return part_in(path, batch.rows)
        if self._plan.is_spilling:
            return write_part(self._connection, batch.table, self._folder / f"part-{batch.index:06d}.parquet")
        return keep_part(self._connection, batch.table, f"part_{batch.index:06d}")

    def _adapt(self, cost: ChunkCost) -> None:
        """Go by what the last chunk took: larger or smaller chunks, parts to disk."""
        was_spilling = self._plan.is_spilling
        self._plan = next_plan(self._plan, cost, self._sizes)
        self._smallest = min(self._smallest, self._plan.chunk_size)
        if self._plan.is_spilling and not was_spilling:
            self._parts = [
                self._written(
                    partial(spill_part, self._connection, part, self._folder / f"{part.relation}.parquet")
                )
                for part in self._parts
            ]

    def _progress(self, batch: RecipientBatch, reused: int, seconds: float) -> ChunkProgress:
        return ChunkProgress(
            stage="recipients",
            chunks=len(self._parts),
            records=self._recipients,
            records_reused=reused,
            share=batch.share_read,
            seconds=seconds,
            chunk_size=self._plan.chunk_size,
            is_resumable=self._chunks is not None,
        )

    def _notes(self, reused_chunks: int) -> dict[str, str]:
        notes = {"parts": "on disk" if self._plan.is_spilling else "in memory"}
        if reused_chunks:
            notes["resumed"] = f"{reused_chunks} of {len(self._parts)} chunks were there already"
        if self._smallest < self._sizes.first:
            notes["smallest_chunk"] = f"{self._smallest} rows, for want of memory"
        return notes


@dataclass(frozen=True, slots=True)
class KeptParts:
    """The parts of a whole source in a folder, and their key (`parts_key`)."""

    folder: Path
    key: str

    def read(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: str,
        work_folder: Path,
        options: ReadingOptions,
        rejects: RejectLog,
    ) -> PartsRead:
        """Return the parts; of the source the headers alone are read.

        Raises InputError where they are not there whole, and as `iterate_recipients` does.
        """
        finished = whole_chunks(self.folder, self.key)
        chunks = [done.chunk for done in finished]
        account = count_recipients(connection, source, work_folder, options, rejects, chunks)
        recipients = sum(chunk.kept for chunk in chunks)
        return PartsRead(tuple(map(_part_of, finished)), recipients, 0, account, {"parts": "on disk"})


def _part_of(done: FinishedChunk) -> Part:
    return part_in(done.path, done.chunk.kept)


def progress_of(read: PartsRead, chunk_size: int) -> ChunkProgress:
    """Return the progress of a run that finds all recipients read."""
    return ChunkProgress(
        stage="recipients",
        chunks=len(read.parts),
        records=read.recipients,
        records_reused=0,
        share=1.0,
        seconds=0.0,
        chunk_size=chunk_size,
        is_resumable=True,
    )


def kept_chunks(ledger: Ledger, chunk_size: int) -> ChunkProgress:
    """Return what an interrupted run left, as the progress before any time has passed."""
    records = sum(done.chunk.kept for done in ledger.finished)
    last_change = max(state_of(done.path).st_mtime for done in ledger.finished)
    return ChunkProgress(
        stage="recipients",
        chunks=len(ledger.finished),
        records=records,
        records_reused=records,
        share=0.0,
        seconds=0.0,
        chunk_size=chunk_size,
        is_resumable=True,
        # not every storage says when
        checkpoint_at=datetime.fromtimestamp(last_change, UTC) if last_change else None,
    )


def check_unchanged(paths: Sequence[Path], before: Sequence[str]) -> None:
    """Raise InputError when a source is not what it was when reading began: parts would be of two states."""
    for path, known in zip(paths, before, strict=True):
        if fingerprint(path) != known:
            raise InputError(
                "has changed while it was read", "run again when nothing writes to it any more", path=path
            )
