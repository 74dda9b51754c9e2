# ruff: noqa: S608 -- the SQL is the test's own
import csv
import gzip
import json
import os

import duckdb
import pytest

from sbir_gate.engine.matching.cascade import match_firms
from sbir_gate.engine.matching.enriched import check_output, count_links, write_enriched
from sbir_gate.errors import OutputError, UsageError
from sbir_gate.model.matches import ENRICHED_COLUMNS
from tests.factories_matching import (
    UEIS,
    Award,
    Recipient,
    database,
    load_awards,
    load_recipients,
    untimed,
)
from tests.step_options import matching_options
from tests.tiers import first_fast

CAMBRIDGE = {"city": "CAMBRIDGE", "state": "MA", "zip5": "02139"}
AWARDS = [
    Award("A3", "Zentrox Quarkle", UEIS[0]),
    Award("A1", "Hydromancer"),
    Award("A2", "Kodiak Bakery", None, "033449757"),
    Award("A0", "Zentrox Quarkle", UEIS[0]),
]
RECIPIENTS = [
    Recipient("R1", 'ZENTROX "Q" QUARKLÉ', UEIS[0], "133709001", **CAMBRIDGE),
    Recipient("R2", "ACME LASER", UEIS[1], "033449757", **CAMBRIDGE),
]
SUFFIXES = [".parquet", ".csv", ".csv.gz"]


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def write(tmp_path, scratch):
    def run(path, awards=AWARDS, recipients=RECIPIENTS, columns=("Company",), more_columns=""):
        """Enrich small tables into the file; `more_columns` are SQL columns added to the award rows."""
        with database() as connection:
            load_awards(connection, awards)
            if more_columns:
                connection.execute(
                    f"CREATE OR REPLACE TABLE award_rows AS SELECT *, {more_columns} FROM award_rows"
                )
            load_recipients(connection, recipients, tmp_path)
            matched = match_firms(connection, matching_options(), untimed)
            write_enriched(connection, matched, columns, path, scratch)
            return count_links(connection)

    return run


def rows_of(path):
    """Return the rows as text, the header first."""
    if path.name.endswith(".parquet"):
        with duckdb.connect() as connection:
            result = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
            header = [column[0] for column in result.description]
            return [
                header,
                *[["" if cell is None else str(cell) for cell in row] for row in result.fetchall()],
            ]
    text = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    return list(csv.reader(text.decode("utf-8").splitlines()))


@pytest.mark.parametrize("suffix", first_fast(SUFFIXES))
def test_each_award_has_one_row_in_its_place_with_what_was_decided(write, tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    counted = write(path)
    header, *rows = rows_of(path)
    assert header == ["award_id", "Company", *ENRICHED_COLUMNS]
    assert [row[0] for row in rows] == ["A3", "A1", "A2", "A0"]
    linked, nothing, conflict, again = (dict(zip(header, row, strict=True)) for row in rows)
    assert again | {"award_id": "A3"} == linked
    assert linked | {"match_candidates": ""} == {
        "award_id": "A3",
        "Company": "Zentrox Quarkle",
        "recipient_id": "R1",
        "recipient_name": 'ZENTROX "Q" QUARKLÉ',
        "recipient_uei": UEIS[0],
        "recipient_duns": "133709001",
        "match_method": "uei-exact",
        "match_score": "100.0",
        "match_confidence": "0.998",
        "match_place": "",
        "match_decision": "link",
        "match_candidates": "",
    }
    assert [nothing[column] for column in ENRICHED_COLUMNS] == [
        "",
        "",
        "",
        "",
        "none",
        "0.0",
        "0.0",
        "",
        "none",
        "[]",
    ]
    assert (conflict["match_decision"], conflict["recipient_id"]) == ("candidate", "R2")
    assert counted == {"link": 2, "candidate": 1, "none": 1}


def test_candidates_are_json_with_what_is_known_of_each(write, tmp_path):
    write(tmp_path / "out.csv")
    _, linked, _, conflict, _ = rows_of(tmp_path / "out.csv")
    (found,) = json.loads(linked[-1])
    assert found == {
        "recipient_id": "R1",
        "recipient_name": 'ZENTROX "Q" QUARKLÉ',
        "match_method": "uei-exact",
        "match_score": 100.0,
        "match_confidence": 0.998,
    }
    assert json.loads(conflict[-1])[0]["reason"] == "identifier-conflict"


def test_columns_that_the_result_brings_are_replaced_and_the_others_kept(write, tmp_path):
    path = tmp_path / "out.csv"
    columns = ("Company", "Match_Score", "recipient_id", 'the "odd" one')
    write(
        path,
        columns=columns,
        more_columns='\'old\' AS "Match_Score", \'old\' AS recipient_id, \'kept\' AS "the ""odd"" one"',
    )
    header, first, *_ = rows_of(path)
    assert header == ["award_id", "Company", 'the "odd" one', *ENRICHED_COLUMNS]
    assert "old" not in first
    assert first[2] == "kept"


def test_an_award_id_column_keeps_its_place_and_holds_the_distinct_ids(write, tmp_path):
    write(tmp_path / "out.csv", columns=("Company", "AWARD_ID"), more_columns="'raw' AS \"AWARD_ID\"")
    header, first, *_ = rows_of(tmp_path / "out.csv")
    assert header[:2] == ["Company", "award_id"]
    assert first[1] == "A3"


def test_a_recipient_without_a_name_is_written_as_it_is(write, tmp_path):
    write(tmp_path / "out.csv", [Award("A1", "Acme", UEIS[0])], [Recipient("R1", None, UEIS[0])])
    _, row = rows_of(tmp_path / "out.csv")
    assert row[2:4] == ["R1", ""]
    assert json.loads(row[-1])[0]["recipient_name"] == ""


@pytest.mark.parametrize("suffix", first_fast(SUFFIXES))
def test_the_same_tables_give_the_same_bytes(write, tmp_path, suffix):
    first, second = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    write(first)
    write(second, recipients=RECIPIENTS[::-1] * 2)
    assert first.read_bytes() == second.read_bytes()


def test_an_older_file_is_replaced_and_nothing_else_is_left(write, tmp_path):
    folder = tmp_path / "it's [here]"
    folder.mkdir()
    (folder / "out.csv").write_text("old")
    write(folder / "out.csv")
    assert len(rows_of(folder / "out.csv")) == 5
    assert [path.name for path in folder.iterdir()] == ["out.csv"]


def test_a_file_that_cannot_take_its_place_is_an_error_and_leaves_nothing(write, tmp_path):
    blocked = tmp_path / "out.csv"
    (blocked / "inside").mkdir(parents=True)
    with pytest.raises(OutputError) as raised:
        write(blocked)
    assert str(blocked) in raised.value.message
    assert list(tmp_path.glob(".*")) == []


def test_a_link_stays_and_what_it_leads_to_is_written(write, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "out.csv"
    link.symlink_to("elsewhere/real.csv")
    write(link)
    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "real.csv").read_text().startswith("award_id,")


def test_a_pipe_is_refused_and_stays(write, tmp_path):
    pipe = tmp_path / "out.csv"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="a pipe, not a regular file"):
        write(pipe)
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.parquet.bak", "csv"])
def test_a_kind_of_file_that_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(UsageError) as raised:
        check_output(tmp_path / name)
    assert ".parquet" in raised.value.hint


@pytest.mark.parametrize("name", ["out.PARQUET", "out.Csv.GZ", "a.b.csv"])
def test_the_case_of_the_ending_does_not_matter(tmp_path, name):
    check_output(tmp_path / name)


def test_a_missing_folder_and_a_folder_in_the_way_are_refused_before_any_work(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        check_output(tmp_path / "gone" / "out.csv")
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path / "out.csv")


def test_writing_that_is_interrupted_leaves_no_half_file(tmp_path, scratch):
    awards = [Award(f"A{number}", f"Zentrox {number}") for number in range(20)]
    with database() as connection:
        load_awards(connection, awards)
        load_recipients(connection, RECIPIENTS, tmp_path)
        matched = match_firms(connection, matching_options(), untimed)
        # an error in the midst of the rows, as an interrupt would be
        connection.execute("DROP TABLE award_rows")
        connection.execute(
            "CREATE VIEW award_rows AS SELECT position,"
            " CASE WHEN position = 19 THEN error('stopped') ELSE 'x' END AS \"Company\" FROM awards"
        )
        with pytest.raises(duckdb.Error, match="stopped"):
            write_enriched(connection, matched, ["Company"], tmp_path / "out.csv", scratch)
    assert list(tmp_path.glob("*out.csv*")) == []
    assert list(tmp_path.glob(".*")) == []
