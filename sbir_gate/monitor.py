"""The stage timer: wall, processor time, peak memory and work counters, by name."""

from __future__ import annotations

import functools
import inspect
import operator
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import ParamSpec, TypedDict, TypeVar, cast

from sbir_gate.model.samples import StageSample
from sbir_gate.probes import PeakLedger, cpu_seconds, process_peaks

P = ParamSpec("P")
R = TypeVar("R")


class StageExport(TypedDict):
    """One stage as JSON; sizes are None where memory was not measured."""

    name: str
    calls: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float | None
    peak_delta_mib: float | None
    end_delta_mib: float | None


class MonitorExport(TypedDict):
    """All that a monitor knows, as JSON: what an enricher writes to its `{metrics}` file."""

    stages: list[StageExport]
    counters: dict[str, int]
    notes: dict[str, str]
    start_rss_mib: float | None
    peak_rss_mib: float | None


@dataclass(frozen=True, slots=True)
class StageFigures:
    """The sum of all blocks of one name.

    `wall_seconds`, `cpu_seconds` and `end_delta_mib` (size at the end minus at the start; may be
    negative) are summed; `peak_rss_mib` and `peak_delta_mib` (peak minus size at the start) are the
    largest of any block. Sizes are None for blocks that were only timed.
    """

    name: str
    calls: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float | None = None
    peak_delta_mib: float | None = None
    end_delta_mib: float | None = None


class PerformanceMonitor:
    """Collects stages, counters and notes; safe to use from several threads.

    Processor time and memory belong to the process: blocks that overlap in several threads each see
    all of it, so their sums may exceed the whole. A block inside a block of the same name in the same
    thread (recursion) is part of the outer one and is not counted again.

    Without any way to read memory it times only; `is_memory_measured` and the note `memory` say so.
    """

    def __init__(
        self, peaks: PeakLedger | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._peaks = peaks or process_peaks()
        self._clock = clock
        self._lock = threading.Lock()
        self._figures: dict[str, StageFigures] = {}
        self._counters: Counter[str] = Counter()
        self._notes: dict[str, str] = {"memory": self._peaks.description}
        self._open_names = threading.local()
        self._whole = self._peaks.open()

    @property
    def is_memory_measured(self) -> bool:
        """Say whether `monitor_block` gives sizes, or times only."""
        return self._peaks.is_memory_measured

    def time_block(self, name: str) -> AbstractContextManager[None]:
        """Time the block; costs a few microseconds."""
        return self._block(name, None)

    def monitor_block(self, name: str) -> AbstractContextManager[None]:
        """Time the block and find its peak memory; costs about 50 microseconds."""
        return self._block(name, self._peaks)

    @contextmanager
    def _block(self, name: str, peaks: PeakLedger | None) -> Iterator[None]:
        open_names: set[str] = self._open_names.__dict__.setdefault("names", set())
        if name in open_names:
            yield
            return
        open_names.add(name)
        mark = peaks.open() if peaks else None
        started_cpu, started = cpu_seconds(), self._clock()
        try:
            yield
        finally:
            seconds = self._clock() - started, cpu_seconds() - started_cpu
            end_mib = peaks.close(mark) if peaks else None
            sizes: tuple[float, ...] = ()
            if mark is not None and end_mib is not None:
                sizes = mark.peak_mib, mark.peak_mib - mark.start_mib, end_mib - mark.start_mib
            self._add(StageFigures(name, 1, *seconds, *sizes))
            open_names.discard(name)

    def time_function(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate: every call is a `time_block` named like the function. TypeError if it is lazy."""
        return self._wrapped(function, self.time_block)

    def monitor_memory(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate: every call is a `monitor_block` named like the function. TypeError if it is lazy."""
        return self._wrapped(function, self.monitor_block)

    def count(self, name: str, n: int = 1) -> None:
        """Add `n` to a work counter."""
        with self._lock:
            self._counters[name] += n

    def note(self, name: str, text: str) -> None:
        """Keep a fact about the run, e.g. the version of a model."""
        with self._lock:
            self._notes[name] = text

    def figures(self) -> tuple[StageFigures, ...]:
        """Return every stage with all its figures, in the order in which they first ended."""
        with self._lock:
            return tuple(self._figures.values())

    def stages(self) -> tuple[StageSample, ...]:
        """Return every stage, in the order in which they first ended."""
        return tuple(
            StageSample(figure.name, figure.wall_seconds, figure.cpu_seconds, figure.peak_rss_mib)
            for figure in self.figures()
        )

    def export(self) -> MonitorExport:
        """Return everything as plain JSON-able data.

        `start_rss_mib` is the size when the monitor was made, `peak_rss_mib` the peak since then.
        """
        self._peaks.refresh()
        stages = [cast("StageExport", asdict(figure)) for figure in self.figures()]
        with self._lock:
            return MonitorExport(
                stages=stages,
                counters=dict(self._counters),
                notes=dict(self._notes),
                start_rss_mib=self._whole.start_mib if self._whole else None,
                peak_rss_mib=self._whole.peak_mib if self._whole else None,
            )

    def _wrapped(
        self, function: Callable[P, R], block: Callable[[str], AbstractContextManager[None]]
    ) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{function.__qualname__} returns before its work is done: use a block around the work"
            )

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with block(function.__qualname__):
                return function(*args, **kwargs)

        return wrapper

    def _add(self, block: StageFigures) -> None:
        with self._lock:
            sofar = self._figures.get(block.name)
            self._figures[block.name] = block if sofar is None else _joined(sofar, block)


def _joined(left: StageFigures, right: StageFigures) -> StageFigures:
    return StageFigures(
        left.name,
        left.calls + right.calls,
        left.wall_seconds + right.wall_seconds,
        left.cpu_seconds + right.cpu_seconds,
        _known(max, left.peak_rss_mib, right.peak_rss_mib),
        _known(max, left.peak_delta_mib, right.peak_delta_mib),
        _known(operator.add, left.end_delta_mib, right.end_delta_mib),
    )


def _known(join: Callable[[float, float], float], left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return left if right is None else right
    return join(left, right)
