"""Everything that Dagster loads: assets, checks, jobs, the schedule and the sensors."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from sbir_gate.gate.edges import real_edges
from sbir_gate.orchestration.assets import make_assets
from sbir_gate.orchestration.checks import make_checks
from sbir_gate.orchestration.io_manager import PathIOManager
from sbir_gate.orchestration.names import (
    GATE_RESOURCE,
    GROUP,
    IO_MANAGER,
    JOB,
    YEARLY_JOB,
    YEARLY_PREFIX,
)
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.orchestration.sensors import make_sensors
from sbir_gate.orchestration.steps import AssetEdges, AssetShape
from sbir_gate.settings.effective import load_settings

CONFIG_VARIABLE = "SBIR_GATE_CONFIG"
# makes Dagster relaunch a run whose worker was killed
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
    whole = AssetShape(retries, GROUP)
    yearly = AssetShape(
        retries, YEARLY_PREFIX, (YEARLY_PREFIX,), _award_years(settings.orchestration.first_year)
    )
    shapes = (whole, yearly)
    assets = {shape.prefix: make_assets(shape, edges) for shape in shapes}
    checks = {shape.prefix: make_checks(shape, edges) for shape in shapes}
    jobs = [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(*assets[shape.prefix])
            | dg.AssetSelection.checks(*checks[shape.prefix]),
            description=description,
            tags=_RUN_TAGS,
        )
        for name, shape, description in (
            (JOB, whole, "Read, validate and enrich all awards, check the result, and report."),
            (YEARLY_JOB, yearly, "The same with the awards of one year."),
        )
    ]
    schedule = dg.ScheduleDefinition(
        name="sbir_etl_schedule", job=jobs[0], cron_schedule=settings.orchestration.schedule
    )
    gate = GateResource(config_file=config_file)
    keys = frozenset(asset.key for found in assets.values() for asset in found)
    return dg.Definitions(
        assets=[asset for found in assets.values() for asset in found],
        asset_checks=[check for found in checks.values() for check in found],
        jobs=jobs,
        schedules=[schedule],
        sensors=make_sensors(settings, keys, edges.announce),
        resources={GATE_RESOURCE: gate, IO_MANAGER: PathIOManager()},
    )


def _award_years(first_year: int) -> dg.TimeWindowPartitionsDefinition:
    """Return a partition for each award year up to the one that is under way."""
    return dg.TimeWindowPartitionsDefinition(
        start=str(first_year), fmt="%Y", cron_schedule="0 0 1 1 *", end_offset=1
    )
