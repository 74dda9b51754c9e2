import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import Fault
from sbir_gate.reading.copy_text import (
    UNESCAPE_FUNCTION,
    find_end,
    row_fault,
    statement_columns,
    unescape,
)
from sbir_gate.reading.database import register_function
from tests.factories_dumps import Table, escaped

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
HOSTILE = st.text(st.sampled_from("\\N.xbfnrtv0178a\b\f\n\r\t\v é😀"))


@given(TEXTS | HOSTILE)
def test_what_copy_writes_is_read_back(text):
    assert unescape(escaped(text)) == text


@given(TEXTS | HOSTILE)
def test_every_byte_may_be_an_octal_or_a_hexadecimal_escape(text):
    content = text.encode()
    assert unescape("".join(f"\\{byte:03o}" for byte in content)) == text
    assert unescape("".join(f"\\x{byte:02x}" for byte in content)) == text


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        (r"\b\f\n\r\t\v", "\b\f\n\r\t\v"),
        (r"\\N", r"\N"),
        (r"\\.", r"\."),
        (r"a\N", "aN"),  # NULL is a whole cell only
        (r"\7", "\x07"),
        (r"\101\1018\60", "AA80"),
        (r"\477", "?"),  # as PostgreSQL does, the low eight bits: 0477 is 0x13f
        (r"\x41\x4g\xZ", "A\x04gxZ"),
        (r"\303\xa9", "é"),
        (r"\8\q\"\é\😀", '8q"é😀'),
        ("", ""),
        ("plain", "plain"),
    ],
)
def test_each_escape_is_read_as_postgresql_reads_it(cell, meant):
    assert unescape(cell) == meant


@pytest.mark.parametrize("cell", ["\\", "a\\\\\\", r"\0", r"\x00", r"\xff", r"\303x"])
def test_what_postgresql_would_refuse_is_refused(cell):
    with pytest.raises(ValueError, match=r"backslash|zero byte|decode"):
        unescape(cell)


def test_it_is_a_function_of_the_database_that_leaves_null_alone():
    with duckdb.connect() as connection:
        register_function(connection, UNESCAPE_FUNCTION, unescape)
        register_function(connection, UNESCAPE_FUNCTION, unescape)
        (row,) = connection.execute(
            f"SELECT {UNESCAPE_FUNCTION}('a\\\\b'), {UNESCAPE_FUNCTION}(NULL), {UNESCAPE_FUNCTION}('')"
        ).fetchall()
    assert row == ("a\\b", None, "")


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("COPY rpt.t (a, b) FROM stdin;\n", ("a", "b")),
        ("COPY t (a) FROM stdin;\n", ("a",)),
        ('COPY "Sche ma"."t ""(x) FROM stdin;" ("a, b", "c ""d""", _e1) FROM stdin;\n',
         ("a, b", 'c "d"', "_e1")),
        ("COPY public.t  FROM stdin;\n", ()),
        ("COPY public.t (größe) FROM stdin;", ("größe",)),
    ],
)  # fmt: skip
def test_columns_are_those_of_the_statement(statement, columns):
    assert statement_columns(statement) == columns


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=5), TEXTS.filter(bool), TEXTS.filter(bool))
def test_any_names_that_pg_dump_quotes_are_read_back(columns, schema, name):
    assert statement_columns(Table(name, columns, schema=schema).copy_statement()) == tuple(columns)


@pytest.mark.parametrize(
    "statement",
    ["", "INSERT INTO t VALUES (1);", "COPY t (a) TO stdout;", "COPY t (a, ) FROM stdin;",
     "COPY t (a) WITH OIDS FROM stdin;"],
)  # fmt: skip
def test_another_statement_is_refused(statement):
    with pytest.raises(ValueError, match=r"COPY|OIDS"):
        statement_columns(statement)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"a\tb", ""),
        (b"\\N\t", ""),
        (b"a", "1 cells instead of 2"),
        (b"", "1 cells instead of 2"),
        (b"a\tb\tc", "3 cells instead of 2"),
        (b"a\tb\r", "carriage return"),
        (b"a\t\0", "zero byte"),
        (b"a\t\xff", "not UTF-8 at its byte 1"),
        (b"a\tb\\", "lone backslash"),
    ],
)
def test_the_fault_of_a_row_is_named(line, fault):
    found = row_fault(line, ["a", "b"])
    assert (fault in found.problem) if fault else found is None


def test_the_fault_of_a_cell_names_its_column_and_value():
    assert row_fault(b"x\ty\\", ["a", "b"]) == Fault(
        "a cell ends with a lone backslash", column="b", value="y\\"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"\\.\n", 0),
        (b"a\n\\.\n", 2),
        (b"a\\.\n", -1),
        (b"\\.a\n", -1),
        (b"\\\\.\n", -1),
        (b"", -1),
        (b"a\n\n\\.\n\n", 3),
    ],
)
def test_the_closing_line_is_found_only_where_it_is_a_whole_line(text, place):
    assert find_end(text) == place
