from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import ConfigurationError, ExitStatus
from sbir_gate.settings.action_inputs import (
    ActionInputs,
    FailOn,
    InputMode,
    read_inputs,
    variable_name,
)


def read(**inputs):
    return read_inputs({variable_name(name): value for name, value in inputs.items()})


def test_inputs_that_are_left_out_or_empty_take_their_defaults():
    assert read_inputs({}) == ActionInputs()
    empty = {name: "" for name in ActionInputs.model_fields if name != "history_branch"}
    assert read(**empty) == ActionInputs()


def test_the_history_is_switched_off_with_an_empty_text():
    assert read(history_branch="").history_branch == ""


def test_every_input_arrives():
    found = read(
        mode="pr",
        working_directory="teams/linking",
        config="gate.yaml",
        gate="nightly",
        base="release",
        side_by_side="false",
        enricher="python enrich.py {awards} {recipients} {output}",
        python="/usr/bin/python3",
        dataset="https://data.example/r.csv",
        fail_on="nothing",
        comment="false",
        check="false",
        artifact="false",
        untrusted="downloads",
        history_branch="h",
        promote="nothing",
        installer="pip",
        timeout_minutes="1.5",
    )
    assert (found.mode, found.fail_on, found.timeout_minutes) == (InputMode.PR, FailOn.NOTHING, 1.5)
    assert (found.config, found.python) == (Path("gate.yaml"), Path("/usr/bin/python3"))
    assert set(ActionInputs.model_fields) == found.model_fields_set


def test_all_faults_are_told_at_once_each_by_the_name_in_action_yml():
    with pytest.raises(ConfigurationError) as caught:
        read(mode="x", side_by_side="yes", base="--upload-pack=x", timeout_minutes="nan", dataset="http://x")
    assert [line.split(":")[0] for line in caught.value.message.splitlines()] == [
        "input mode",
        "input base",
        "input side-by-side",
        "input dataset",
        "input timeout-minutes",
    ]


@pytest.mark.parametrize("name", sorted(set(ActionInputs.model_fields)))
@given(text=st.text(st.characters(codec="utf-8"), max_size=40))
def test_whatever_an_input_holds_it_is_taken_or_refused_in_words(name, text):
    with suppress(ConfigurationError):
        assert "\n" not in str(getattr(read(**{name: text}), name))


@pytest.mark.parametrize("name", ["Linking", "py3.12", "a/b", "../a", "a b", "ä", "$(x)", "-a", "a" * 81])
def test_a_gate_whose_name_could_be_taken_for_another_is_refused_in_one_line(name):
    with pytest.raises(ConfigurationError) as caught:
        read(gate=name)
    assert caught.value.exit_status is ExitStatus.WRONG_INPUT
    (line,) = caught.value.message.splitlines()
    assert line.startswith("input gate: ")


@pytest.mark.parametrize("name", ["base", "gate", "enricher", "config", "history_branch"])
def test_a_line_break_is_refused(name):
    with pytest.raises(ConfigurationError):
        read(**{name: "a\nb"})
