from pathlib import Path

import duckdb
import pytest

from sbir_gate.errors import InputError, OutputError
from sbir_gate.reading.award_table import write_awards
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.rejects import RejectLog
from tests.step_options import reading_options

OPTIONS = reading_options(max_reject_percent=100.0)
HEADER = "Award_ID,Company,UEI,Duns,Award Year\n"


@pytest.fixture
def write(tmp_path):
    def write(text: str, year: int | None = None, path: Path = tmp_path / "out.parquet"):
        source, work = tmp_path / "awards.csv", tmp_path / "work"
        source.write_text(text)
        work.mkdir(exist_ok=True)
        with RejectLog() as rejects, duckdb.connect() as connection:
            read = read_awards(connection, source, work, OPTIONS, rejects)
            return write_awards(
                connection, read, rejects, path, path.with_name("profiles.parquet"), work, year
            ), path

    return write


def rows(path: Path) -> list[tuple[object, ...]]:
    return duckdb.sql(f"FROM read_parquet('{path}')").fetchall()


def test_every_column_stays_as_it_was_in_its_place_and_order(write):
    text = HEADER + "B2,Zenith,,,2013\nA1,Acme ,CSQJZSE9KFD9,,2012\n"
    table, path = write(text)
    assert rows(path) == [("B2", "Zenith", None, None, "2013"), ("A1", "Acme ", "CSQJZSE9KFD9", None, "2012")]
    assert (table.awards, table.distinct_ids, table.named, table.identified, table.complete) == (
        2,
        2,
        2,
        1,
        2,
    )


def test_awards_without_an_id_get_one_in_front(write):
    _, path = write("Company\nAcme\n")
    ((award_id, name),) = rows(path)
    assert (award_id[0], len(award_id), name) == ("A", 17, "Acme")


def test_repeated_ids_are_told_apart_and_counted(write):
    table, path = write(HEADER + "A1,Acme,,,\nA1,Zenith,,,\nA2,Other,,,\n")
    assert [row[0] for row in rows(path)] == ["A1", "A1-2", "A2"]
    assert (table.distinct_ids, table.repeated_ids) == (3, 1)


def test_what_cannot_be_read_or_matched_is_counted(write):
    table, _ = write(HEADER + "A1,,,,\nA2,Acme,,,\ntoo,many,cells,in,this,row\n")
    assert (table.awards, table.rejects, table.complete) == (2, 1, 1)
    assert table.reject_examples[0].endswith("awards.csv:4: 6 columns, 5 expected")


def test_one_year_is_taken_out_and_counted_by_itself(write):
    table, path = write(HEADER + "A1,Acme,,,2012\nA2,,,, 2013\nA3,Zenith,,,x\nA4,,CSQJZSE9KFD9,,2013\n", 2013)
    assert [row[0] for row in rows(path)] == ["A2", "A4"]
    assert (table.awards, table.named, table.complete) == (2, 0, 1)


def test_a_year_without_awards_is_an_error_and_leaves_no_file(write):
    with pytest.raises(InputError, match=r"no award is of this year \(1999\)"):
        write(HEADER + "A1,Acme,,,2012\n", 1999)


def test_awards_without_a_column_of_years_have_no_partitions(write):
    with pytest.raises(InputError, match="no column of the award year"):
        write("Company\nAcme\n", 2012)


def test_what_cannot_be_written_is_told_and_leaves_nothing(write, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write(HEADER + "A1,Acme,,,\n", None, tmp_path / "no" / "such" / "folder.parquet")


def test_the_bytes_depend_on_the_rows_alone(write, tmp_path):
    text = HEADER + "".join(f"A{number},Firm {number},,,2012\n" for number in range(30_000))
    _, first = write(text)
    _, second = write(text, None, tmp_path / "again.parquet")
    assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.glob(".*.partial"))
