import io

import pytest

from sbir_gate.cli.options import has_colour
from sbir_gate.cli.printing import harmless, put, put_line, write

TEXT = "1.70 → 2.38 s, \N{MINUS SIGN}5%, ≥ 0.7 · ±0%"


def test_text_goes_where_it_belongs_as_it_is(capsys):
    put("no newline")
    put_line("a fault", is_error=True)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("no newline", "a fault\n")


def test_control_characters_of_data_come_out_as_their_numbers():
    assert harmless("a\x1b[31m\r\x9b b\té\n") == "a\\x1b[31m\\x0d\\x9b b\\x09é\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", TEXT),
        ("latin-1", "1.70 -> 2.38 s, -5%, >= 0.7 · ±0%"),
        ("ascii", "1.70 -> 2.38 s, -5%, >= 0.7 - +-0%"),
    ],
)
def test_signs_that_a_terminal_lacks_are_spelled(encoding, shown):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write(stream, TEXT)
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == shown


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_follow_the_environment_where_there_is_no_terminal(variables, is_coloured, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert has_colour() is is_coloured
