import fcntl
import os
import shutil
import subprocess
import sys
import time
from contextlib import nullcontext

import pytest

from sbir_gate.gate.storing.scratch import scratch_folder, sweep


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))  # the documented place to set it
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def left_behind(temporary, name, lock=b"1"):
    """Make a folder as a killed run leaves it."""
    folder = temporary / name
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "enrich.py").write_text("pass")
    if lock is not None:
        (folder / ".lock").write_bytes(lock)
    return folder


def make_old(folder):
    os.utime(folder, (time.time() - 8 * 24 * 3600,) * 2)


def test_a_folder_is_there_for_the_block_and_gone_afterwards(temporary):
    with scratch_folder("sbir-gate-run-") as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "left").mkdir()
    assert names(temporary) == []


def test_a_run_sweeps_what_a_killed_run_left(temporary):
    code = (
        "import os, signal, sys, tempfile\n"
        "from sbir_gate.gate.storing.scratch import scratch_folder\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "with scratch_folder('sbir-gate-base-') as folder:\n"
        "    (folder / 'base').mkdir()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(temporary)], check=False)
    assert len(names(temporary)) == 1
    with scratch_folder("sbir-gate-run-") as folder:
        assert names(temporary) == [folder.name]


def test_a_folder_that_another_run_removes_at_the_same_time_is_no_error(temporary, monkeypatch):
    folder = left_behind(temporary, "sbir-gate-run-abcdefgh")
    entries = list(os.scandir(temporary))
    shutil.rmtree(folder)
    with monkeypatch.context() as patch:
        patch.setattr("os.scandir", lambda _: nullcontext(entries))
        sweep()
    assert names(temporary) == []


def test_a_run_that_is_at_work_keeps_its_folder(temporary):
    with scratch_folder("sbir-gate-base-") as first, scratch_folder("sbir-gate-base-") as second:
        assert names(temporary) == sorted([first.name, second.name])
        make_old(first)
        sweep()
        assert first.exists()


def test_a_folder_that_is_about_to_be_locked_is_left(temporary):
    folder = left_behind(temporary, "sbir-gate-run-abcdefgh", lock=b"")
    sweep()
    assert folder.exists()


def test_without_a_lock_only_an_old_folder_goes(temporary):
    young = left_behind(temporary, "sbir-gate-abcdefgh", lock=None)
    old = left_behind(temporary, "sbir-gate-process-abcdefgh", lock=None)
    make_old(old)
    sweep()
    assert (young.exists(), old.exists()) == (True, False)


@pytest.mark.parametrize("name", ["sbir-gate-reports", "sbir-gate", "sbir-gate-base-abcdefghi", "abcdefgh"])
def test_what_others_keep_under_a_similar_name_stays(temporary, name):
    folder = left_behind(temporary, name)
    make_old(folder)
    sweep()
    assert folder.exists()


def test_no_link_is_followed(temporary, tmp_path):
    precious = tmp_path / "precious"
    left_behind(tmp_path, "precious")
    (temporary / "sbir-gate-run-abcdefgh").symlink_to(precious)
    folder = left_behind(temporary, "sbir-gate-run-bcdefghi")
    (folder / "link").symlink_to(precious)
    sweep()
    assert names(temporary) == ["sbir-gate-run-abcdefgh"]
    assert (precious / "base" / "enrich.py").exists()


def test_a_lock_that_is_a_link_or_a_pipe_is_never_waited_for(temporary, tmp_path):
    target = tmp_path / "target"
    target.write_text("1")
    linked = left_behind(temporary, "sbir-gate-run-abcdefgh", lock=None)
    (linked / ".lock").symlink_to(target)
    piped = left_behind(temporary, "sbir-gate-run-bcdefghi", lock=None)
    os.mkfifo(piped / ".lock")
    sweep()
    assert linked.exists()
    assert piped.exists()


def test_a_lock_that_another_holds_keeps_the_folder(temporary):
    folder = left_behind(temporary, "sbir-gate-run-abcdefgh")
    with (folder / ".lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep()
        assert folder.exists()
    sweep()
    assert not folder.exists()
