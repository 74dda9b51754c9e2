"""Everything that Dagster loads: assets, checks, jobs, the schedule and the sensors."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from sbir_gate.orchestration.assets import AssetEdges, AssetShape, make_assets
from sbir_gate.orchestration.checks import make_checks
from sbir_gate.orchestration.file_io import PathIOManager
from sbir_gate.orchestration.names import GATE_RESOURCE, IO_MANAGER, JOB
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.pipeline.gate import real_edges
from sbir_gate.settings.effective import load_settings

CONFIG_VARIABLE = "SBIR_GATE_CONFIG"
# what Dagster is told so that a run whose worker was killed is launched again
_RUN_TAGS = {"dagster/max_retries": "2"}


def build_definitions(config_file: str | None = None, edges: AssetEdges | None = None) -> dg.Definitions:
    """Return the definitions, by the settings of `config_file` over config/base.yaml.

    The config of a run can name others. Raises ConfigurationError for settings that are not valid.
    """
    settings = load_settings(Path(config_file) if config_file else None, os.environ).settings
    edges = edges or AssetEdges(real_edges())
    retries = dg.RetryPolicy(
        max_retries=settings.orchestration.max_retries,
        delay=settings.orchestration.retry_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )
    whole = AssetShape(retries)
    assets, checks = make_assets(whole, edges), make_checks(whole, edges)
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*assets) | dg.AssetSelection.checks(*checks),
        description="Read, validate and enrich the awards, check what came of it, and report.",
        tags=_RUN_TAGS,
    )
    schedule = dg.ScheduleDefinition(
        name="sbir_etl_schedule", job=job, cron_schedule=settings.orchestration.schedule
    )
    gate = GateResource(config_file=config_file)
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[job],
        schedules=[schedule],
        resources={GATE_RESOURCE: gate, IO_MANAGER: PathIOManager(gate=gate)},
    )
