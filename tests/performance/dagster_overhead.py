"""What the assets of Dagster cost beside the engine alone: in turn, in one process, on the same files.

    python -m tests.performance.dagster_overhead AWARDS RECIPIENTS [PAIRS]

The engine's own time in the asset, with its stage timer, its progress events every second and its files, is
held against `enrich` with no timer and nobody told. Then the whole job, `sbir-gate enrich --through dagster`,
is held against `sbir-gate enrich`: processes of their own, without a truth.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import dagster as dg

from sbir_gate.documents import load_run
from sbir_gate.engine import EnrichRequest, enrich
from sbir_gate.gate.measuring.process import ProcessRequest, raise_on_failure, run_process
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB
from sbir_gate.probes import PeakLedger
from sbir_gate.settings import load_settings

TIMEOUT = "enrichment.performance.timeout_seconds=36000"


def alone(awards: str, recipients: str, folder: Path) -> tuple[float, float]:
    """Return wall and processor seconds of the engine, with nobody watching."""
    settings = load_settings(None, {}, {}, [TIMEOUT]).settings
    request = EnrichRequest(awards, recipients, folder / "alone.parquet")
    monitor = PerformanceMonitor(PeakLedger(None))
    started, started_cpu = time.perf_counter(), time.process_time()
    enrich(request, settings, monitor, lambda *_facts: None)
    return time.perf_counter() - started, time.process_time() - started_cpu


def in_asset(awards: str, recipients: str, folder: Path) -> tuple[float, float, float]:
    """Return wall and processor seconds of the engine in its asset, and wall seconds of the whole job."""
    assignments = [TIMEOUT, "fixtures.truth=null", "orchestration.progress_seconds=1", "gate.name=overhead"]
    config = {
        "awards": awards,
        "recipients": recipients,
        "folder": str(folder / "assets"),
        "assignments": assignments,
    }
    with dg.instance_for_test() as instance:
        job = build_definitions().resolve_job_def(JOB)
        started = time.perf_counter()
        job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "resources": {"gate": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        whole = time.perf_counter() - started
    (sample,) = load_run(folder / "assets" / f"{ENRICHED}.json").samples
    return sample.wall_seconds, sample.cpu_seconds, whole


def as_process(awards: str, recipients: str, folder: Path, *options: str) -> tuple[float, float, float]:
    """Return wall and processor seconds and the peak, in MiB, of `sbir-gate enrich` with these options."""
    output, metrics = folder / "out.parquet", folder / "metrics.json"
    command = [sys.executable, "-m", "sbir_gate", "enrich", "--quiet", *options, "--set", TIMEOUT]
    command += ["--awards", awards, "--recipients", recipients, "--output", str(output)]
    command += ["--metrics", str(metrics)]
    request = ProcessRequest(tuple(command), os.environ, Path.cwd(), 36000)
    done = run_process(request)
    raise_on_failure(request, done)
    # the engine resets the kernel's peak at each of its stages, and keeps them
    peak_mib = max(done.peak_rss_mib, json.loads(metrics.read_text())["peak_rss_mib"])
    return done.wall_seconds, done.cpu_seconds, peak_mib


def compare_whole(awards: str, recipients: str, folder: Path, pairs: int) -> None:
    """Print time and peak memory of the whole job beside those of the engine, pair by pair."""
    ratios: list[list[float]] = []
    for number in range(pairs):
        order = ((), ("--through", "dagster")) if number % 2 else (("--through", "dagster"), ())
        taken = {options: as_process(awards, recipients, folder, *options) for options in order}
        alone, job = taken[()], taken["--through", "dagster"]
        ratios.append([of_job / of_alone for of_job, of_alone in zip(job, alone, strict=True)])
        print(
            f"enrich {alone[0]:.1f} s, {alone[1]:.1f} s CPU, {alone[2]:.0f} MiB; the job {job[0]:.1f} s,"
            f" {job[1]:.1f} s CPU, {job[2]:.0f} MiB; ratios "
            + ", ".join(f"{ratio:.2f}" for ratio in ratios[-1]),
            flush=True,
        )
    medians = [median(ratio) for ratio in zip(*ratios, strict=True)]
    print("medians of the ratios: " + ", ".join(f"{ratio:.2f}" for ratio in medians))


def main(awards: str, recipients: str, pairs: int = 7) -> None:
    """Print the medians and the ratio of each pair."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone(awards, recipients, folder)  # the files come into the cache
        ratios = []
        for number in range(pairs):
            order = (alone, in_asset) if number % 2 else (in_asset, alone)
            taken = {measure: measure(awards, recipients, folder) for measure in order}
            engine, asset = taken[alone], taken[in_asset]
            ratios.append(asset[1] / engine[1])
            print(
                f"alone {engine[0]:.2f} s, {engine[1]:.2f} s CPU; in the asset {asset[0]:.2f} s,"
                f" {asset[1]:.2f} s CPU; the job {asset[2]:.2f} s; CPU ratio {ratios[-1]:.3f}",
                flush=True,
            )
        print(f"median of the CPU ratios {median(ratios):.3f}")
        compare_whole(awards, recipients, folder, pairs)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]))
