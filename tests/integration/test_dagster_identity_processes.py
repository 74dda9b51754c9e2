"""Runs in one folder at once, as real processes; what they made is read back as Dagster's pages read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml

from sbir_gate.orchestration.names import ENRICHED, JOB, RAW, REPORT, SETTINGS_RESOURCE, VALIDATED
from tests import dagster_pausing
from tests.dagster_pausing import AFTER, FOLDER, PAUSING_JOB
from tests.dagster_server import MODULE, RUN_SECONDS, Place, dev_server, end_group, wait_until
from tests.factories_dagster import World

pytestmark = pytest.mark.nightly

MINE, OTHERS = 50, 60

MADE = """
query($asset: String!) { assetOrError(assetKey: {path: [$asset]}) { ... on Asset {
  assetMaterializations { runId metadataEntries {
    label
    ... on FloatMetadataEntry { floatValue }
    ... on IntMetadataEntry { intValue }
    ... on TextMetadataEntry { text }
    ... on PathMetadataEntry { path }
    ... on BoolMetadataEntry { boolValue }
    ... on JsonMetadataEntry { jsonString }
  } } } } }"""


@dataclass(frozen=True)
class Pausing(Place):
    """A place whose processes pause after a step."""

    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PYTHONPATH": str(Path(__file__).parents[2]), **self.more}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        world.write(linked=OTHERS, awards=OTHERS)
        (tmp_path / "awards.csv").rename(tmp_path / "others.csv")
        world.write(linked=OTHERS)
        yield world


@pytest.fixture
def place(world: World) -> Pausing:
    place = Pausing(world.folder, world.config())
    place.set_up()
    return place


def run_config(world: World, name: str, **config: object) -> Path:
    path = world.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"resources": {SETTINGS_RESOURCE: {"config": config}}}))
    return path


def of_others(world: World) -> Path:
    return run_config(world, "others", awards=str(world.folder / "others.csv"))


def finish(place: Place, *arguments: object) -> int:
    """Run `dagster` to its end, and return its status."""
    process = place.start(*arguments)
    try:
        return process.wait(RUN_SECONDS)
    finally:
        end_group(process)


def made(place: Place) -> dict[str, list[dict[str, object]]]:
    """Return what the pages know of each materialisation, the newest first."""
    with dev_server(place) as server:
        return {asset: _known(server.ask(MADE, asset=asset)) for asset in (RAW, VALIDATED, ENRICHED, REPORT)}


def _known(answer) -> list[dict[str, object]]:
    return [
        {
            "run": each["runId"],
            **{
                entry["label"]: next((value for key, value in entry.items() if key != "label"), None)
                for entry in each["metadataEntries"]
            },
        }
        for each in answer["assetOrError"]["assetMaterializations"]
    ]


def rows(path: Path) -> int:
    return duckdb.read_parquet(str(path)).count("*").fetchall()[0][0]


def check_each_run_is_of_its_own_data(found, runs):
    for run in runs:
        (validated,) = [each for each in found[VALIDATED] if each["run"] == run]
        (enriched,) = [each for each in found[ENRICHED] if each["run"] == run]
        (report,) = [each for each in found[REPORT] if each["run"] == run]
        awards = validated["awards"]
        assert (enriched["awards"], report["awards"]) == (awards, awards)
        assert rows(Path(enriched["path"])) == awards
        assert enriched["validated_fingerprint"] == validated["fingerprint"]
        assert report["enriched_path"] == enriched["path"]


def test_two_runs_at_once_in_one_folder_each_keep_their_own_data(world, place):
    # of two processes that use a new instance for the first time at once, Dagster lets one fail
    dg.DagsterInstance.from_config(str(place.home)).dispose()
    mine = place.start("job", "execute", "-m", MODULE, "-j", JOB)
    other = place.start("job", "execute", "-m", MODULE, "-j", JOB, "-c", of_others(world))
    try:
        assert (mine.wait(RUN_SECONDS), other.wait(RUN_SECONDS)) == (0, 0), place.said()[-4000:]
    finally:
        end_group(mine)
        end_group(other)
    found = made(place)
    runs = {each["run"] for each in found[REPORT]}
    assert {each["awards"] for each in found[REPORT]} == {MINE, OTHERS}
    check_each_run_is_of_its_own_data(found, runs)
    assert rows(world.files / f"{ENRICHED}.parquet") in {MINE, OTHERS}


@pytest.mark.parametrize(
    "after",
    [RAW, VALIDATED, f"{VALIDATED}_checks", ENRICHED, f"{ENRICHED}_checks"],
)
def test_a_run_that_comes_between_two_steps_of_another_changes_nothing_for_it(world, place, after):
    location = ("-f", dagster_pausing.__file__)
    slow = Pausing(place.folder, place.config, {AFTER: after, FOLDER: str(world.folder)})
    mine = slow.start("job", "execute", *location, "-j", PAUSING_JOB)
    try:
        wait_until((world.folder / "paused").exists, RUN_SECONDS, place.said)
        status = finish(place, "job", "execute", *location, "-j", PAUSING_JOB, "-c", of_others(world))
        (world.folder / "go").touch()
        assert (mine.wait(RUN_SECONDS), status) == (0, 0), place.said()[-4000:]
    finally:
        end_group(mine)
    found = made(place)
    assert [each["awards"] for each in found[REPORT]] == [MINE, OTHERS]
    check_each_run_is_of_its_own_data(found, {each["run"] for each in found[REPORT]})


def test_the_report_alone_is_of_what_was_enriched_in_another_folder(world, place):
    elsewhere = run_config(
        world, "elsewhere", awards=str(world.folder / "others.csv"), folder=str(world.folder / "elsewhere")
    )
    assert finish(place, "job", "execute", "-m", MODULE, "-j", JOB, "-c", elsewhere) == 0
    assert finish(place, "asset", "materialize", "-m", MODULE, "--select", REPORT) == 0, place.said()[-4000:]
    found = made(place)
    report = found[REPORT][0]
    assert report["enriched_path"] == found[ENRICHED][0]["path"]
    assert report["awards"] == OTHERS
    assert "others.csv" in report["warnings"]
    assert not world.files.exists()


def test_a_refused_table_never_takes_the_place_of_the_last_good_one(world, place):
    assert finish(place, "job", "execute", "-m", MODULE, "-j", JOB) == 0
    published = world.files / f"{ENRICHED}.parquet"
    good = published.read_bytes()
    world.write(linked=20)
    assert finish(place, "job", "execute", "-m", MODULE, "-j", JOB) == 1
    assert finish(place, "asset", "materialize", "-m", MODULE, "--select", REPORT) == 1
    found = made(place)
    assert [each["links"] for each in found[ENRICHED]] == [20, 50]
    assert published.read_bytes() == good
    assert published.samefile(found[ENRICHED][1]["path"])


STATES = "{runsOrError{...on Runs{results{runId status endTime stepStats{stepKey startTime endTime}}}}}"


def test_runs_of_a_server_wait_for_the_pool_of_the_enrichment(place):
    with dev_server(place) as server:
        for _ in range(2):
            server.launch(JOB)

        def ended():
            runs = server.ask(STATES)["runsOrError"]["results"]
            return runs if all(run["endTime"] for run in runs) else None

        runs = wait_until(ended, RUN_SECONDS, place.said)
    assert [run["status"] for run in runs] == ["SUCCESS"] * 2
    # the pool is free when the step ends, not only when its run does
    steps = [step for run in runs for step in run["stepStats"] if step["stepKey"] == ENRICHED]
    earlier, later = sorted(steps, key=lambda step: step["startTime"])
    assert later["startTime"] >= earlier["endTime"]
