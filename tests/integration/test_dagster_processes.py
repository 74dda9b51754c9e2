"""What is left when processes of Dagster are killed, and what its pages are told, with real processes."""

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import psutil
import pytest

from sbir_gate.orchestration.names import ENRICHED, JOB, RAW, REPORT, VALIDATED, YEARLY_JOB, YEARLY_PREFIX
from tests.dagster_server import MODULE, RUN_SECONDS, Place, Server, dev_server, end_group, wait_until
from tests.factories_dagster import World
from tests.factories_matching import enrich_files

pytestmark = pytest.mark.nightly

RECIPIENTS = 40_000
CHUNK = 200
ENOUGH_CHUNKS = 5


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, chunk_size=CHUNK, executor="multiprocess")
        world.write(linked=45, recipients=RECIPIENTS)
        yield world


@pytest.fixture
def place(world: World) -> Place:
    place = Place(world.folder, world.config())
    place.set_up()
    return place


def undisturbed(world: World) -> bytes:
    path = world.folder / "undisturbed.parquet"
    enrich_files(world.folder / "awards.csv", world.folder / "recipients.csv", path)
    return path.read_bytes()


def step_at_work(world: World) -> int:
    """Return the process of the enrichment, once it has finished some chunks; 0 before."""
    chunks = world.files / "chunks"
    if sum(1 for _ in chunks.glob("*/part-*.json")) < ENOUGH_CHUNKS:
        return 0
    (lock,) = chunks.glob("*.lock")
    return int(lock.read_text() or 0)


def observed(place: Place, kind: str) -> list[dict[str, object]]:
    """Return the observations of one kind that the instance keeps."""
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        records = instance.fetch_observations(dg.AssetKey(ENRICHED), limit=200).records
    seen = [
        {name: value.value for name, value in record.asset_observation.metadata.items()} for record in records
    ]
    return [each for each in seen if each["kind"] == kind]


def test_a_killed_step_is_tried_again_and_goes_on_from_its_chunks(world, place):
    execution = place.start("job", "execute", "-m", MODULE, "-j", JOB)
    try:
        os.kill(wait_until(lambda: step_at_work(world), RUN_SECONDS, place.said), signal.SIGKILL)
        assert execution.wait(RUN_SECONDS) == 0, place.said()[-4000:]
    finally:
        end_group(execution)
    (recovery,) = observed(place, "recovery")
    assert recovery["records_reused"] >= ENOUGH_CHUNKS * CHUNK
    assert world.enriched() == undisturbed(world)


def parent_of(process: int) -> int:
    """Return the process that started another: of a step, the worker of its run."""
    return psutil.Process(process).ppid()


def test_a_run_whose_worker_was_killed_is_launched_again_and_waits_for_the_orphan(world, place):
    with dev_server(place) as server:
        run_id = server.launch(JOB)
        orphan = wait_until(lambda: step_at_work(world), RUN_SECONDS, place.said)
        # the orphan lives on, and is at work for as long as it takes to see what its successor does
        os.kill(orphan, signal.SIGSTOP)
        try:
            os.kill(parent_of(orphan), signal.SIGKILL)
            (waiting,) = wait_until(lambda: observed(place, "waiting"), RUN_SECONDS, place.said)
            assert waiting["process"] == str(orphan)
            assert not (world.files / f"{ENRICHED}.parquet").exists()
        finally:
            os.kill(orphan, signal.SIGKILL)
        wait_until(lambda: server.runs()[0]["status"] in {"SUCCESS", "FAILURE"}, RUN_SECONDS, place.said)
        again, first = server.runs()
        assert (first["runId"], first["status"]) == (run_id, "FAILURE")
        assert (again["parentRunId"], again["status"]) == (run_id, "SUCCESS")
    (recovery,) = observed(place, "recovery")
    assert recovery["records_reused"] >= ENOUGH_CHUNKS * CHUNK
    assert world.enriched() == undisturbed(world)


@pytest.fixture
def quick_place(tmp_path: Path) -> Place:
    """Return a place whose runs start no process for a step."""
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        world.write(linked=45)
    place = Place(world.folder, world.config())
    place.set_up()
    return place


MATERIALIZATION = """
query($asset: String!) { assetOrError(assetKey: {path: [$asset]}) { ... on Asset {
  assetMaterializations(limit: 1) { metadataEntries {
    label
    ... on FloatMetadataEntry { floatValue }
    ... on TextMetadataEntry { text }
    ... on MarkdownMetadataEntry { mdStr }
    ... on PathMetadataEntry { path }
  } } } } }"""

CHECKS = """
query($asset: String!) { assetNodeOrError(assetKey: {path: [$asset]}) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name blocking
    executionForLatestMaterialization { status evaluation { success severity description
      metadataEntries { label ... on FloatMetadataEntry { floatValue } } } } } } } } } }"""


def test_the_pages_of_dagster_show_assets_checks_and_the_report(quick_place):
    execution = quick_place.start("job", "execute", "-m", MODULE, "-j", JOB)
    assert execution.wait(RUN_SECONDS) == 0, quick_place.said()[-4000:]
    with dev_server(quick_place) as server:
        shown = {}
        for asset in (RAW, VALIDATED, ENRICHED, REPORT):
            (latest,) = server.ask(MATERIALIZATION, asset=asset)["assetOrError"]["assetMaterializations"]
            shown[asset] = {entry["label"]: entry for entry in latest["metadataEntries"]}
        checks = server.ask(CHECKS, asset=ENRICHED)["assetNodeOrError"]["assetChecksOrError"]["checks"]
    assert shown[ENRICHED]["match_rate"]["floatValue"] == 0.9
    assert shown[ENRICHED]["duration_seconds"]["floatValue"] > 0
    assert shown[REPORT]["verdict"]["text"] == "no-baseline"
    assert shown[REPORT]["report"]["mdStr"].startswith("### ")
    assert Path(shown[REPORT]["report_path"]["path"]).is_file()
    latest = {check["name"]: check["executionForLatestMaterialization"]["evaluation"] for check in checks}
    assert all(evaluation["success"] for evaluation in latest.values())
    threshold = {entry["label"]: entry for entry in latest["match_rate_threshold"]["metadataEntries"]}
    assert threshold["value"]["floatValue"] == 0.9
    assert {check["name"] for check in checks if not check["blocking"]} == {"calibration", "performance"}


def test_bad_data_end_the_command_with_status_1(world, quick_place):
    world.write(linked=30)
    execution = quick_place.start("job", "execute", "-m", MODULE, "-j", JOB)
    assert execution.wait(RUN_SECONDS) == 1, quick_place.said()[-4000:]


def failure_of(server: Server, run_id: str) -> str:
    """Return the errors of the steps of a run, as its page shows them."""
    events = server.ask(FAILURES, run=run_id)["logsForRun"]["events"]
    return "\n".join(event["error"]["message"] for event in events if event.get("error"))


FAILURES = """
query($run: ID!) { logsForRun(runId: $run, limit: 1000) { ... on EventConnection { events {
  __typename ... on ExecutionStepFailureEvent { error { message } } } } } }"""

EVENTS = """
query($run: ID!) { logsForRun(runId: $run, limit: 1000) { ... on EventConnection { events {
  ... on MessageEvent { eventType stepKey message } } } } }"""


def test_an_enrichment_without_progress_is_stopped_once_in_its_own_words(world, quick_place):
    world.write(linked=45, recipients=RECIPIENTS)
    with dev_server(quick_place) as server:
        run_id = server.launch(JOB, timeout_seconds=0.05)
        ended(server, run_id, quick_place)
        events = server.ask(EVENTS, run=run_id)["logsForRun"]["events"]
        kinds = [event["eventType"] for event in events if event.get("stepKey") == ENRICHED]
        assert kinds.count("STEP_FAILURE") == 1
        assert "STEP_UP_FOR_RETRY" not in kinds
        words = failure_of(server, run_id)
        assert "the enrichment made no progress for 0.05 seconds and was stopped" in words
        assert "raise enrichment.performance.timeout_seconds" in words
        # what cannot change is not launched again either
        assert [run["runId"] for run in server.runs()] == [run_id]


def ended(server: Server, run_id: str, place: Place) -> str:
    """Wait for the end of a run and return how it ended."""

    def status() -> str:
        (found,) = [run["status"] for run in server.runs() if run["runId"] == run_id]
        return found if found in {"SUCCESS", "FAILURE"} else ""

    return wait_until(status, RUN_SECONDS, place.said)


def test_a_wrong_value_is_refused_at_launch_in_one_line(quick_place):
    with dev_server(quick_place) as server:
        refused = [
            server.try_launch(JOB, chunk_size=0)["message"],
            server.try_launch(JOB, assignments=["gate.max_lost=many"])["message"],
        ]
        assert server.runs() == []
    place = "dagster._core.errors.DagsterInvalidConfigError: resources.sbir_gate_settings.config: "
    assert refused == [
        f"{place}config of the run: enrichment.performance.chunk_size: must be at least 1 (0)\n",
        f"{place}--set: gate.max_lost: must be a whole number ('many')\n",
    ]


def test_a_year_of_a_backfill_without_awards_is_skipped_and_said(quick_place):
    awards = quick_place.folder / "awards.csv"
    header, *lines = awards.read_text().splitlines()
    awards.write_text("\n".join([f"{header},Award Year", *(f"{line},2020" for line in lines)]) + "\n")
    years = ["2020", "2021"]
    with dev_server(quick_place) as server:
        launched = server.backfill(YEARLY_JOB, years)
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def ended_runs() -> list[Mapping[str, object]]:
            runs = server.runs()
            is_over = len(runs) == len(years) and {run["status"] for run in runs} <= {"SUCCESS", "FAILURE"}
            return runs if is_over else []

        runs = wait_until(ended_runs, 2 * RUN_SECONDS, quick_place.said)
        of_year = {
            tag["value"]: run for run in runs for tag in run["tags"] if tag["key"] == "dagster/partition"
        }
        events = server.ask(EVENTS, run=of_year["2021"]["runId"])["logsForRun"]["events"]
    assert {year: run["status"] for year, run in of_year.items()} == dict.fromkeys(years, "SUCCESS")
    assert any("no award is of award year 2021" in str(event.get("message")) for event in events)
    started = {event["stepKey"] for event in events if event.get("eventType") == "STEP_START"}
    assert f"{YEARLY_PREFIX}__{VALIDATED}" in started
    assert not {f"{YEARLY_PREFIX}__{name}" for name in (ENRICHED, REPORT)} & started
    assert (quick_place.folder / "assets" / "2020" / f"{ENRICHED}.parquet").exists()
    assert not (quick_place.folder / "assets" / "2021" / f"{ENRICHED}.parquet").exists()
