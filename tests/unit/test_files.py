import os
import re
import socket
import stat
import threading
from pathlib import Path

import pytest

import sbir_gate
from sbir_gate.errors import OutputError, UsageError
from sbir_gate.files import (
    NotAFileError,
    TooLargeError,
    check_outputs,
    create_file,
    near_miss,
    open_file,
    place_durably,
    place_output,
    read_file,
    save_output,
    save_text,
    write_durably,
    write_output,
)


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def node(tmp_path):
    """A device of the test's own that takes everything: what replaces it harms nothing."""
    path = tmp_path / "node"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("this user or file system makes no devices")
    return path


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "plain"
    path.write_bytes(b"0123456789")
    return path


def test_a_regular_file_is_read_whole(plain):
    assert read_file(plain, 10) == b"0123456789"


def test_a_link_to_a_regular_file_is_one(plain, tmp_path):
    (tmp_path / "link").symlink_to(plain)
    assert read_file(tmp_path / "link", 10) == b"0123456789"


def test_a_file_larger_than_its_kind_is_refused_with_the_limit(plain):
    with pytest.raises(TooLargeError) as raised:
        read_file(plain, 9)
    assert raised.value.strerror == "larger than 9 bytes"


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "endless"
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(TooLargeError):
        read_file(path, 2**39)


def test_a_pipe_is_refused_and_not_waited_for(pipe):
    with pytest.raises(NotAFileError) as raised:
        open_file(pipe)
    assert raised.value.strerror == "a pipe, not a regular file"


def test_a_pipe_that_takes_the_name_between_look_and_opening_is_refused(pipe, monkeypatch):
    monkeypatch.setattr("sbir_gate.files.check_file", lambda _path: None)
    with pytest.raises(NotAFileError, match="a pipe"):
        open_file(pipe)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/full"])
def test_a_device_is_refused(device, tmp_path):
    with pytest.raises(NotAFileError) as raised:
        read_file(tmp_path.joinpath(device), 10)
    assert raised.value.strerror == "a device, not a regular file"


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(NotAFileError) as raised:
            open_file(tmp_path / "socket")
    assert raised.value.strerror == "a socket, not a regular file"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(NotAFileError, match="a folder, not a regular file"):
        open_file(tmp_path)


def test_a_name_with_a_nul_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="null byte"):
        open_file(tmp_path / "a\0b")


def test_a_refused_file_is_not_left_open(pipe, monkeypatch):
    monkeypatch.setattr("sbir_gate.files.check_file", lambda _path: None)
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(NotAFileError):
            open_file(pipe)
    assert len(list(Path("/dev/fd").iterdir())) == before


def _path_of(descriptor):
    return Path(f"/proc/self/fd/{descriptor}").readlink()


class TestWriting:
    def test_a_file_is_replaced_whole_and_nothing_else_stays(self, plain):
        assert write_durably(plain, b"new") is True
        assert plain.read_bytes() == b"new"
        assert list(plain.parent.iterdir()) == [plain]

    @pytest.mark.parametrize("may_replace", [True, False])
    def test_the_file_is_forced_to_disk_before_it_has_its_name_and_the_folder_afterwards(
        self, tmp_path, monkeypatch, may_replace
    ):
        finished, target, forced = tmp_path / "finished", tmp_path / "target", []
        finished.write_bytes(b"new")
        monkeypatch.setattr(
            "os.fsync", lambda descriptor: forced.append((_path_of(descriptor), target.exists()))
        )
        place_durably(finished, target, may_replace=may_replace)
        assert forced == [(finished, False), (tmp_path, True)]
        assert target.read_bytes() == b"new"

    def test_only_this_module_renames_files_and_forces_them_to_disk(self):
        folder = Path(sbir_gate.__file__).parent
        # text is replaced with two arguments, a path with one
        placing = re.compile(
            r"\bos\.(?:fsync|rename|replace)\(|\.(?:rename|hardlink_to)\(|\w\.replace\([\w.]+\)"
        )
        found = {path.name for path in folder.rglob("*.py") if placing.search(path.read_text("utf-8"))}
        # the others place folders, and switch links to them
        assert found == {"files.py", "places.py", "asset_files.py"}

    def test_a_file_that_may_not_be_replaced_stays(self, plain):
        assert write_durably(plain, b"new", may_replace=False) is False
        assert plain.read_bytes() == b"0123456789"
        assert list(plain.parent.iterdir()) == [plain]

    def test_of_many_writers_that_may_not_replace_one_writes(self, tmp_path):
        path = tmp_path / "one"
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(write_durably(path, b"x", may_replace=False)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [False] * 7 + [True]

    def test_a_pipe_in_its_place_is_replaced_by_the_file(self, pipe):
        write_durably(pipe, b"new")
        assert stat.S_ISREG(pipe.stat().st_mode)

    def test_a_folder_that_is_missing_is_an_error_of_the_system(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            write_durably(tmp_path / "gone" / "file", b"new")

    def test_a_file_is_emptied_or_goes_on_at_its_end(self, plain):
        with create_file(plain, is_appending=True) as file:
            file.write(b"ab")
        assert plain.read_bytes() == b"0123456789ab"
        with create_file(plain) as file:
            file.write(b"new")
        assert plain.read_bytes() == b"new"

    def test_no_reader_of_a_pipe_is_waited_for(self, pipe):
        with pytest.raises(NotAFileError, match="a pipe, not a regular file"):
            create_file(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        with pytest.raises(NotAFileError, match="a pipe, not a regular file"):
            create_file(pipe)
        os.close(reader)

    def test_what_nobody_wants_may_go_to_the_null_device(self):
        with create_file(Path(os.devnull)) as file:
            assert file.write(b"nothing") == 7


class TestOutputs:
    def test_a_file_is_replaced_whole(self, plain):
        write_output(plain, b"new")
        assert plain.read_bytes() == b"new"
        assert list(plain.parent.iterdir()) == [plain]

    def test_a_link_stays_and_its_target_is_replaced(self, plain, tmp_path):
        (tmp_path / "folder").mkdir()
        link = tmp_path / "folder" / "link"
        link.symlink_to("../plain")
        write_output(link, b"new")
        assert link.is_symlink()
        assert plain.read_bytes() == b"new"
        assert list(link.parent.iterdir()) == [link]

    def test_a_link_to_nothing_makes_the_file(self, tmp_path):
        (tmp_path / "link").symlink_to("later")
        write_output(tmp_path / "link", b"new")
        assert (tmp_path / "later").read_bytes() == b"new"

    def test_a_pipe_is_refused_and_stays(self, pipe):
        with pytest.raises(NotAFileError) as raised:
            write_output(pipe, b"new")
        assert raised.value.strerror == "a pipe, not a regular file"
        assert stat.S_ISFIFO(pipe.stat().st_mode)

    def test_a_finished_file_does_not_replace_a_pipe(self, pipe, plain):
        with pytest.raises(NotAFileError):
            place_output(plain, pipe)
        assert plain.exists()

    def test_a_device_is_written_through_and_stays(self, node, plain):
        write_output(node, b"new")
        place_output(plain, node)
        assert node.is_char_device()
        assert plain.exists()

    @pytest.mark.parametrize("name", ["plain", "other/../plain", "soft", "hard"])
    def test_an_input_is_refused_by_whatever_name(self, plain, tmp_path, name):
        (tmp_path / "other").mkdir()
        (tmp_path / "soft").symlink_to(plain)
        (tmp_path / "hard").hardlink_to(plain)
        with pytest.raises(UsageError, match=f"{name}: would be written over, but is an input"):
            check_outputs([tmp_path / name], [None, plain])

    def test_one_file_for_two_outputs_is_refused(self, tmp_path):
        with pytest.raises(UsageError, match="is named for two outputs"):
            check_outputs([tmp_path / "new", None, tmp_path / "." / "new"], [])

    def test_a_pipe_is_refused_before_any_work(self, pipe):
        with pytest.raises(OutputError, match="cannot be written: a pipe, not a regular file") as raised:
            check_outputs([pipe], [])
        assert raised.value.exit_status == 2

    def test_a_device_may_take_several_outputs(self, node):
        check_outputs([node, node], [])


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


def test_a_file_that_is_not_there_is_answered_with_the_one_that_is_spelled_like_it(tmp_path):
    (tmp_path / "enrichment.json").touch()
    assert near_miss(tmp_path / "enrichmnt.json") == f"did you mean {tmp_path / 'enrichment.json'}?"
    assert near_miss(tmp_path / "other.csv") == ""
    assert near_miss(tmp_path / "nowhere" / "enrichment.json") == ""


def test_a_name_with_control_characters_is_not_suggested(tmp_path):
    (tmp_path / "enrichment\x1b.json").touch()
    assert near_miss(tmp_path / "enrichment.json") == ""
