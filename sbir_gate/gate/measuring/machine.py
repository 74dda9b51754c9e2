"""The machine that measures: what it is, and how fast it is right now."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from sbir_gate.model.run import Machine
from sbir_gate.model.samples import Calibration

CALIBRATION_ROUNDS = 5
_WORDS = (
    "ADVANCED",
    "AEROSPACE",
    "ANALYTICAL",
    "APPLIED",
    "BIO",
    "COASTAL",
    "DYNAMICS",
    "ENERGY",
    "GENERAL",
    "INNOVATION",
    "LABORATORIES",
    "MATERIALS",
    "OPTICAL",
    "PHOTONICS",
    "PRECISION",
    "QUANTUM",
    "RESEARCH",
    "SCIENTIFIC",
    "SYSTEMS",
    "TECHNOLOGIES",
)
_ENDINGS = (" INC.", ", L.L.C.", " CORPORATION", " CO", " LTD", "")


def describe_machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> Machine:
    """Return what decides the speed here. No host name: the fingerprint names a kind, not a machine.

    `cores` are those that this process may use. The fingerprint is the SHA-256 (first 16 hex digits)
    over processor model, cores, memory in whole GiB, system and Python version; memory is rounded
    because hosted machines of one kind differ by some MiB.
    """
    cpu_model = _cpu_model(cpuinfo)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    system = f"{platform.system()} {platform.machine()}"
    parts = (cpu_model, str(cores), str(round(memory_mib / 1024)), system, platform.python_version())
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return Machine(fingerprint, cpu_model, cores, memory_mib, system, platform.python_version())


def _cpu_model(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        # not Linux: the platform module knows less, but enough to tell machines apart
        return platform.processor() or "unknown"
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "CPU part"}:
            return value.strip()
    return platform.processor() or "unknown"


def calibration_workload() -> str:
    """Do a fixed mix of work like an enrichment and return a digest of its results.

    About equal parts: string work in pure Python (normalise, sort tokens), hashing and sorting,
    rapidfuzz over pairs, and memory traffic larger than the caches. Every call does the same.
    """
    names = [
        f"{_WORDS[i % 20]} {_WORDS[i * 7 % 19]} {_WORDS[i * 3 % 17]}{_ENDINGS[i % 6]} ({i % 97})"
        for i in range(3000)
    ]
    normalised = [
        " ".join(sorted(name.replace(".", "").replace(",", " ").replace("(", " ").casefold().split()))
        for name in names
    ]
    digests = sorted(hashlib.sha256(name.encode()).digest() for name in normalised * 3)
    shifted = normalised[1:] + normalised[:1]
    scores = process.cpdist(normalised * 4, shifted * 4, scorer=fuzz.token_sort_ratio, workers=1)
    cells = np.arange(2_000_000, dtype=np.int64)
    total = sum(int((cells * factor)[::-1].copy().sum()) for factor in (3, 5, 7))
    result = f"{digests[0].hex()} {float(scores.sum()):.1f} {total}"
    return hashlib.sha256(result.encode()).hexdigest()


def time_calibration(
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] = time.thread_time,
    workload: Callable[[], object] = calibration_workload,
) -> Calibration:
    """Return the least seconds, by each clock, of five rounds of the calibration workload.

    Wall time and processor time are not taken of one another: on a busy machine the workload waits for a
    processor, and uses no more of it.

    The minimum is steadier than the median: over 300 rounds on a shared two-core machine, groups of five
    varied (standard deviation / mean) by 11% with the minimum, 14% with the median, 17% with the mean.
    """
    rounds = []
    for _ in range(CALIBRATION_ROUNDS):
        started, started_cpu = clock(), cpu_clock()
        workload()
        rounds.append((clock() - started, cpu_clock() - started_cpu))
    return Calibration(min(wall for wall, _ in rounds), min(cpu for _, cpu in rounds))
