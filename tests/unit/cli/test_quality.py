import json

import pytest

from sbir_gate.cli.application import application
from sbir_gate.documents import load_quality
from tests.program import run_in_process

LINKED = (
    "award_id,Company,Phase,recipient_id,recipient_name,match_method,match_score,match_confidence,match_decision\n"
    "A1,Acme Optics,Phase I,R1,ACME,uei-exact,100,0.998,link\n"
    "A2,Zenith,Phase II,R9,ZENITH LLC,name-fuzzy,70,0.3,candidate\n"
)


@pytest.fixture
def program(tmp_path):
    (tmp_path / "linked.csv").write_text(LINKED)
    (tmp_path / "truth.csv").write_text("award_id,recipient_ids\nA1,R1\n")

    def run(*arguments):
        return run_in_process(arguments, tmp_path, {"PATH": "/usr/bin:/bin"})

    return run


def test_the_report_is_printed_and_kept(program, tmp_path):
    done = program("quality", "linked.csv", "--truth", "truth.csv")
    assert done.returncode == 0
    assert "1 of 2 awards has a link (50.0%)" in done.stdout
    (path,) = (tmp_path / "reports" / "quality").iterdir()
    assert str(path.relative_to(tmp_path)) in done.stderr
    assert load_quality(path).precision.part == 1


def test_every_output_is_written_where_it_is_named(program, tmp_path):
    done = program(
        "quality", "linked.csv", "--html", "q.html", "--json", "q.json", "--markdown", "q.md", "--quiet"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "q.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "q.md").read_text().startswith("# Quality of the links\n")
    assert load_quality(tmp_path / "q.json").match_rate.whole == 2


@pytest.mark.parametrize(
    ("option", "begin"), [("--html", "<!doctype"), ("--markdown", "# "), ("--json", "{")]
)
def test_a_dash_is_standard_output(program, option, begin):
    assert program("quality", "linked.csv", option, "-").stdout.startswith(begin)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.csv"], "nothing.csv: no such file"),
        (["linked.csv", "--html", "-", "--json", "-"], "--html and --json are both standard output"),
        (["linked.csv", "--html", "linked.csv"], "linked.csv: would be written over, but is an input"),
        (["linked.csv", "--html", "a", "--json", "a"], "a: is named for two outputs"),
        (["linked.csv", "--truth", "linked.csv"], "truth lacks"),
        (["truth.csv"], "recipient_id: "),
        ([""], "the path is empty"),
        ([], "Missing argument"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(program, arguments, said):
    done = program("quality", *arguments, "--quiet")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_report_that_is_not_kept_is_an_error(program, tmp_path):
    (tmp_path / "reports").write_text("in the way")
    done = program("quality", "linked.csv", "--quiet")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in done.stderr


def test_the_history_lists_reports_and_compares_the_newest_with_the_one_before(program, tmp_path):
    program("quality", "linked.csv", "--quiet")
    (tmp_path / "linked.csv").write_text(LINKED.replace("0.3,candidate", "0.9,link"))
    program("quality", "linked.csv", "--quiet")
    (tmp_path / "reports" / "quality" / "broken.json").write_text("{")
    done = program("history", "quality")
    assert done.returncode == 0
    assert "2 quality reports" in done.stdout
    assert "all awards" in done.stdout
    assert "+50 pp" in done.stdout
    assert "skipped 1 of the quality reports: broken.json" in done.stderr
    answer = json.loads(program("history", "quality", "--format", "json").stdout)
    assert [each["links"] for each in answer["reports"]] == [1, 2]


def test_two_reports_are_compared_by_name(program):
    program("quality", "linked.csv", "--json", "a.json", "--quiet")
    assert "all awards" in program("history", "quality", "a.json", "a.json").stdout
    done = program("history", "quality", "a.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_history_without_reports_is_empty(program):
    assert "0 quality reports" in program("history", "quality").stdout


def test_the_verb_is_among_the_others():
    assert "quality" in application.list_commands(None)
