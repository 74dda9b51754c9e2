import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.orchestration.resources import GateResource, settings_resource
from sbir_gate.settings.effective import default_settings

NAMED = {
    "awards": ("fixtures", "awards", "a.csv"),
    "recipients": ("fixtures", "recipients", "r.csv"),
    "truth": ("fixtures", "truth", "t.csv"),
    "folder": ("orchestration", "folder", "elsewhere"),
}
PERFORMANCE = {
    "chunk_size": 7,
    "memory_threshold_mb": 128,
    "match_rate_threshold": 0.5,
    "timeout_seconds": 9.0,
    "workers": 1,
}


def test_what_is_left_out_comes_from_base_yaml(monkeypatch):
    monkeypatch.delenv("SBIR_GATE__GATE__MAX_LOST", raising=False)
    settings = GateResource().effective().settings
    assert (settings.gate.max_lost, settings.enrichment.performance.chunk_size) == (5, 10_000)


@pytest.mark.parametrize("name", NAMED)
def test_a_path_stands_for_its_setting(name):
    section, key, value = NAMED[name]
    settings = GateResource(**{name: value}).effective().settings
    assert str(getattr(getattr(settings, section), key)) == value


@pytest.mark.parametrize("name", PERFORMANCE)
def test_a_figure_stands_for_its_setting(name):
    settings = GateResource(**{name: PERFORMANCE[name]}).effective().settings
    assert getattr(settings.enrichment.performance, name) == PERFORMANCE[name]


def test_the_file_lies_under_the_environment_and_that_under_the_config_of_a_run(tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text("gate: {max_lost: 1}\n")
    gate = {"config_file": str(path)}
    assert GateResource(**gate).effective().settings.gate.max_lost == 1
    monkeypatch.setenv("SBIR_GATE__GATE__MAX_LOST", "2")
    assert GateResource(**gate).effective().settings.gate.max_lost == 2
    assert GateResource(**gate, assignments=["gate.max_lost=3"]).effective().settings.gate.max_lost == 3


def test_all_faults_are_told_at_once():
    gate = GateResource(assignments=["gate.max_loss=3"], match_rate_threshold=7.0)
    with pytest.raises(ConfigurationError) as raised:
        gate.effective()
    assert "gate.max_loss" in str(raised.value)
    assert "match_rate_threshold" in str(raised.value)


def test_loaded_settings_are_taken_as_they_are_with_those_of_the_run_over_them(monkeypatch):
    loaded = default_settings({"gate.max_lost": 7, "gate.name": "east"})
    monkeypatch.setenv("SBIR_GATE__GATE__MAX_LOST", "2")
    of_set = type(settings_resource(loaded))
    assert of_set().effective().settings == loaded.settings
    changed = of_set(assignments=["gate.max_lost=3"], workers=1).effective()
    assert (changed.settings.gate.max_lost, changed.settings.gate.name) == (3, "east")
    assert changed.settings.enrichment.performance.workers == 1
    assert changed.origins["reading.max_reject_percent"] == loaded.origins["reading.max_reject_percent"]


def test_a_file_that_a_run_names_replaces_loaded_settings(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("gate: {max_lost: 1}\n")
    of_set = type(settings_resource(default_settings({"gate.name": "east"})))
    settings = of_set(config_file=str(path)).effective().settings
    assert (settings.gate.max_lost, settings.gate.name) == (1, "enrichment")
