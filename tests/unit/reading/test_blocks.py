import pytest

from sbir_gate.reading.blocks import BlockCutter
from sbir_gate.reading.records import Dialect

MIB = 1024 * 1024


def cutter(text, lines=3, max_record_bytes=MIB, chunk_bytes=5):
    pieces = [text[start : start + chunk_bytes] for start in range(0, len(text), chunk_bytes)]
    return BlockCutter("t.csv", iter(pieces), lines, max_record_bytes)


def examine_all(blocks, dialect):
    found = []
    while not blocks.is_done():
        block = blocks.examine(dialect)
        found.append(block)
        blocks.take(block)
    return found


def rejects(found):
    return [(reject.line, reject.reason) for block in found for reject in block.rejects]


def test_the_header_may_be_quoted_and_follow_blank_lines():
    blocks = cutter(b'\n \n"Company ""A""";City\nx;y\n')
    assert blocks.header() == (['Company "A"', "City"], b";")
    block = blocks.candidate()
    assert (block.first_line, block.text) == (4, b"x;y\n")


def test_a_header_may_break_over_lines():
    blocks = cutter(b'"Company\nname",City\nx,y\n', lines=1)
    assert blocks.header() == (["Company\nname", "City"], b",")
    assert blocks.candidate().first_line == 3


def test_a_header_with_a_stray_quote_ends_with_its_line():
    blocks = cutter(b'"Company,City\nx,y\n')
    assert blocks.header() == (['"Company', "City"], b",")
    assert blocks.candidate().first_line == 2


def test_an_empty_text_has_no_header():
    assert cutter(b"").header() == ([], b",")


def test_blocks_have_the_lines_asked_for_and_know_where_they_start():
    blocks = cutter(b"a\nb\nc\nd\ne", lines=2)
    seen = []
    while not blocks.is_done():
        block = blocks.candidate()
        seen.append((block.first_line, block.text))
        blocks.take(block)
    assert seen == [(1, b"a\nb\n"), (3, b"c\nd\n"), (5, b"e\n")]


def test_a_candidate_never_cuts_a_quoted_cell():
    blocks = cutter(b'1,x\n2,"y\nz"\n3,w\n', lines=2)
    assert blocks.candidate().text == b"1,x\n"


def test_there_is_no_candidate_where_quotes_are_not_paired():
    assert cutter(b'1,"y\n2,z\n', lines=2).candidate() is None


@pytest.mark.parametrize("lines", [1, 2, 3, 50])
def test_a_quote_that_never_closes_costs_its_own_line_only(lines):
    found = examine_all(cutter(b'1,a\n2,"b\n3,c\n4,d\n5,e\n', lines), Dialect(b",", 2))
    assert b"".join(block.text for block in found) == b"1,a\n3,c\n4,d\n5,e\n"
    assert [line for line, _ in rejects(found)] == [2]
    assert "opened and not closed" in rejects(found)[0][1]


@pytest.mark.parametrize("lines", [1, 2, 50])
def test_a_quote_closed_by_a_later_stray_one_costs_its_own_line_only(lines):
    text = b'1,"a,x,y\n2,b,x,y\n3,c,x,y\n4,d,x,y\n5,e",x,y\n6,f,x,y\n'
    found = examine_all(cutter(text, lines), Dialect(b",", 4))
    assert b"".join(block.text for block in found) == text[text.index(b"2,") :]
    assert rejects(found) == [(1, "a quote is opened and closed only some rows later")]


def test_a_swallowed_row_survives_a_record_of_too_many_columns():
    found = examine_all(cutter(b'1,"a,x\n2,b,x\n3,"c",x,y\n4,d,x\n', 9), Dialect(b",", 3))
    assert b"".join(block.text for block in found) == b"2,b,x\n4,d,x\n"
    assert [line for line, _ in rejects(found)] == [1, 3]


@pytest.mark.parametrize("lines", [1, 2, 9])
def test_a_whole_record_of_too_many_columns_is_one_reject(lines):
    found = examine_all(cutter(b'1,"a\nb\nc",x,y\n2,b,x\n', lines), Dialect(b",", 3))
    assert rejects(found) == [(1, "4 columns, 3 expected")]
    assert b"".join(block.text for block in found) == b"2,b,x\n"


def test_a_literal_quote_costs_nothing():
    text = b'1,5" PIPE\n2,b\n3,c\n'
    found = examine_all(cutter(text, 2), Dialect(b",", 2))
    assert b"".join(block.text for block in found) == text
    assert rejects(found) == []


def test_a_record_above_the_limit_is_rejected_and_the_next_one_read():
    text = b"1,a\n2," + b"x" * 200 + b'\n3,"' + b"y\n" * 100 + b'"\n4,d\n'
    found = examine_all(cutter(text, 2, max_record_bytes=100), Dialect(b",", 2))
    kept = b"".join(block.text for block in found)
    assert kept == b"1,a\n4,d\n"
    assert rejects(found)[0] == (2, "the record is longer than 100 bytes")
    assert all(3 <= line <= 103 for line, _ in rejects(found)[1:])


def test_a_line_longer_than_the_buffer_is_dropped_unseen():
    found = examine_all(cutter(b"1,a\n" + b"x" * 500 + b"\n4,d\n", 1, max_record_bytes=50), Dialect(b",", 2))
    assert b"".join(block.text for block in found) == b"1,a\n4,d\n"
    assert rejects(found) == [(2, "the line is longer than 50 bytes")]
    assert found[-1].first_line == 3


def test_blank_lines_are_no_rows_and_no_rejects():
    found = examine_all(cutter(b"1,a\n\n  \n2,b\n", 9), Dialect(b",", 2))
    assert (found[0].text, found[0].records, rejects(found)) == (b"1,a\n2,b\n", 2, [])


def test_a_reject_shows_the_start_of_its_row():
    found = examine_all(cutter("é".encode() * 500 + b"\n", 9), Dialect(b",", 2))
    reject = found[0].rejects[0]
    assert reject.value == "é" * 200
    assert (reject.file, reject.column) == ("t.csv", "")
