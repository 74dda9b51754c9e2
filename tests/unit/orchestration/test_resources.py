from pathlib import Path

import dagster as dg
import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.gate.policy import own_judgement
from sbir_gate.orchestration.resources import GateResource, load_base, settings_resource
from sbir_gate.orchestration.run_config import RUN_SETTINGS, config_schema, given_options
from sbir_gate.settings.effective import default_settings
from sbir_gate.settings.entries import flat

CHANGED = {
    "awards": "/a.csv",
    "recipients": "/r.csv",
    "truth": None,
    "folder": "/elsewhere",
    "chunk_size": 7,
    "memory_threshold_mb": 128,
    "match_rate_threshold": 0.5,
    "timeout_seconds": 9.0,
    "retry_backoff": "none",
    "workers": 1,
    "cluster": "tcp://scheduler:8786",
    "stores_baseline": False,
}
LOADED = load_base(default_settings({}))


def defaults(loaded=LOADED):
    """Return the config that Dagster makes of an empty one."""
    return {name: field.default_value for name, field in config_schema(loaded).items()}


def values(effective):
    return dict(flat(effective.settings.model_dump(mode="json")))


def changed(gate):
    """Return the settings that are not those of the code location, with their origin."""
    found, before = gate.effective(), values(gate.loaded)
    return {key: (value, found.origins[key]) for key, value in values(found).items() if value != before[key]}


def run_of(config, name="gate"):
    """Run a job that reads its settings, and return them."""

    @dg.op(required_resource_keys={name})
    def read(context):
        seen.append(getattr(context.resources, name).effective())

    @dg.job(resource_defs={name: settings_resource(LOADED, name)})
    def job():
        read()

    seen = []
    job.execute_in_process(run_config={"resources": {name: {"config": config}}})
    return seen[0]


def test_the_defaults_of_the_launchpad_are_the_settings_in_force_and_change_nothing():
    loaded = load_base(default_settings({"gate.name": "east", "enrichment.performance.workers": 3}))
    assert defaults(loaded)["workers"] == 3
    assert GateResource(loaded, defaults(loaded)).effective().settings == loaded.settings


def test_every_field_has_its_setting_its_bounds_and_its_default_in_words():
    schema = config_schema(LOADED)
    assert schema["chunk_size"].description == (
        "enrichment.performance.chunk_size: recipients per chunk, at least 1, at most 1,000,000,000."
        f" Default: {LOADED.settings.enrichment.performance.chunk_size}."
    )
    assert CHANGED.keys() == RUN_SETTINGS.keys()


@pytest.mark.parametrize("name", CHANGED)
def test_a_field_stands_for_its_setting(name):
    key = RUN_SETTINGS[name][0]
    gate = GateResource(LOADED, {**defaults(), name: CHANGED[name]})
    assert changed(gate)[key] == (CHANGED[name], "config of the run")


@dg.op(required_resource_keys={"gate"})
def needs_gate(context):
    context.log.info(str(context.resources.gate.effective().settings.enrichment.cluster))


@pytest.mark.parametrize("address", ["scheduler", "local:0", "http://host:8786"])
def test_a_cluster_that_cannot_be_is_refused_when_the_run_is_launched(address):
    @dg.job(resource_defs={"gate": settings_resource(LOADED, "gate")})
    def job():
        needs_gate()

    config = {"resources": {"gate": {"config": {"cluster": address}}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match="must be local:N for N workers here"):
        job.execute_in_process(run_config=config)


def test_assignments_set_what_has_no_field():
    gate = GateResource(LOADED, {**defaults(), "assignments": ["gate.max_lost=3"]})
    assert changed(gate) == {"gate.max_lost": (3, "config of the run")}


def test_all_faults_are_named_at_once():
    gate = GateResource(LOADED, {"assignments": ["gate.max_loss=3"], "match_rate_threshold": 7.0})
    with pytest.raises(ConfigurationError) as raised:
        gate.effective()
    assert "gate.max_loss" in str(raised.value)
    assert "match_rate_threshold" in str(raised.value)


def test_another_file_replaces_the_settings_but_not_what_the_config_names(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("gate: {max_lost: 1}\nenrichment: {performance: {workers: 7, max_retries: 9}}\n")
    config = {**defaults(), "config_file": str(path), "chunk_size": 5}
    settings = GateResource(default_settings({"gate.name": "east"}), config).effective().settings
    assert (settings.gate.max_lost, settings.gate.name) == (1, "enrichment")
    assert settings.enrichment.performance.chunk_size == 5
    assert settings.enrichment.performance.workers == 7  # the launchpad fills in all defaults
    assert settings.enrichment.performance.max_retries == 9


def test_settings_of_a_file_lie_under_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text("gate: {max_lost: 1}\n")
    monkeypatch.delenv("SBIR_GATE__GATE__MAX_LOST", raising=False)
    assert load_base(str(path)).settings.gate.max_lost == 1
    monkeypatch.setenv("SBIR_GATE__GATE__MAX_LOST", "2")
    assert load_base(path).settings.gate.max_lost == 2


def test_relative_paths_start_from_the_settings_file_and_not_from_where_the_location_was_started(
    tmp_path, monkeypatch
):
    (tmp_path / "team").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "team" / "gate.yaml").write_text("fixtures: {awards: data/awards.csv}\n")
    monkeypatch.chdir(tmp_path)
    loaded = load_base("team/gate.yaml")
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = GateResource(loaded, {"recipients": "mine.csv", "folder": "/there"}).effective().settings
    assert settings.fixtures.awards == tmp_path / "team" / "data" / "awards.csv"
    assert settings.fixtures.recipients == tmp_path / "team" / "mine.csv"
    assert settings.gate.baselines_folder == tmp_path / "team" / "baselines"
    assert settings.orchestration.folder == Path("/there")


def test_so_they_do_from_a_file_that_a_run_names(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text("fixtures: {awards: awards.csv}\n")
    gate = GateResource(load_base(None), {"config_file": str(path)})
    assert gate.effective().settings.fixtures.awards == tmp_path / "awards.csv"


def test_the_default_file_of_waivers_may_still_be_missing(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text("{}\n")
    assert own_judgement(load_base(path)).rules.waivers == ()


def test_a_run_has_the_settings_of_its_config():
    settings = run_of({"chunk_size": 7, "timeout_seconds": 9}).settings
    performance = settings.enrichment.performance
    assert (performance.chunk_size, performance.timeout_seconds) == (7, 9.0)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"chunk_size": 0}, r"resources\.gate\.config: .*chunk_size"),
        ({"match_rate_threshold": 70.0}, "match_rate_threshold"),
        ({"assignments": ["gate.max_loss=3"]}, "did you mean gate.max_lost"),
        ({"retry_backoff": "sometimes"}, "not in enum type"),
        ({"chunk_size": "many"}, "chunk_size"),
        ({"chunk_sise": 5}, "chunk_sise"),
    ],
)
def test_a_value_that_is_not_valid_is_refused_when_the_run_is_launched(config, words):
    with pytest.raises(dg.DagsterInvalidConfigError, match=words):
        run_of(config)


def test_what_is_at_its_default_is_not_given():
    assert given_options(defaults(), LOADED) == {}


def test_what_a_run_changes_is_said_once_with_its_origin():
    said = []
    gate = GateResource(LOADED, {**defaults(), "workers": 3})
    gate.say_changes(said.append)
    gate.say_changes(said.append)
    assert said == ["settings of this run alone:\nenrichment.performance.workers: 3  # config of the run"]
    GateResource(LOADED, defaults()).say_changes(said.append)
    assert len(said) == 1
