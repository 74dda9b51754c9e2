"""Each reader names what is wrong in fields: file, line, column and value, as far as it knows them."""

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.model.records import Reject
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.handed_files import hand_recipients
from sbir_gate.reading.rejects import RejectLog, RejectTally
from sbir_gate.reading.toc import parse_toc
from tests.factories_dumps import Table, write_dump
from tests.step_options import reading_options


def fault_of(read):
    with pytest.raises(InputError) as caught:
        read()
    assert caught.value.message == str(caught.value.fault)
    return caught.value.fault


def awards_fault(path, folder):
    with duckdb.connect() as connection:
        return fault_of(lambda: read_awards(connection, path, folder, reading_options()))


def test_of_delimited_text_it_is_the_first_unreadable_row(tmp_path):
    path = tmp_path / "awards.csv"
    path.write_text("Company,UEI\nAcme,\nZenith\n")
    fault = awards_fault(path, tmp_path)
    assert (fault.path, fault.line, fault.value) == (str(path), 3, "Zenith")
    assert fault.problem.startswith("1 of 2 rows (50.0%) could not be read, at most")


def test_of_a_column_of_rejects_it_is_the_column_too():
    tally = RejectTally(RejectLog())
    tally.add_all([Reject("awards.csv", 7, "Duns", "12x", "is not a number")])
    fault = tally.nothing_read("awards.csv", "awards")
    assert (fault.fault.line, fault.fault.column, fault.fault.value) == (7, "Duns", "12x")
    assert fault.message == (
        "awards.csv:7: Duns: none of 1 awards could be read; the first: is not a number ('12x')"
    )


def test_of_a_merge_conflict_it_is_the_line_of_the_marker(tmp_path):
    path = tmp_path / "awards.csv"
    path.write_text("Company,UEI\n<<<<<<< HEAD\nAcme,\n")
    fault = awards_fault(path, tmp_path)
    assert (fault.path, fault.line) == (str(path), 2)


def test_of_parquet_it_is_the_file(tmp_path):
    path = tmp_path / "awards.parquet"
    path.write_bytes(b"PAR1 and no more")
    assert awards_fault(path, tmp_path).path == str(path)


def test_of_a_table_of_contents_it_is_the_file():
    fault = fault_of(lambda: parse_toc(b"PGDMP\x01\x0e\x00", "dump/toc.dat"))
    assert (fault.path, fault.problem) == ("dump/toc.dat", "is cut short after 8 bytes, in its header")


def test_of_a_dump_it_is_the_member_with_line_column_and_value(tmp_path):
    columns = ["legal_business_name", "uei"]
    content = b"Acme\t\\N\nZen\\\\ith\tx\\\n\\.\n"
    dump = write_dump(tmp_path / "dump", Table("recipient_lookup", columns, content=content))
    with duckdb.connect() as connection:
        read = reading_options()
        fault = fault_of(lambda: hand_recipients(connection, str(dump), tmp_path, read, is_altered=True))
    assert (fault.path, fault.line) == (str(dump / "3.dat.gz"), 2)
    assert (fault.column, fault.value) == ("uei", "x\\")
    assert fault.problem == "a cell ends with a lone backslash"


@pytest.mark.parametrize("name", ["recipients.csv", "recipients.pipe"])
def test_of_a_handed_file_it_is_the_source(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".csv"):
        path.write_text("flavour,colour\nsalt,red\n")
    with duckdb.connect() as connection:
        fault = fault_of(
            lambda: hand_recipients(connection, str(path), tmp_path, reading_options(), is_altered=True)
        )
    assert fault.path == str(path)
