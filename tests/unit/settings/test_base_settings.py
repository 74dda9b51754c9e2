from pathlib import Path

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.settings.base_settings import Given, base_settings
from sbir_gate.settings.effective import load_settings

HEADS_DIGEST = "h" * 64
BASE_YAML = Path(__file__).parents[3] / "config" / "base.yaml"


@pytest.fixture
def engine(tmp_path):
    """Make a checkout whose base.yaml is the one of here, to be edited."""
    (tmp_path / "engine" / "config").mkdir(parents=True)
    (tmp_path / "engine" / "config" / "base.yaml").write_text(BASE_YAML.read_text())
    return tmp_path / "engine"


def edit(engine, old, new):
    path = engine / "config" / "base.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def of_base(engine, config_file=None, environment=(), assignments=(), options=(), heads_file=None):
    given = Given(heads_file or config_file, dict(environment), dict(options), assignments)
    heads = load_settings(given.config_file, given.environment, given.options, given.assignments)
    return base_settings(given, config_file, engine, heads.settings, HEADS_DIGEST)


def read_again(tmp_path, text):
    """Return what a `--config` file of this text sets."""
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return load_settings(path, {})


def test_where_nothing_is_set_and_nothing_differs_nothing_is_said(engine):
    found = of_base(engine)
    assert (found.text, found.command, found.unknown, found.differing) == ("", None, (), ())
    assert found.digest == HEADS_DIGEST


def test_what_was_set_from_outside_holds_for_the_base_too(engine, tmp_path):
    found = of_base(
        engine,
        environment={"SBIR_GATE__MATCHING__MAX_CANDIDATES": "3", "OTHER": "x"},
        assignments=["matching.methods=[uei-exact]", "matching.acceptance_limit=0.4"],
    )
    matching = read_again(tmp_path, found.text).settings.matching
    assert (matching.max_candidates, matching.methods, matching.acceptance_limit) == (3, ("uei-exact",), 0.4)
    assert (found.differing, found.digest) == ((), HEADS_DIGEST)


def test_the_command_line_wins_over_a_variable_and_that_over_the_file(engine, tmp_path):
    file = tmp_path / "ci.yaml"
    file.write_text("matching: {max_candidates: 1, namesakes_in_state: 1, pairs_per_query: 1}\n")
    found = of_base(
        engine,
        file,
        {"SBIR_GATE__MATCHING__MAX_CANDIDATES": "2", "SBIR_GATE__MATCHING__NAMESAKES_IN_STATE": "2"},
        ["matching.max_candidates=3"],
    )
    matching = read_again(tmp_path, found.text).settings.matching
    assert (matching.max_candidates, matching.namesakes_in_state, matching.pairs_per_query) == (3, 2, 1)


def test_a_default_that_head_changed_is_the_bases_own(engine):
    edit(engine, "pairs_per_query: 12", "pairs_per_query: 11")
    found = of_base(engine)
    assert found.differing == (("matching.pairs_per_query", "12", "11"),)
    assert found.digest != HEADS_DIGEST
    assert found.text == ""  # its own code gives it


def test_what_does_not_change_results_leaves_the_digest(engine):
    edit(engine, "chunk_size: 10000", "chunk_size: 1000")
    found = of_base(engine)
    assert len(found.differing) == 1
    assert found.digest == HEADS_DIGEST


def test_a_size_of_chunks_that_is_set_holds_on_both_sides(engine, tmp_path):
    found = of_base(engine, assignments=["enrichment.performance.chunk_size=70"])
    assert found.differing == ()
    performance = read_again(tmp_path, found.text).settings.enrichment.performance
    assert (performance.chunk_size, performance.chunk_size_max) == (70, 70)


def test_a_base_whose_chunks_do_not_grow_is_given_their_size_alone(engine):
    edit(engine, "    chunk_size_max: 250000\n", "")
    found = of_base(engine, assignments=["enrichment.performance.chunk_size=70"])
    assert found.unknown == ()
    assert "chunk_size_max" not in found.text


def test_a_setting_that_the_base_does_not_know_is_left_out_and_named(engine):
    edit(engine, "  pairs_per_query: 12\n", "")
    found = of_base(engine, assignments=["matching.pairs_per_query=9", "matching.max_candidates=2"])
    assert found.unknown == ("matching.pairs_per_query",)
    assert "pairs_per_query" not in found.text
    assert "max_candidates" in found.text
    assert found.differing == (("matching.pairs_per_query", "9", "not known"),)


def test_a_setting_that_only_the_base_has_is_named(engine):
    edit(engine, "  pairs_per_query: 12\n", "  pairs_per_query: 12\n  old_limit: [1, 2]\n")
    assert of_base(engine).differing == (("matching.old_limit", "not known", "[1, 2]"),)


def test_the_base_has_its_own_version_of_the_file(engine, tmp_path):
    heads, bases = tmp_path / "head.yaml", tmp_path / "base.yaml"
    heads.write_text("matching: {max_candidates: 2}\n")
    bases.write_text("matching: {max_candidates: 4}\n")
    found = of_base(engine, bases, heads_file=heads)
    assert found.differing == (("matching.max_candidates", "2", "4"),)
    assert read_again(tmp_path, found.text).settings.matching.max_candidates == 4


def test_what_the_engine_does_not_read_is_not_handed_to_it(engine):
    found = of_base(engine, assignments=["gate.max_lost=3", "benchmark.repeats=2"])
    assert (found.text, found.unknown, found.differing) == ("", (), ())


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("enricher: {command: \"python 'my enrich.py' {awards}\"}\n", ("python", "my enrich.py", "{awards}")),
        ("enricher: {command: [python, my enrich.py]}\n", ("python", "my enrich.py")),
        ("enricher: {command: null}\n", None),
        ("gate: {max_lost: 1}\n", None),
    ],
)
def test_the_bases_enricher_is_that_of_its_own_file(engine, tmp_path, text, command):
    file = tmp_path / "ci.yaml"
    file.write_text(text)
    heads = tmp_path / "heads.yaml"
    heads.write_text("enricher: {command: new}\n")
    assert of_base(engine, file, heads_file=heads).command == command


def test_an_enricher_of_the_command_line_is_that_of_both_sides(engine):
    assert of_base(engine, options={"enricher.command": "run it"}).command == ("run", "it")
    assert of_base(engine, assignments=["enricher.command=run it"]).command == ("run", "it")


@pytest.mark.parametrize("text", ['enricher: {command: "a \'b"}\n', "enricher: {command: 7}\n"])
def test_a_command_that_is_none_is_told_as_the_bases(engine, tmp_path, text):
    file, heads = tmp_path / "ci.yaml", tmp_path / "heads.yaml"
    file.write_text(text)
    heads.write_text("gate: {max_lost: 1}\n")
    with pytest.raises(ConfigurationError, match=r"enricher\.command of the base"):
        of_base(engine, file, heads_file=heads)


def test_a_file_of_the_base_that_is_damaged_is_told_as_the_bases(engine, tmp_path):
    file, heads = tmp_path / "ci.yaml", tmp_path / "heads.yaml"
    file.write_text("matching: [\n")
    heads.write_text("gate: {max_lost: 1}\n")
    with pytest.raises(ConfigurationError, match=r"ci\.yaml \(of the base\):\d+: not valid YAML"):
        of_base(engine, file, heads_file=heads)


def test_without_an_engine_of_its_own_the_defaults_are_those_of_here():
    assert of_base(None).differing == ()


def test_an_installed_engine_has_its_defaults_in_the_package(engine):
    (engine / "sbir_gate").mkdir()
    (engine / "config" / "base.yaml").rename(engine / "sbir_gate" / "base.yaml")
    path = engine / "sbir_gate" / "base.yaml"
    path.write_text(path.read_text().replace("max_candidates: 5", "max_candidates: 4"))
    assert of_base(engine).differing == (("matching.max_candidates", "5", "4"),)
