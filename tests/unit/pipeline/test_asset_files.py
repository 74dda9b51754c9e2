from pathlib import Path

import pytest

from sbir_gate.pipeline.asset_files import asset_files, asset_settings
from sbir_gate.settings import load_settings


def settings(**options):
    return load_settings(None, {}, {key.replace("__", "."): value for key, value in options.items()})


def test_the_assets_lie_with_the_reports_unless_a_folder_is_set():
    assert asset_files(settings().settings).folder == Path("reports/dagster")
    assert asset_files(settings(orchestration__folder="elsewhere").settings).folder == Path("elsewhere")


def test_a_year_has_a_folder_of_its_own():
    files = asset_files(settings().settings, 2013)
    assert files.enriched == Path("reports/dagster/2013/enriched_sbir_awards.parquet")
    assert files.baselines == Path("reports/dagster/2013/baselines")


def test_no_two_files_are_the_same():
    files = asset_files(settings().settings)
    paths = [
        files.validated,
        files.award_table,
        files.award_rejects,
        files.enriched,
        files.run,
        files.rejects,
        files.metrics,
        files.lock,
        files.baselines,
    ]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(("year", "gate"), [(None, "enrichment"), (2013, "enrichment-2013")])
def test_a_run_of_the_assets_is_reported_beside_them_as_a_gate_of_its_own_year(year, gate):
    given = settings()
    found = asset_settings(given, year).settings
    assert found.gate.name == gate
    assert found.reports.folder == asset_files(given.settings, year).folder
    assert found.matching == given.settings.matching
    assert given.settings.reports.folder == Path("reports")
