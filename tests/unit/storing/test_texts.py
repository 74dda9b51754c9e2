import os

import pytest

from sbir_gate.errors import OutputError
from sbir_gate.storing.texts import save_output, save_text


def test_text_is_written_as_utf_8_with_its_line_ends(tmp_path):
    save_text(tmp_path / "report.md", "≥ 1\n")
    assert (tmp_path / "report.md").read_bytes() == "≥ 1\n".encode()


def test_a_saved_file_is_as_readable_as_any_other(tmp_path):
    save_text(tmp_path / "report.md", "x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "report.md").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_text_that_is_not_unicode_leaves_nothing_behind(tmp_path):
    with pytest.raises(OutputError, match=r"report\.md: cannot be written"):
        save_text(tmp_path / "report.md", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_the_user_names_keeps_its_link_and_a_pipe_is_wrong_input(tmp_path):
    (tmp_path / "link").symlink_to("report.md")
    save_output(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "report.md").read_text() == "text"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="a pipe, not a regular file") as raised:
        save_output(tmp_path / "pipe", "text")
    assert raised.value.exit_status == 2
