"""How far an enrichment is: reported at each chunk and stage, with the time that all of it still takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType

import duckdb

from sbir_gate.errors import LimitError, SbirGateError
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.progress import ChunkProgress, Progress, ProgressFile, Pulse
from sbir_gate.time_left import StageState, seconds_left

ChunkWatch = Callable[[ChunkProgress], None]
"""Called after each chunk of the recipients; the first call is for resumed chunks (no seconds passed)."""

_INTERRUPT_SECONDS = 0.01
_NOTHING = ChunkProgress("", 0, 0, 0, 0.0, 0.0, 0, is_resumable=False)


def no_watch(_chunk: ChunkProgress) -> None:
    """Take no note of chunks."""


def no_progress(
    stage: str,
    records: int,
    share: float | None,
    remark: str = "",
    seconds_left: float | None = None,
) -> None:
    """Take no note of the progress."""


def engine_seconds_left(
    monitor: PerformanceMonitor,
    awards: int,
    recipients: int,
    current: StageState,
    planned: Collection[str],
) -> float:
    """Return the seconds until the `planned` stages are done, by those that the monitor has timed."""
    finished = {stage.name: stage.wall_seconds for stage in monitor.stages()}
    return seconds_left(awards, recipients, finished, current, planned)


class Track:
    """Times the stages of one enrichment and reports each that begins, and each chunk.

    `planned` are the stages, those included that follow the linking. `awards` is set once they are read.
    """

    def __init__(
        self,
        monitor: PerformanceMonitor,
        progress: Progress,
        watch: ChunkWatch,
        file: ProgressFile,
        planned: Collection[str],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.awards: int | None = None
        self.pulse = Pulse()
        self._monitor = monitor
        self._progress = progress
        self._watch = watch
        self._file = file
        self._planned = planned
        self._clock = clock
        self._now = now
        self._last = _NOTHING
        self._stage = ""
        self._started = clock()

    def __enter__(self) -> Track:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        self._file.finish("finished" if error is None else failed)

    @contextmanager
    def stage(self, name: str, label: str = "") -> Iterator[None]:
        """Time a stage, and report that it begins."""
        self._stage, self._started = name, self._clock()
        left = self._seconds_left(StageState(name))
        self._last = replace(self._last, stage=label or name, seconds_left=left)
        if label:
            self._file.report(self._last)
            self._progress(label, 0, None, "", left)
        self.pulse.beat()
        with self._monitor.monitor_block(name):
            yield
        self.pulse.beat()

    def note(self, message: str) -> None:
        """Report something else than progress."""
        self._progress(message, 0, None)

    def awards_read(self, awards: int) -> None:
        """Take note of the number of awards."""
        self.awards = awards
        self._progress("awards", awards, 1.0)

    def kept(self, chunk: ChunkProgress) -> None:
        """Report what an interrupted run left."""
        self._last = chunk
        self._watch(chunk)

    def chunk(self, chunk: ChunkProgress) -> None:
        """Report a chunk that is done."""
        self.pulse.beat()
        reused = chunk.share * chunk.records_reused / chunk.records if chunk.records else 0.0
        state = StageState(self._stage, self._clock() - self._started, chunk.share, reused)
        self._last = replace(chunk, checkpoint_at=self._now() if chunk.is_resumable else None)
        self._last = chunk = replace(self._last, seconds_left=self._seconds_left(state))
        kept = f"chunk {chunk.chunks} kept" if chunk.is_resumable else ""
        self._progress(chunk.stage, chunk.records, chunk.share, kept, chunk.seconds_left)
        self._file.report(chunk)
        self._watch(chunk)

    def _seconds_left(self, state: StageState) -> float | None:
        recipients = self._last.records_in_all
        if self.awards is None or recipients is None:
            return None
        return engine_seconds_left(self._monitor, self.awards, recipients, state, self._planned)


@contextmanager
def time_limit(
    connection: duckdb.DuckDBPyConnection, pulse: Pulse, seconds: float, stop: Callable[[], None] | None
) -> Iterator[None]:
    """Interrupt the database when no progress was made for so long: the next or present query ends it all.

    `stop` is called then, if there is anything else to stop.
    """
    is_late = threading.Event()
    is_over = threading.Event()

    def interrupt() -> None:
        while (left := seconds - pulse.idle_seconds()) > 0:
            if is_over.wait(left):
                return
        is_late.set()
        if stop is not None:
            stop()
        # an interrupt between two queries is lost: go on until one is hit
        while not is_over.is_set():
            connection.interrupt()
            is_over.wait(_INTERRUPT_SECONDS)

    watch = threading.Thread(target=interrupt, name="sbir-gate-time-limit", daemon=True)
    watch.start()
    try:
        yield
    except (duckdb.Error, SbirGateError) as error:
        if is_late.is_set():
            raise LimitError(
                f"the enrichment made no progress for {seconds:g} seconds and was stopped",
                "raise enrichment.performance.timeout_seconds if a single step of it needs longer",
            ) from error
        raise
    finally:
        is_over.set()
        watch.join()
