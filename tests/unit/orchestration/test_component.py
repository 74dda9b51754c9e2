import inspect
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing import create_defs_folder_sandbox

import sbir_gate
from sbir_gate.errors import ConfigurationError
from sbir_gate.gate.policy import own_judgement
from sbir_gate.orchestration import build_definitions
from sbir_gate.orchestration.component import SbirGate, SbirGateScaffolder
from sbir_gate.orchestration.names import JOB, RAW, RECIPIENTS, REPORT, SETTINGS_RESOURCE
from sbir_gate.settings.effective import EffectiveSettings

# of Dagster's own code, which loads the YAML
pytestmark = [
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*is currently in beta"),
]


@contextmanager
def loaded(attributes: dict[str, object], files: dict[str, str] | None = None) -> Iterator[dg.Definitions]:
    """Load a component from its YAML, in a project of its own."""
    with create_defs_folder_sandbox() as project:
        folder = project.scaffold_component(
            component_cls=SbirGate,
            defs_path="links",
            defs_yaml_contents={"type": "sbir_gate.SbirGate", "attributes": attributes},
        )
        for name, content in (files or {}).items():
            (folder / name).write_text(content, encoding="utf-8")
        with project.load_component_and_build_defs(defs_path=folder) as (_, definitions):
            yield definitions


def effective_of(definitions: dg.Definitions) -> EffectiveSettings:
    resource = (definitions.resources or {})[SETTINGS_RESOURCE]
    with dg.build_resources({SETTINGS_RESOURCE: resource}) as found:
        return getattr(found, SETTINGS_RESOURCE).effective()


def test_attributes_are_the_parameters_of_build_definitions():
    parameters = set(inspect.signature(build_definitions).parameters) - {"edges"}
    assert set(SbirGate.model_fields) == parameters | {"settings_file"}


def test_yaml_makes_a_whole_set_of_assets():
    attributes = {
        "key_prefix": "grants/links",
        "group": "links",
        "owners": ["team:data"],
        "tags": {"domain": "grants"},
        "awards_from": "ingest/awards",
        "jobs": [JOB],
    }
    with loaded(attributes) as definitions:
        dg.Definitions.validate_loadable(definitions)
        graph = definitions.resolve_asset_graph()
        report = graph.get(dg.AssetKey(["grants", "links", REPORT]))
        raw = graph.get(dg.AssetKey(["grants", "links", RAW]))
        assert (report.group_name, list(report.owners)) == ("links", ["team:data"])
        assert raw.parent_keys == {dg.AssetKey(["ingest", "awards"])}
        assert definitions.resolve_job_def(f"grants_links_{JOB}")


def test_without_attributes_it_is_what_build_definitions_makes():
    with loaded({}) as definitions:
        assert dg.AssetKey(RECIPIENTS) in definitions.resolve_asset_graph().get_all_asset_keys()


def test_files_are_seen_from_the_folder_of_the_component(monkeypatch):
    monkeypatch.setenv("SBIR_GATE__READING__MAX_REJECT_PERCENT", "7")
    attributes = {
        "settings_file": "gate.yaml",
        "settings": {"fixtures.awards": "awards.csv", "fixtures.truth": None, "gate.max_lost": 3},
    }
    with loaded(attributes, {"gate.yaml": "gate: {name: links, max_lost: 9}\n"}) as definitions:
        settings = effective_of(definitions).settings
        assert settings.fixtures.awards.parent.name == "links"
        assert settings.fixtures.awards.is_absolute()
        assert settings.fixtures.truth is None
        assert (settings.gate.name, settings.gate.max_lost) == ("links", 3)
        assert settings.reading.max_reject_percent == 7


@pytest.mark.parametrize("attributes", [{}, {"settings_file": "gate.yaml"}], ids=["defaults", "file"])
def test_the_default_file_of_waivers_may_be_missing(attributes):
    with loaded(attributes, {"gate.yaml": "{}\n"}) as definitions:
        assert own_judgement(effective_of(definitions)).rules.waivers == ()


def test_a_wrong_setting_names_the_file_and_what_was_meant():
    with (
        pytest.raises(ComponentTreeException) as raised,
        loaded({"settings": {"gate.max_loss": 3}}),
    ):
        pass
    cause = raised.value.__cause__
    assert isinstance(cause, ConfigurationError)
    assert "defs.yaml: gate.max_loss: unknown key; did you mean gate.max_lost?" in str(cause)


def test_the_schema_describes_every_attribute():
    properties = SbirGate.get_model_cls().model_json_schema()["properties"]
    assert set(properties) == set(SbirGate.model_fields)
    assert all(properties[name].get("description") for name in properties), properties


def test_the_command_scaffolds_files_that_are_named(tmp_path):
    request = dg.ScaffoldRequest(
        type_name="sbir_gate.SbirGate",
        target_path=tmp_path,
        scaffold_format="yaml",
        project_root=tmp_path,
        params=SbirGateScaffolder.get_scaffold_params()(awards="a.csv"),
    )
    SbirGateScaffolder().scaffold(request)
    text = (tmp_path / "defs.yaml").read_text()
    assert "type: sbir_gate.SbirGate" in text
    assert "fixtures.awards: a.csv" in text


def test_importing_the_package_loads_no_dagster():
    code = "import sys, sbir_gate, sbir_gate.cli; dir(sbir_gate); sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_offers_the_component_where_dagster_is_there(monkeypatch):
    assert "SbirGate" in dir(sbir_gate)
    assert sbir_gate.SbirGate is SbirGate
    monkeypatch.setitem(sys.modules, "sbir_gate.orchestration.component", None)
    with pytest.raises(AttributeError, match=r"pip install 'sbir-gate\[dagster\]'"):
        _ = sbir_gate.SbirGate
    with pytest.raises(AttributeError, match="has no attribute 'SbirGates'"):
        _ = sbir_gate.SbirGates


def test_dg_is_given_the_package():
    entry = 'registry_modules"]\nsbir_gate = "sbir_gate"\n'
    assert entry in (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
