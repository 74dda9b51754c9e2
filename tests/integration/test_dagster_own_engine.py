"""The team's own engine as the enrichment of the Dagster assets; the process itself is a function here."""

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import dagster as dg
import dagster_pipes
import duckdb
import pytest

from sbir_gate.gate.measuring.process import ProcessRequest, ProcessResult
from sbir_gate.orchestration.names import ENRICHED, REPORT, VALIDATED, YEARLY_JOB
from tests.factories_dagster import (
    World,
    failed_checks,
    failure_of,
    metadata_of,
    observations_of,
    started_steps,
)

COMMAND = "enricher.command=own-engine {awards} {recipients} {output} {metrics}"
ENDED = ProcessResult(
    exit_status=0,
    is_timed_out=False,
    wall_seconds=1.5,
    cpu_seconds=1.25,
    peak_rss_mib=77.0,
    memory_method="VmHWM",
    cpu_method="wait4",
)


class OwnEngine:
    """Links awards whose DUNS a recipient has; what else it does is a function of its request."""

    def __init__(self, also: Callable[[ProcessRequest], object] = lambda _request: None) -> None:
        self.also = also
        self.requests: list[ProcessRequest] = []
        self.awards: list[Mapping[str, str]] = []
        self.result = ENDED

    def __call__(self, request: ProcessRequest) -> ProcessResult:
        self.requests.append(request)
        _, awards, recipients, output, metrics = request.arguments
        with Path(awards).open(newline="") as file:
            self.awards = list(csv.DictReader(file))
        with Path(recipients).open(newline="") as file:
            by_duns = {row["duns"]: row["recipient_id"] for row in csv.DictReader(file)}
        with Path(output).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
            for row in self.awards:
                found = by_duns.get(row["Duns"], "")
                writer.writerow([row["award_id"], found, *(("duns", 100) if found else ("none", 0))])
        Path(metrics).write_text('{"counters": {"pages_read": 12}, "notes": {"version": "7.1"}}')
        self.also(request)
        return self.result


@pytest.fixture
def engine() -> OwnEngine:
    return OwnEngine()


@pytest.fixture
def world(tmp_path: Path, engine: OwnEngine) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, launch=engine)
        world.write(linked=45)
        yield world


def linked_rows(world: World) -> list[Mapping[str, object]]:
    table = duckdb.read_parquet(str(world.files / f"{ENRICHED}.parquet"))
    return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


def test_it_links_the_validated_awards_and_is_judged_as_any_engine(world, engine):
    result = world.run(COMMAND)
    assert result.success
    known = metadata_of(result, ENRICHED)
    assert (known["match_rate"], known["links/duns"], known["recipients"]) == (0.9, 45, 90)
    assert metadata_of(result, REPORT)["verdict"] == "no-baseline"
    rows = linked_rows(world)
    assert [row["award_id"] for row in rows] == [row["award_id"] for row in engine.awards]
    first, last = rows[0], rows[-1]
    assert (first["recipient_id"], first["recipient_name"]) == ("R0", "FIRM 0 OF OPTICS, INC.")
    assert (first["match_method"], first["match_decision"], first["match_score"]) == ("duns", "link", 100)
    assert (last["recipient_id"], last["match_decision"]) == (None, "none")


@pytest.mark.slow
def test_its_run_has_the_figures_of_its_own_process(world):
    result = world.run(COMMAND)
    assert result.success
    run = world.baseline()
    (sample,) = run.samples
    assert (sample.wall_seconds, sample.peak_rss_mib, sample.memory_method) == (1.5, 77.0, "VmHWM")
    assert run.enricher.startswith("own-engine ")
    assert sample.counters == {"pages_read": 12}


@pytest.mark.slow
def test_it_runs_where_the_settings_file_is_with_a_scrubbed_environment(world, engine, monkeypatch):
    monkeypatch.setenv("SLACK_TOKEN", "secret")
    world.run(COMMAND)
    (request,) = engine.requests
    assert request.working_folder == world.folder
    assert "SLACK_TOKEN" not in request.environment
    assert {"DAGSTER_PIPES_CONTEXT", "DAGSTER_PIPES_MESSAGES"} <= request.environment.keys()


@pytest.mark.slow
def test_of_a_partition_it_gets_the_awards_of_that_year(world, engine):
    path = world.folder / "awards.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "Award Year"])
        writer.writeheader()
        writer.writerows({**row, "Award Year": 2020 + number % 2} for number, row in enumerate(rows))
    assert world.run(COMMAND, job=YEARLY_JOB, partition="2021").success
    assert {row["Award Year"] for row in engine.awards} == {"2021"}


@pytest.mark.slow
def test_parquet_stays_parquet(world):
    source = world.folder / "awards.parquet"
    duckdb.read_csv(str(world.folder / "awards.csv"), all_varchar=True).write_parquet(str(source))
    handed = []

    def look(request: ProcessRequest) -> ProcessResult:
        handed.append(duckdb.read_parquet(request.arguments[1]).columns)
        return replace(ENDED, exit_status=1)

    world.launch = look
    world.run(COMMAND, awards=str(source), only=["raw_sbir_awards", VALIDATED, ENRICHED])
    assert "award_id" in handed[0]


@pytest.mark.slow
def test_links_that_it_loses_are_refused(world):
    assert world.run(COMMAND).success
    world.write(linked=30)
    result = world.run(COMMAND)
    assert not result.success
    assert failed_checks(result)["match_rate_threshold"] == "ERROR"
    assert REPORT not in started_steps(result)


@pytest.mark.slow
def test_an_award_without_a_row_is_refused(world, engine):
    engine.also = lambda request: _drop_last(Path(request.arguments[3]))
    result = world.run(COMMAND)
    assert failed_checks(result)["completeness"] == "ERROR"
    assert failed_checks(result)["gate"] == "ERROR"


def _drop_last(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def report_by_pipes(request: ProcessRequest) -> None:
    """Report as an engine does that uses Dagster Pipes."""
    loader = dagster_pipes.PipesMappingParamsLoader(request.environment)
    with dagster_pipes.open_dagster_pipes(params_loader=loader) as pipes:
        pipes.log.info("loaded the index")
        pipes.report_custom_message({"recipients": 60, "recipients_in_all": 90})
        time.sleep(1.2)
        pipes.report_asset_materialization(metadata={"index_version": "7.1", "match_rate": 1.0})
    dagster_pipes.PipesContext._instance = None


@pytest.mark.slow
def test_what_it_reports_by_dagster_pipes_is_shown(world, engine):
    touched = []

    def also(request: ProcessRequest) -> None:
        report_by_pipes(request)
        touched.append(request.reports_progress)

    engine.also = also
    result = world.run(COMMAND, "orchestration.progress_seconds=1")
    assert result.success
    known = metadata_of(result, ENRICHED)
    assert known["index_version"] == "7.1"
    assert known["match_rate"] == 0.9  # what was measured, not what it says of itself
    progress = [seen for seen in observations_of(result) if seen["kind"] == "progress"]
    assert progress[0]["progress_records_processed"] == 60
    assert touched == [True]  # so it is not ended while it makes progress


def test_an_engine_that_breaks_ends_the_step_with_its_messages(world, engine):
    tail = ("reading", "MemoryError: no room for the index")
    engine.result = replace(ENDED, exit_status=3, log_tail=tail)
    world.retries = 0
    result = world.run(COMMAND)
    assert "the enricher ended with exit status 3" in failure_of(result)
    assert "MemoryError: no room for the index" in failure_of(result)
    (failure,) = [
        event.step_failure_data.user_failure_data
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.STEP_FAILURE
    ]
    assert failure.metadata["engine_messages"].value == "\n".join(tail)


@pytest.mark.slow
def test_a_time_out_is_not_tried_again(world, engine):
    engine.result = replace(ENDED, exit_status=-15, is_timed_out=True)
    result = world.run(COMMAND, timeout_seconds=7.0)
    assert "the enricher timed out after 7 s" in failure_of(result)
    assert len(engine.requests) == 1
