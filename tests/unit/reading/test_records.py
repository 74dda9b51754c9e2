import pytest

from sbir_gate.reading.records import (
    Dialect,
    find_delimiter,
    holds_swallowed_rows,
    scan_record,
    split_cells,
)

COMMA3 = Dialect(b",", 3)


def scan(text, dialect=COMMA3):
    return scan_record(text, 0, len(text), dialect)


@pytest.mark.parametrize(
    "row",
    [
        b"a,b,c\n",
        b"a,,\n",
        b'"a","b,""x""","c\nd"\n',
        b'a, "b,x" ,c\n',
        b'ACME "X INC,b,c\n',
        b'12" DISK,b,"c"\n',
        b'a,b,c,,""\n',
    ],
)
def test_whole_rows_have_no_fault_and_end_where_they_end(row):
    record = scan(row + b"next,row,x\n")
    assert (record.stop, record.fault) == (len(row), "")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (b"a,b\n", "2 columns, 3 expected"),
        (b"a,b,c,d\n", "4 columns, 3 expected"),
        (b'a,b,c,"d"\n', "4 columns, 3 expected"),
        (b'a,"b"x,c\n', "text after the closing quote of a cell"),
    ],
)
def test_faults_are_named(row, fault):
    assert scan(row).fault == fault


def test_an_unclosed_quote_is_open_at_the_end_of_the_text():
    record = scan(b'a,"b,c\nd,e,f\n')
    assert record.is_open
    assert record.stop == len(b'a,"b,c\nd,e,f\n')


def test_cells_lose_their_quotes_only():
    text = b' a ,"b ""x""", "c\nd" \n'
    assert split_cells(text, scan(text), 0, b",") == [" a ", 'b "x"', "c\nd"]


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        (b"a,b,c", b","),
        (b"a\tb\tc, or d", b"\t"),
        (b"a;b", b";"),
        (b"a|b|c", b"|"),
        (b"one", b","),
        (b'"a,b,c";"d"', b";"),
    ],
)
def test_the_delimiter_is_what_occurs_most_outside_quotes(line, delimiter):
    assert find_delimiter(line) == delimiter


def test_a_cell_that_holds_whole_rows_is_told_from_prose():
    dialect = Dialect(b",", 4)
    rows = b'1,"ACME,NY,10\n2,FOO,CA,11\n3,BAR,TX,12\n4,X",RI,13\n'
    assert holds_swallowed_rows(rows, dialect)
    assert not holds_swallowed_rows(b'1,"Dear Sir,\nthis, I think,\nis prose.\nYours",RI,13\n', dialect)
    assert not holds_swallowed_rows(b'1,"two\nlines",RI,13\n', dialect)
