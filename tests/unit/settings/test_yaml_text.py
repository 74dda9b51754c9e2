import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.settings.entries import Entry, Fault
from sbir_gate.settings.yaml_text import plain_value, read_layer, read_value


def fault_lines(text):
    return [str(fault) for fault in read_layer(text, "f.yaml").faults]


def test_nested_keys_are_joined_by_dots_and_know_their_lines():
    layer = read_layer("gate:\n  name: x\n\n  max_lost: 3\nmatching:\n  methods: [a, 'b']\n", "f.yaml")
    assert layer.entries == (
        Entry("gate.name", "x", "f.yaml", 2),
        Entry("gate.max_lost", 3, "f.yaml", 4),
        Entry("matching.methods", ("a", "b"), "f.yaml", 6),
    )
    assert layer.faults == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("null", None),
        ("~", None),
        ("true", True),
        ("False", False),
        ("5", 5),
        ("-3", -3),
        ("010", 10),
        ("0.70", 0.7),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("yes", "yes"),
        ("off", "off"),
        ("08:30", "08:30"),
        (".nan", ".nan"),
        ("nan", "nan"),
        ("-.inf", "-.inf"),
        ("2024-01-31", "2024-01-31"),
        ("٣", "٣"),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text, value):
    read = plain_value(text)
    assert read == value
    assert type(read) is type(value)


def test_a_number_of_a_million_digits_is_read_as_infinite_not_computed():
    assert plain_value("9" * 1_000_000) == float("inf")


@pytest.mark.parametrize("quoted", ["'5'", '"5"'])
def test_quoted_numbers_are_text(quoted):
    assert read_layer(f"a: {quoted}\n", "f").entries == (Entry("a", "5", "f", 1),)
    assert read_value("a", quoted, "VAR") == Entry("a", "5", "VAR")


def test_a_duplicate_key_is_refused_with_both_lines():
    assert fault_lines("gate:\n  name: a\n  max_lost: 1\n  name: b\n") == [
        "f.yaml:4: gate.name: is set twice, first in line 2: keep one of them"
    ]


def test_a_duplicate_section_is_refused():
    assert fault_lines("gate:\n  name: a\nreports:\n  folder: r\ngate:\n  max_lost: 1\n") == [
        "f.yaml:5: gate: is set twice, first in line 1: keep one of them"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "a: &x 1\nb: *x\n",
            "f.yaml:1: not valid YAML: anchors and aliases are not allowed (column 4); write the value out",
        ),
        (
            "a: 1\nb: *x\n",
            "f.yaml:2: not valid YAML: anchors and aliases are not allowed (column 4); write the value out",
        ),
        (
            "a: 1\nb: !!str 2\n",
            "f.yaml:2: not valid YAML: tags such as !!str are not allowed (column 4); put text in quotes",
        ),
        (
            "a: !!python/object/apply:os.system ['id']\n",
            "f.yaml:1: not valid YAML: tags such as !!str are not allowed (column 4); put text in quotes",
        ),
        ("- a\n- b\n", "f.yaml:1: must hold keys, as 'gate:' does"),
        ("just text\n", "f.yaml:1: must hold keys, as 'gate:' does"),
        ("", "f.yaml: is empty: it must hold keys, as 'gate:' does"),
        ("# a comment\n", "f.yaml: is empty: it must hold keys, as 'gate:' does"),
        ("a: {}\n", "f.yaml:1: a: holds no keys: leave it out"),
        ("a:\n  - [1]\n", "f.yaml:1: a: a list holds single values only"),
        ("a:\n  - b: 1\n", "f.yaml:1: a: a list holds single values only"),
        ("gate.name: x\n", "f.yaml:1: a key must be a plain word; nested keys need lines of their own"),
        ("? [a, b]\n: 1\n", "f.yaml:1: a key must be a plain word; nested keys need lines of their own"),
        ("a: 1\n'': 2\n", "f.yaml:2: a key must be a plain word; nested keys need lines of their own"),
        ("[" * 100_000, "f.yaml: nested too deeply"),
        ("{a: " * 100_000, "f.yaml: nested too deeply"),
    ],
)
def test_what_configuration_has_no_use_for_is_refused(text, line):
    assert fault_lines(text) == [line]


def test_a_flood_of_values_is_refused_before_it_is_looked_at():
    flood = "f.yaml: holds more than 5000 values: not a configuration file"
    assert fault_lines("".join(f"k{number}: 1\n" for number in range(5001))) == [flood]
    assert fault_lines("a: [" + "1, " * 5001 + "]\n") == [flood]
    assert fault_lines("a: [" + "1, " * 5000 + "]\n") == []
    assert str(read_value("a", "[" + "1, " * 5001 + "]", "V")) == f"V: a: {flood.removeprefix('f.yaml: ')}"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: 1\nb: [1, 2\n", "f.yaml:3: not valid YAML: while parsing a flow sequence"),
        ("a: 1\n\tb: 2\n", "f.yaml:2: not valid YAML:"),
        ("a: b: c\n", "f.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: not valid YAML: expected a single document"),
        ("a: \x07\n", "f.yaml: not valid YAML: unacceptable character"),
        ("%YAML 3.0\n---\na: 1\n", "f.yaml:1: not valid YAML: found incompatible YAML document"),
    ],
)
def test_broken_yaml_is_told_in_one_line_with_its_place(text, start):
    (line,) = fault_lines(text)
    assert line.startswith(start)
    assert "\n" not in line


@pytest.mark.parametrize("text", ["[1, [2]]", "[a: 1]", "[1", "'open", '"a" b', "[1] [2]", "[*a]"])
def test_an_option_that_looks_like_a_list_or_quoted_text_but_is_not_is_refused(text):
    fault = read_value("a.b", text, "--set")
    assert isinstance(fault, Fault)
    assert str(fault).startswith("--set: a.b: ")


@pytest.mark.parametrize(
    "text", ["python x.py --a {awards} # not a comment", "a: b", "{awards}", "*x", "&x", "- a"]
)
def test_a_plain_option_is_taken_as_it_is_written(text):
    assert read_value("a", text, "V") == Entry("a", text, "V")


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_raise(text):
    layer = read_layer(text, "f.yaml")
    # an empty mapping in braces is a file that sets nothing
    assert layer.entries or layer.faults or "{" in text
    assert "a" in {getattr(read_value("a", text, "V"), name, "") for name in ("key", "column")}


@given(st.text(alphabet="ab:{}[]-?!&*'\"#|>%@ \n\t.1,<", max_size=60))
def test_no_yaml_like_text_makes_the_reader_raise(text):
    layer = read_layer(text, "f.yaml")
    # an empty mapping in braces is a file that sets nothing
    assert layer.entries or layer.faults or "{" in text
    assert "a" in {getattr(read_value("a", text, "V"), name, "") for name in ("key", "column")}
