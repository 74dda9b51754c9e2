"""What a backfill of award years costs with recipients read once, and with recipients read for each year.

    python -m tests.performance.backfill AWARDS RECIPIENTS YEAR...

Each year is a run of its own in one process, with a temporary instance: first all of them with chunks kept,
so that the years share the parts of the recipients, then all of them without. The awards must have a column
of award years. Printed are the seconds of each enrichment step, and of reading the recipients in it. The exit
status is 1 unless the recipients were read once, or if the enriched awards differ.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, SETTINGS_RESOURCE, YEARLY_JOB


def year_run(instance: dg.DagsterInstance, year: str, config: dict[str, object]) -> dict[str, object]:
    """Run the job of one award year; return the metadata of its enriched awards."""
    result = (
        build_definitions()
        .resolve_job_def(YEARLY_JOB)
        .execute_in_process(
            instance=instance,
            partition_key=year,
            raise_on_error=False,
            run_config={
                "resources": {SETTINGS_RESOURCE: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
    )
    events = result.get_asset_materialization_events()
    (made,) = [event.materialization for event in events if event.asset_key.path[-1] == ENRICHED]
    return {name: value.value for name, value in made.metadata.items()}


def backfill(awards: str, recipients: str, years: list[str], *, keeps_chunks: bool) -> tuple[list[str], int]:
    """Run all years; print each and all; return the digests of the enriched awards, and the readings."""
    digests, readings = [], 0
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        config: dict[str, object] = {
            "awards": awards,
            "recipients": recipients,
            "folder": folder,
            "assignments": [
                "fixtures.truth=null",
                "gate.name=backfill",
                f"enrichment.keeps_chunks={str(keeps_chunks).lower()}",
            ],
        }
        started = time.perf_counter()
        for year in years:
            facts = year_run(instance, year, config)
            readings += bool(facts.get("recipients_read", True))
            reading = facts.get("recipients_read_seconds", facts.get("stage_seconds/read-recipients", 0.0))
            print(
                f"  {year}: {facts['awards']:,.0f} awards, step {facts['duration_seconds']:.1f} s,"
                f" recipients {reading:.1f} s",
                flush=True,
            )
            digests.append(hashlib.sha256(Path(str(facts["path"])).read_bytes()).hexdigest())
        print(f"  all: {time.perf_counter() - started:.1f} s, recipients read {readings} times")
    return digests, readings


def main(awards: str, recipients: str, *years: str) -> int:
    """Run the years with shared recipients and without; return the exit status."""
    print("recipients shared by the years")
    shared, readings = backfill(awards, recipients, list(years), keeps_chunks=True)
    print("recipients read for each year")
    alone, _ = backfill(awards, recipients, list(years), keeps_chunks=False)
    print("the enriched awards are", "the same" if shared == alone else "DIFFERENT")
    return int(shared != alone or readings != 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
