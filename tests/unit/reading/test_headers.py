"""Headers below other lines, and headers that lack a name."""

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.model.diagnosis import Flaw
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.recipients import iterate_recipients
from tests.step_options import reading_options

ROWS = "Company,UEI,Phase\nAlpha Optics,QNT4K8W2J6H5,Phase I\n"


def award_rows(path, **options):
    with duckdb.connect() as connection:
        read = read_awards(connection, path, path.parent, reading_options(**options))
        rows = connection.execute("SELECT name, uei, phase FROM awards ORDER BY position").fetchall()
    return rows, {found.flaw: found.facts for found in read.findings}, read.columns


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "awards.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


ABOVE = ["sep=,\n", "SBIR awards\n\nexported 2026\n", '"A title, with a comma"\n,,\n', "sep=;\n"]


@pytest.mark.parametrize("above", ABOVE)
def test_lines_above_the_header_are_passed_over_if_the_setting_says_so(written, above):
    rows, findings, _ = award_rows(written(above + ROWS), find_header=True)
    assert rows == [("Alpha Optics", "QNT4K8W2J6H5", "I")]
    assert findings[Flaw.READING_LINES_SKIPPED]["count"] >= 1


@pytest.mark.parametrize("above", ABOVE)
def test_without_the_setting_the_message_names_it_and_the_line_of_the_header(written, above):
    line = above.count("\n") + 1
    with pytest.raises(InputError, match=f"the first line is not the header, but line {line} is") as caught:
        award_rows(written(above + ROWS))
    assert "--set reading.find_header=true" in caught.value.hint


def test_a_header_at_the_top_is_the_header_with_the_setting_too(written):
    rows, findings, _ = award_rows(written(ROWS), find_header=True)
    assert len(rows) == 1
    assert Flaw.READING_LINES_SKIPPED not in findings


def test_recipients_are_looked_at_in_the_same_way(tmp_path):
    path = tmp_path / "recipients.csv"
    path.write_text("sep=;\nrecipient_name;uei\nALPHA OPTICS;QNT4K8W2J6H5\n", encoding="utf-8")
    with duckdb.connect() as connection:
        batches = iterate_recipients(connection, path, tmp_path, reading_options(find_header=True))
        assert [batch.rows for batch in batches] == [1]


def test_row_names_of_r_are_read_and_said(written):
    rows, findings, columns = award_rows(
        written('"Company","UEI"\n"1","Alpha Optics","QNT4K8W2J6H5"\n"2","Bravo Labs",""\n')
    )
    assert rows == [("Alpha Optics", "QNT4K8W2J6H5", "other"), ("Bravo Labs", None, "other")]
    assert columns == ("row_names", "Company", "UEI")
    assert Flaw.READING_HEADER_SHORT in findings


def test_rows_with_one_cell_more_for_another_reason_are_hinted_at(written):
    with pytest.raises(InputError) as caught:
        award_rows(written("Company,UEI\nAlpha,QNT4K8W2J6H5,x\nBravo,,y\n"))
    assert caught.value.hint == "the rows have one cell more than the header: add the name that it lacks"


def test_an_empty_surplus_cell_is_no_missing_name(written):
    rows, findings, columns = award_rows(written("Company,UEI\nAlpha,QNT4K8W2J6H5,\nBravo,,\n"))
    assert (len(rows), columns) == (2, ("Company", "UEI"))
    assert Flaw.READING_HEADER_SHORT not in findings
