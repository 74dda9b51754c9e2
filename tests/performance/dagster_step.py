"""The enrichment step of Dagster beside `sbir-gate enrich`: time and peak memory, each in a fresh process.

    python -m tests.performance.dagster_step AWARDS RECIPIENTS [PAIRS]

The step is all that materialises `enriched_sbir_awards`: the engine, the index of the recipients, the quality
of the decisions and the saved Run; without a truth.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import dagster as dg

from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB, SETTINGS_RESOURCE
from tests.performance.dagster_overhead import TIMEOUT, as_process

_HERE = "tests.performance.dagster_step"
_PRINT = "--print"
_COSTS = ("duration_seconds", "cpu_seconds", "peak_memory_mib", "memory_delta_mib")


def print_step(awards: str, recipients: str, folder: str) -> None:
    """Run the job in this process, and print what its enrichment step took, as JSON."""
    config = {
        "awards": awards,
        "recipients": recipients,
        "folder": folder,
        "assignments": [TIMEOUT, "fixtures.truth=null", "gate.name=overhead"],
    }
    with dg.instance_for_test() as instance:
        result = (
            build_definitions()
            .resolve_job_def(JOB)
            .execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={
                    "resources": {SETTINGS_RESOURCE: {"config": config}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )
        )
    events = result.get_asset_materialization_events()
    (made,) = [event.materialization for event in events if event.asset_key.path[-1] == ENRICHED]
    print(json.dumps({name: made.metadata[name].value for name in _COSTS}))


def step(awards: str, recipients: str, folder: Path) -> tuple[float, ...]:
    """Return wall and processor seconds, the peak, and what the step added to the process, both in MiB."""
    with tempfile.TemporaryDirectory(dir=folder) as assets:
        command = [sys.executable, "-m", _HERE, awards, recipients, assets, _PRINT]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout.splitlines()[-1])
    return tuple(facts[name] for name in _COSTS)


def main(awards: str, recipients: str, pairs: int = 3) -> None:
    """Print each pair, and the medians of the ratios."""
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(pairs):
            order = (as_process, step) if number % 2 else (step, as_process)
            taken = {measure: measure(awards, recipients, Path(name)) for measure in order}
            engine, whole = taken[as_process], taken[step]
            ratios.append([there / alone for there, alone in zip(whole[:3], engine, strict=True)])
            print(
                f"enrich {engine[0]:.1f} s, {engine[1]:.1f} s CPU, {engine[2]:.0f} MiB;"
                f" the step {whole[0]:.1f} s, {whole[1]:.1f} s CPU, {whole[2]:.0f} MiB"
                f" ({whole[2] - whole[3]:.0f} held before it);"
                f" ratios {', '.join(f'{ratio:.2f}' for ratio in ratios[-1])}",
                flush=True,
            )
    medians = [median(ratio) for ratio in zip(*ratios, strict=True)]
    print(f"medians of the ratios: {', '.join(f'{ratio:.2f}' for ratio in medians)}")


if __name__ == "__main__":
    if sys.argv[-1] == _PRINT:
        print_step(*sys.argv[1:4])
    else:
        main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]))
