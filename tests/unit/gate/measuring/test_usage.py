import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sbir_gate.gate.measuring.usage import (
    ControlGroup,
    Resident,
    SharedFiles,
    Times,
    Usage,
    children,
    own_group,
    proportional_kib,
    resident_kib,
    times_of,
    tmpfs_folders,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

MIB = 1024
ROOT = Path(__file__).parents[4]


# a child's peak starts at the memory of the process that started it, and that of the tests may be large;
# the code waits in `hold` until it was looked at, in full, with what it holds at that moment
WATCH = """
import json, os, select, sys, time
sys.path.insert(0, sys.argv[1])
from sbir_gate.gate.measuring.usage import Usage, children
usage = Usage(None)
(is_held, says_held), (may_end, says_seen) = os.pipe(), os.pipe()
os.set_inheritable(says_held, True)
os.set_inheritable(may_end, True)
code = f"def hold(): os.write({says_held}, b'x'); os.read({may_end}, 1)\\n" + sys.argv[2]
pid = os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", code], os.environ)
while True:
    ended, _, accounted = os.wait4(pid, os.WNOHANG)
    if ended:
        break
    if select.select([is_held], [], [], 0.01)[0]:
        os.read(is_held, 1)
        time.sleep(max(usage._next_pss - time.monotonic(), 0))
        usage.sample([pid, *children(pid)])
        os.write(says_seen, b"x")
    usage.sample([pid, *children(pid)])
usage.reaped(pid, accounted.ru_utime + accounted.ru_stime, accounted.ru_maxrss)
usage.sample([])
names = ("peak_kib", "cpu_seconds", "cpu_method")
print(json.dumps({name: getattr(usage, name) for name in names}))
"""


def watched(code):
    """Return the usage of some Python code, sampled every 10 ms as the launcher does, by a small process."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(ROOT), code], capture_output=True, text=True, check=True
    )
    return SimpleNamespace(**json.loads(done.stdout))


SHARED = """
import os
(is_held, says_held), (is_over, says_over) = os.pipe(), os.pipe()
held = bytearray(120 * 2**20)
held[::4096] = b"x" * len(held[::4096])
for _ in range(4):
    if not os.fork():
        sum(held[::4096])
        os.write(says_held, b"x")
        os.read(is_over, 1)
        os._exit(0)
for _ in range(4):
    os.read(is_held, 1)
hold()
os.write(says_over, b"xxxx")
for _ in range(4):
    os.wait()
"""


def test_pages_that_workers_share_count_once():
    assert 120 * MIB < watched(SHARED).peak_kib < 200 * MIB


SEGMENT = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmdt.argtypes = [ctypes.c_void_p]
id_ = libc.shmget(0, 120 * 2**20, 0o1600)
at = libc.shmat(id_, None, 0)
for part in range(0, 120, 8):
    ctypes.memset(at, 1, 8 * 2**20)
    libc.shmdt(at)
    at = libc.shmat(id_, None, 0)
    ctypes.memset(at + part * 2**20, 1, 8 * 2**20)
libc.shmdt(at)
hold()
libc.shmctl(id_, 0, None)
"""


def test_a_segment_of_system_v_counts_though_nobody_is_attached_to_it():
    assert 100 * MIB < watched(SEGMENT).peak_kib < 200 * MIB


def test_what_each_worker_holds_for_itself_counts_for_each():
    code = """
import os
(is_held, says_held), (is_over, says_over) = os.pipe(), os.pipe()
for _ in range(3):
    if not os.fork():
        held = bytearray(60 * 2**20)
        os.write(says_held, b"x")
        os.read(is_over, 1)
        os._exit(0)
for _ in range(3):
    os.read(is_held, 1)
hold()
os.write(says_over, b"xxx")
for _ in range(3):
    os.wait()
"""
    assert 180 * MIB < watched(code).peak_kib < 230 * MIB


MEMFD = """
import os
file = os.memfd_create("held")
for _ in range(100):
    os.write(file, b"x" * 2**20)
hold()
"""
TMPFS = """
import os
path = f"/dev/shm/sbir-gate-test-{os.getpid()}"
with open(path, "wb") as file:
    file.write(b"x" * (100 * 2**20))
hold()
os.unlink(path)
"""
MAPPED = """
import mmap, os
held = mmap.mmap(-1, 100 * 2**20)
held[::4096] = b"x" * len(held[::4096])
if not os.fork():
    sum(held[::4096])
    hold()
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize("code", [MEMFD, MAPPED], ids=["memfd", "shared mapping"])
def test_memory_in_files_without_a_disk_counts_once(code):
    assert 100 * MIB < watched(code).peak_kib < 160 * MIB


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no tmpfs to write to")  # noqa: S108 -- a tmpfs is what is tested
def test_what_is_written_to_a_tmpfs_counts():
    assert watched(TMPFS).peak_kib > 100 * MIB


def test_files_in_memory_from_before_do_not_count():
    mine = os.memfd_create("mine")
    try:
        os.write(mine, b"x" * 2**20)
        files = SharedFiles()
        assert files.held_kib([os.getpid()]) >= MIB
        assert files.held_kib([]) < MIB
    finally:
        os.close(mine)


IGNORED = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(2):
    if not os.fork():
        while time.process_time() < 0.4:
            pass
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


def test_processor_time_of_children_that_nobody_waits_for_counts():
    usage = watched(IGNORED)
    assert usage.cpu_method == "sampled"
    assert usage.cpu_seconds > 0.6


@pytest.mark.slow
def test_processor_time_of_children_that_are_waited_for_counts_once():
    usage = watched(IGNORED.replace("signal.SIG_IGN", "signal.SIG_DFL"))
    assert 0.75 < usage.cpu_seconds < 1.3


@pytest.fixture
def processes(monkeypatch):
    """Let processes be what a test says: their ids with their times."""
    found = {}
    monkeypatch.setattr("sbir_gate.gate.measuring.usage.times_of", found.get)
    monkeypatch.setattr("sbir_gate.gate.measuring.usage.resident_kib", lambda _pid: Resident(0, 0, 0))
    return found


def lost_seconds(usage, processes, *looks):
    for look in looks:
        processes.clear()
        processes.update(look)
        usage.sample(list(look))
    return usage.cpu_seconds


def test_a_chain_of_processes_that_vanish_at_once_is_owed_to_the_one_that_stays(processes):
    seen = {1: Times(0, 9, 10, 0), 2: Times(0, 1, 100, 0), 3: Times(0, 2, 200, 0)}
    spent = lost_seconds(Usage(), processes, seen, {1: Times(0, 9, 20, 0)})
    assert spent == pytest.approx(300 / os.sysconf("SC_CLK_TCK"))


def test_what_a_parent_waited_for_is_not_lost(processes):
    seen = {1: Times(0, 9, 10, 0), 2: Times(0, 1, 100, 0)}
    assert lost_seconds(Usage(), processes, seen, {1: Times(0, 9, 20, 100)}) == 0


def test_a_new_process_of_an_old_number_is_another_one(processes):
    seen = {1: Times(0, 9, 10, 0), 2: Times(0, 1, 100, 0)}
    spent = lost_seconds(Usage(), processes, seen, {1: Times(0, 9, 20, 0), 2: Times(50, 1, 0, 0)})
    assert spent == pytest.approx(100 / os.sysconf("SC_CLK_TCK"))


def test_what_is_told_of_a_process_that_is_gone_is_nothing():
    gone = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    os.waitpid(gone, 0)
    assert (times_of(gone), children(gone)) == (None, [])
    assert resident_kib(gone) == proportional_kib(gone) == (0, 0, 0)


MOUNTS = b"""\
24 1 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
30 24 0:26 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
31 1 0:27 /docker/abc /sys/fs/mine rw,relatime - cgroup2 cgroup2 rw
"""


@pytest.mark.parametrize(
    ("membership", "folder"),
    [
        (b"4:memory:/a\n0::/user/me.scope\n", "/sys/fs/cgroup/unified/user/me.scope"),
        (b"0::/\n", "/sys/fs/cgroup/unified"),
        (b"4:memory:/a\n", ""),
        (b"", ""),
    ],
)
def test_the_control_group_is_that_of_version_2(membership, folder):
    assert own_group(membership, MOUNTS) == folder


def test_a_mount_of_a_part_of_the_groups_is_known_by_its_root():
    assert own_group(b"0::/docker/abc/x\n", MOUNTS.split(b"\n", 2)[2]) == "/sys/fs/mine/x"
    assert own_group(b"0::/elsewhere\n", MOUNTS.split(b"\n", 2)[2]) == ""


def test_a_tmpfs_that_may_not_be_written_to_holds_nothing_of_the_command():
    assert tmpfs_folders(MOUNTS) == []


def test_the_account_of_a_control_group_is_read(tmp_path):
    """The memory controller is on in few places; its files are those of the kernel's cgroup-v2.rst."""
    group = ControlGroup(str(tmp_path))
    (folder,) = tmp_path.iterdir()
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (folder / "memory.stat").write_text("anon 1048576\nfile 999999999\nshmem 2097152\nanon_thp 5\n")
    assert (group.cpu_seconds(), group.memory_kib(), group.has_memory) == (2.5, 3 * MIB, False)
    group.has_memory = True
    usage = Usage(group)
    usage.sample([])
    assert (usage.memory_method, usage.cpu_method) == ("cgroup", "cgroup")
    assert (usage.peak_kib, usage.cpu_seconds) == (3 * MIB, 2.5)
