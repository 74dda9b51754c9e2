import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from sbir_gate.locks import LockedError, Waiting, is_abandoned, locked

HOLDER = """
import sys, time
from pathlib import Path
from sbir_gate.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Hold the lock in another process."""
    path = tmp_path / "writer.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield path, process
        process.kill()


def test_the_holder_is_in_the_file_which_goes_with_it(tmp_path):
    path = tmp_path / "writer.lock"
    for _ in range(2):
        with locked(path):
            assert path.read_text() == str(os.getpid())
            assert not is_abandoned(path)
        assert not path.exists()


def test_another_holder_is_waited_for_and_reported_once(holder):
    path, process = holder
    told = []
    waits = []

    def sleep(_seconds):
        waits.append(1)
        if len(waits) == 3:
            process.send_signal(signal.SIGKILL)  # the kernel frees what it held
            process.wait()
            assert is_abandoned(path)

    with locked(path, Waiting(60, told.append, sleep=sleep)):
        assert path.read_text() == str(os.getpid())
    assert told == [str(process.pid)]
    assert len(waits) == 3


def test_a_holder_that_does_not_end_is_named(holder):
    path, process = holder
    times = iter(range(0, 1000, 10))
    lock = locked(path, Waiting(30, clock=lambda: next(times), sleep=lambda _: None))
    with pytest.raises(LockedError) as raised, lock:
        pass
    assert raised.value.holder == str(process.pid)
    assert next(times) == 40


def test_a_stopped_holder_still_holds(holder):
    path, process = holder
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(LockedError), locked(path):
        pass
    assert path.exists()


def test_a_folder_that_is_a_file_is_an_error_of_the_disk(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError), locked(tmp_path / "file" / "lock"):
        pass


def test_nobody_waits_for_a_lock_that_is_free(tmp_path):
    with locked(tmp_path / "writer.lock", Waiting(60, sleep=lambda _: pytest.fail("waited"))):
        pass


def test_a_lock_on_a_file_that_is_gone_by_then_holds_nothing(tmp_path):
    # the first writer removes its lock file between the second's open and lock
    path = tmp_path / "writer.lock"
    calls = []

    def flock(descriptor, how):
        calls.append(how)
        if len(calls) == 1:
            path.unlink()
        fcntl.flock(descriptor, how)

    with locked(path, flock=flock):
        assert len(calls) == 2
        assert path.exists()


def test_a_file_system_without_locks_is_an_error_of_the_disk(tmp_path):
    def flock(_descriptor, _how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with pytest.raises(OSError, match="No locks"), locked(tmp_path / "writer.lock", flock=flock):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "writer.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path / "writer.lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_an_empty_lock_file_is_of_a_process_that_is_about_to_hold_it(tmp_path):
    (tmp_path / "writer.lock").write_bytes(b"")
    assert not is_abandoned(tmp_path / "writer.lock")
