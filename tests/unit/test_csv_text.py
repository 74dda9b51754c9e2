import csv
from io import StringIO

import pytest

from sbir_gate.csv_text import CsvRows, csv_cell


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


class Endless:
    """Text without an end, which counts how much of it was read."""

    def __init__(self, start, line):
        self.read = 0
        self._start, self._line = start, line

    def readline(self, size):
        line = self._line if self._line.endswith("\n") else self._line * size
        text = (self._start + line if self.read == 0 else line)[:size]
        self.read += len(text)
        return text


def test_rows_are_read_with_the_line_on_which_they_end():
    rows = CsvRows(StringIO('a,b\n"x\ny",z\n', newline=""), 8)
    assert [(row, rows.line) for row in rows] == [(["a", "b"], 1), (["x\ny", "z"], 3)]


def test_a_cell_may_be_longer_than_the_default_of_the_csv_module():
    assert next(CsvRows(StringIO("x" * 200_000), 200_000)) == ["x" * 200_000]


@pytest.mark.parametrize(
    ("start", "line"), [("", "\0"), ("a,", "x"), ('"', "x"), ('"', "x\n"), ('"', 'x","\n')]
)
def test_a_row_without_an_end_is_read_only_as_far_as_a_row_may_be(start, line):
    endless = Endless(start, line)
    with pytest.raises(csv.Error, match="a row is longer than 1,000 characters"):
        next(CsvRows(endless, 1000))
    assert endless.read == 1001
