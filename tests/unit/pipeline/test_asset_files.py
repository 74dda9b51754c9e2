from pathlib import Path

import pytest

from sbir_gate.pipeline.asset_files import (
    AssetFiles,
    EnrichedFiles,
    ValidatedFiles,
    asset_files,
    asset_settings,
    files_around,
    judged_by_own_rate,
    with_awards,
    with_reports_in,
)
from sbir_gate.settings import load_settings, policy


def settings(**options):
    return load_settings(None, {}, {key.replace("__", "."): value for key, value in options.items()})


def test_the_assets_lie_with_the_reports_unless_a_folder_is_set():
    assert asset_files(settings().settings).folder == Path("reports/dagster")
    assert asset_files(settings(orchestration__folder="elsewhere").settings).folder == Path("elsewhere")


def test_a_year_has_a_folder_of_its_own():
    files = asset_files(settings().settings, 2013)
    assert files.enriched == Path("reports/dagster/2013/enriched")
    assert files.baselines == Path("reports/dagster/2013/baselines")


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (ValidatedFiles(Path("v")), "awards table profiles rejects"),
        (EnrichedFiles(Path("e")), "awards run profiles rejects metrics"),
        (
            AssetFiles(Path("a")),
            "validated enriched reports published baselines lock",
        ),
    ],
    ids=["validated", "enriched", "all"],
)
def test_no_two_files_are_the_same(files, names):
    paths = [getattr(files, name) for name in names.split()]
    assert len(set(paths)) == len(paths)
    assert {path.parent for path in paths} == {files.folder}


def test_enriched_awards_know_the_assets_that_they_belong_to():
    files = AssetFiles(Path("assets"))
    assert files_around(EnrichedFiles(files.enriched / "0123")) == files


@pytest.mark.parametrize(("year", "gate"), [(None, "enrichment"), (2013, "enrichment-2013")])
def test_a_run_of_the_assets_is_reported_beside_them_as_a_gate_of_its_own_year(year, gate):
    given = settings()
    found = asset_settings(given, AssetFiles(Path("assets")), year).settings
    assert found.gate.name == gate
    assert found.reports.folder == Path("assets")
    assert found.matching == given.settings.matching
    assert given.settings.reports.folder == Path("reports")


def test_a_report_in_its_place_leaves_the_history_where_it_is():
    found = with_reports_in(asset_settings(settings(), AssetFiles(Path("assets"))), Path("draft")).settings
    assert (found.reports.folder, found.history.folder) == (Path("draft"), Path("assets/history"))


def test_the_awards_that_were_recorded_take_the_place_of_those_that_are_set():
    given = settings(fixtures__awards="b.csv")
    found = with_awards(given, Path("a.csv"))
    assert (found.settings.fixtures.awards, given.settings.fixtures.awards) == (Path("a.csv"), Path("b.csv"))
    assert found.origins == given.origins


def test_inside_dagster_the_threshold_is_for_the_awards_themselves():
    effective = load_settings(None, {}, {}, ["gate.match_rate_of=population"])
    limits = {limit.name: limit.minimum for limit in policy(judged_by_own_rate(effective).settings).limits}
    assert limits["match_rate"] == 0.7
    assert "population_match_rate" not in limits
