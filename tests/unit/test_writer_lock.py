import os
import signal
import subprocess
import sys
import time

import pytest

from sbir_gate.errors import OutputError, ToolError
from sbir_gate.writer_lock import writer_lock

HOLDER = """
import sys, time
from pathlib import Path
from sbir_gate.writer_lock import writer_lock
with writer_lock(Path(sys.argv[1]), 0):
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


def test_the_holder_stands_in_the_file_and_the_folder_is_made(tmp_path):
    path = tmp_path / "new" / "writer.lock"
    with writer_lock(path, 0):
        assert path.read_text() == str(os.getpid())


def test_it_can_be_held_again_afterwards(tmp_path):
    for _ in range(2):
        with writer_lock(tmp_path / "writer.lock", 0):
            pass


def test_another_holder_is_waited_for_and_told_once(holder):
    path, process = holder
    told = []
    waits = []

    def sleep(_seconds):
        waits.append(1)
        if len(waits) == 3:
            process.send_signal(signal.SIGKILL)  # the kernel frees what it held
            process.wait()

    with writer_lock(path, 60, told.append, sleep=sleep):
        assert path.read_text() == str(os.getpid())
    assert told == [str(process.pid)]
    assert len(waits) == 3


def test_a_holder_that_does_not_end_is_named(holder):
    path, process = holder
    times = iter(range(0, 1000, 10))
    words = f"process {process.pid} has been at work here for 30 seconds"
    lock = writer_lock(path, 30, clock=lambda: next(times), sleep=lambda _: None)
    with pytest.raises(ToolError, match=words), lock:
        pass


def test_a_stopped_holder_still_holds(holder):
    path, process = holder
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(ToolError), writer_lock(path, 0):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), writer_lock(tmp_path / "file" / "lock", 0):
        pass


def test_nobody_waits_for_a_lock_that_is_free(tmp_path):
    started = time.monotonic()
    with writer_lock(tmp_path / "writer.lock", 60, sleep=lambda _: pytest.fail("waited")):
        assert time.monotonic() - started < 60
