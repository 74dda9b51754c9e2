"""Partitions that workers take: of the recipients, to read and search; of the queries, to score."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.decisions import DecisivePairs
from sbir_gate.engine.matching.ledger import ChunkFolder, FinishedChunk
from sbir_gate.engine.matching.parts import Part, batch_queries, copy_rows, part_in
from sbir_gate.engine.matching.query_parts import Scoring
from sbir_gate.engine.recipient_parts import PartsRead
from sbir_gate.engine.worker_tasks import (
    BATCH,
    SCORED_TABLES,
    ReadTask,
    ScoreTask,
    SelectTask,
    Tables,
    read_piece,
    score_part,
    select_rows,
)
from sbir_gate.files import remove, replacing
from sbir_gate.progress import ChunkProgress
from sbir_gate.reading.database import DatabaseOptions
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipients import count_recipients, cut_recipients
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.remote_paths import read_remotely
from sbir_gate.sql_text import file_relation

Task = TypeVar("Task")
Result = TypeVar("Result")


class Workers(Protocol):
    """Whoever does tasks: functions of a task and of what a database may use there."""

    def run(
        self, function: Callable[[Task, DatabaseOptions], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result, in the order in which they are done.

        Raises what a task raises, and ToolError where the workers are gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder that all workers see: where parts are recorded, and rows are handed on."""

    chunks: ChunkFolder
    finished: tuple[FinishedChunk, ...]
    is_resumable: bool

    @property
    def folder(self) -> Path:
        """Where rows are handed on: what is in it may be lost."""
        return self.chunks.scratch


@dataclass(frozen=True, slots=True)
class Reading:
    """The recipients to read, a folder for work, how to read, and where rejects and progress go."""

    source: str
    folder: Path
    options: ReadingOptions
    first_chunk: int
    rejects: RejectLog
    report: Callable[[ChunkProgress], None]
    clock: Callable[[], float] = time.monotonic


def read_partitions(
    workers: Workers, connection: DuckDBPyConnection, place: SharedFolder, reading: Reading
) -> PartsRead:
    """Let workers read the pieces of the recipients that are not finished. Raises what reading raises."""
    started = reading.clock()
    pieces = cut_recipients(connection, reading.source, reading.options)
    size = max(sum(piece.size_bytes for piece in pieces), 1)
    known = tuple(done.chunk for done in place.finished)
    reused = sum(chunk.kept for chunk in known)
    open_pieces = [piece for piece in pieces if piece.to_read(known)]
    left = sum(piece.size_bytes for piece in open_pieces)
    tasks = [
        ReadTask(
            piece,
            tuple(chunk for chunk in known if chunk.file == piece.number),
            place.chunks,
            reading.options,
            reading.first_chunk,
        )
        for piece in open_pieces
    ]
    found = list(place.finished)
    for task, chunks in workers.run(read_piece, tasks):
        found += chunks
        left -= task.piece.size_bytes
        reading.report(
            ChunkProgress(
                stage="recipients",
                chunks=len(found),
                records=sum(done.chunk.kept for done in found),
                records_reused=reused,
                share=1.0 - left / size,
                seconds=reading.clock() - started,
                chunk_size=reading.options.chunk_size,
                is_resumable=place.is_resumable,
            )
        )
    found.sort(key=lambda done: (done.chunk.file, done.chunk.span.start))
    account = count_recipients(
        connection,
        reading.source,
        reading.folder,
        reading.options,
        reading.rejects,
        [done.chunk for done in found],
    )
    notes = {"parts": "on disk"}
    if known:
        notes["resumed"] = f"{len(known)} of {len(found)} chunks were there already"
    parts = tuple(part_in(done.path, done.chunk.kept) for done in found)
    return PartsRead(parts, sum(part.recipients for part in parts), reused, account, notes)


class SpreadBatches:
    """Batches in which workers look for rows; tables and rows are handed on as files in a shared folder."""

    def __init__(
        self, workers: Workers, connection: DuckDBPyConnection, parts: Sequence[Part], folder: Path
    ) -> None:
        self._workers = workers
        self._connection = connection
        self._batches = batch_queries(parts)
        self._folder = folder
        self._numbers = itertools.count()

    def select(self, query: Callable[[str], str], needed: Sequence[str] = ()) -> Iterator[str]:
        """Yield SQL for the rows that `query` selects of each batch."""
        number = next(self._numbers)
        same = {name: name for name in needed}
        with _handed_on(self._connection, same, self._folder, str(number)) as tables:
            tasks = [
                SelectTask(batch, tables, query(BATCH), self._folder / f"rows-{number}-{index:06d}.parquet")
                for index, batch in enumerate(self._batches)
            ]
            for task, _ in self._workers.run(select_rows, tasks):
                read_remotely(self._connection, [task.target])
                yield f"FROM {file_relation([task.target])}"
                remove(task.target)


def score_on(
    workers: Workers,
    folder: Path,
    connection: DuckDBPyConnection,
    scoring: Scoring,
    conditions: Iterable[str],
) -> Iterator[tuple[str, DecisivePairs]]:
    """Let workers score parts of the queries (`ScoreParts`); the tables are handed on in a shared folder."""
    with _handed_on(connection, SCORED_TABLES, folder, "scored") as tables:
        tasks = (ScoreTask(condition, tables, scoring) for condition in conditions)
        for task, found in workers.run(score_part, tasks):
            yield task.condition, found


@contextmanager
def _handed_on(
    connection: DuckDBPyConnection, tables: Mapping[str, str], folder: Path, mark: str
) -> Iterator[Tables]:
    """Give the files of tables, by the names that tasks have for them, and remove them when all is done."""
    files = tuple((name, folder / f"{name}-{mark}.parquet") for name in tables)
    for name, path in files:
        with replacing(path) as written:
            copy_rows(connection, f"FROM {tables[name]}", written)
    yield files
    for _, path in files:
        remove(path)
