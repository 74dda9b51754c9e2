from sbir_gate.cli.printing import harmless, put, put_line


def test_text_goes_where_it_belongs_as_it_is(capsys):
    put("no newline")
    put_line("a fault", is_error=True)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("no newline", "a fault\n")


def test_control_characters_of_data_come_out_as_their_numbers():
    assert harmless("a\x1b[31m\r\x9b b\té\n") == "a\\x1b[31m\\x0d\\x9b b\\x09é\n"
