import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import InputError
from sbir_gate.reading.copy_text import line_blocks

END = b"\\.\n\n\n"


def blocks_of(chunks, lines=2, max_line_bytes=1000):
    return list(line_blocks(chunks, "3.dat", lines, max_line_bytes))


def pieces(content, size):
    return [content[start : start + size] for start in range(0, len(content), size)]


@given(
    st.lists(st.binary(max_size=5).map(lambda row: row.replace(b"\n", b"").replace(b"\\", b"")), max_size=20),
    st.integers(1, 40),
    st.integers(1, 7),
    st.sampled_from([b"\\.\n\n\n", b"\\.\n", b"\\."]),
)
def test_rows_come_back_in_full_blocks_however_the_stream_is_cut(rows, size, lines, end):
    text = b"".join(row + b"\n" for row in rows)
    blocks = blocks_of(pieces(text + end, size), lines)
    assert b"".join(block.text for block in blocks) == text
    assert all(block.text.count(b"\n") == block.lines for block in blocks)
    assert [block.first_line for block in blocks] == list(range(1, len(rows) + 1, lines))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "content", [b"", b"a\nb\nc\n", b"a\nb\nc", b"a\nb\n\\", b"a\\.\n", b"a\n\\\\.\n", b"\n\n\n\n"]
)
def test_without_the_closing_line_the_member_is_cut_short(content, size):
    with pytest.raises(InputError, match=r"3\.dat(:\d+)?: is cut short after this line: the closing line"):
        blocks_of(pieces(content, size))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("after", [b"a\n", b"\n\na\n", b"\\.\n", b" "])
def test_data_after_the_closing_line_is_an_error(after, size):
    with pytest.raises(InputError, match=r"3\.dat:3: holds more data after the closing line"):
        blocks_of(pieces(b"a\nb\n\\.\n" + after, size))


def test_the_stream_is_read_to_its_end_so_that_damage_after_the_rows_shows():
    def chunks():
        yield b"a\n\\.\n"
        raise InputError("checksum")

    with pytest.raises(InputError, match="checksum"):
        blocks_of(chunks())


def test_a_row_that_is_too_long_is_refused_before_it_fills_the_memory():
    taken = []

    def chunks():
        yield b"a\nb\n"
        for number in range(1000):
            taken.append(number)
            yield b"x" * 100

    with pytest.raises(InputError, match=r"3\.dat:3: is longer than 1,000 bytes"):
        blocks_of(chunks())
    assert len(taken) < 20


def test_lines_are_counted_on_from_where_the_chunks_start():
    (block,) = line_blocks([b"a\n" + END], "3.dat", 5, 100, first_line=42)
    assert (block.first_line, block.lines) == (42, 1)
