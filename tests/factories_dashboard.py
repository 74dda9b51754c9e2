"""A long history of a gate for the dashboard: noise, a step, a ramp, releases, and Runs that failed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from sbir_gate.gate.kept_runs import entry_of
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.run import Metric
from sbir_gate.model.verdict import Outcome
from tests.factories import EXACT, NOISY, make_run
from tests.factories_history import START

NOISE = 0.03
STAGES = ("read_awards", "read_recipients", "match_identifiers", "match_names", "score", "write")
WORK = (
    ("recipients_scanned", 25_000),
    ("candidates_generated", 18_400),
    ("pairs_scored", 9_120),
    ("queries", 640),
    ("firms", 700),
)
LINKS = (("uei-exact", 512), ("duns-exact", 96), ("name-exact", 71), ("name-fuzzy", 42))


def long_history(
    runs: int, seed: int = 1, gate: str = "enrichment", step_at: int | None = None, ramp_at: int | None = None
) -> Iterator[HistoryEntry]:
    """Yield entries six hours apart: wall time rises by 8% at `step_at`, memory by 0.2% a Run for 40 Runs."""
    draws = random.Random(seed)
    for number in range(runs):
        slow = 1.08 if step_at is not None and number >= step_at else 1.0
        heavy = 1.002 ** min(max(number - ramp_at, 0), 40) if ramp_at is not None else 1.0
        lost = 2 * (number // 170 % 2)
        run = make_run(
            gate=gate,
            started_at=START + timedelta(hours=6 * number),
            source=replace(make_run().source, commit=f"{draws.getrandbits(160):040x}"),
            metrics=tuple(_metrics(draws, slow, heavy, lost)),
        )
        tags = (f"v1.{number // 200}.0",) if number % 200 == 150 else ()
        yield entry_of(run, _outcome(number), tags)


def _outcome(number: int) -> Outcome:
    if number % 97 == 96:
        return Outcome.FAIL
    return Outcome.WARN if number % 41 == 40 else Outcome.PASS


def _metrics(draws: random.Random, slow: float, heavy: float, lost: int) -> Iterator[Metric]:
    def noisy(name: str, unit: str, usual: float, noise: float = NOISE) -> Metric:
        run = usual * draws.lognormvariate(0, noise)
        return Metric(name, unit, NOISY, tuple(run * draws.lognormvariate(0, noise / 2) for _ in range(5)))

    links = sum(count for _, count in LINKS) - lost
    yield noisy("wall_seconds", "s", 9.8 * slow)
    yield noisy("first_run_seconds", "s", 10.9 * slow)
    yield noisy("cpu_seconds", "s", 17.2 * slow)
    yield noisy("seconds_per_record", "s", 0.0098 * slow)
    yield noisy("records_per_second", "1/s", 102 / slow)
    yield noisy("peak_rss_mib", "MiB", 412 * heavy, 0.01)
    yield noisy("memory_delta_mib", "MiB", 180 * heavy, 0.01)
    for place, stage in enumerate(STAGES, 1):
        yield noisy(f"stage_seconds/{stage}", "s", 0.4 * place * slow)
        yield noisy(f"stage_peak_mib/{stage}", "MiB", 60.0 * place * heavy, 0.01)
    rates = {"match_rate": links / 1000, "precision": 0.989, "recall": links / 760, "f1": 0.95}
    rates |= {"blocking_recall": 0.97, "scoring_recall": 0.98, "calibration_error": 0.012}
    for name, value in rates.items():
        yield Metric(name, "ratio", EXACT, (value,))
    for name, count in (*WORK, ("pairs_kept", 3300)):
        yield Metric(f"work/{name}", "count", EXACT, (float(count - lost),))
    for name, count in LINKS:
        yield Metric(f"links/{name}", "count", EXACT, (float(count - (lost if name == "name-fuzzy" else 0)),))
    for name in ("rows_missing", "rows_doubled", "rows_unknown", "recipients_unknown", "disagreements"):
        yield Metric(name, "count", EXACT, (0.0,))
