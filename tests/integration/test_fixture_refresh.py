"""`sbir-gate fixture refresh` in a team's repository: a newer fixture that keeps the labels of people."""

from __future__ import annotations

import csv
import os

import pytest

from sbir_gate.documents import load_fixture_draw
from sbir_gate.errors import OutputError
from sbir_gate.pipeline.new_gate import file_plan
from sbir_gate.reading.truth import LABEL_COLUMNS
from tests.factories_pipelines import write_pipeline
from tests.program import run_in_process
from tests.tiers import first_fast

SOURCES = ["--awards", "data/awards.csv", "--recipients", "data/recipients.csv"]
SETTINGS = """\
fixtures:
  awards: fixtures/awards.csv
  recipients: fixtures/recipients.csv
  truth: fixtures/truth.csv
  draw: fixtures/draw.json
"""


def refresh(folder, *options, sources=SOURCES):
    return run_in_process(["fixture", "refresh", *sources, *options], folder, {"PATH": os.environ["PATH"]})


def content(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "fixtures").iterdir())}


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def decide(folder, *award_ids):
    """Label awards as a person does: no recipient exists."""
    rows = {row["award_id"]: row for row in read(folder / "fixtures" / "truth.csv")}
    for award_id in award_ids:
        rows[award_id] = {"award_id": award_id, "recipient_ids": "", "reviewer": "ann", "note": ""}
    with (folder / "fixtures" / "truth.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, LABEL_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows.values())


@pytest.fixture
def team(tmp_path):
    """Return a repository with a fixture of about 60 of 300 awards, drawn with seed 1."""
    write_pipeline(tmp_path, 300)
    fixtures = tmp_path / "fixtures"
    fixtures.mkdir()
    for name in ("awards.csv", "recipients.csv"):
        with (tmp_path / "data" / name).open() as file:
            (fixtures / name).write_text("".join(file.readline() for _ in range(2)))
    (fixtures / "truth.csv").write_text("award_id,recipient_ids\n")
    (tmp_path / "sbir-gate.yaml").write_text(SETTINGS)
    done = refresh(tmp_path, "--count", "60")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_second_time_changes_nothing_and_a_dry_run_writes_nothing(team):
    before = content(team)
    assert set(before) == {"README.md", "awards.csv", "draw.json", "recipients.csv", "truth.csv"}
    again = refresh(team)
    assert again.stdout.count("unchanged: fixtures/") == 5
    assert "next:" not in again.stdout
    dry = refresh(team, "--seed", "2", "--dry-run")
    assert "would be replaced: fixtures/awards.csv" in dry.stdout
    assert content(team) == before


def test_labels_of_people_stay_in_the_new_fixture(team):
    awards = [row["award_id"] for row in read(team / "fixtures" / "awards.csv")]
    labelled = {row["award_id"] for row in read(team / "fixtures" / "truth.csv")}
    mine = [award_id for award_id in awards if award_id not in labelled][:5]
    decide(team, *mine, "A-GONE")
    done = refresh(team, "--seed", "2")
    assert done.returncode == 0, done.stderr
    rows = {row["award_id"]: row for row in read(team / "fixtures" / "truth.csv")}
    assert [rows[award_id]["reviewer"] for award_id in mine] == ["ann"] * 5
    assert "5 of them because people labelled them; seed 2" in done.stdout
    assert "labels not kept: 1: the award is not in the data" in done.stdout
    draw = load_fixture_draw(team / "fixtures" / "draw.json")
    assert sorted(draw.kept_ids) == sorted(mine)
    assert sum(stratum.kept for stratum in draw.strata) == 5
    assert " kept | drawn |" in (team / "fixtures" / "README.md").read_text()
    before = content(team)
    refresh(team)
    assert content(team) == before


@pytest.mark.slow
def test_labels_that_no_longer_hold_are_not_kept(team):
    awards = [row["award_id"] for row in read(team / "fixtures" / "awards.csv")]
    decide(team, awards[0])
    with (team / "fixtures" / "truth.csv").open("a") as file:
        file.write(f"{awards[1]}2,R-GONE,ann,,,,\n")
    done = refresh(team)
    assert done.returncode == 0, done.stderr
    assert "labels not kept: 1: the award is not in the data" in done.stdout
    assert f"{awards[0]}," in (team / "fixtures" / "truth.csv").read_text()


@pytest.mark.slow
@pytest.mark.slow
def test_a_page_that_was_edited_is_kept(team):
    page = team / "fixtures" / "README.md"
    written = page.read_bytes()
    page.write_bytes(written.replace(b"\n", b"\r\n"))  # as git checks out on Windows
    assert "replaced: fixtures/README.md" in refresh(team, "--seed", "3").stdout
    page.write_bytes(page.read_bytes() + b"Ask Ann before you change labels.\n")
    edited = page.read_bytes()
    done = refresh(team, "--seed", "4")
    assert done.returncode == 0, done.stderr
    assert "; it is yours or was edited; remove it to have it written\n" in done.stdout
    assert page.read_bytes() == edited


def test_a_damaged_draw_is_an_error_where_its_number_or_seed_is_needed(team):
    (team / "fixtures" / "draw.json").write_text("{")
    before = content(team)
    for options in ((), ("--seed", "1"), ("--count", "60")):
        done = refresh(team, *options)
        assert done.returncode == 2
        assert done.stderr.startswith("error: fixtures/draw.json: ")
        assert done.stderr.endswith("give --count and --seed: then it is written again\n")
    assert content(team) == before


@pytest.mark.slow
def test_a_page_of_the_team_is_kept_and_a_damaged_draw_is_replaced(team):
    (team / "fixtures" / "README.md").write_text("# Ours\n")
    (team / "fixtures" / "draw.json").write_text("{")
    done = refresh(team, "--count", "60", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert (team / "fixtures" / "README.md").read_text() == "# Ours\n"
    assert load_fixture_draw(team / "fixtures" / "draw.json").seed == 1


@pytest.mark.parametrize(
    ("sources", "problem"),
    first_fast(
        [
            (["--awards", "fixtures/awards.csv", *SOURCES[2:]], "is the fixture, so it cannot be what"),
            (["--awards", "missing.csv", *SOURCES[2:]], "missing.csv: no such file"),
            (["--awards", "", *SOURCES[2:]], "the path is empty"),
        ]
    ),
)
def test_what_cannot_be_drawn_from_is_refused_and_nothing_is_written(team, sources, problem):
    before = content(team)
    done = refresh(team, sources=sources)
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
    assert problem in done.stderr
    assert content(team) == before


@pytest.mark.slow
def test_data_of_another_type_than_the_fixture_are_refused(team):
    with (team / "data" / "awards.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    with (team / "data" / "awards.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    done = refresh(team, sources=["--awards", "data/awards.tsv", *SOURCES[2:]])
    assert done.returncode == 2
    assert "fixtures/awards.csv: the fixture would be a file of the type of awards.tsv" in done.stderr


@pytest.mark.slow
def test_what_cannot_be_written_leaves_the_old_fixture(team, monkeypatch):
    before = content(team)
    write = file_plan.write_whole

    def full_disk(path, new, may_replace):
        if path.name == "draw.json" and new != before["draw.json"]:
            raise OutputError("the disk is full", "free some space", path=path)
        return write(path, new, may_replace)

    monkeypatch.setattr(file_plan, "write_whole", full_disk)
    done = refresh(team, "--seed", "3")
    assert (done.returncode, "the disk is full" in done.stderr) == (2, True)
    assert content(team) == before
