"""How well the time left is estimated, and the usual cost of the stages that it rests on.

    python -m tests.performance.time_left run AWARDS RECIPIENTS    one job: each estimate beside what came
    python -m tests.performance.time_left fit                      the table for sbir_gate/time_left.py

`run` prints, last, a line for tests/data/stage_times.json, which `fit` reads: of a quiet machine, by size.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from pathlib import Path

import dagster as dg
import numpy as np

from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB, SETTINGS_RESOURCE
from tests.factories_dagster import metadata_of

RECORDED = Path(__file__).parents[1] / "data" / "stage_times.json"
ASSIGNMENTS = (
    "fixtures.truth=null",
    "enrichment.performance.timeout_seconds=36000",
    "orchestration.progress_seconds=1",
    "gate.name=time-left",
)


def run_job(awards: str, recipients: str) -> None:
    """Run the job once; print each estimate with its error, and the seconds of its stages."""
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        config = {"awards": awards, "recipients": recipients, "folder": folder, "assignments": [*ASSIGNMENTS]}
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
        records = instance.all_logs(result.run_id)
        known = metadata_of(result, ENRICHED)
    (end,) = [
        record.timestamp
        for record in records
        if record.dagster_event
        and record.dagster_event.is_step_success
        and str(record.step_key).endswith(ENRICHED)
    ]
    for record in records:
        event = record.dagster_event
        if event is None or event.event_type is not dg.DagsterEventType.ASSET_OBSERVATION:
            continue
        observed = event.asset_observation_data.asset_observation
        estimate = observed.metadata["estimated_time_remaining"].value
        if estimate is not None:
            came = end - record.timestamp
            print(f"{estimate:8.1f} s estimated, {came:8.1f} s came: {observed.description}")
    stages = {
        name.split("/", 1)[1]: round(float(str(value)), 3)
        for name, value in known.items()
        if name.startswith("stage_seconds/")
    }
    sizes = {name: int(float(str(known[name]))) for name in ("awards", "recipients")}
    print(json.dumps({**sizes, "stages": stages}))


def fit() -> None:
    """Print fixed cost, cost per million awards and per million recipients of each stage; none below 0."""
    runs = json.loads(RECORDED.read_text(encoding="utf-8"))
    sizes = np.array([[1.0, run["awards"] / 1e6, run["recipients"] / 1e6] for run in runs])
    for stage in runs[0]["stages"]:
        seconds = np.array([run["stages"][stage] for run in runs])
        print(f'"{stage}": StageCost({", ".join(f"{cost:.3g}" for cost in _costs(sizes, seconds))}),')


def _costs(sizes: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the costs with the least relative error among those that are not negative."""
    weights = 1 / (seconds + 0.1)
    choices = itertools.chain.from_iterable(itertools.combinations(range(3), n) for n in (1, 2, 3))
    found = []
    for chosen in map(list, choices):
        costs = np.zeros(3)
        costs[chosen] = np.linalg.lstsq(sizes[:, chosen] * weights[:, None], seconds * weights, rcond=None)[0]
        if (costs >= 0).all():
            found.append((float((((sizes @ costs - seconds) * weights) ** 2).sum()), costs))
    return min(found, key=lambda each: each[0])[1]


if __name__ == "__main__":
    run_job(*sys.argv[2:4]) if sys.argv[1] == "run" else fit()
