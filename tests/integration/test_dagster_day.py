"""A day of operation inside Dagster, and the messages to Slack: one per event, each with its reason."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from sbir_gate.engine.enrichment import link_and_write
from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE
from sbir_gate.orchestration.names import YEARLY_JOB
from sbir_gate.orchestration.sensors import announce_by_environment
from tests.factories_dagster import World, tell_alerts, tell_backfills

pytestmark = pytest.mark.slow

BACKFILL = "qwertyui"
# limits on time as they come with sbir-gate: the world's own settings leave time out
TIMED = tuple(
    f"gate.metrics.wall_seconds.{name}={value}"
    for name, value in (("warn_percent", 10), ("fail_percent", 25), ("smallest_change", 0))
)
RUN_ID = re.compile(r"runs/[0-9a-f-]{36}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Day:
    """A world whose runs are looked at by its sensors, and the messages that Slack got of each."""

    def __init__(self, world: World, slack) -> None:
        self.world = world
        self.lines: list[str] = []
        self._slack = slack

    def run(self, title: str, *, is_relaunched: bool = False, **options: object) -> None:
        result = self.world.run(*TIMED, **options)
        if is_relaunched:
            self.world.instance.add_run_tags(result.run_id, {"dagster/will_retry": "true"})
        tell_alerts(self.world, result)
        self._note(f"{title}: {'success' if result.success else 'failure'}")

    def backfill(self, title: str, *years: int) -> None:
        outcomes = []
        for year in years:
            result = self.world.run(*TIMED, job=YEARLY_JOB, partition=str(year))
            self.world.instance.add_run_tags(result.run_id, {"dagster/backfill": BACKFILL})
            tell_alerts(self.world, result)
            outcomes.append("success" if result.success else "failure")
        ended = PartitionBackfill(BACKFILL, BulkActionStatus.COMPLETED_FAILED, False, {}, 0.0)
        self.world.instance.add_backfill(ended)
        tell_backfills(self.world)
        # another code location looks too, or the daemon was killed before it kept that it had looked
        self.world.cursor = "{}"
        tell_backfills(self.world)
        self._note(f"{title}: {', '.join(outcomes)}")

    def _note(self, title: str) -> None:
        posted = [json.loads(request.get_data()) for request, _ in self._slack.log]
        self._slack.clear_log()
        self.lines.append(f"== {title}; messages: {len(posted)}")
        self.lines += [line for payload in posted for line in lines_of(payload)]


def lines_of(payload) -> Iterator[str]:
    """Return what a reader of Slack sees of a message."""
    for block in payload["blocks"]:
        text = block["text"] if "text" in block else block["elements"][0]
        yield from text["text"].splitlines()


@pytest.fixture
def day(tmp_path: Path, httpserver, monkeypatch) -> Iterator[Day]:
    httpserver.expect_request("/hook").respond_with_data("ok")
    monkeypatch.setenv(WEBHOOK_VARIABLE, httpserver.url_for("/hook"))
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, chunk_size=10, retries=0)
        world.announce = announce_by_environment
        world.write(linked=45)
        tell_backfills(world)  # the sensor was switched on before
        yield Day(world, httpserver)


def write_years(world: World) -> None:
    """Give the awards of the world a year each; of 2023 hardly one is linked, and 2019 has none."""
    world.write(linked=40)
    path = world.folder / "awards.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "Award Year"])
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow({**row, "Award Year": 2023 if number >= 38 else 2020 + number % 3})


def killed(request, settings, monitor, progress, watch):
    """The engine, whose process dies after some chunks."""

    def die(chunk):
        watch(chunk)
        if chunk.chunks == 5:
            raise RuntimeError("the worker was killed")

    return link_and_write(request, settings, monitor, progress, die)


def test_a_day_of_operation_is_told_in_one_message_per_event(day, check_golden):
    world = day.world
    for number in (1, 2):
        day.run(f"{number} sound")
    world.write(linked=30)
    day.run("3 refused")
    day.run("4 refused again, within a day")
    world.write(linked=45)
    day.run("5 sound again")
    day.run("6 broken by settings", awards="gone.csv")
    world.engine = killed
    day.run("7 killed; Dagster launches it again", is_relaunched=True)
    world.engine = link_and_write
    day.run("7 relaunched")
    write_years(world)
    day.backfill("8 backfill of 5 years, one without awards", *range(2019, 2024))
    world.write(linked=45)
    for number, slowness in enumerate((1.4, 1.9, 1.2, 1.7), start=9):
        world.stopwatch.slowness = slowness
        day.run(f"{number} sound on a busy machine")
    text = MOMENT.sub("<moment>", RUN_ID.sub("runs/<run>", "\n".join(day.lines))) + "\n"
    text = text.replace(str(world.folder), "<folder>")
    counts = [int(line.rpartition(" ")[2]) for line in day.lines if line.startswith("== ")]
    assert max(counts) == 1
    assert len(counts) - 1 == 12  # one of them was launched twice
    check_golden("dagster-day.txt", text)
