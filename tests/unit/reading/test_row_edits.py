import duckdb
import pytest

from sbir_gate.model.fixture_edits import RowEdits
from sbir_gate.reading.layout import AWARDS, RECIPIENTS
from sbir_gate.reading.row_edits import count_row_edits
from tests.step_options import reading_options

ROWS = ["award_id,Company,City", "A1,Alder Inc,Reno", "A2,Birch Inc,Boise", "A3,Cedar Inc,"]


@pytest.fixture
def counted(tmp_path):
    """Return a function that counts the edits between two tables, given as lines."""

    def count(before, after, layout=AWARDS):
        paths = []
        for name, lines in (("before", before), ("after", after)):
            paths.append(tmp_path / f"{name}.csv")
            paths[-1].write_text("\n".join(lines) + "\n")
        with duckdb.connect() as connection:
            return count_row_edits(connection, *paths, layout, tmp_path, reading_options())

    return count


def test_neither_the_order_of_rows_nor_that_of_columns_is_an_edit(counted):
    assert counted(ROWS, [ROWS[0], *reversed(ROWS[1:])]) == RowEdits()
    turned = ["City,Company,award_id", "Reno,Alder Inc,A1", "Boise,Birch Inc,A2", ",Cedar Inc,A3"]
    assert counted(ROWS, turned) == RowEdits()


def test_rows_are_known_by_their_ids(counted):
    after = [ROWS[0], "A1,Alder Inc,Reno", "A3,Cedar Inc,Salem", "A4,Douglas Inc,Bend", "A5,Elm Inc,Bend"]
    assert counted(ROWS, after) == RowEdits(added=2, removed=1, changed=1)


def test_an_id_that_stands_twice_counts_twice(counted):
    assert counted([*ROWS, ROWS[1]], ROWS) == RowEdits(removed=1)


def test_a_row_without_an_id_is_known_by_all_of_its_cells(counted):
    before = ["legal_business_name,city", "ALDER INC,RENO", "BIRCH INC,BOISE"]
    after = ["legal_business_name,city", "ALDER INC,RENO", "BIRCH INC,SALEM"]
    assert counted(before, after, RECIPIENTS) == RowEdits(added=1, removed=1)
