# ruff: noqa: PTH102, PTH106, PTH116, PTH123, PTH208 -- pathlib would make the launcher, and its children, bigger
"""How much memory and processor time a tree of processes uses, seen from the launcher above it.

Standard library only, like the launcher. Memory is the highest of two figures: the kernel's own peak of any
single process (`VmHWM`), and the largest sample of the whole tree, in which pages that processes share count
once (proportional set size) and files in memory (memfd, tmpfs) count too. Processor time is what the kernel
hands over for each process that was waited for, and what was last seen of those that were not waited for.
Where
a control group can be made, the kernel's account of it is taken as well; docs/metrics.md says what each way
cannot see.
"""

from __future__ import annotations

import os
import sys
import time
from typing import NamedTuple

# a reading of shared pages may cost at most one part in this many of the time
PSS_SHARE = 50
# two counters of the kernel that are each cut to whole ticks differ by as much
_ROUNDING_TICKS = 2
_GROUP_NAME = "sbir-gate"


class Resident(NamedTuple):
    """What a process holds in memory, in KiB: the kernel's peak, and shared memory apart from all else."""

    highest: int
    private: int
    shared: int


class Times(NamedTuple):
    """A process and its processor time in ticks: its own, and that of children that it waited for."""

    started: int
    parent: int
    own: int
    children: int


class Usage:
    """What the command and all that descends from it used, by sampling and by the kernel's accounts."""

    def __init__(self, group: ControlGroup | None = None) -> None:
        self.peak_kib = 0
        self._group = group
        self._has_pss = b"Pss:" in read_bytes("/proc/self/smaps_rollup")
        self._next_pss = 0.0
        self._files = SharedFiles()
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._seen: dict[int, Times] = {}
        self._reaped: dict[int, float] = {}
        self._waited_seconds = 0.0
        self._lost_ticks = 0

    @property
    def memory_method(self) -> str:
        """How memory was measured: values of different methods are not compared."""
        if not sys.platform.startswith("linux"):
            return "rusage"
        if self._group is not None and self._group.has_memory:
            return "cgroup"
        return "pss" if self._has_pss else "rss"

    @property
    def cpu_method(self) -> str:
        """How processor time was measured."""
        if not sys.platform.startswith("linux"):
            return "rusage"
        return "sampled" if self._group is None else "cgroup"

    @property
    def cpu_seconds(self) -> float:
        """The processor time so far; each account leaves something out, so the largest is nearest."""
        seen = self._waited_seconds + self._lost_ticks / self._ticks_per_second
        return seen if self._group is None else max(seen, self._group.cpu_seconds())

    def reaped(self, pid: int, seconds: float, highest_kib: int) -> None:
        """Take in what the kernel hands over for a process that the launcher waited for."""
        self._waited_seconds += seconds
        self._reaped[pid] = seconds
        self.peak_kib = max(self.peak_kib, highest_kib)

    def sample(self, pids: list[int]) -> None:
        """Look once at every process."""
        self._sample_memory(pids)
        self._sample_times(pids)

    def _sample_memory(self, pids: list[int]) -> None:
        found = [resident_kib(pid) for pid in pids]
        self.peak_kib = max([self.peak_kib, *(each.highest for each in found)])
        files = self._files.held_kib(pids)
        if self._group is not None and self._group.has_memory:
            self.peak_kib = max(self.peak_kib, self._group.memory_kib())
            return
        total = sum(each.private for each in found) + max(sum(each.shared for each in found), files)
        if total <= self.peak_kib:
            return  # what is shared makes it only less
        if self._has_pss and sum(each.private + each.shared > 0 for each in found) > 1:
            total = self._proportional_kib(pids, files)
        self.peak_kib = max(self.peak_kib, total)

    def _proportional_kib(self, pids: list[int], files: int) -> int:
        """Return the memory of the tree with shared pages counted once; 0 if it is too early to look again.

        The kernel walks all pages of a process for that: a large tree is looked at less often.
        """
        started = time.monotonic()
        if started < self._next_pss:
            return 0
        found = [proportional_kib(pid) for pid in pids]
        ended = time.monotonic()
        self._next_pss = ended + PSS_SHARE * (ended - started)
        return sum(each.private for each in found) + max(sum(each.shared for each in found), files)

    def _sample_times(self, pids: list[int]) -> None:
        """Add the time of ended processes that were not waited for.

        What a parent waited for is in its own account. Where that grew by less than what was last seen of
        its children that are gone, they were not waited for (SIGCHLD ignored), and the kernel forgot them.
        """
        now = {pid: times for pid in pids if (times := times_of(pid))}
        owed: dict[int, int] = {}
        for pid, seen in reversed(self._seen.items()):  # children come after their parents
            if pid in self._reaped or (pid in now and now[pid].started == seen.started):
                continue
            owed[seen.parent] = owed.get(seen.parent, 0) + seen.own + seen.children + owed.pop(pid, 0)
        for parent, ticks in owed.items():
            before = self._seen.get(parent)
            if before is None:
                continue
            if parent in self._reaped:
                grown = self._reaped[parent] * self._ticks_per_second - before.own - before.children
            else:
                grown = now[parent].children - before.children
            if ticks - grown > _ROUNDING_TICKS:
                self._lost_ticks += round(ticks - grown)
        self._seen, self._reaped = now, {}


class SharedFiles:
    """What lives in memory apart from processes: memfd files, tmpfs, and segments of System V.

    Of memfd files those count that the tree has open. The others have no process that owns them: what anybody
    writes to a tmpfs meanwhile counts, and every segment that is new and of this user.
    """

    def __init__(self) -> None:
        self._memfd_device = _memfd_device()
        self._folders = tmpfs_folders(read_bytes("/proc/self/mountinfo"))
        self._used_at_start = self._used_kib()
        self._segments_at_start = frozenset(_segments())

    def held_kib(self, pids: list[int]) -> int:
        """Return how much memory such files take, beyond what they took at the start."""
        held: dict[int, int] = {}
        for pid in pids if self._memfd_device is not None else ():
            for descriptor in _names(f"/proc/{pid}/fd"):
                try:
                    status = os.stat(f"/proc/{pid}/fd/{descriptor}")
                except OSError:
                    continue
                if status.st_dev == self._memfd_device:
                    held[status.st_ino] = status.st_blocks // 2
        segments = sum(kib for id_, kib in _segments().items() if id_ not in self._segments_at_start)
        return sum(held.values()) + max(self._used_kib() - self._used_at_start, 0) + segments

    def _used_kib(self) -> int:
        used = 0
        for folder in self._folders:
            try:
                status = os.statvfs(folder)
            except OSError:
                continue
            used += (status.f_blocks - status.f_bfree) * status.f_frsize // 1024
        return used


class ControlGroup:
    """A control group (cgroup v2) of the command's own, below that of this process."""

    def __init__(self, parent: str) -> None:
        """Make it. Raises OSError where that is not allowed."""
        self._parent = parent
        self._folder = f"{parent}/{_GROUP_NAME}-{os.getpid()}-{time.monotonic_ns()}"
        os.mkdir(self._folder)
        self.has_memory = b"memory" in read_bytes(f"{self._folder}/cgroup.controllers").split()

    def enter(self) -> None:
        """Move this process into it, so that what it starts begins there. Raises OSError as `leave` does."""
        _move_self(self._folder)

    def leave(self) -> None:
        """Move this process back. Raises OSError where that is not allowed."""
        _move_self(self._parent)

    def cpu_seconds(self) -> float:
        """Return the processor time of all that ever ran in it."""
        return _value(read_bytes(f"{self._folder}/cpu.stat"), b"usage_usec") / 1e6

    def memory_kib(self) -> int:
        """Return the memory that its processes hold: not the cache of files, which is the machine's."""
        text = read_bytes(f"{self._folder}/memory.stat")
        return (_value(text, b"anon") + _value(text, b"shmem")) // 1024

    def remove(self) -> None:
        """Remove it; one that still holds a process stays."""
        try:
            os.rmdir(self._folder)
        except OSError:
            return


def own_group(membership: bytes, mounts: bytes) -> str:
    """Return the folder of this process's control group (cgroup v2), an empty text where there is none.

    The texts are those of /proc/self/cgroup and /proc/self/mountinfo.
    """
    path = next((line[3:] for line in membership.decode().splitlines() if line.startswith("0::")), None)
    if path is None:
        return ""
    for line in mounts.decode("utf-8", "replace").splitlines():
        fields, _, kind = line.partition(" - ")
        root, folder = fields.split()[3:5]
        if kind.startswith("cgroup2 ") and (path + "/").startswith(root.rstrip("/") + "/"):
            return folder + path[len(root.rstrip("/")) :].rstrip("/")
    return ""


def make_group() -> ControlGroup | None:
    """Return a control group that this process may enter and leave, None where there is none."""
    parent = own_group(read_bytes("/proc/self/cgroup"), read_bytes("/proc/self/mountinfo"))
    if not parent:
        return None
    _sweep_groups(parent)
    try:
        group = ControlGroup(parent)
    except OSError:
        return None
    try:
        group.enter()
        group.leave()
    except OSError:
        group.remove()
        return None
    return group


def _sweep_groups(parent: str) -> None:
    """Remove the empty groups of launchers that were killed."""
    for name in _names(parent):
        owner = name.removeprefix(f"{_GROUP_NAME}-").partition("-")[0]
        if name.startswith(f"{_GROUP_NAME}-") and not read_bytes(f"/proc/{owner}/stat"):
            try:
                os.rmdir(f"{parent}/{name}")
            except OSError:
                continue


def tmpfs_folders(mounts: bytes) -> list[str]:
    """Return one folder of each tmpfs that this process may write to; `mounts` is /proc/self/mountinfo."""
    found: dict[int, str] = {}
    for line in mounts.decode("utf-8", "replace").splitlines():
        fields, _, kind = line.partition(" - ")
        folder, options = fields.split()[4:6]
        if kind.startswith("tmpfs ") and "rw" in options.split(",") and os.access(folder, os.W_OK):
            found.setdefault(os.stat(folder).st_dev, folder)  # one may be mounted over another
    return list(found.values())


def children(pid: int) -> list[int]:
    """Return the children of a process; none off Linux, or if it has gone."""
    return [
        int(child)
        for thread in _names(f"/proc/{pid}/task")
        for child in read_bytes(f"/proc/{pid}/task/{thread}/children").split()
    ]


def descendants(root: int) -> list[int]:
    """Return every process below `root`, parents first; none off Linux."""
    found = children(root)
    for pid in found:  # it grows while it is walked
        found += children(pid)
    return found


def resident_kib(pid: int) -> Resident:
    """Return the resident size of a process and its peak; zeros for one that has ended."""
    text = read_bytes(f"/proc/{pid}/status")
    shared = _value(text, b"RssShmem:")
    return Resident(_value(text, b"VmHWM:"), _value(text, b"VmRSS:") - shared, shared)


def proportional_kib(pid: int) -> Resident:
    """Return what a process holds, each page divided by the number of processes that map it."""
    text = read_bytes(f"/proc/{pid}/smaps_rollup")
    if not text:
        return resident_kib(pid)
    shared = _value(text, b"Pss_Shmem:")
    return Resident(0, _value(text, b"Pss:") - shared, shared)


def times_of(pid: int) -> Times | None:
    """Return the processor time of a process, None for one that has gone. Source: proc(5), `stat`."""
    fields = read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if not fields:
        return None
    user, system, children_user, children_system = map(int, fields[11:15])
    return Times(int(fields[19]), int(fields[1]), user + system, children_user + children_system)


def read_bytes(path: str) -> bytes:
    """Return the content of a file of the kernel; nothing if it, or its process, is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _value(text: bytes, name: bytes) -> int:
    """Return the number after a name at the start of a line, 0 if there is none."""
    for line in text.splitlines():
        if line.startswith(name) and line[len(name) : len(name) + 1].isspace():
            return int(line[len(name) :].split()[0])
    return 0


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _segments() -> dict[int, int]:
    """Return the resident KiB of each System V segment that this user created, by its id. Source: proc(5)."""
    lines = read_bytes("/proc/sysvipc/shm").splitlines()
    if not lines:
        return {}
    places = {name: place for place, name in enumerate(lines[0].split())}
    rows = (line.split() for line in lines[1:])
    return {
        int(row[places[b"shmid"]]): int(row[places[b"rss"]]) // 1024
        for row in rows
        if int(row[places[b"cuid"]]) == os.getuid()
    }


def _move_self(folder: str) -> None:
    with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")


def _memfd_device() -> int | None:
    """Return the device that memfd files are on, None where there are none."""
    try:
        descriptor = os.memfd_create(_GROUP_NAME)
    except (AttributeError, OSError):
        return None
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)
