"""Every row of a source is accounted for, whatever reader it takes."""

import csv
import gzip
import io
import json
import zipfile

import duckdb
import pytest

from sbir_gate.model.chunks import Observation, Remark
from sbir_gate.model.diagnosis import Flaw, Gravity
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.field_cells import merged
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.rejects import RejectLog
from tests.factories_dumps import Table, write_dump, zipped
from tests.step_options import reading_options
from tests.tiers import tiered

COLUMNS = ("Company", "uei", "duns", "city")
ROWS = [
    ("ALPHA OPTICS INC", "CSQJZSE9KFD9", "", "BOSTON"),
    ("", "", "", "AUSTIN"),
    ("NULL", "N/A", "000000000", "AUSTIN"),
    ("BRAVO SENSORS LLC", "CSQJZSE9KFO9", "12345", "AUSTIN"),
    ("MULTIPLE RECIPIENTS", "ZQGGHJH74DW7", "133709001", ""),
    ('TWO\nLINES "LABS"', "", "999999999", "DENVER"),
    ("", "", "", ""),
    ("CHARLIE PHOTONICS", "", "1.33709E8", "DENVER"),
]


def delimited(folder, name, delimiter):
    path = folder / name
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([COLUMNS, *ROWS])
    return path


def write_parquet(folder):
    path = folder / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE r ({', '.join(f'{column} VARCHAR' for column in COLUMNS)})")
        connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?)", ROWS)
        connection.table("r").write_parquet(str(path))
    return path


def objects():
    return [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def written(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def write_parts(folder):
    """Three parts whose order by text is not that of their numbers, and a file that is no data."""
    with zipfile.ZipFile(folder / "rows.zip", "w", zipfile.ZIP_DEFLATED) as package:
        for number, rows in ((10, ROWS[5:]), (9, ROWS[3:5]), (2, ROWS[:3])):
            text = io.StringIO()
            csv.writer(text).writerows([COLUMNS, *rows])
            package.writestr(f"Contracts_{number}.csv", text.getvalue())
        package.writestr("readme.txt", "about the data")
    return folder / "rows.zip"


def write_table(folder):
    return write_dump(folder / "dump", Table("rows", list(COLUMNS), [list(row) for row in ROWS]))


READERS = {
    "CSV": lambda folder: delimited(folder, "rows.csv", ","),
    "TSV": lambda folder: delimited(folder, "rows.tsv", "\t"),
    "gzip": lambda folder: delimited(folder, "rows.csv.gz", ","),
    "Parquet": write_parquet,
    "JSON lines": lambda folder: written(
        folder, "rows.jsonl", "".join(json.dumps(row) + "\n" for row in objects())
    ),
    "JSON with a byte order mark": lambda folder: written(
        folder, "rows.json", "\ufeff" + json.dumps(objects(), indent=1)
    ),
    "an answer of an API": lambda folder: written(
        folder, "rows.json", json.dumps({"totalRecords": 8, "links": {}, "entityData": objects()})
    ),
    "zip of CSV parts": write_parts,
    "dump": write_table,
    "zipped dump": lambda folder: zipped(write_table(folder)),
}


# each reader has tests of its own; here the usual kinds of counting are tried
QUICK = ("CSV", "Parquet", "zipped dump")


@pytest.fixture(params=tiered(*QUICK, slow=tuple(name for name in READERS if name not in QUICK)))
def source(request, tmp_path):
    path = READERS[request.param](tmp_path)
    return f"{path}#rows" if "dump" in request.param else path


def recipients_account(source, folder, rejects=None, chunk_size=3, finished=()):
    accounts, chunks, names = [], [], []
    options = reading_options(chunk_size=chunk_size, max_reject_percent=100)
    with duckdb.connect() as connection:
        batches = iterate_recipients(
            connection, source, folder, options, rejects, finished=finished, on_account=accounts.append
        )
        for batch in batches:
            chunks.append(batch.chunk)
            names += [row[0] for row in connection.table(batch.table).select("name").fetchall()]
    return accounts[0], chunks, names


def counts(account):
    return {
        (seen.remark.value, seen.field): (seen.count, seen.examples)
        for seen in merged(account.observations)
        if seen.field
    }


def test_every_recipient_is_kept_rejected_or_left_out(source, tmp_path):
    listed = tmp_path / "rejects.csv"
    with RejectLog(listed) as rejects:
        account, _, names = recipients_account(source, tmp_path, rejects)
    assert (account.read, account.kept, account.rejected, account.left_out) == (8, 4, 0, 4)
    assert account.read == account.kept + account.rejected + account.left_out
    assert len(names) == 5  # with a placeholder name it is a recipient that matches nothing
    rows = list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == account.rejected + account.left_out
    assert [row["value"] for row in rows] == ["", "NULL", "MULTIPLE RECIPIENTS", ""]
    assert [row["reason"] for row in rows].count("left out: no name and no identifier") == 3
    assert rejects.count == 0


def test_every_award_is_kept_or_rejected(source, tmp_path):
    with duckdb.connect() as connection:
        read = read_awards(connection, source, tmp_path, reading_options(chunk_size=3))
    assert (read.account.read, read.account.kept, read.account.rejected) == (8, 8, 0)
    said = {found.flaw: found.facts for found in read.findings}
    assert said[Flaw.READING_UNLINKABLE] == {"nameless": 3, "placeholder": 1}


def test_identifiers_that_are_not_used_are_counted_by_reason(source, tmp_path):
    account, _, _ = recipients_account(source, tmp_path)
    expected = {
        ("placeholder", "uei"): (1, ("N/A",)),
        ("bad-form", "uei"): (1, ("CSQJZSE9KFO9",)),
        ("generic", "uei"): (1, ("ZQGGHJH74DW7",)),
        ("placeholder", "duns"): (2, ("000000000", "999999999")),
        ("bad-form", "duns"): (2, ("12345", "1.33709E8")),
        ("generic", "duns"): (1, ("133709001",)),
    }
    assert counts(account) == expected
    assert account.counters()["recipients_identifiers_unused"] == 8
    with duckdb.connect() as connection:
        read = read_awards(connection, source, tmp_path, reading_options(chunk_size=3))
    assert counts(read.account) == expected


def test_rows_that_were_read_before_are_accounted_for_too(source, tmp_path):
    with RejectLog(tmp_path / "one.csv") as rejects:
        whole, chunks, _ = recipients_account(source, tmp_path, rejects)
    with RejectLog(tmp_path / "two.csv") as rejects:
        resumed, _, _ = recipients_account(source, tmp_path, rejects, chunk_size=2, finished=chunks[:1])
    assert resumed.counters() == whole.counters()
    assert counts(resumed) == counts(whole)
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_unused_identifiers_are_found_among_many_rows(tmp_path):
    path = tmp_path / "many.csv"
    numbers = ["12345" if number % 1000 == 7 else str(200000001 + number) for number in range(60_000)]
    rows = [f"R{number},FIRM {number},,{number % 7},{duns}\n" for number, duns in enumerate(numbers)]
    path.write_text("recipient_id,name,uei,city,duns\n" + "".join(rows), encoding="utf-8")
    account, _, _ = recipients_account(path, tmp_path, chunk_size=100_000)
    assert counts(account) == {("bad-form", "duns"): (60, ("12345",))}


def test_rows_left_out_are_named_by_their_line(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('name,city\n"TWO\nLINES",A\n\n,B\ntoo,many,cells\nC,C\n,D\n', encoding="utf-8")
    with RejectLog(tmp_path / "rejects.csv") as rejects:
        account, _, _ = recipients_account(path, tmp_path, rejects, chunk_size=100)
    rows = list(csv.DictReader((tmp_path / "rejects.csv").read_text(encoding="utf-8").splitlines()))
    assert sorted(int(row["line"]) for row in rows) == [5, 6, 8]
    assert (account.read, account.kept, account.rejected, account.left_out) == (5, 2, 1, 2)


TWO_COLUMNS = "recipient_id,recipient_name,legal_business_name,recipient_uei,uei,zip5,zip4\n" + "\n".join(
    [
        "R1,,ALPHA OPTICS INC,,QNT4K8W2J6H5,02110,1234",
        "R2,BRAVO SENSORS LLC,,LMN7P8Q9R2T3,,78701,1234",
        "R3,N/A,CHARLIE PHOTONICS,N/A,VWX3Y5Z7A9B2,80202,1234",
        'R4,"Delta Labs, Inc.",DELTA LABS INC,QNT4K8W2J6H5,LMN7P8Q9R2T3,,1234',
    ]
)


def test_two_columns_of_a_field_are_joined_row_by_row_and_their_contradictions_counted(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(TWO_COLUMNS + "\n", encoding="utf-8")
    account, _, names = recipients_account(path, tmp_path)
    assert names == ["ALPHA OPTICS INC", "BRAVO SENSORS LLC", "CHARLIE PHOTONICS", "Delta Labs, Inc."]
    assert counts(account) == {
        ("filled", "name"): (2, ()),
        ("filled", "uei"): (2, ()),
        ("contradicted", "uei"): (1, ("QNT4K8W2J6H5 / LMN7P8Q9R2T3",)),
    }
    columns, *_ = account.diagnoses()
    assert "uei from 'recipient_uei', then 'uei'" in columns.facts["columns"]
    assert "zip from 'zip5'" in columns.facts["columns"]


def test_awards_join_two_columns_of_a_field_too(tmp_path):
    path = tmp_path / "awards.csv"
    path.write_text(
        "award_id,Company,Duns,DUNS,Company Name,UEI,SAM UEI\n"
        "1,Alpha,123456780,,,,\n2,,,323456782,Charlie,,VWX3Y5Z7A9B2\n",
        encoding="utf-8",
    )
    with duckdb.connect() as connection:
        read_awards(connection, path, tmp_path, reading_options())
        rows = connection.execute("SELECT name, uei, duns FROM awards ORDER BY position").fetchall()
    assert rows == [("Alpha", None, "123456780"), ("Charlie", "VWX3Y5Z7A9B2", "323456782")]


def test_a_source_without_identifiers_is_warned_about_once(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text("name,city\nACME,BOSTON\n", encoding="utf-8")
    account, _, _ = recipients_account(str(tmp_path / "*.csv"), tmp_path)
    warned = [found.flaw for found in account.diagnoses() if found.gravity is Gravity.WARNING]
    assert warned == [Flaw.READING_NO_IDENTIFIER]
    taken = [found for found in account.diagnoses() if found.flaw is Flaw.READING_COLUMNS]
    assert len(taken) == 1  # the second file has the same columns


def test_fields_without_a_column_are_named_once(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(
            "entity_key,name,uei,duns9,zip\nE1,ACME,,,1\n", encoding="utf-8"
        )
    account, _, _ = recipients_account(str(tmp_path / "*.csv"), tmp_path)
    (absent,) = [found for found in account.diagnoses() if found.flaw is Flaw.READING_COLUMNS_ABSENT]
    assert absent.facts["fields"] == ("duns", "city", "state")  # ids that are made are a line of their own
    assert not account.has_own_ids


def test_observations_are_merged_in_any_order_of_chunks():
    one = Observation(Remark.BAD_FORM, "duns", 2, ("1", "2"))
    other = Observation(Remark.BAD_FORM, "duns", 3, ("2", "3", "4"))
    assert merged([one, other]) == (Observation(Remark.BAD_FORM, "duns", 5, ("1", "2", "3")),)
    assert merged([merged([one])[0], other]) == merged([one, other])
