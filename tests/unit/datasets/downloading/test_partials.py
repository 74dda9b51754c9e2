import errno
import json
import os
import subprocess
import sys

import pytest

from sbir_gate.datasets.downloading.partials import Origin, PartialFile, publish, sole_writer, unwritable
from sbir_gate.errors import OutputError, UsageError

ORIGIN = Origin("https://host/a.csv", 0, '"1"', 10)


@pytest.fixture
def partial(tmp_path):
    return PartialFile(tmp_path / "a.csv")


def written(partial, *blocks):
    with partial.appending() as file:
        for block in blocks:
            partial.write(file, block)


def test_what_has_come_and_what_it_is_of_is_found_again(partial):
    partial.restart(ORIGIN)
    written(partial, b"1234", b"56")
    again = PartialFile(partial.target)
    assert (again.size(), again.origin()) == (6, ORIGIN)
    written(again, b"7890")
    assert partial.path.read_bytes() == b"1234567890"


def test_a_finished_file_has_its_name_and_time_and_nothing_is_left_beside_it(partial):
    partial.restart(ORIGIN)
    written(partial, b"1234567890")
    partial.finish(modified_at=784111777)
    assert partial.target.read_bytes() == b"1234567890"
    assert partial.target.stat().st_mtime == 784111777
    assert [path.name for path in partial.target.parent.iterdir()] == ["a.csv"]


def test_nothing_there_is_nothing_come(partial):
    assert (partial.size(), partial.origin()) == (0, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format_version": 2, "address": "a", "first_byte": 0, "validator": null, "total_bytes": 1}',
        '{"format_version": 1, "address": "a", "first_byte": "0", "validator": null, "total_bytes": 1}',
        '{"format_version": 1, "address": "a", "first_byte": 0, "validator": 7, "total_bytes": 1}',
        '{"format_version": 1, "address": "a", "first_byte": 0, "validator": null, "total_bytes": "1"}',
        '{"format_version": 1, "address": "a", "extra": 1}',
    ],
)
def test_a_damaged_note_makes_what_has_come_useless_and_no_error(partial, text):
    partial.restart(ORIGIN)
    partial.origin_path.write_text(text)
    assert partial.origin() is None


def test_old_bytes_never_stand_under_a_new_version(partial):
    partial.restart(ORIGIN)
    written(partial, b"old")
    partial.restart(Origin("https://host/a.csv", 0, '"2"', 10))
    assert partial.size() == 0
    assert json.loads(partial.origin_path.read_text())["validator"] == '"2"'


def test_the_disk_may_take_less_than_it_was_given(partial):
    class Slow:
        def __init__(self):
            self.taken = b""

        def write(self, block):
            self.taken += bytes(block[:3])
            return min(3, len(block))

    slow = Slow()
    partial.write(slow, b"0123456789")
    assert slow.taken == b"0123456789"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EFBIG, "larger than this system lets it be"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "cannot be written"),
    ],
)
def test_what_the_disk_refuses_is_one_line_with_a_cure(partial, number, words):
    class Refusing:
        def write(self, _):
            raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError, match=words) as caught:
        partial.write(Refusing(), b"x")
    assert str(partial.path) in caught.value.message
    assert caught.value.hint


def test_a_folder_that_is_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    partial = PartialFile(tmp_path / "file" / "a.csv")
    for action in (
        partial.size,
        lambda: partial.restart(ORIGIN),
        lambda: publish(partial.path, partial.target),
    ):
        with pytest.raises(OutputError):
            action()
    with pytest.raises(OutputError), sole_writer(partial.target):
        pass


def test_an_error_without_words_of_the_system_is_told_too(tmp_path):
    assert "odd" in unwritable(tmp_path, OSError("odd")).message


def test_a_second_writer_is_refused_and_the_lock_goes_with_the_first(tmp_path):
    target = tmp_path / "a.csv"
    with sole_writer(target):
        with (
            pytest.raises(
                UsageError, match=rf"another sbir-gate \(process {os.getpid()}\) is downloading to it"
            ),
            sole_writer(target),
        ):
            pass
        assert (tmp_path / "a.csv.lock").exists()
    assert list(tmp_path.iterdir()) == []
    with sole_writer(target):
        pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    target = tmp_path / "a.csv"
    code = (
        "import os, signal, sys, pathlib\n"
        "from sbir_gate.datasets.downloading.partials import sole_writer\n"
        "with sole_writer(pathlib.Path(sys.argv[1])):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert (tmp_path / "a.csv.lock").exists()
    with sole_writer(target):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "a.csv.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError), sole_writer(tmp_path / "a.csv"):
        pass
    assert not (tmp_path / "elsewhere").exists()
