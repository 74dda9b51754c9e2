"""How much memory and processor time this process takes: the true peak, not the size at the end.

Linux keeps the peak resident size itself (`VmHWM`) and lowers it to the current size when "5" is
written to `/proc/self/clear_refs`; so even a spike inside one C call is seen. That counter belongs to
the whole process: a naive reset in an inner block would wipe out what an outer block has seen. Hence
one `PeakLedger` per process: each time any block opens or closes, the peak so far is taken once and
folded into every block that is open at that moment.

Limits: memory of child processes is not seen here (the launcher sees it); a spike of another thread
within the microseconds between reading and resetting is lost.
"""

from __future__ import annotations

import functools
import os
import re
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

try:
    import psutil
except ImportError:
    psutil = None  # type: ignore[assignment]  # mypy: a module is not None; here it says "not installed"

SAMPLE_SECONDS = 0.02
KIB_PER_MIB = 1024.0
BYTES_PER_MIB = 1024.0 * 1024.0
_SIZES = re.compile(rb"^VmHWM:\s+(\d+) kB\nVmRSS:\s+(\d+) kB$", re.MULTILINE)
_STATUS_BYTES = 8192


class Sizes(NamedTuple):
    """Resident sizes of this process, in MiB: the largest of a stretch of time, and that at its end."""

    peak_mib: float
    now_mib: float


class MemoryProbe(Protocol):
    """An edge that reads the memory of this process; all sizes in MiB."""

    @property
    def description(self) -> str:
        """Return how the peak is found, for people."""

    def take(self) -> Sizes:
        """Return the largest resident size since the last call and the size now, and start anew from it."""


class KernelProbe:
    """Exact peaks from the Linux kernel. Raises OSError where `folder` does not allow the reset."""

    description = "kernel peak (VmHWM)"

    def __init__(self, folder: Path = Path("/proc/self")) -> None:
        self._status = str(folder / "status")
        self._clear_refs = str(folder / "clear_refs")
        self.take()

    def take(self) -> Sizes:
        """Return VmHWM and VmRSS, then reset the former."""
        # descriptors are not kept: after a fork they would still show the parent
        status = os.open(self._status, os.O_RDONLY)
        try:
            found = _SIZES.search(os.read(status, _STATUS_BYTES))
        finally:
            os.close(status)
        if not found:
            raise OSError(f"{self._status} does not show VmHWM and VmRSS")
        clear_refs = os.open(self._clear_refs, os.O_WRONLY)
        try:
            os.write(clear_refs, b"5")
        finally:
            os.close(clear_refs)
        return Sizes(int(found[1]) / KIB_PER_MIB, int(found[2]) / KIB_PER_MIB)


class SamplingProbe:
    """Peaks by looking every 20 ms: misses spikes that are shorter, or that hold the interpreter lock."""

    description = f"sampled every {SAMPLE_SECONDS * 1000:.0f} ms: short spikes are missed"

    def __init__(self, read_mib: Callable[[], float], interval_seconds: float = SAMPLE_SECONDS) -> None:
        self._read_mib = read_mib
        self._interval_seconds = interval_seconds
        self._lock = threading.Lock()
        self._peak_mib = read_mib()
        self._is_stopped = threading.Event()
        threading.Thread(target=self._watch, name="memory-sampler", daemon=True).start()

    def take(self) -> Sizes:
        """Return the largest size seen since the last call, and the size now."""
        now_mib = self._read_mib()
        with self._lock:
            peak_mib = max(self._peak_mib, now_mib)
            self._peak_mib = now_mib
        return Sizes(peak_mib, now_mib)

    def stop(self) -> None:
        """End the thread that samples."""
        self._is_stopped.set()

    def _watch(self) -> None:
        while not self._is_stopped.wait(self._interval_seconds):
            now_mib = self._read_mib()
            with self._lock:
                self._peak_mib = max(self._peak_mib, now_mib)


class PeakMark:
    """One open stretch of time: the size at its start and the largest size since, in MiB."""

    __slots__ = ("__weakref__", "peak_mib", "start_mib")

    def __init__(self, start_mib: float) -> None:
        self.start_mib = start_mib
        self.peak_mib = start_mib


class PeakLedger:
    """The peaks of all open blocks of this process, nested or in several threads at once.

    Blocks that run at the same time in different threads share one resident size, so each of them is
    given the peak of the process during its own time.
    """

    def __init__(self, probe: MemoryProbe | None) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        # weak: a block that is dropped without being closed does not stay for ever
        self._open: weakref.WeakSet[PeakMark] = weakref.WeakSet()

    @property
    def is_memory_measured(self) -> bool:
        """Say whether sizes are known at all; if not, `open` and `close` return None."""
        return self._probe is not None

    @property
    def description(self) -> str:
        """Return how peaks are found, for people."""
        if self._probe is None:
            return "not measured: no Linux peak counter here and psutil is not installed"
        return self._probe.description

    def open(self) -> PeakMark | None:
        """Begin a block."""
        if self._probe is None:
            return None
        with self._lock:
            mark = PeakMark(self._fold(self._probe))
            self._open.add(mark)
        return mark

    def close(self, mark: PeakMark | None) -> float | None:
        """End a block: its `peak_mib` is final; return the resident size now, in MiB."""
        if self._probe is None or mark is None:
            return None
        with self._lock:
            now_mib = self._fold(self._probe)
            self._open.discard(mark)
        return now_mib

    def refresh(self) -> None:
        """Bring the peak of every open block up to date without closing one."""
        if self._probe is not None:
            with self._lock:
                self._fold(self._probe)

    def _fold(self, probe: MemoryProbe) -> float:
        """Give the peak so far to every open block; return the size now."""
        sizes = probe.take()
        for mark in self._open:
            mark.peak_mib = max(mark.peak_mib, sizes.peak_mib)
        return sizes.now_mib


def choose_probe(
    folder: Path = Path("/proc/self"), sampler: Callable[[], float] | None = None
) -> MemoryProbe | None:
    """Return the best probe of this platform: kernel, else sampling, else None.

    `sampler` returns the resident size in MiB; by default psutil reads it, if installed.
    """
    try:
        return KernelProbe(folder)
    except OSError:
        # not Linux, or a sandbox without clear_refs: the next best will do
        sampler = sampler or psutil_sampler()
        return SamplingProbe(sampler) if sampler else None


def psutil_sampler() -> Callable[[], float] | None:
    """Return a function that reads the resident size in MiB, or None without psutil."""
    if psutil is None:
        return None
    process = psutil.Process()
    return lambda: process.memory_info().rss / BYTES_PER_MIB


@functools.cache
def process_peaks() -> PeakLedger:
    """Return the one ledger of this process; the kernel's counter exists once, so does this."""
    return PeakLedger(choose_probe())


def cpu_seconds() -> float:
    """Return user plus system time of this process, all threads, without child processes."""
    return time.process_time()
