import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import ConfigurationError
from sbir_gate.gate.measuring.command import parse_command

REQUIRED = "{awards} {recipients} {output}"


def filled(template, awards="/a.csv"):
    return parse_command(template).filled(Path(awards), Path("/r.csv"), Path("/o.csv"), Path("/m.json"))


def test_every_placeholder_is_filled():
    arguments = filled("{python} x.py --in={awards} {recipients} {output} {metrics}")
    assert arguments == (sys.executable, "x.py", "--in=/a.csv", "/r.csv", "/o.csv", "/m.json")


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_path_stays_one_argument_whatever_is_in_it(name):
    path = Path("/data") / name
    assert filled(f"run {REQUIRED}", path)[1] == str(path)
    assert len(filled(f"run {REQUIRED}", path)) == 4


def test_a_placeholder_inside_a_path_is_not_filled():
    assert filled(f"run {REQUIRED}", "/x/{output}")[1] == "/x/{output}"


def test_quotes_group_words_and_nothing_goes_to_a_shell():
    arguments = filled(f"run 'two words' $(id) ; {REQUIRED}")
    assert arguments[:4] == ("run", "two words", "$(id)", ";")


def test_other_braces_are_left_alone():
    assert filled("run '{\"a\": 1}' " + REQUIRED)[1] == '{"a": 1}'


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (f"run {REQUIRED} {{token}}", "unknown placeholder {token}"),
        (f"run {REQUIRED} {{}}", "unknown placeholder {}"),
        ("run {awards} {output}", "{recipients} is missing"),
        ("run 'open {awards}", "No closing quotation"),
        ("   ", "is empty"),
        (f"run \0 {REQUIRED}", "NUL"),
    ],
)
def test_a_faulty_template_is_refused_with_the_reason(template, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_command(template)
    assert message in caught.value.message
    assert caught.value.hint
