import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sbir_gate.settings import ShowFormat, load_settings, render_effective
from sbir_gate.settings.display import overrides


def test_every_value_is_shown_with_its_origin():
    text = render_effective(
        load_settings(None, {"SBIR_GATE__GATE__MAX_LOST": "3"}, {}, ["benchmark.repeats=2"])
    )
    lines = text.splitlines()
    assert "  max_lost: 3  # SBIR_GATE__GATE__MAX_LOST" in lines
    assert "  repeats: 2  # --set" in lines
    assert any(line.startswith("  command: null  # config/base.yaml:") for line in lines)
    assert any(
        line.startswith("  methods: [uei-exact, duns-exact, name-exact, name-fuzzy, alias]  # ")
        for line in lines
    )
    assert text.endswith("\n")


def test_what_was_given_for_one_run_can_be_given_again():
    given = {
        "enricher.command": ["python", "mine.py"],
        "fixtures.awards": "my: awards.csv",
        "reports.folder": "/of/this/machine",
    }
    environment = {"SBIR_GATE__GATE__MAX_LOST": "3"}
    found = overrides(load_settings(None, environment, given, ["matching.acceptance_limit=0.9"]))
    assert set(found) == {
        *("enricher.command", "fixtures.awards"),
        *("gate.max_lost", "matching.acceptance_limit"),
    }
    again = load_settings(None, {}, {}, [f"{key}={value}" for key, value in found.items()])
    assert str(again.settings.fixtures.awards) == "my: awards.csv"
    assert again.settings.enricher.command == ("python", "mine.py")
    assert (again.settings.gate.max_lost, again.settings.matching.acceptance_limit) == (3, 0.9)


def test_an_interpreter_and_results_are_given_again_if_they_are_in_the_repository(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    keys = ("enricher.python", "history.folder", "reports.folder")
    for key in keys:
        assert overrides(load_settings(None, {}, {}, [f"{key}=out/it"])) == {key: "out/it"}
        assert overrides(load_settings(None, {}, {key: str(tmp_path / "out" / "it")})) == {key: "out/it"}
        assert overrides(load_settings(None, {}, {key: "/of/this/machine"})) == {}
    assert overrides(load_settings(None, {}, {}, ["history.keeps_runs=false"])) == {
        "history.keeps_runs": "false"
    }


def test_what_is_shown_can_be_read_again(tmp_path):
    awkward = ["enricher.command=[run, '5', 'a # b', 'yes', '1e3', '', 'é\u2028😀', '- x', 'null']"]
    effective = load_settings(
        None, {}, {}, [*awkward, "reports.folder='2024'", "matching.acceptance_limit=0.9"]
    )
    (tmp_path / "c.yaml").write_text(render_effective(effective), encoding="utf-8")
    again = load_settings(tmp_path / "c.yaml", {})
    assert again.settings == effective.settings
    assert set(again.origins) == set(effective.origins)


@settings(max_examples=30)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), min_size=1
    )
)
def test_any_command_is_shown_as_one_line_that_means_the_same(arguments):
    command = ["run", *arguments]
    effective = load_settings(None, {}, {"enricher.command": command})
    (line,) = [line for line in render_effective(effective).split("\n") if line.startswith("  command: ")]
    shown, _, origin = line.removeprefix("  command: ").rpartition("  # ")
    assert origin == "command line"
    again = load_settings(None, {}, {}, [f"enricher.command={shown}"])
    assert again.settings.enricher.command == tuple(command)


def test_json_maps_each_key_to_its_value_and_origin():
    document = json.loads(render_effective(load_settings(None, {}, {}, ["gate.max_lost=3"]), ShowFormat.JSON))
    assert document["gate.max_lost"] == {"value": 3, "origin": "--set"}
    assert document["fixtures.awards"]["value"] == "fixtures/awards.csv"
    assert document["gate.metrics.work/recipients_scanned.unit"]["value"] == "count"


def test_a_hostile_file_name_cannot_break_out_of_its_comment(tmp_path):
    path = tmp_path / "c\ngate: x.yaml"
    path.write_text("gate:\n  max_lost: 3\n", encoding="utf-8")
    text = render_effective(load_settings(path, {}))
    assert "\ngate: x.yaml" not in text
