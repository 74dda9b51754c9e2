"""What the assets of Dagster cost beside the engine alone: in turn, in one process, on the same files.

    python -m tests.performance.dagster_overhead AWARDS RECIPIENTS [PAIRS [PART...]]

Parts, all of them if none is named:

- `asset`: the engine's own time in the asset, with its stage timer, its progress events every second and its
  files, beside `enrich` with no timer and nobody told
- `step`: the enrichment step, with quality and Run, beside `sbir-gate enrich`
- `job`: the whole job, `sbir-gate enrich --through dagster`, beside `sbir-gate enrich`

The last two in processes of their own, without a truth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import dagster as dg

from sbir_gate.documents import load_run
from sbir_gate.engine import EnrichRequest, enrich
from sbir_gate.gate.measuring.process import ProcessRequest, raise_on_failure, run_process
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB, SETTINGS_RESOURCE
from sbir_gate.probes import PeakLedger
from sbir_gate.settings import load_settings

PARTS = ("asset", "step", "job")
_STEP = "--print-step"
_COSTS = ("duration_seconds", "cpu_seconds", "peak_memory_mib")
TIMEOUT = "enrichment.performance.timeout_seconds=36000"


def alone(awards: str, recipients: str, folder: Path) -> tuple[float, float]:
    """Return wall and processor seconds of the engine, with nobody watching."""
    settings = load_settings(None, {}, {}, [TIMEOUT]).settings
    request = EnrichRequest(awards, recipients, folder / "alone.parquet")
    monitor = PerformanceMonitor(PeakLedger(None))
    started, started_cpu = time.perf_counter(), time.process_time()
    enrich(request, settings, monitor, lambda *_facts: None)
    return time.perf_counter() - started, time.process_time() - started_cpu


def run_job(awards: str, recipients: str, folder: Path) -> tuple[dg.ExecuteInProcessResult, float]:
    """Run the whole job in this process; return its result and wall seconds."""
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
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "resources": {SETTINGS_RESOURCE: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        return result, time.perf_counter() - started


def enriched_facts(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    """Return the metadata of the enriched awards."""
    events = result.get_asset_materialization_events()
    (made,) = [event.materialization for event in events if event.asset_key.path[-1] == ENRICHED]
    return {name: value.value for name, value in made.metadata.items()}


def in_asset(awards: str, recipients: str, folder: Path) -> tuple[float, float, float]:
    """Return wall and processor seconds of the engine in its asset, and wall seconds of the whole job."""
    result, whole = run_job(awards, recipients, folder)
    (sample,) = load_run(Path(str(enriched_facts(result)["run_path"]))).samples
    return sample.wall_seconds, sample.cpu_seconds, whole


def step_alone(awards: str, recipients: str, folder: Path) -> tuple[float, float, float]:
    """Return wall and processor seconds and the peak, in MiB, of the enrichment step, in a fresh process."""
    command = [sys.executable, "-m", "tests.performance.dagster_overhead", awards, recipients, str(folder)]
    done = subprocess.run([*command, _STEP], capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout.splitlines()[-1])
    return facts["duration_seconds"], facts["cpu_seconds"], facts["peak_memory_mib"]


def print_step(awards: str, recipients: str, folder: str) -> None:
    """Print what the enrichment step of one run took, as JSON."""
    result, _ = run_job(awards, recipients, Path(folder) / "step")
    facts = enriched_facts(result)
    print(json.dumps({name: facts[name] for name in _COSTS}))


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


def compare(name: str, awards: str, recipients: str, folder: Path, pairs: int) -> None:
    """Print time and peak memory of the step, or the whole job, beside those of the engine, pair by pair."""

    def engine() -> tuple[float, float, float]:
        return as_process(awards, recipients, folder)

    def other() -> tuple[float, float, float]:
        if name == "step":
            return step_alone(awards, recipients, folder)
        return as_process(awards, recipients, folder, "--through", "dagster")

    ratios: list[list[float]] = []
    for number in range(pairs):
        order = (engine, other) if number % 2 else (other, engine)
        taken = {measure: measure() for measure in order}
        ratios.append([there / alone for there, alone in zip(taken[other], taken[engine], strict=True)])
        (wall, cpu, peak), (wall_of, cpu_of, peak_of) = taken[engine], taken[other]
        print(
            f"enrich {wall:.1f} s, {cpu:.1f} s CPU, {peak:.0f} MiB; the {name} {wall_of:.1f} s,"
            f" {cpu_of:.1f} s CPU, {peak_of:.0f} MiB; ratios "
            + ", ".join(f"{ratio:.2f}" for ratio in ratios[-1]),
            flush=True,
        )
    medians = [median(ratio) for ratio in zip(*ratios, strict=True)]
    print(f"medians of the ratios, {name}: " + ", ".join(f"{ratio:.2f}" for ratio in medians))


def compare_asset(awards: str, recipients: str, folder: Path, pairs: int) -> None:
    """Print the processor time of the engine in its asset beside that of the engine alone, pair by pair."""
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


def main(awards: str, recipients: str, pairs: int = 7, parts: Sequence[str] = PARTS) -> None:
    """Print each pair, and the medians of the ratios, of the parts."""
    with tempfile.TemporaryDirectory() as name:
        for part in parts:
            if part == "asset":
                compare_asset(awards, recipients, Path(name), pairs)
            else:
                compare(part, awards, recipients, Path(name), pairs)


if __name__ == "__main__":
    if sys.argv[-1] == _STEP:
        print_step(*sys.argv[1:4])
    else:
        main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]), *([sys.argv[4:]] if sys.argv[4:] else []))
