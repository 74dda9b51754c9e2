"""What one measured repeat of the enricher learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Calibration:
    """One timing of the calibration workload: how long it took, and the processor time that it used."""

    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class StageSample:
    """One stage of one repeat; `peak_rss_mib` is None where the platform has no true peak."""

    name: str
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One repeat in a fresh process.

    `peak_rss_mib` is the peak of the whole process tree; `memory_delta_mib` is that peak minus the
    resident size at the start of the process, None if unknown. `calibration_seconds` is the time of
    the calibration workload run just before, `calibration_cpu_seconds` its processor time (None in
    documents of format 2). `output_digest` is the SHA-256 of the decisions, in
    award order. `cpu_wait_seconds` is how long, meanwhile, some task on the machine had to wait for a
    processor (None where the kernel doesn't tell): at most this part of the wall time was lost to other work.
    `io_wait_seconds` is the same for disks. `counters` are exact work counters (recipients scanned,
    pairs scored, ...). `memory_method` and `cpu_method` say how memory and processor time were measured
    (docs/metrics.md); empty where not known.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float
    memory_delta_mib: float | None
    calibration_seconds: float
    output_digest: str
    cpu_wait_seconds: float | None = None
    stages: tuple[StageSample, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    calibration_cpu_seconds: float | None = None
    memory_method: str = ""
    cpu_method: str = ""
    io_wait_seconds: float | None = None
