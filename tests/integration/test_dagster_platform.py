"""The assets as a part of another platform: several sets, and its own assets before and after ours."""

import csv
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from sbir_gate.orchestration.names import ENRICHED, JOB, RECIPIENTS, YEARLY_JOB, YEARLY_PREFIX
from tests.factories_dagster import World, failure_of, metadata_of

# they are in requirements-dev.lock; an environment of before has them not yet
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

YEARS = ["2020", "2021"]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def make_world(folder: Path, instance: dg.DagsterInstance, linked: int = 45) -> World:
    folder.mkdir(exist_ok=True)
    world = World(folder, instance)
    world.write(linked)
    return world


def run(definitions: dg.Definitions, job: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False)


def versions_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, str]:
    """Return the data versions that went into an asset, by the names of their assets."""
    (event,) = [
        event for event in result.get_asset_materialization_events() if event.asset_key.path[-1] == asset
    ]
    before = "dagster/input_data_version/"
    return {
        key.removeprefix(before): version
        for key, version in (event.materialization.tags or {}).items()
        if key.startswith(before)
    }


@pytest.mark.slow
def test_two_sets_in_one_code_location_run_each_over_its_own_data(tmp_path, instance):
    east = make_world(tmp_path / "east", instance, linked=45)
    west = make_world(tmp_path / "west", instance, linked=40)
    both = dg.Definitions.merge(
        east.definitions(key_prefix="east"), west.definitions(key_prefix="west", owners=["team:west"])
    )
    rates = {}
    for name in ("east", "west"):
        result = run(both, f"{name}_{JOB}", instance)
        assert result.success
        rates[name] = metadata_of(result, ENRICHED)["match_rate"]
    assert rates == {"east": 0.9, "west": 0.8}


@pytest.mark.slow
def test_what_the_awards_were_linked_to_is_in_their_lineage(tmp_path, instance):
    world = make_world(tmp_path, instance)
    first, again = world.run(), world.run()
    assert versions_of(first, ENRICHED)[RECIPIENTS] == versions_of(again, ENRICHED)[RECIPIENTS]
    # a new time is no new content
    (world.folder / "recipients.csv").touch()
    assert versions_of(world.run(), ENRICHED)[RECIPIENTS] == versions_of(first, ENRICHED)[RECIPIENTS]
    world.write(linked=44)
    changed = world.run()
    assert versions_of(changed, ENRICHED)[RECIPIENTS] != versions_of(first, ENRICHED)[RECIPIENTS]
    latest = instance.get_latest_data_version_record(dg.AssetKey(RECIPIENTS))
    assert latest is not None


class Shelf(dg.IOManager):
    """The platform's own IO manager: keeps what its assets return, and knows nothing of ours."""

    def __init__(self) -> None:
        self.kept: dict[str, object] = {}

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        self.kept[context.asset_key.to_user_string()] = obj

    def load_input(self, context: dg.InputContext) -> object:
        return self.kept[context.asset_key.to_user_string()]


@dg.asset(ins={"awards": dg.AssetIn(ENRICHED)})
def links_by_method(awards: pd.DataFrame) -> dict[str, int]:
    links = awards[awards["match_decision"] == "link"]
    return links.groupby("match_method")["award_id"].count().to_dict()


@dg.asset(ins={"awards": dg.AssetIn(ENRICHED)})
def rows(awards: pa.Table) -> int:
    return awards.num_rows


@dg.asset(ins={"awards": dg.AssetIn(ENRICHED)})
def linked_ids(awards: pl.DataFrame) -> list[str]:
    return awards.filter(pl.col("match_decision") == "link")["award_id"].to_list()


@dg.asset(ins={"awards": dg.AssetIn(ENRICHED)})
def mean_score(awards: duckdb.DuckDBPyRelation) -> float:
    return awards.filter("match_decision = 'link'").aggregate("avg(match_score)").fetchall()[0][0]


@dg.asset(ins={"awards": dg.AssetIn(ENRICHED)})
def size(awards: Path) -> int:
    return awards.stat().st_size


@dg.asset
def summary(links_by_method: dict[str, int], rows: int) -> str:
    return f"{sum(links_by_method.values())} of {rows}"


DOWNSTREAM = [links_by_method, rows, linked_ids, mean_score, size, summary]


def beside_ours(world: World, shelf: Shelf) -> dg.Definitions:
    """Return the assets with those of a platform after them, which has an IO manager of its own."""
    theirs = dg.Definitions(
        assets=DOWNSTREAM,
        resources={"io_manager": shelf},
        jobs=[
            dg.define_asset_job("all", "*"),
            dg.define_asset_job("downstream", dg.AssetSelection.assets(*DOWNSTREAM)),
        ],
    )
    return dg.Definitions.merge(world.definitions(jobs=[JOB]), theirs)


def test_assets_after_ours_get_the_tables_that_they_annotate(tmp_path, instance):
    world, shelf = make_world(tmp_path, instance), Shelf()
    result = run(beside_ours(world, shelf), "all", instance)
    assert result.success
    assert shelf.kept["summary"] == "45 of 50"
    assert shelf.kept["links_by_method"] == {"duns-exact": 45}
    assert len(shelf.kept["linked_ids"]) == 45
    assert 0 < shelf.kept["mean_score"] <= 100
    assert shelf.kept["size"] == len(world.enriched())
    assert ENRICHED not in shelf.kept


@pytest.mark.slow
def test_refused_awards_are_loaded_by_no_later_run(tmp_path, instance):
    world, shelf = make_world(tmp_path, instance, linked=20), Shelf()
    definitions = beside_ours(world, shelf)
    refused = run(definitions, "all", instance)
    assert not refused.success
    assert shelf.kept == {}
    later = run(definitions, "downstream", instance)
    assert f"{ENRICHED} was refused: match_rate_threshold: " in failure_of(later)
    assert shelf.kept == {}
    # a limit that is another now is asked about by the check alone
    for check in ("match_rate_threshold", "gate"):
        world.run_check(ENRICHED, check, match_rate_threshold=0.3)
    assert run(definitions, "downstream", instance).success
    assert shelf.kept["summary"] == "20 of 50"


def give_years(path: Path) -> None:
    """Give every other award another year."""
    with path.open(newline="") as file:
        awards = list(csv.DictReader(file))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*awards[0], "Award Year"])
        writer.writeheader()
        writer.writerows({**row, "Award Year": YEARS[number % 2]} for number, row in enumerate(awards))


@pytest.mark.slow
def test_partitions_are_loaded_as_a_dictionary(tmp_path, instance):
    world, shelf = make_world(tmp_path, instance), Shelf()
    give_years(world.folder / "awards.csv")
    yearly = dg.AssetKey([YEARLY_PREFIX, ENRICHED])

    @dg.asset(
        ins={"awards": dg.AssetIn(yearly, partition_mapping=dg.SpecificPartitionsPartitionMapping(YEARS))}
    )
    def links_by_year(awards: dict[str, pd.DataFrame]) -> dict[str, int]:
        return {year: len(table) for year, table in awards.items()}

    theirs = dg.Definitions(
        assets=[links_by_year],
        resources={"io_manager": shelf},
        jobs=[dg.define_asset_job("by_year", dg.AssetSelection.assets(links_by_year))],
    )
    for year in YEARS:
        assert world.run(job=YEARLY_JOB, partition=year).success
    assert run(dg.Definitions.merge(world.definitions(), theirs), "by_year", instance).success
    assert shelf.kept["links_by_year"] == {"2020": 25, "2021": 25}
