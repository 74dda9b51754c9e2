"""A published dump as its users meet it: listed, profiled, linked, and refused with the reason."""

import csv
import json
import shutil
import signal
import time

import pytest

from tests.factories_dumps import LOOKUP_COLUMNS, Table, copy_text, member_of, write_dump, zipped

EVIL = "\x1b[31mred\x07"
FIXTURE_NAMES = {"recipient_hash": "recipient_id", "zip5": "zip"}


@pytest.fixture(scope="module")
def dump(stage, tmp_path_factory):
    """Return a dump whose recipients are those of the stage's fixtures."""
    with (stage.folder / "fixtures" / "recipients.csv").open(encoding="utf-8", newline="") as stream:
        recipients = list(csv.DictReader(stream))
    assert {*recipients[0]} < {*FIXTURE_NAMES.values(), *LOOKUP_COLUMNS}
    rows = [
        [row.get(FIXTURE_NAMES.get(column, column)) or None for column in LOOKUP_COLUMNS]
        for row in recipients
    ]
    tables = Table("recipient_lookup", LOOKUP_COLUMNS, rows), Table(EVIL, ["a", EVIL], [(EVIL, "x")])
    return write_dump(tmp_path_factory.mktemp("dumps") / "dump", *tables)


def enriched(stage, recipients, tmp_path):
    output = tmp_path / "out.csv"
    awards = "fixtures/awards.csv"
    return output, stage.gate("enrich", "--awards", awards, "--recipients", recipients, "--output", output)


@pytest.mark.slow
def test_awards_are_linked_to_the_same_recipients_as_from_a_file(stage, dump, tmp_path):
    output, done = enriched(stage, "fixtures/recipients.csv", tmp_path)
    assert done.returncode == 0, done.stderr
    expected = output.read_bytes()
    for source in (dump, zipped(dump, "inside/"), f"{dump}#rpt.recipient_lookup"):
        output, done = enriched(stage, source, tmp_path)
        assert done.returncode == 0, done.stderr
        assert output.read_bytes() == expected
    assert stage.leftovers() == []


def test_tables_are_listed_and_nothing_in_a_name_steers_the_terminal(stage, dump):
    done = stage.gate("data", "profile", dump)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[:3] == ["rpt", "recipient_lookup", "?"]
    assert "\x1b" not in done.stdout + done.stderr
    tables = json.loads(stage.gate("data", "profile", dump, "--format", "json").stdout)["tables"]
    assert [table["member"] for table in tables] == ["3.dat.gz", "5.dat.gz"]


def test_a_profile_goes_to_standard_output_and_its_progress_to_the_reports(stage, dump):
    done = stage.gate("data", "profile", dump, "--table", "all", SBIR_GATE__REPORTS__FOLDER="elsewhere")
    assert done.returncode == 0, done.stderr
    assert "rpt.recipient_lookup: 5,000 rows in 3.dat.gz" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "profiling rpt.recipient_lookup" in done.stderr
    names = sorted(path.name for path in (stage.folder / "elsewhere" / "progress").iterdir())
    assert names == ["3.json", "5.json"]
    shutil.rmtree(stage.folder / "elsewhere")
    quiet = stage.gate("data", "profile", dump, "--table", "recipient_lookup", "--quiet")
    assert quiet.stderr == ""


@pytest.mark.slow
def test_ctrl_c_ends_a_profile_and_the_next_goes_on(stage, tmp_path):
    rows = [(f"{n:0200}",) for n in range(20_000)]
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], rows))
    command = ["data", "profile", dump, "--table", "t", "--set", "enrichment.performance.chunk_size=50"]
    progress = stage.folder / "reports" / "progress" / "3.json"
    progress.unlink(missing_ok=True)
    process = stage.start(*command)
    while not progress.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    done = stage.gate("data", "profile", dump, "--table", "t")
    assert done.returncode == 0, done.stderr
    assert "rpt.t: going on after " in done.stderr
    assert "20,000 rows" in done.stdout
    assert stage.leftovers() == []


def truncate(dump):
    largest = dump / "3.dat.gz"
    largest.write_bytes(largest.read_bytes()[:-50])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "3.dat.gz: is damaged after"),
        (lambda dump: (dump / "3.dat.gz").unlink(), "rpt.recipient_lookup: its data, 3.dat, is missing"),
        (lambda dump: (dump / "toc.dat").write_bytes(b"PGDUMB" * 9), "does not start with PGDMP"),
        (lambda dump: (dump / "toc.dat").unlink(), "of a PostgreSQL dump, but no toc.dat"),
    ],
)
def test_a_damaged_dump_is_wrong_input_told_in_one_line(stage, dump, tmp_path, damage, reason):
    copy = shutil.copytree(dump, tmp_path / "copy")
    damage(copy)
    output, done = enriched(stage, copy, tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "error: " in done.stderr.splitlines()[-1]
    assert not output.exists()


def test_a_name_that_is_not_there_is_told_with_those_that_are(stage, dump):
    done = stage.gate("data", "profile", dump, "--table", "recipient_lokup")
    assert done.returncode == 2
    assert "did you mean recipient_lookup" in done.stderr
    assert "\x1b" not in done.stderr


def test_an_output_over_a_member_is_refused(stage, tmp_path):
    dump = write_dump(tmp_path / "dump", Table("duns", ["name"], content=copy_text([("ACME",)])))
    renamed = member_of(dump)
    done = stage.gate(
        "enrich", "--awards", "fixtures/awards.csv", "--recipients", dump, "--output", tmp_path / "out.csv",
        "--rejects", renamed,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is an input" in done.stderr
