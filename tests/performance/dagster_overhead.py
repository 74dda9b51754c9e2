"""What the assets of Dagster cost beside the engine alone: in turn, in one process, on the same files.

    python -m tests.performance.dagster_overhead AWARDS RECIPIENTS [PAIRS]

The engine's own time in the asset, with its stage timer, its progress events every second and its files, is
held against `enrich` with no timer and nobody told, and the whole job against the same work without Dagster:
validated, enriched, measured and judged, with no timer, event or metadata. Then
`sbir-gate enrich --through dagster` is held against `sbir-gate enrich`: processes of their own, no truth.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import dagster as dg

from sbir_gate.documents import load_run
from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.files import sha256_of
from sbir_gate.gate.comparing.signed_ranks import FEWEST_REPEATS, pseudo_median_interval
from sbir_gate.gate.edges import real_edges
from sbir_gate.gate.measuring.process import ProcessRequest, raise_on_failure, run_process
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB, SETTINGS_RESOURCE
from sbir_gate.pipeline.asset_files import EnrichedFiles, ValidatedFiles, asset_files, asset_settings
from sbir_gate.pipeline.asset_run import RecipientParts, ValidatedAwards, measure_enrichment
from sbir_gate.pipeline.asset_verdict import Enriched, conclude_assets, store_baseline
from sbir_gate.pipeline.places import drafted, settle
from sbir_gate.pipeline.recipient_store import chunk_folder
from sbir_gate.pipeline.validation import check_inputs, validate_awards
from sbir_gate.probes import PeakLedger
from sbir_gate.reading.sources import source_digest
from sbir_gate.settings import load_settings
from sbir_gate.settings.reading import reading_options

TIMEOUT = "enrichment.performance.timeout_seconds=36000"


def alone(awards: str, recipients: str, folder: Path) -> tuple[float, float]:
    """Return wall and processor seconds of the engine, with nobody watching."""
    settings = load_settings(None, {}, {}, [TIMEOUT]).settings
    request = EnrichRequest(awards, recipients, folder / "alone.parquet")
    monitor = PerformanceMonitor(PeakLedger(None))
    started, started_cpu = time.perf_counter(), time.process_time()
    link_and_write(request, settings, monitor, lambda *_facts: None)
    return time.perf_counter() - started, time.process_time() - started_cpu


def same_work(awards: str, recipients: str, folder: Path) -> tuple[float, float]:
    """Return wall and processor seconds of what the steps of the job do, with nobody watching."""
    options = {"fixtures.awards": awards, "fixtures.recipients": recipients, "gate.name": "overhead"}
    options |= {"orchestration.folder": str(folder / "bare")}
    effective = load_settings(None, {}, options, [TIMEOUT, "fixtures.truth=null"])
    settings, edges = effective.settings, real_edges()
    monitor = PerformanceMonitor(PeakLedger(None))
    assets = asset_files(settings)
    chunks = chunk_folder(settings, assets)
    chunks.parent.mkdir(parents=True)
    started, started_cpu = time.perf_counter(), time.process_time()
    source = settings.fixtures.awards
    digest = source_digest(source, reading_options(settings))
    with drafted(assets.validated) as draft, drafted(assets.enriched) as made:
        validate_awards(settings, digest, ValidatedFiles(draft), monitor)
        validated = ValidatedFiles(settle(draft).folder)
        check_inputs(settings, validated)
        measure_enrichment(
            asset_settings(effective, assets),
            ValidatedAwards(validated, source, digest),
            EnrichedFiles(made),
            edges,
            monitor,
            lambda *_facts: None,
            lambda _chunk: None,
            RecipientParts(chunks, is_resuming=False),
        )
        enriched = Enriched(EnrichedFiles(settle(made).folder))
    sha256_of(enriched.files.awards)
    for is_final in (False, True):
        judged = conclude_assets(effective, enriched, edges, is_final=is_final)
    if not judged.is_refused:
        enriched.assets.publish(enriched.files)
        store_baseline(judged, effective, enriched)
    return time.perf_counter() - started, time.process_time() - started_cpu


def in_asset(awards: str, recipients: str, folder: Path) -> tuple[float, float, float, float]:
    """Return wall and processor seconds of the engine in its asset, then of the whole job."""
    assignments = [TIMEOUT, "fixtures.truth=null", "orchestration.progress_seconds=1", "gate.name=overhead"]
    config = {
        "awards": awards,
        "recipients": recipients,
        "folder": str(folder / "assets"),
        "assignments": assignments,
    }
    with dg.instance_for_test() as instance:
        job = build_definitions().resolve_job_def(JOB)
        started, started_cpu = time.perf_counter(), time.process_time()
        job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "resources": {SETTINGS_RESOURCE: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        whole, whole_cpu = time.perf_counter() - started, time.process_time() - started_cpu
    (run,) = (folder / "assets" / "enriched").glob(f"*/{ENRICHED}.json")
    (sample,) = load_run(run).samples
    shutil.rmtree(folder / "assets")
    return sample.wall_seconds, sample.cpu_seconds, whole, whole_cpu


def with_interval(name: str, ratios: Sequence[float]) -> str:
    """Return the typical ratio with its 98% interval: the pseudo-median of their logarithms."""
    logs = [math.log(ratio) for ratio in ratios]
    found = pseudo_median_interval(logs)
    low, high = math.exp(found.low), math.exp(found.high)
    return f"{name}: {math.exp(found.value):.3f} (98% {low:.3f} to {high:.3f}, {len(logs)} pairs)"


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
    if pairs < FEWEST_REPEATS:
        sys.exit(f"{pairs} pairs: an interval needs at least {FEWEST_REPEATS}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone(awards, recipients, folder)  # the files come into the cache
        ratios: dict[str, list[float]] = {}
        for number in range(pairs):
            order = (alone, in_asset, same_work) if number % 2 else (same_work, in_asset, alone)
            taken = {measure: measure(awards, recipients, folder) for measure in order}
            engine, asset, bare = taken[alone], taken[in_asset], taken[same_work]
            shutil.rmtree(folder / "bare")
            for kind, ratio in (
                ("engine in its asset / alone, processor time", asset[1] / engine[1]),
                ("job / same work, processor time", asset[3] / bare[1]),
                ("job / same work, wall time", asset[2] / bare[0]),
            ):
                ratios.setdefault(kind, []).append(ratio)
            print(
                f"alone {engine[0]:.2f} s, {engine[1]:.2f} s CPU; in the asset {asset[0]:.2f} s,"
                f" {asset[1]:.2f} s CPU; the same work {bare[0]:.2f} s, {bare[1]:.2f} s CPU;"
                f" the job {asset[2]:.2f} s, {asset[3]:.2f} s CPU",
                flush=True,
            )
        for kind, found in ratios.items():
            print(with_interval(kind, found))
        compare_whole(awards, recipients, folder, pairs)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]))
