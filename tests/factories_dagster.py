"""A small world for the assets of Dagster: awards of which so many find their recipient, and runs over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import dagster as dg
import yaml

from sbir_gate.documents import load_run
from sbir_gate.engine.enrichment import link_and_write
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.measuring.benchmark import Launch
from sbir_gate.gate.measuring.process import ProcessRequest, ProcessResult
from sbir_gate.model.alert import RunNotice
from sbir_gate.model.run import Run, Source
from sbir_gate.model.samples import Calibration
from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB, REPORT, SETTINGS_RESOURCE
from sbir_gate.orchestration.steps import AssetEdges
from sbir_gate.pipeline.asset_run import Engine
from tests.factories import MACHINE
from tests.factories_matching import Award, Recipient, write_tables

AWARDS = 50
RECIPIENTS = 90
COMMIT = "c" * 40
SUBJECT = "Read the awards of another year"


class Clock:
    """A day that goes on by a minute whenever somebody looks."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now

    def skip(self, days: int) -> None:
        """Go on by days."""
        self._now += timedelta(days=days)


def no_process(_request: ProcessRequest) -> ProcessResult:
    raise AssertionError("an asset starts no process")


class Stopwatch:
    """A clock on which every enrichment takes three seconds, give or take, or so many times that."""

    def __init__(self) -> None:
        self.slowness = 1.0
        self._jitter = cycle((1.0, 1.02, 0.99, 1.01, 0.98))
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 3.0 * self.slowness * next(self._jitter)
        return self._now


@dataclass
class World:
    """A folder with awards, recipients and settings; `run` runs the job over them, in this process."""

    folder: Path
    instance: dg.DagsterInstance
    notices: list[RunNotice] = field(default_factory=list)
    engine: Engine = link_and_write
    clock: Clock = field(default_factory=Clock)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    cursor: str | None = None
    retries: int = 3
    chunk_size: int = 1000
    commit: str = COMMIT
    executor: str = "in-process"
    launch: Launch = no_process

    @property
    def files(self) -> Path:
        """The folder of the assets."""
        return self.folder / "assets"

    def enriched(self) -> bytes:
        """Return the enriched awards as they lie on disk."""
        return (self.files / f"{ENRICHED}.parquet").read_bytes()

    def baseline(self) -> Run:
        """Return the Run that the next one is held against."""
        return load_run(self.files / "baselines" / "enrichment.json")

    def write(self, linked: int, awards: int = AWARDS, recipients: int = RECIPIENTS) -> None:
        """Write awards of which the first `linked` are among the recipients."""
        write_tables(
            self.folder,
            [Award(f"A{number}", f"Firm {number} of Optics", duns=duns(number)) for number in range(awards)],
            [
                Recipient(f"R{number}", f"FIRM {number} OF OPTICS, INC.", duns=duns(number))
                if number < linked
                else Recipient(f"R{number}", f"ELSEWHERE {number} TRUCKING LLC", duns=duns(500 + number))
                for number in range(recipients)
            ],
        )

    def config(self) -> Path:
        """Write the settings as a file and return its path."""
        path = self.folder / "config.yaml"
        base: dict[str, object] = {
            "fixtures": {
                "awards": str(self.folder / "awards.csv"),
                "recipients": str(self.folder / "recipients.csv"),
                "truth": None,
            },
            "gate": {
                "baselines_folder": str(self.folder / "baselines"),
                # the times of so small a world are chance
                "metrics": {
                    name: {"warn_percent": None, "fail_percent": None}
                    for name in ("wall_seconds", "cpu_seconds", "peak_rss_mib")
                },
            },
            "reports": {"folder": str(self.folder / "reports")},
            "enrichment": {"performance": {"chunk_size": self.chunk_size}},
            "orchestration": {
                "folder": str(self.files),
                "retry_seconds": 0.01,
                "max_retries": self.retries,
                "executor": self.executor,
                "webserver_url": "https://dagster.example",
            },
        }
        path.write_text(yaml.safe_dump(base), encoding="utf-8")
        return path

    def announce(self, notice: RunNotice) -> str:
        """Take note of what is told, and where it leads."""
        self.notices.append(notice)
        return "told"

    def definitions(self, **parameters: object) -> dg.Definitions:
        """Return the definitions with this world's edges, and other parameters of `build_definitions`."""
        edges = Edges(
            now=self.clock,
            launch=self.launch,
            calibrate=lambda: Calibration(0.1, 0.1),
            machine=lambda: MACHINE,
            source=lambda: Source(self.commit, "main"),
            subject=lambda commit: SUBJECT if commit == self.commit else "",
            clock=self.stopwatch,
        )
        return build_definitions(
            str(self.config()), AssetEdges(edges, self.engine, self.announce), **parameters
        )

    def run(
        self,
        *assignments: str,
        only: Sequence[str] = (),
        job: str = JOB,
        partition: str | None = None,
        **resource: object,
    ) -> dg.ExecuteInProcessResult:
        """Run the job, or some assets of it, with settings over those of the file."""
        config = {"assignments": list(assignments), "config_file": str(self.config()), **resource}
        return (
            self.definitions()
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance,
                raise_on_error=False,
                run_config={"resources": {SETTINGS_RESOURCE: {"config": config}}},
                asset_selection=[dg.AssetKey(name) for name in only] or None,
                partition_key=partition,
            )
        )

    def run_check(self, asset: str, check: str, **resource: object) -> dg.ExecuteInProcessResult:
        """Run one check and nothing else, as its page does."""
        selection = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(asset), check))
        alone = dg.Definitions(jobs=[dg.define_asset_job("one_check", selection)])
        config = {"config_file": str(self.config()), **resource}
        return (
            dg.Definitions.merge(self.definitions(), alone)
            .resolve_job_def("one_check")
            .execute_in_process(
                instance=self.instance,
                raise_on_error=False,
                run_config={"resources": {SETTINGS_RESOURCE: {"config": config}}},
            )
        )


def duns(number: int) -> str:
    return f"{100_000_007 + 1009 * number}"


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> Mapping[str, object]:
    """Return the plain values of what an asset was materialised with."""
    (event,) = [
        event for event in result.get_asset_materialization_events() if event.asset_key.path[-1] == asset
    ]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def observations_of(result: dg.ExecuteInProcessResult) -> list[Mapping[str, object]]:
    """Return the plain values of every observation of the enriched awards, in their order."""
    observed = [
        event.event_specific_data.asset_observation
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION
    ]
    return [
        {name: value.value for name, value in each.metadata.items()}
        for each in observed
        if each.asset_key.path[-1] == ENRICHED
    ]


def failed_checks(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Return the severity of each check that did not pass."""
    return {
        evaluation.check_name: evaluation.severity.value
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed
    }


def started_steps(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        event.step_key for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_START
    ]


def is_held_up(result: dg.ExecuteInProcessResult) -> bool:
    """Say whether the run failed after the enrichment, and the report never started."""
    steps = started_steps(result)
    return not result.success and ENRICHED in steps and REPORT not in steps


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """Return what the last step that failed says."""
    failures = [event for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_FAILURE]
    error = failures[-1].event_specific_data.error
    assert error is not None
    return error.message + (error.cause.message if error.cause else "")


def tell_alerts(world: World, result: dg.ExecuteInProcessResult) -> list[RunNotice]:
    """Let the sensors look at a run, and return what they told."""
    run = world.instance.get_run_by_id(result.run_id)
    assert run is not None
    status = dg.DagsterEventType.RUN_SUCCESS if result.success else dg.DagsterEventType.RUN_FAILURE
    (event,) = [event for event in result.all_events if event.event_type is status]
    name = "enrichment_warning_sensor" if result.success else "enrichment_failure_sensor"
    sensor = world.definitions().get_repository_def().get_sensor_def(name)
    context = dg.build_run_status_sensor_context(
        sensor_name=name, dagster_instance=world.instance, dagster_run=run, dagster_event=event
    )
    sensor(context)
    return world.notices


def tell_backfills(world: World) -> None:
    """Let the sensor of backfills have its next look."""
    sensor = world.definitions().get_repository_def().get_sensor_def("enrichment_backfill_sensor")
    context = dg.build_sensor_context(instance=world.instance, cursor=world.cursor)
    sensor.evaluate_tick(context)
    world.cursor = context.cursor
