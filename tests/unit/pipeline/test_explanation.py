"""The command `explain`, over small files: from awards and recipients, and from an enriched file."""

import json
import sys

import pytest
from click.testing import CliRunner

from sbir_gate.cli.explain import explain
from sbir_gate.documents import save_run
from sbir_gate.errors import InputError, SbirGateError, UsageError
from tests.factories import make_run
from tests.factories_matching import UEIS, Award, Recipient, enrich_files, write_tables

AWARDS = [
    Award("A1", "Quellmark Optics", UEIS[0], None, "BOSTON", "MA", "02110"),
    Award("A2", "Zorbatek Sensors", None, None, "AUSTIN", "TX", "78701"),
]
RECIPIENTS = [
    Recipient("R1", "QUELLMARK OPTICS INC", UEIS[0], None, "BOSTON", "MA", "02110"),
    Recipient("R2", "ZORBATEK SENSORS INC", None, None, "AUSTIN", "TX", "78701"),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return the paths of awards, recipients and the enriched file."""
    folder = tmp_path_factory.mktemp("tables")
    awards, recipients = write_tables(folder, AWARDS, RECIPIENTS)
    enriched = folder / "enriched.csv"
    enrich_files(awards, recipients, enriched)
    return awards, recipients, enriched


def called(*arguments):
    """Run the command in this process; return what it printed. Errors of the product are raised."""
    result = CliRunner().invoke(explain, [*map(str, arguments)], catch_exceptions=False)
    return result.stdout


def test_each_award_is_explained_in_the_order_asked_for(tables):
    awards, recipients, _ = tables
    text = called("A2", "A1", "--awards", awards, "--recipients", recipients, "-q")
    assert text.index("ZORBATEK SENSORS INC (R2) by name-exact") < text.index("(R1) by uei-exact")


def test_json_holds_the_facts_of_the_enriched_file(tables):
    enriched = tables[2]
    (found,) = json.loads(called("A2", "--enriched", enriched, "--format", "json"))
    decision = found["explanation"]["decision"]
    assert (decision["recipient_id"], decision["method"], decision["kind"]) == ("R2", "name-exact", "link")
    assert found["explanation"]["candidates"][0]["party"]["name"] == "ZORBATEK SENSORS INC"
    assert found["explanation"]["is_stated"]
    assert found["since"] is None


def test_an_enriched_file_of_any_engine_says_what_it_states(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("award_id,recipient_id,match_method,match_score\n7,R9,embedding,88\n", "utf-8")
    text = called("7", "--enriched", path)
    assert "linked to R9 by embedding" in text
    assert "does not say" in text


ENGINE = """\
import csv, sys
rows = csv.DictReader(open(sys.argv[1], newline=""))
output = csv.writer(open(sys.argv[3], "w", newline=""))
output.writerow(["award_id", "recipient_id", "match_method", "match_score"])
output.writerows([row["award_id"], "R2", "embedding", 88] for row in rows)
"""


@pytest.mark.slow
def test_an_engine_of_the_settings_is_run_and_names_are_looked_up(tables, tmp_path):
    engine, config = tmp_path / "engine.py", tmp_path / "own.yaml"
    engine.write_text(ENGINE, "utf-8")
    command = f"{sys.executable} {engine} {{awards}} {{recipients}} {{output}}"
    config.write_text(f"enricher: {{command: '{command}'}}\n", "utf-8")
    asked = ("--awards", tables[0], "--recipients", tables[1], "--config", config, "-q")
    text = called("A1", *asked)
    assert "A1 · Quellmark Optics" in text
    assert "linked to ZORBATEK SENSORS INC (R2) by embedding" in text
    with pytest.raises(InputError, match="no award 'A9'"):
        called("A9", *asked)


def test_a_run_is_held_against_it(tables, tmp_path):
    path = save_run(tmp_path, make_run())
    text = called("A1", "--enriched", tables[2], "--against", path)
    assert "does not have this award" in text


@pytest.mark.parametrize("name", ["base", "baseline"])
def test_base_and_baseline_are_found_where_the_settings_say(tables, tmp_path, name):
    config = tmp_path / "own.yaml"
    config.write_text(f"gate: {{baselines_folder: {tmp_path}/gates}}\nreports: {{folder: {tmp_path}/out}}\n")
    asked = ("A1", "--enriched", tables[2], "--against", name, "--config", config)
    with pytest.raises(SbirGateError, match=r"no such file|there is no saved Run"):
        called(*asked)
    for _ in range(2):
        path = save_run(tmp_path / "out" / "benchmarks", make_run(session="s"))
    (tmp_path / "gates").mkdir()
    path.rename(tmp_path / "gates" / "enrichment.json") if name == "baseline" else None
    assert "does not have this award" in called(*asked)


def test_an_award_that_is_not_there_is_refused(tables):
    with pytest.raises(InputError, match="no award 'A9'"):
        called("A9", "--enriched", tables[2])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"award_id\nA1\n", "lacks this column"), (b"PAR1 not really", "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_wrong_input(tmp_path, content, reason):
    path = tmp_path / "enriched.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        called("A1", "--enriched", path)


def test_two_kinds_of_source_are_refused(tables):
    with pytest.raises(UsageError, match="cannot be used with"):
        called("A1", "--enriched", tables[2], "--awards", tables[0])


def test_a_page_is_written_too_but_not_over_an_input(tables, tmp_path):
    page = tmp_path / "why.html"
    called("A2", "--enriched", tables[2], "--html", page)
    assert "ZORBATEK SENSORS INC" in page.read_text("utf-8")
    with pytest.raises(UsageError, match="is an input"):
        called("A2", "--enriched", tables[2], "--html", tables[2])


def test_a_page_alone_goes_to_standard_output(tables):
    text = called("A2", "--enriched", tables[2], "--html", "-")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
