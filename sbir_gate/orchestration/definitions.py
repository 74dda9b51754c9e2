"""Everything that Dagster loads: assets, checks, jobs, the schedule and the sensors."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path

import dagster as dg

from sbir_gate.gate.edges import real_edges
from sbir_gate.orchestration.asset_set import AssetSet, Key, key_of, parts_of
from sbir_gate.orchestration.assets import make_assets
from sbir_gate.orchestration.checks import make_checks
from sbir_gate.orchestration.io_manager import PathIOManager
from sbir_gate.orchestration.names import (
    ASSETS,
    GROUP,
    JOB,
    JOBS,
    SCHEDULE,
    YEARLY_JOB,
)
from sbir_gate.orchestration.recipients import make_recipients
from sbir_gate.orchestration.resources import load_base, settings_resource
from sbir_gate.orchestration.sensors import SensorEdges, make_sensors, unheard_alerts
from sbir_gate.orchestration.steps import AssetEdges
from sbir_gate.settings.effective import EffectiveSettings

CONFIG_VARIABLE = "SBIR_GATE_CONFIG"
# makes Dagster relaunch a run whose worker was killed
_RUN_TAGS = {"dagster/max_retries": "2"}
_DESCRIPTIONS = {
    JOB: "Read, validate and enrich all awards, check the result, and report.",
    YEARLY_JOB: "The same with the awards of one year.",
}


def build_definitions(
    settings: EffectiveSettings | Path | str | None = None,
    edges: AssetEdges | None = None,
    *,
    key_prefix: str | Sequence[str] = (),
    group: str = GROUP,
    owners: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    awards_from: Key | None = None,
    recipients_from: Key | None = None,
    assets: Collection[str] = ASSETS,
    jobs: Collection[str] = JOBS,
    resource_name: str = "",
    io_manager_name: str = "",
) -> dg.Definitions:
    """Return the definitions of one set of the assets; several sets can be merged.

    `settings` are those of `load_settings`, or a file over config/base.yaml; the config of a run is above
    them. `key_prefix` begins the keys of the assets and the names of jobs, sensors and schedules.
    `awards_from` and `recipients_from` are the assets that bring the two files here. `assets` and `jobs` are
    those to include: without `sbir_etl_by_award_year_job` there are no assets by award year either.
    Raises ConfigurationError for settings that are not valid, and for names that there are not.
    """
    of_set = AssetSet(
        parts_of(key_prefix),
        group,
        tuple(owners),
        dict(tags or {}),
        key_of(awards_from),
        key_of(recipients_from),
        tuple(assets),
        tuple(jobs),
        resource_name,
        io_manager_name,
    )
    return _definitions(of_set, load_base(settings), edges or AssetEdges(real_edges()))


def _definitions(of_set: AssetSet, loaded: EffectiveSettings, edges: AssetEdges) -> dg.Definitions:
    settings = loaded.settings
    shapes = of_set.shapes(settings)
    assets = {
        name: [asset for asset in make_assets(shape, edges) if asset.key.path[-1] in of_set.assets]
        for name, shape in shapes.items()
    }
    keys = {name: [asset.key for asset in made] for name, made in assets.items()}
    checks = {
        name: [check for check in make_checks(shape, edges) if _checked(check) <= set(keys[name])]
        for name, shape in shapes.items()
    }
    jobs = {
        name: dg.define_asset_job(
            of_set.name(name),
            selection=dg.AssetSelection.assets(of_set.recipients, *keys[name])
            | dg.AssetSelection.checks(*checks[name]),
            description=_DESCRIPTIONS[name],
            tags=_RUN_TAGS,
            executor_def=step_executor(settings.orchestration.executor),
        )
        for name in of_set.jobs
    }
    schedules = [
        dg.ScheduleDefinition(
            name=of_set.name(SCHEDULE),
            job=job,
            cron_schedule=settings.orchestration.schedule,
            default_status=dg.DefaultScheduleStatus[settings.orchestration.schedule_status.upper()],
        )
        for name, job in jobs.items()
        if name == JOB
    ]
    unheard = unheard_alerts(settings, os.environ)
    if unheard:
        logging.getLogger(__name__).warning("%s", unheard)
    all_keys = frozenset(key for made in keys.values() for key in made)
    shape = shapes[JOB]
    return dg.Definitions(
        assets=[make_recipients(of_set, shape, settings), *chain.from_iterable(assets.values())],
        asset_checks=list(chain.from_iterable(checks.values())),
        jobs=list(jobs.values()),
        schedules=schedules,
        sensors=make_sensors(
            settings,
            all_keys,
            SensorEdges(edges.announce, edges.gate.now, edges.gate.source),
            of_set.key_prefix,
        ),
        resources={
            shape.settings_resource: settings_resource(loaded, shape.settings_resource),
            shape.io_manager: PathIOManager(),
        },
    )


def _checked(check: dg.AssetChecksDefinition) -> set[dg.AssetKey]:
    return {key.asset_key for key in check.check_keys}


def step_executor(by_default: str) -> dg.ExecutorDefinition:
    """Return Dagster's own default executor, which knows both ways, with another way as its default.

    A process per step costs more than the steps of small data; the config of a run can still choose.
    """
    executor = dg.multi_or_in_process_executor
    return dg.ExecutorDefinition(
        name="sbir_gate_executor",
        config_schema=dg.Field(
            executor.config_schema.config_type, default_value={by_default.replace("-", "_"): {}}
        ),
        requirements=executor.get_requirements,
        executor_creation_fn=executor.executor_creation_fn,
        description=executor.description,
    )
