from datetime import timedelta

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


def test_settings_say_whether_schedule_and_sensors_are_on_from_the_first_day():
    off = build_definitions(SETTINGS)
    on = build_definitions(
        default_settings(
            {"orchestration.schedule_status": "running", "orchestration.sensor_status": "running"}
        )
    )
    for definitions, status in ((off, "STOPPED"), (on, "RUNNING")):
        assert {each.default_status.value for each in definitions.sensors} == {status}
        assert {each.default_status.value for each in definitions.schedules} == {status}


def test_alerts_that_nobody_sends_are_named_when_the_definitions_are_loaded(monkeypatch, caplog):
    monkeypatch.setenv("SBIR_GATE_SLACK_WEBHOOK", "https://hooks.example/services/x")
    build_definitions(SETTINGS)
    assert "SBIR_GATE_SLACK_WEBHOOK is set, but the sensors that send alerts are off" in caplog.text
    assert "hooks.example" not in caplog.text
    caplog.clear()
    build_definitions(default_settings({"orchestration.sensor_status": "running"}))
    assert caplog.text == ""
    monkeypatch.delenv("SBIR_GATE_SLACK_WEBHOOK")
    build_definitions(SETTINGS)
    assert caplog.text == ""


def test_assets_have_owners_tags_and_freshness_of_the_settings():
    definitions = build_definitions(
        default_settings({"orchestration.owners": ("team:grants",), "orchestration.fresh_days": 2.0})
    )
    spec = spec_of(definitions, REPORT)
    assert list(spec.owners) == ["team:grants"]
    assert spec.tags["sbir_gate/gate"] == "enrichment"
    assert spec.freshness_policy == dg.FreshnessPolicy.time_window(timedelta(days=2))
    assert spec_of(definitions, "by_award_year", REPORT).freshness_policy is None
    by_name = build_definitions(
        default_settings({"orchestration.owners": ("team:grants",)}), owners=["team:x"]
    )
    assert list(spec_of(by_name, RAW).owners) == ["team:x"]


def test_kinds_are_those_of_the_files(tmp_path):
    (tmp_path / "awards.csv").write_text("award_id\n")
    (tmp_path / "recipients.parquet").write_bytes(b"PAR1")
    files = {
        "fixtures.awards": tmp_path / "awards.csv",
        "fixtures.recipients": tmp_path / "recipients.parquet",
    }
    definitions = build_definitions(default_settings({key: str(path) for key, path in files.items()}))
    assert spec_of(definitions, RAW).kinds == {"csv"}
    assert spec_of(definitions, RECIPIENTS).kinds == {"parquet"}
    absent = build_definitions(default_settings({"fixtures.awards": "not-there.csv"}))
    assert spec_of(absent, RAW).kinds == set()
