"""Engines that keep the contract, and ten that do not: one line names what is wrong with each."""

import io
import json
import sys
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from sbir_gate.errors import ConfigurationError, InputError
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.engine_check import check_engine
from sbir_gate.gate.measuring.process import run_process
from sbir_gate.gate.reporting.diagnoses import render_check, render_check_json
from sbir_gate.model.diagnosis import Flaw, Gravity
from sbir_gate.settings.effective import load_settings
from tests.fakes import WELL, fake_edges
from tests.program import run_in_process
from tests.tiers import first_fast

# a right engine, up to the line that each of the wrong ones replaces
SCRIPT = """\
import csv, json, sys
awards, recipients, output, metrics = sys.argv[1:5]
columns = ["award_id", "recipient_id", "match_method", "match_score"]
with open(recipients) as file:
    ids = {row["legal_business_name"]: row["recipient_id"] for row in csv.DictReader(file)}
with open(awards) as file:
    found = [(row["award_id"], ids.get(row["Company"], "")) for row in csv.DictReader(file)]
rows = [[award, id_, "name" if id_ else "none", 90.5 if id_ else 0] for award, id_ in found]
#
with open(output, "w", newline="") as file:
    csv.writer(file).writerows([columns, *rows])
"""
COMMAND = "{python} enrich.py {awards} {recipients} {output} {metrics}"
CRASH = "raise ValueError('no column Firm in awards')"
FLOATS = "rows = [[a, id_ and str(float(id_)), m, s] for a, id_, m, s in rows]"
# what the engine does, and the one line that is printed of it
WRONG = {
    "crashes": (CRASH, "error: engine: the enricher ended with exit status 1; run its command by itself"),
    "writes nothing": (
        "sys.exit()",
        "error: {output}: the enricher wrote no output; write the enriched file",
    ),
    "other column": (
        "columns[3] = 'score'",
        "error: {output}: lacks 1 required column (match_score); it has award_id, recipient_id, match_m",
    ),
    "drops awards": (
        "rows = [row for row in rows if row[1]]",
        "error: {output}: 2 awards have no row, such as '102', '104'; write a row for every award",
    ),
    "doubles awards": (
        "rows += rows[:1]",
        "error: {output}: 1 award has more than one row, such as '101'; keep one row per award",
    ),
    "own award ids": (
        "rows = [[f'X{n}', *row[1:]] for n, row in enumerate(rows)]",
        "error: {output}: 4 award_ids are not in {awards}, such as 'X0', 'X1', 'X2', 'X3'; write ids exactly",
    ),
    "ids as floats": (
        FLOATS,
        "error: {output}: 2 recipient_ids are not in {recipients}, such as '201.0', '203.0'; they were writ",
    ),
    "unknown recipient": (
        "rows[0][1] = 'R9'",
        "error: {output}: 1 recipient_id is not in {recipients}, such as 'R9'; write ids exactly",
    ),
    "score of 850": (
        "rows[2][3] = 850",
        "error: {output}: row 3: match_score: is not within 0 to 100 ('850'), in 1 row; ",
    ),
    "random": (
        "import os; rows[1][1:] = ['201', 'name', 1 + int.from_bytes(os.urandom(6)) / 2**48]",
        "error: engine: a second run decided 1 award differently, such as '102'; fix the seed",
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    companies = enumerate(("ACME", "Bolt", "Cog", "Dyn"), start=101)
    Path("awards.csv").write_text("award_id,Company\n" + "".join(f"{n},{name}\n" for n, name in companies))
    Path("recipients.csv").write_text("recipient_id,legal_business_name\n201,ACME\n203,Cog\n204,Elm\n")
    return tmp_path


def play(request):
    """Run the script of a command in this process."""
    script, *arguments = request.arguments[1:]
    said, status, before = io.StringIO(), 0, sys.argv
    sys.argv = [script, *arguments]
    try:
        with redirect_stderr(said):
            exec(compile(Path(script).read_text(), script, "exec"), {})  # noqa: S102 -- a script of this test
    except SystemExit:
        pass
    except Exception as error:  # noqa: BLE001 -- as Python does with a script
        status, said = 1, io.StringIO(f"{type(error).__name__}: {error}")
    finally:
        sys.argv = before
    return replace(WELL, exit_status=status, log_tail=tuple(said.getvalue().splitlines()))


def checked(line="", launch=play, **options):
    Path("enrich.py").write_text(SCRIPT.replace("#", line))
    usual = {
        "enricher.command": COMMAND,
        "fixtures.awards": "awards.csv",
        "fixtures.recipients": "recipients.csv",
    }
    effective = load_settings(None, {}, usual | options)
    edges: Edges = replace(fake_edges(play), launch=launch)
    return check_engine(effective, edges, lambda _text: None)


def flaws(check, gravity):
    return [each.flaw for each in check.found if each.gravity is gravity]


def test_an_engine_that_keeps_the_contract_is_right_line_by_line(folder):
    check = checked()
    assert [line[:80] for line in render_check(check.found).splitlines()] == [
        "ok: engine: ended with exit status 0 after 2 s, with 100 MiB of memory at its pe",
        "ok: {output}: CSV with 4 rows",
        "ok: {output}: has the required columns award_id, recipient_id, match_method, mat",
        "ok: {output}: one row for each of 4 awards",
        "ok: {output}: every recipient_id is in {recipients}",
        "ok: {output}: match_method has name (2), none (2); 2 of 4 awards are linked",
        "ok: {output}: links have a match_score from 90.5 to 90.5",
        "ok: {output}: match_confidence is not written; it is optional: the probability t",
        "ok: {output}: match_place is not written; it is optional: confirms, same-state, ",
        "ok: {output}: match_decision is not written; it is optional: link, candidate or ",
        "ok: {output}: match_candidates is not written; it is optional: a JSON list of up",
        "ok: {metrics}: is not written; it is optional: with it the gate judges the engin",
        "ok: engine: a second run made the same decisions",
        "the engine keeps the contract",
    ]
    assert json.loads(render_check_json(check.found))["is_kept"] is True
    assert {path.name for path in folder.iterdir()} == {"awards.csv", "recipients.csv", "enrich.py"}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("line", "said"), first_fast(WRONG.values(), 3), ids=WRONG)
def test_a_wrong_engine_has_one_line_that_names_what_is_wrong(line, said):
    check = checked(line)
    lines = [each for each in render_check(check.found).splitlines() if each.startswith("error: ")]
    assert [each for each in lines if each.startswith(said)], lines
    # an award with another id is also one without its row
    assert len(lines) == (2 if "X{n}" in line else 1)
    assert check.is_broken == (line == CRASH)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", first_fast([CRASH, FLOATS]), ids=["crashes", "ids as floats"])
def test_a_real_process_has_the_same_line(line):
    check = checked(line, run_process)
    said = dict(WRONG.values())[line]
    text = render_check(check.found)
    assert any(each.startswith(said) for each in text.splitlines()), text
    if line == CRASH:
        assert "\n    ValueError: no column Firm in awards\n" in text


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=WRONG)
def test_every_wrong_engine_has_its_line_as_a_real_process(line, said):
    lines = render_check(checked(line, run_process).found).splitlines()
    assert any(each.startswith(said) for each in lines)


@pytest.mark.usefixtures("folder")
def test_scores_of_0_to_1_are_a_hint_and_not_a_fault():
    check = checked("rows = [[a, i, m, s / 100] for a, i, m, s in rows]")
    assert flaws(check, Gravity.WARNING) == [Flaw.ENGINE_SCORES_OF_ONE]
    assert flaws(check, Gravity.ERROR) == []


@pytest.mark.usefixtures("folder")
def test_an_engine_that_links_nothing_has_a_warning():
    assert flaws(checked("rows = [[a, '', 'none', 0] for a, *_ in rows]"), Gravity.WARNING) == [
        Flaw.ENGINE_WITHOUT_LINKS
    ]


def test_an_id_of_two_firms_is_named_with_what_it_does_to_the_verdict(folder):
    with (folder / "recipients.csv").open("a") as file:
        file.write("203,Bolt\n")
    check = checked("rows[1][1:] = ['203', 'name', 90]")
    (said,) = [line for line in render_check(check.found).splitlines() if line.startswith("warning: ")]
    assert "{recipients}: 1 recipient_id is on rows of different firms, such as '203' ('Bolt', 'Cog')" in said
    assert "a link to one of them counts as correct for each of its firms; give each recipient" in said


def test_what_an_engine_writes_besides_its_outputs_is_named(folder):
    (folder / "known.log").write_text("")
    check = checked(
        "from pathlib import Path; Path('cache/of').mkdir(parents=True, exist_ok=True)\n"
        "Path('cache/a').touch(); Path(awards + '.index').touch(); Path('known.log').write_text(output)\n"
        "Path('x\\x1b[31m').touch()\n"
        "Path('__pycache__').mkdir(exist_ok=True)"
    )
    assert flaws(check, Gravity.ERROR) == []
    (said,) = [each for each in render_check(check.found).splitlines() if each.startswith("warning: ")]
    named = "awards.csv.index, cache, known.log, 'x\\x1b[31m'; write to TMPDIR"
    assert f"while it ran, 4 files or folders besides {{output}} and {{metrics}} changed: {named}" in said
    assert render_check(check.found).endswith("the engine keeps the contract\n")


@pytest.mark.usefixtures("folder")
def test_all_faults_are_reported_together_each_column_once():
    line = "rows[0][3] = rows[2][3] = 850; rows[2][2] = ''; rows[1][0] = rows[3][0]"
    check = checked(line)
    assert flaws(check, Gravity.ERROR) == [
        Flaw.ENGINE_CELLS_INVALID,
        Flaw.ENGINE_CELLS_INVALID,
        Flaw.ENGINE_ROWS_MISSING,
        Flaw.ENGINE_ROWS_DOUBLED,
    ]
    # rows that cannot be read are not missing too
    missing = next(each for each in check.found if each.flaw is Flaw.ENGINE_ROWS_MISSING)
    assert missing.facts["ids"] == ("'102'",)


@pytest.mark.usefixtures("folder")
def test_optional_columns_and_metrics_are_used_where_they_are_written():
    counters = {"counters": {"pages": 3}, "stages": [{"name": "load", "wall_seconds": 1}]}
    line = (
        "columns.append('match_confidence'); rows = [[*row, .5] for row in rows]\n"
        f"with open(metrics, 'w') as file: json.dump({counters}, file)"
    )
    said = render_check(checked(line).found)
    assert "ok: {output}: match_confidence is written: the probability" in said
    assert "ok: {metrics}: has 1 counter and 1 stage\n" in said


@pytest.mark.usefixtures("folder")
def test_a_counter_that_differs_between_two_runs_is_named():
    line = (
        "import os; counters = {'rows': 4, 'tries': int.from_bytes(os.urandom(6))}\n"
        "with open(metrics, 'w') as file: json.dump({'counters': counters}, file)"
    )
    said = render_check(checked(line).found)
    assert "error: {metrics}: 1 counter differs between two runs: tries; count the work" in said


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "content", [b"award_id;recipient_id\n1;2\n", b"PAR1 is not enough", b"\x00\xff" * 900]
)
def test_any_other_file_is_a_fault_and_no_crash(content):
    def launch(request):
        Path(request.arguments[4]).write_bytes(content)
        return WELL

    (fault,) = [each for each in checked(launch=launch).found if each.gravity is Gravity.ERROR]
    assert fault.flaw in {Flaw.ENGINE_COLUMNS_MISSING, Flaw.ENGINE_FILE_INVALID}
    assert fault.place == "{output}"


@pytest.mark.usefixtures("folder")
def test_metrics_that_cannot_be_read_are_a_fault_of_their_own():
    check = checked("with open(metrics, 'w') as file: file.write('{')")
    assert flaws(check, Gravity.ERROR) == [Flaw.ENGINE_FILE_INVALID]
    assert "error: {metrics}: the enricher's metrics" in render_check(check.found)


@pytest.mark.usefixtures("folder")
def test_floats_in_parquet_are_named_with_the_file_and_the_column():
    def launch(request):
        output = request.arguments[4]
        duckdb.sql(
            "SELECT 101.0::DOUBLE AS award_id, '201' AS recipient_id, 'name' match_method, 90 match_score"
        ).write_parquet(output)
        return WELL

    check = checked(launch=launch)
    assert "error: {output}: award_id: holds floating-point numbers" in render_check(check.found)
    assert "ok: {output}: Parquet with 0 rows" not in render_check(check.found)


def test_awards_without_ids_get_them_and_50_are_taken_over_the_whole_file(folder):
    (folder / "awards.csv").write_text("Company\n" + "".join(f"Firm {n}\n" for n in range(175)))
    handed = []

    def launch(request):
        handed.append(Path(request.arguments[2]).read_text().splitlines())
        return play(request)

    check = checked(launch=launch)
    assert flaws(check, Gravity.ERROR) == []
    assert handed[0][0] == "Company,award_id"
    companies = [row.split(",")[0] for row in handed[0][1:]]
    assert len(companies) == 50
    assert (companies[0], companies[-1]) == ("Firm 0", "Firm 171")


def test_ids_of_a_column_that_is_not_known_are_explained(folder):
    (folder / "recipients.csv").write_text("entity_key,legal_business_name\nE1,ACME\nE2,Cog\n")
    said = render_check(checked("rows[0][1] = 'E1'; rows[2][1] = 'E2'").found)
    assert "2 recipient_ids are not in {recipients}, such as 'E1', 'E2'; the file has no id column" in said


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_used_is_an_error_before_anything_runs():
    with pytest.raises(ConfigurationError, match=r"placeholder \{output\} is missing"):
        checked(**{"enricher.command": "run {awards} {recipients}"})
    with pytest.raises(InputError, match="no-such"):
        checked(**{"fixtures.awards": "no-such.csv"})


def test_without_settings_and_fixtures_the_files_are_asked_for(tmp_path):
    done = run_in_process(["check-engine", COMMAND], tmp_path, {"PATH": "/usr/bin:/bin"})
    assert done.returncode == 2
    assert "neither a settings file nor fixtures/awards.csv; name your files: --awards" in done.stderr


def test_the_verb_ends_with_the_status_of_what_was_found(folder):
    Path("enrich.py").write_text(SCRIPT)
    arguments = ["check-engine", "--awards", "awards.csv", "--recipients", "recipients.csv", "-q"]
    environment = {"PATH": "/usr/bin:/bin"}
    refused = run_in_process([*arguments, f"cd . && {COMMAND}"], folder, environment)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "it is started without a shell, which && needs" in refused.stderr
    broken = run_in_process(
        [*arguments, "no-such-program {awards} {recipients} {output}"], folder, environment
    )
    assert broken.returncode == 3
    assert "error: engine: the enricher cannot be started" in broken.stdout
    Path("enrich.py").write_text(SCRIPT.replace("#", FLOATS))
    wrong = run_in_process([*arguments, "--format", "json", COMMAND], folder, environment)
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["errors"] == 1
