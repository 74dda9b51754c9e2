"""One step at work: its settings, its files, and how its errors and its locks reach Dagster."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import dagster as dg

from sbir_gate.engine.enrichment import link_and_write
from sbir_gate.engine.recipient_parts import code_version
from sbir_gate.errors import InputError, LimitError, OutputError
from sbir_gate.gate.edges import Edges
from sbir_gate.locks import LockedError, Waiting, locked
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.orchestration.facts import Metadata, performance_facts
from sbir_gate.orchestration.names import award_year_of
from sbir_gate.orchestration.records import VALIDATED_FINGERPRINT, Recorded, read_later, recorded
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.orchestration.retries import as_failures
from sbir_gate.orchestration.sensors import Announce, announce_by_environment
from sbir_gate.pipeline.asset_files import AssetFiles, EnrichedFiles, asset_files, published_places
from sbir_gate.pipeline.asset_run import Engine
from sbir_gate.pipeline.asset_verdict import Enriched
from sbir_gate.pipeline.places import remove_old, used
from sbir_gate.reading.sources import count_rows_of
from sbir_gate.settings.reading import reading_options, work_folder
from sbir_gate.settings.schema import Settings

_CODE_VERSION = code_version()


@dataclass(frozen=True, slots=True)
class AssetEdges:
    """What the assets and sensors need of the world; tests pass fakes."""

    gate: Edges
    engine: Engine = link_and_write
    announce: Announce = announce_by_environment


class AssetOptions(TypedDict):
    """What every asset of a set has."""

    group_name: str
    partitions_def: dg.PartitionsDefinition[str] | None
    io_manager_key: str
    required_resource_keys: set[str]
    retry_policy: dg.RetryPolicy
    code_version: str
    owners: list[str]
    tags: dict[str, str]
    freshness_policy: dg.FreshnessPolicy | None


@dataclass(frozen=True, slots=True)
class AssetShape:
    """One set of the assets: its group, what stands before its names, its partitions, retries and resources.

    `recipients` is the asset of the file that awards are linked to, `awards_from` the asset that the awards
    come from, if there is any; `awards_kinds` are those of the files of the awards.
    """

    retries: dg.RetryPolicy
    group: str
    prefix: tuple[str, ...]
    partitions: dg.PartitionsDefinition[str] | None
    recipients: dg.AssetKey
    awards_from: dg.AssetKey | None
    owners: tuple[str, ...]
    tags: Mapping[str, str]
    freshness: dg.FreshnessPolicy | None
    awards_kinds: frozenset[str]
    settings_resource: str
    io_manager: str

    def key(self, name: str) -> dg.AssetKey:
        """Return the key of an asset of this set."""
        return dg.AssetKey([*self.prefix, name])

    def gate(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> GateResource:
        """Return the settings of this set in a run: its resource has a name of its own."""
        gate: GateResource = getattr(context.resources, self.settings_resource)
        return gate

    def asset_in(self, name: str) -> dict[str, dg.AssetIn]:
        """Return the input of an asset that comes after the asset `name`."""
        return {name: dg.AssetIn(key=self.key(name), input_manager_key=self.io_manager)}

    def options(self) -> AssetOptions:
        """Return what every asset of this set has."""
        return AssetOptions(
            group_name=self.group,
            partitions_def=self.partitions,
            io_manager_key=self.io_manager,
            required_resource_keys={self.settings_resource},
            retry_policy=self.retries,
            code_version=_CODE_VERSION,
            owners=list(self.owners),
            tags=dict(self.tags),
            freshness_policy=self.freshness,
        )


@dataclass(slots=True)
class Step:
    """One step at work: its settings, its files, its stage timer, and when it began."""

    gate: GateResource
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext
    monitor: PerformanceMonitor = field(default_factory=PerformanceMonitor)
    started: float = field(default_factory=time.perf_counter)
    started_cpu: float = field(default_factory=time.process_time)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.gate.effective().settings

    @property
    def award_year(self) -> int | None:
        """The award year that it is about, None for all."""
        return award_year_of(self.context)

    @property
    def files(self) -> AssetFiles:
        """Where what it makes goes."""
        return asset_files(self.settings, self.award_year)

    def recorded(self, key: dg.AssetKey) -> Recorded:
        """Return what Dagster recorded of an asset. Raises InputError where it recorded nothing."""
        partition = self.context.partition_key if self.context.has_partition_key else None
        return recorded(self.context.instance, self.context.run, key, partition)

    def newer(self, key: dg.AssetKey, enriched: Recorded) -> tuple[str, ...]:
        """Return a warning where the asset before the enriched awards has other data by now."""
        name, made_of = key.to_user_string(), enriched.text(VALIDATED_FINGERPRINT)
        with suppress(InputError):  # its records may have been wiped
            made_of = self.recorded(key).fingerprint
        if made_of == enriched.text(VALIDATED_FINGERPRINT):
            return ()
        return (f"{name} has other data by now than {enriched.path} was made from: materialise all of it",)

    def warn(self, warnings: Iterable[str]) -> None:
        """Write warnings to the log of the run."""
        for warning in warnings:
            self.context.log.warning("%s", warning)

    def remove_old(self, parent: Path, key: dg.AssetKey) -> None:
        """Remove the oldest places of an asset: not those that are published, or that a run may yet read."""
        needed = {*read_later(self.context.instance, key), *published_places(parent.parent)}
        remove_old(parent, self.settings.orchestration.keep_places, needed)

    def alone(self, path: Path, tell: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
        """Hold a lock while the block runs: another, be it an orphan of a killed run, is waited for."""
        seconds = self.settings.orchestration.lock_seconds
        return sole_writer(path, Waiting(seconds, tell or self._log_holder))

    def _log_holder(self, holder: str) -> None:
        self.context.log.info("process %s is at work on these assets: waiting for it to end", holder)

    def count_rows(self, source: Path) -> int | None:
        """Return the rows of a source, None where it cannot be read: the step after this one says why."""
        try:
            with tempfile.TemporaryDirectory(dir=work_folder(self.settings)) as folder:
                return count_rows_of(source, Path(folder), reading_options(self.settings))
        except InputError:
            return None

    def performance(self, records: int | None = None) -> Metadata:
        """Return what the step has taken up to now, as metadata; the rate where it is one of records."""
        return performance_facts(
            self.monitor.export(),
            time.perf_counter() - self.started,
            time.process_time() - self.started_cpu,
            records,
        )


@contextmanager
def opened_step(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, gate: GateResource
) -> Iterator[Step]:
    """Open a step whose errors end it in their own words."""
    with as_failures():
        gate.say_changes(context.log.info)
        yield Step(gate, context)


@contextmanager
def judging(step: Step, found: Recorded) -> Iterator[Enriched]:
    """Give the enriched awards as they were recorded, to a step that alone judges them."""
    enriched = Enriched(EnrichedFiles(found.place.folder), step.award_year)
    with used(found.place, found.hint), step.alone(enriched.assets.lock):
        yield enriched


@contextmanager
def sole_writer(path: Path, waiting: Waiting) -> Iterator[None]:
    """Hold the lock of the assets, in a folder that is made. Raises LimitError when the time is up."""
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path, waiting))
        except OSError as error:
            raise OutputError(
                f"cannot be written or locked ({error.strerror})",
                "name a folder that you may write to, on a disk that has locks",
                path=path,
            ) from error
        except LockedError as error:
            raise LimitError(
                f"process {error.holder} is at work here after {waiting.seconds:g} seconds",
                "wait for it or end it (it may belong to a run whose worker was killed), or raise"
                " orchestration.lock_seconds",
                path=path.parent,
            ) from error
        yield
