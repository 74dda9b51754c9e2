import pytest

from sbir_gate.csv_text import csv_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a; @x;-y", "a;' @x;'-y"),
        ("Acme = Zenith; 3-D, A+B", "Acme = Zenith; 3-D, A+B"),
        ("two\nlines", "two lines"),
    ],
)
def test_no_spreadsheet_calculates_a_cell(text, cell):
    assert csv_cell(text) == cell
