"""Everything that Dagster loads: assets, checks, jobs, the schedule and the sensors."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from sbir_gate.gate.edges import real_edges
from sbir_gate.orchestration.assets import AssetEdges, AssetShape, make_assets
from sbir_gate.orchestration.checks import make_checks
from sbir_gate.orchestration.names import (
    ENRICHED,
    GATE_RESOURCE,
    GROUP,
    IO_MANAGER,
    JOB,
    RAW,
    VALIDATED,
    YEARLY_JOB,
    YEARLY_PREFIX,
    award_year_of,
)
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.orchestration.retries import step_retries
from sbir_gate.orchestration.sensors import make_sensors
from sbir_gate.pipeline.asset_files import asset_files
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
    retries = step_retries(settings)
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
        resources={GATE_RESOURCE: gate, IO_MANAGER: path_io_manager},
    )


def _award_years(first_year: int) -> dg.TimeWindowPartitionsDefinition:
    """Return a partition for each award year up to the one that is under way."""
    return dg.TimeWindowPartitionsDefinition(
        start=str(first_year), fmt="%Y", cron_schedule="0 0 1 1 *", end_offset=1
    )


class PathIOManager(dg.IOManager):
    """Gives a step the paths of what the steps before it have written."""

    def handle_output(self, context: dg.OutputContext, obj: Path) -> None:
        """Check that the asset wrote what it says. The file is there already."""
        if not obj.exists() and context.asset_key.path[-1] != RAW:  # the source may be a pattern
            raise dg.Failure(f"{obj}: the step did not write what it says it did", allow_retries=False)

    def load_input(self, context: dg.InputContext) -> Path:
        """Return the path of the asset that a step asks for, by the settings of this run."""
        gate: GateResource = getattr(context.resources, GATE_RESOURCE)
        settings = gate.effective().settings
        files = asset_files(settings, award_year_of(context))
        paths = {RAW: settings.fixtures.awards, VALIDATED: files.validated, ENRICHED: files.enriched}
        return paths[context.asset_key.path[-1]]


# not a ConfigurableIOManager: what is nested in one does not see what the config of a run sets
path_io_manager = dg.IOManagerDefinition(
    resource_fn=lambda _context: PathIOManager(), required_resource_keys={GATE_RESOURCE}
)
