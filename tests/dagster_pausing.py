"""A code location whose job stops after a step until it may go on: another run can come in between."""

import os
import time
from pathlib import Path

import dagster as dg

from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.definitions import CONFIG_VARIABLE
from sbir_gate.orchestration.names import ENRICHED, RAW, REPORT, VALIDATED

AFTER, FOLDER = "PAUSE_AFTER", "PAUSE_FOLDER"
PAUSING_JOB = "pausing_job"
MOST_SECONDS = 240


@dg.success_hook
def pause(context: dg.HookContext) -> None:
    """Say that a step is done, and wait until somebody says that the next may begin."""
    if context.step_key != os.environ.get(AFTER):
        return
    folder, deadline = Path(os.environ[FOLDER]), time.monotonic() + MOST_SECONDS
    (folder / "paused").touch()
    while not (folder / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


job = dg.define_asset_job(
    PAUSING_JOB,
    dg.AssetSelection.assets(RAW, VALIDATED, ENRICHED, REPORT),
    hooks={pause},
    executor_def=dg.in_process_executor,
)
defs = dg.Definitions.merge(build_definitions(os.environ.get(CONFIG_VARIABLE)), dg.Definitions(jobs=[job]))
