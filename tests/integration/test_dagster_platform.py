"""The assets as a part of another platform: several sets, and its own assets before and after ours."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from sbir_gate.orchestration.names import ENRICHED, JOB, RECIPIENTS
from tests.factories_dagster import World, metadata_of


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


def test_what_the_awards_were_linked_to_is_in_their_lineage(tmp_path, instance):
    world = make_world(tmp_path, instance)
    first, again = world.run(), world.run()
    assert versions_of(first, ENRICHED)[RECIPIENTS] == versions_of(again, ENRICHED)[RECIPIENTS]
    world.write(linked=44)
    changed = world.run()
    assert versions_of(changed, ENRICHED)[RECIPIENTS] != versions_of(first, ENRICHED)[RECIPIENTS]
    latest = instance.get_latest_data_version_record(dg.AssetKey(RECIPIENTS))
    assert latest is not None
