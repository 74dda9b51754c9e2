import dagster as dg
import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.names import (
    ASSETS,
    ENRICHED,
    JOB,
    RAW,
    RECIPIENTS,
    REPORT,
    VALIDATED,
    YEARLY_JOB,
)
from sbir_gate.settings.effective import default_settings

SETTINGS = default_settings({})


def sets() -> dg.Definitions:
    """Return two sets of the assets as one code location has them."""
    return dg.Definitions.merge(
        *(build_definitions(SETTINGS, key_prefix=("gates", name)) for name in ("east", "west"))
    )


def spec_of(definitions: dg.Definitions, *path: str) -> dg.AssetSpec:
    return definitions.resolve_asset_graph().get(dg.AssetKey([*path])).to_asset_spec()


def keys_of(definitions: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}


def job_names(definitions: dg.Definitions) -> set[str]:
    return {job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")}


def test_two_sets_in_one_code_location_share_no_name():
    definitions = sets()
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    assert job_names(definitions) == {
        f"gates_{place}_{job}" for place in ("east", "west") for job in (JOB, YEARLY_JOB)
    }
    sensors = {sensor.name for sensor in repository.sensor_defs}
    assert {name for name in sensors if name.endswith("_failure_sensor")} == {
        "gates_east_enrichment_failure_sensor",
        "gates_west_enrichment_failure_sensor",
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "gates_east_sbir_etl_schedule",
        "gates_west_sbir_etl_schedule",
    }
    assert f"gates/west/{ENRICHED}" in keys_of(definitions)
    assert f"gates/east/by_award_year/{REPORT}" in keys_of(definitions)


def test_every_resource_has_a_name_that_no_other_platform_takes():
    names = set(build_definitions(SETTINGS).resources or {}) | set(sets().resources or {})
    assert len(names) == 6
    assert all(name.startswith("sbir_gate_") for name in names)


def test_resources_can_be_named():
    definitions = build_definitions(SETTINGS, resource_name="gate", io_manager_name="gate_files")
    dg.Definitions.validate_loadable(definitions)
    assert set(definitions.resources or {}) == {"gate", "gate_files"}


def test_assets_come_after_those_that_fetch_their_files():
    definitions = build_definitions(
        SETTINGS, awards_from="ingest/sbir_awards", recipients_from=["ingest", "usaspending"]
    )
    awards, recipients = spec_of(definitions, RAW), spec_of(definitions, RECIPIENTS)
    assert [each.asset_key.to_user_string() for each in awards.deps] == ["ingest/sbir_awards"]
    assert [each.asset_key.to_user_string() for each in recipients.deps] == ["ingest/usaspending"]
    assert awards.automation_condition is not None
    assert spec_of(build_definitions(SETTINGS), RAW).automation_condition is None


def test_enriched_awards_come_after_both_sides():
    enriched = spec_of(build_definitions(SETTINGS, key_prefix="sbir"), "sbir", ENRICHED)
    assert {each.asset_key.path[-1] for each in enriched.deps} == {VALIDATED, RECIPIENTS}


@pytest.mark.parametrize("name", [RAW, RECIPIENTS, REPORT])
def test_owners_tags_and_group_are_those_of_the_platform(name):
    definitions = build_definitions(
        SETTINGS, group="links", owners=["team:data", "ada@example.org"], tags={"domain": "grants"}
    )
    spec = spec_of(definitions, name)
    assert (spec.group_name, list(spec.owners)) == ("links", ["team:data", "ada@example.org"])
    assert spec.tags["domain"] == "grants"


def test_assets_and_jobs_can_be_left_out():
    definitions = build_definitions(SETTINGS, assets=ASSETS[:3], jobs=[JOB])
    dg.Definitions.validate_loadable(definitions)
    assert keys_of(definitions) == {RECIPIENTS, *ASSETS[:3]}
    assert job_names(definitions) == {JOB}
    without_jobs = build_definitions(SETTINGS, jobs=[])
    dg.Definitions.validate_loadable(without_jobs)
    assert job_names(without_jobs) == set()
    assert not without_jobs.schedules


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"assets": [RAW, ENRICHED]}, "validated_sbir_awards is left out, and enriched_sbir_awards is made"),
        ({"assets": []}, "none is included"),
        ({"assets": ["enriched_awards"]}, "did you mean enriched_sbir_awards"),
        ({"jobs": ["sbir_job"]}, "did you mean sbir_etl_job"),
    ],
    ids=["gap", "none", "unknown-asset", "unknown-job"],
)
def test_names_that_there_are_not_are_refused(parameters, message):
    with pytest.raises(ConfigurationError) as raised:
        build_definitions(SETTINGS, **parameters)
    assert message in f"{raised.value.message}; {raised.value.hint}"


def execution(by_default: str, run_config: dict[str, object]) -> list[str]:
    settings = default_settings({"orchestration.executor": by_default})
    job = build_definitions(settings).resolve_job_def(JOB)
    (way,) = dg.validate_run_config(job, run_config)["execution"].values()
    return list(way)


def test_a_job_runs_in_one_process_unless_the_settings_or_its_run_say_otherwise():
    assert execution("in-process", {}) == ["in_process"]
    assert execution("multiprocess", {}) == ["multiprocess"]
    assert execution("in-process", {"execution": {"config": {"multiprocess": {}}}}) == ["multiprocess"]
    assert execution("multiprocess", {"execution": {"config": {"in_process": {}}}}) == ["in_process"]
