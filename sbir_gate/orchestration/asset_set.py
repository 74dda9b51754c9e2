"""One set of the assets as another platform asks for it: its names, its owners, and what it comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import dagster as dg

from sbir_gate.errors import ConfigurationError
from sbir_gate.orchestration.names import (
    ASSETS,
    GROUP,
    IO_MANAGER,
    JOB,
    JOBS,
    RECIPIENTS,
    SETTINGS_RESOURCE,
    YEARLY_JOB,
    YEARLY_PREFIX,
    named,
)
from sbir_gate.orchestration.retries import step_retries
from sbir_gate.orchestration.steps import AssetShape
from sbir_gate.orchestration.table_facts import kinds_of
from sbir_gate.settings.schema import Settings
from sbir_gate.wrong_input import did_you_mean

_TAG_CHARACTERS = 63

Key = dg.AssetKey | str | Sequence[str]
"""The key of an asset; a text may have its parts separated by slashes."""


@dataclass(frozen=True, slots=True)
class AssetSet:
    """The parameters of `build_definitions`; raises ConfigurationError for names that there are not.

    Without names of their own the resources, jobs, sensors and schedules are called after `key_prefix`, so
    sets of different prefixes do not collide.
    """

    key_prefix: tuple[str, ...] = ()
    group: str = GROUP
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    awards_from: dg.AssetKey | None = None
    recipients_from: dg.AssetKey | None = None
    assets: tuple[str, ...] = ASSETS
    jobs: tuple[str, ...] = JOBS
    settings_resource: str = ""
    io_manager: str = ""

    def __post_init__(self) -> None:
        _check_names("assets", self.assets, ASSETS)
        _check_names("jobs", self.jobs, JOBS)
        last = max((ASSETS.index(name) for name in self.assets), default=-1)
        missing = [name for name in ASSETS[: last + 1] if name not in self.assets]
        if missing or not self.assets:
            raise ConfigurationError(
                f"assets: {missing[0]} is left out, and {ASSETS[last]} is made from it"
                if missing
                else "assets: none is included",
                f"include all of {', '.join(ASSETS[: last + 1] or ASSETS)}",
            )

    def shapes(self, settings: Settings) -> dict[str, AssetShape]:
        """Return what the assets of each job look like; those of all awards are there without a job too."""
        years = _award_years(settings.orchestration.first_year)
        shapes = {JOB: self._shape(settings, self.group)}
        if YEARLY_JOB in self.jobs:
            shapes[YEARLY_JOB] = self._shape(settings, self.name(YEARLY_PREFIX), (YEARLY_PREFIX,), years)
        return shapes

    def name(self, name: str) -> str:
        """Return the name of a job, a sensor or a schedule of this set."""
        return named(*self.key_prefix, name)

    @property
    def recipients(self) -> dg.AssetKey:
        """The asset of the file that awards are linked to."""
        return dg.AssetKey([*self.key_prefix, RECIPIENTS])

    def _shape(
        self,
        settings: Settings,
        group: str,
        prefix: tuple[str, ...] = (),
        partitions: dg.PartitionsDefinition[str] | None = None,
    ) -> AssetShape:
        return AssetShape(
            retries=step_retries(settings),
            group=group,
            prefix=(*self.key_prefix, *prefix),
            partitions=partitions,
            recipients=self.recipients,
            awards_from=self.awards_from,
            owners=self.owners or settings.orchestration.owners,
            tags={"sbir_gate/gate": settings.gate.name[:_TAG_CHARACTERS], **self.tags},
            freshness=None if partitions is not None else _freshness(settings.orchestration.fresh_days),
            awards_kinds=frozenset(kinds_of(settings.fixtures.awards)),
            settings_resource=self.settings_resource or named(SETTINGS_RESOURCE, *self.key_prefix),
            io_manager=self.io_manager or named(IO_MANAGER, *self.key_prefix),
        )


def key_of(key: Key | None) -> dg.AssetKey | None:
    """Return the key of an asset, however it is written."""
    if key is None or isinstance(key, dg.AssetKey):
        return key
    return dg.AssetKey(key.split("/") if isinstance(key, str) else list(key))


def parts_of(prefix: str | Sequence[str]) -> tuple[str, ...]:
    """Return the parts of the prefix of a key: a text is one part, or several with slashes between."""
    return tuple(filter(None, prefix.split("/"))) if isinstance(prefix, str) else tuple(prefix)


def _check_names(parameter: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"{parameter}: there is no {name!r}",
                did_you_mean(name, known) or f"known are {', '.join(known)}",
            )


def _freshness(days: float | None) -> dg.FreshnessPolicy | None:
    return dg.FreshnessPolicy.time_window(timedelta(days=days)) if days is not None else None


def _award_years(first_year: int) -> dg.TimeWindowPartitionsDefinition:
    """Return a partition for each award year up to the one that is under way."""
    return dg.TimeWindowPartitionsDefinition(
        start=str(first_year), fmt="%Y", cron_schedule="0 0 1 1 *", end_offset=1
    )
