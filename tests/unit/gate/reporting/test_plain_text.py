import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.plain_text import cut, display_width, plain, plain_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme, Inc.", "Acme, Inc."),
        ("  a \t b\r\nc ", "a b c"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x07\x08\x00bell", "bell"),
        ("a\u202egnp.exe", "a gnp.exe"),
        ("a\u200bb\u2028c", "a b c"),
        ("\ud800", ""),
        ("STJØRDAL 株式会社", "STJØRDAL 株式会社"),
    ],
)
def test_what_cannot_be_seen_becomes_a_blank(text, shown):
    assert plain(text) == shown


@given(st.text(st.characters()), st.integers(0, 50))
def test_plain_text_is_one_short_line_that_can_be_seen(text, width):
    shown = plain(text, width)
    assert display_width(shown) <= width
    assert not any(unicodedata.category(character).startswith(("C", "Zl", "Zp")) for character in shown)


@given(st.text())
def test_plain_text_stays_as_it_is(text):
    assert plain(plain(text)) == plain(text)


def test_a_long_text_is_cut_with_a_mark():
    assert cut("abcdefghij", 8) == "abcde..."
    assert cut("abcdefgh", 8) == "abcdefgh"
    assert cut("abcdef", 2) == ".."


def test_a_text_of_a_megabyte_is_short():
    assert plain("x" * 1_000_000, 10) == "xxxxxxx..."


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("株式", 4), ("e\u0301", 1), ("", 0)])
def test_width_is_counted_in_terminal_columns(text, width):
    assert display_width(text) == width


@pytest.mark.parametrize("line", ["::error::x", "  ::stop-commands::y", "\u200b::add-mask::z", "##[error]b"])
def test_a_line_of_a_program_is_no_command_to_a_runner(line):
    shown = plain_line(line)
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
