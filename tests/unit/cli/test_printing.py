import io
import os

from sbir_gate.cli.printing import escape_unknown_characters, harmless, put, put_line, write


def test_text_goes_where_it_belongs_as_it_is(capsys):
    put("no newline")
    put_line("a fault", is_error=True)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("no newline", "a fault\n")


def test_after_the_reader_has_gone_text_goes_nowhere_without_an_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        for _ in range(3):
            write(stream, "x" * 100_000)
    # closing has flushed what was left: to nowhere


def test_a_character_that_the_stream_cannot_show_comes_out_escaped():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="latin-1", errors="strict")
    escape_unknown_characters(stream)
    write(stream, "Zürich \N{SNOWMAN}")
    assert written.getvalue() == b"Z\xfcrich \\u2603"


def test_a_stream_that_is_no_file_is_left_as_it_is():
    stream = io.StringIO()
    escape_unknown_characters(stream)
    write(stream, "fine")
    assert stream.getvalue() == "fine"


def test_control_characters_of_data_come_out_as_their_numbers():
    assert harmless("a\x1b[31m\r\x9b b\té\n") == "a\\x1b[31m\\x0d\\x9b b\\x09é\n"
