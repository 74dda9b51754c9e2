"""The command `label`: the page, the estimate, two reviewers, and what is refused."""

import json
import re

import pytest

from sbir_gate.documents import load_label_sample, save_label_sample
from tests.factories_labelling import make_sample
from tests.factories_matching import Award, Recipient, write_tables
from tests.program import run_in_process

DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)
PLACE = ("RENO", "NV", "89501")
AWARDS = [Award(f"A{number}", f"Zorbatek Sensors {number}X", None, None, *PLACE) for number in range(6)]
RECIPIENTS = [
    Recipient(f"R{number}", f"ZORBATEK SENSORS {number}X INC", None, None, *PLACE) for number in range(3)
]


@pytest.fixture
def program(tmp_path):
    """Run the program in a folder with small tables."""
    write_tables(tmp_path, AWARDS, RECIPIENTS)
    (tmp_path / "none.csv").write_text("award_id,recipient_ids\n" + "".join(f"A{n},\n" for n in range(6)))

    def run(*arguments):
        return run_in_process(("label", *arguments), tmp_path, {"PATH": "/usr/bin:/bin"})

    return run


def tables(*more):
    """Return the options that name the tables."""
    return ("--awards", "awards.csv", "--recipients", "recipients.csv", *more)


def test_the_page_and_the_sample_are_written_and_the_sample_gives_an_estimate(program, tmp_path):
    done = program(*tables("--count", "6"))
    assert done.returncode == 0, done.stderr
    assert "Zorbatek Sensors 1X" in (tmp_path / "label.html").read_text("utf-8")
    sample = load_label_sample(tmp_path / "label-sample.json")
    assert {drawn.award_id for drawn in sample.drawn} == {award.award_id for award in AWARDS}
    linked = {drawn.award_id: drawn.linked_id for drawn in sample.drawn}
    rows = "".join(f"{award},{recipient}\n" for award, recipient in linked.items())
    (tmp_path / "truth.csv").write_text("award_id,recipient_ids\n" + rows)
    done = program("--estimate")
    assert "6 of 6 drawn awards have a label" in done.stdout
    assert "precision  1.000  95% interval" in done.stdout
    assert done.stderr == ""
    (tmp_path / "foreign.csv").write_text("award_id,recipient_ids\n" + rows.replace(",R", ",X"))
    done = program("--estimate", "--truth", "foreign.csv")
    assert "warning: no link and no candidate has one of the truth's recipient ids" in done.stderr
    assert program("--estimate", "--truth", "none.csv").stdout.count("precision  0.000") == 1


def test_names_on_the_page_have_no_unseen_characters_and_are_not_too_long(program, tmp_path):
    mirrored, long = "Quellmark \u202eOptics", "Zorbatek " * 100_000
    write_tables(
        tmp_path,
        [Award("A1", mirrored, None, None, *PLACE), Award("A2", long, None, None, *PLACE)],
        [Recipient("R1", mirrored, None, None, *PLACE), Recipient("R2", long, None, None, *PLACE)],
    )
    assert program(*tables("-q")).returncode == 0
    page = (tmp_path / "label.html").read_text("utf-8")
    assert "\u202e" not in page
    assert r"\u202e" not in page
    (first,) = (
        task for task in json.loads(DATA.search(page)[1])["data"]["tasks"] if task["award_id"] == "A1"
    )
    assert (first["name"], first["candidates"][0]["name"]) == ("Quellmark Optics", "Quellmark Optics")
    assert len(page) < 200_000


def test_a_reviewer_of_endless_name_is_refused_before_anyone_decides(program):
    done = program(*tables("--reviewer", "x" * 201))
    assert (done.returncode, done.stdout) == (2, "")
    assert "the reviewer has 201 characters, and may have 200" in done.stderr


@pytest.mark.slow
def test_labels_that_are_missing_are_a_warning(program, tmp_path):
    program(*tables("--count", "6", "-q"))
    (tmp_path / "truth.csv").write_text("award_id,recipient_ids\nA0,R0\n")
    done = program("--estimate")
    assert "1 of 6 drawn awards has a label" in done.stdout
    assert "5 drawn awards have no label, such as: " in done.stderr


def test_two_reviewers_are_compared(program, tmp_path):
    (tmp_path / "a.csv").write_text("award_id,recipient_ids\nA0,R0\nA1,R1\nA2,\n")
    (tmp_path / "b.csv").write_text("award_id,recipient_ids\nA0,R0\nA1,R2\nA2,\n")
    done = program("--compare", "a.csv", "b.csv")
    assert "3 awards labelled by both, 2 agreed (66.7%); Cohen's kappa 0.250" in done.stdout
    assert "A1: R1 | R2" in done.stdout


ANNA = "award_id,recipient_ids,reviewer\nA0,R0,anna\nA1,R1,anna\nA2,,anna\n"
BEN = "award_id,recipient_ids,reviewer\nA0,R0,ben\nA1,R2 R9,ben\nA2,,ben\nA5,,ben\n"
SETTLE = ("--compare", "a.csv", "b.csv", "--settle")


@pytest.fixture
def reviewed(tmp_path, program):
    """Write the labels of two reviewers who disagree on one award, and return the program."""
    (tmp_path / "a.csv").write_text(ANNA)
    (tmp_path / "b.csv").write_text(BEN)
    return program


def test_disagreements_become_a_page_with_the_recipients_that_the_reviewers_name(reviewed, tmp_path):
    done = reviewed(*SETTLE, *tables("--reviewer", "carl"))
    assert done.returncode == 0, done.stderr
    assert "1 to settle; 2 agreed labels and 1 of one reviewer are taken over" in done.stdout
    assert "open settle.html in a browser" in done.stdout
    page = (tmp_path / "settle.html").read_text("utf-8")
    data = json.loads(DATA.search(page)[1])["data"]
    (task,) = data["tasks"]
    named = {found["recipient_id"]: found["name"] for found in task["candidates"]}
    assert named["R2"] == "ZORBATEK SENSORS 2X INC"
    assert named["R9"] == ""  # not in the recipients
    assert [one["award_id"] for one in data["others"]] == ["A0", "A2", "A5"]
    assert data["others"][0]["reviewer"] == "anna and ben"
    assert not (tmp_path / "label-sample.json").exists()


def test_a_settlement_continues_with_a_truth_and_never_writes_over_labels(reviewed, tmp_path):
    (tmp_path / "truth.csv").write_text("award_id,recipient_ids,reviewer\nA1,R1,carl\nA9,R2,dora\n")
    assert reviewed(*SETTLE, *tables("--truth", "truth.csv", "-q")).returncode == 0
    data = json.loads(DATA.search((tmp_path / "settle.html").read_text("utf-8"))[1])["data"]
    assert data["labels"]["A1"]["reviewer"] == "carl"
    assert "A9" in [one["award_id"] for one in data["others"]]
    for output in ("a.csv", "truth.csv"):
        done = reviewed(*SETTLE, *tables("--output", output))
        assert (done.returncode, "name another file" in done.stderr) == (2, True)
    assert reviewed(*SETTLE, *tables("--serve", "--truth", "b.csv")).returncode == 2


def test_without_a_disagreement_the_page_only_makes_the_file(reviewed, tmp_path):
    (tmp_path / "b.csv").write_text(ANNA.replace("anna", "ben"))
    done = reviewed(*SETTLE, *tables())
    assert done.returncode == 0, done.stderr
    assert "0 to settle; 3 agreed labels" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--compare", "a.csv", "a.csv"), "a.csv: is compared with itself"),
        (("--compare", "a.csv", "other.csv"), "other.csv: labels no award that a.csv labels"),
        (("--estimate", "--sample", "drawn.json", "--truth", "other.csv"), "labels no award of the sample"),
        (("--settle",), "--settle needs two reviewers' labels; give them with --compare A B"),
        (("--compare", "a.csv", "b.csv", "--serve"), "exclude one another"),
        ((*SETTLE, "--estimate"), "exclude one another"),
        (("--compare", "a.csv", "c.csv", "--settle", *tables()), "no award 'A77'"),
    ],
)
def test_labels_that_cannot_be_compared_are_one_clear_line(reviewed, tmp_path, arguments, reason):
    (tmp_path / "other.csv").write_text("award_id,recipient_ids\nB1,R0\n")
    save_label_sample(tmp_path / "drawn.json", make_sample(3))
    (tmp_path / "a.csv").write_text(f"{ANNA}A77,,anna\n")
    (tmp_path / "c.csv").write_text(f"{BEN}A77,R1,ben\n")
    done = reviewed(*arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--estimate", "--serve"), "exclude one another"),
        (("--estimate", "--sample", "nothing.json"), "no such file"),
        (("--estimate", "--sample", "awards.csv"), "awards.csv"),
        (("--compare", "none.csv", "nothing.csv"), "cannot be read"),
        (tables("--truth", "awards.csv"), "lacks this column"),
        (tables("--output", "awards.csv"), "is an input"),
        (tables("--count", "0"), "--count"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(program, arguments, reason):
    done = program(*arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_label_file_names_the_place(program, tmp_path):
    header = "award_id,recipient_ids,reviewer,decided_on,certainty,note\n"
    (tmp_path / "a.csv").write_text(header + "A0,R0,anna,yesterday,certain,\n")
    refused = program("--compare", "a.csv", "none.csv").stderr
    assert "a.csv:2: decided_on: is not a date ('yesterday')" in refused
    (tmp_path / "a.csv").write_text(header + "A0,R0,anna,2026-01-31,sure,\n")
    assert "a.csv:2: certainty: is neither" in program("--compare", "a.csv", "none.csv").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        tables("--sample", "truth.csv"),
        tables("--output", "truth.csv"),
        tables("--serve", "--sample", "truth.csv"),
        tables("--serve", "--truth", "awards.csv"),
    ],
)
def test_labels_and_tables_are_never_written_over(program, tmp_path, arguments):
    (tmp_path / "truth.csv").write_text("award_id,recipient_ids\nA0,R0\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = program(*arguments)
    assert done.returncode == 2
    assert "name another file to write to" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_missing_sample_is_made_with_label(program):
    done = program("--estimate", "--sample", "no-sample.json", "--truth", "none.csv")
    assert done.returncode == 2
    assert (
        "no-sample.json: no such file; check the path, or recreate it with 'sbir-gate label'" in done.stderr
    )


@pytest.mark.slow
def test_another_sample_never_replaces_the_one_that_labels_are_weighted_by(program, tmp_path):
    assert program(*tables("--count", "3", "-q")).returncode == 0
    before = (tmp_path / "label-sample.json").read_bytes()
    assert program(*tables("--count", "3", "-q")).returncode == 0  # the same sample again
    done = program(*tables("--seed", "2", "-q"))
    assert done.returncode == 2
    assert "label-sample.json: holds another sample" in done.stderr
    assert (tmp_path / "label-sample.json").read_bytes() == before
    assert program(*tables("--seed", "2", "-q", "--sample", "other.json")).returncode == 0


def test_the_page_can_go_to_standard_output(program, tmp_path):
    done = program(*tables("--output", "-"))
    assert done.stdout.startswith("<!doctype html>")
    assert "awards drawn" in done.stderr
    assert not (tmp_path / "-").exists()
