"""The small parent of a measured command, started by `measuring/process`.

It uses the standard library alone, and `measuring/usage`, because a child's `ru_maxrss` starts at the size of
its parent: about 10 MiB here, hundreds in a process that has loaded pandas.

The request (see `Request`) comes as JSON on standard input, the result (see `Result`) goes as JSON to
standard output, and standard error is the command's log. The command inherits the log alone: the result
leaves through a pipe that it has no descriptor of, after all of its processes were ended, and Linux lets
no process of the same user look into this one (`close_to_others`).

The command runs in its own session, so a signal can reach all of its process group. This process adopts
orphans (PR_SET_CHILD_SUBREAPER), so a descendant that leaves the group is still found below it. When the
command ends, or runs out of time, whatever is left of the tree is killed.

`measuring/usage` says how memory and processor time are found. Where a process forks and leaves its group
faster than it can be listed, the clean-up gives up after some seconds and reports what is left.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TypedDict

from sbir_gate.gate.measuring.usage import ControlGroup, Usage, descendants, make_group, read_bytes

SAMPLE_SECONDS = 0.025
# a sample may cost at most one part in this many of the time: a tree of hundreds is sampled less often
SAMPLE_SHARE = 50
KILL_SECONDS = 5.0
LOG_LIMIT_BYTES = 16 * 2**20
LOG_TAIL_BYTES = 64 * 2**10
RESULT, LOG = 1, 2  # descriptors
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36


class Request(TypedDict):
    """What to run. The folder is absolute.

    Where the command writes the file `progress`, its time runs from the last time that it did.
    """

    command: list[str]
    working_folder: str
    timeout_seconds: float
    progress: str
    grace_seconds: float


class Result(TypedDict):
    """What happened. `exit_status` is negative for a signal and None if the command did not start."""

    exit_status: int | None
    start_error: str
    is_timed_out: bool
    wall_seconds: float
    cpu_seconds: float
    cpu_wait_seconds: float | None
    io_wait_seconds: float | None
    peak_rss_mib: float
    survivors: int
    memory_method: str
    cpu_method: str


class Tree:
    """The command and all that descends from it."""

    def __init__(self, leader: int, usage: Usage) -> None:
        self.leader = leader
        self.usage = usage
        self.status: int | None = None
        self.ended = 0.0

    def sample(self) -> None:
        """Look once at every process."""
        self.usage.sample(descendants(os.getpid()))

    def reap(self) -> None:
        """Collect every child that has ended, adopted ones too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            highest_kib = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
            self.usage.reaped(pid, usage.ru_utime + usage.ru_stime, highest_kib)
            if pid == self.leader:
                self.ended = time.perf_counter()
                self.status = os.waitstatus_to_exitcode(status)

    def signal(self, number: int) -> None:
        """Send a signal to the process group and to those that left it."""
        send(os.killpg, self.leader, number)
        for pid in descendants(os.getpid()):
            send(os.kill, pid, number)

    def is_alive(self) -> bool:
        """Reap, then say whether anything is left."""
        self.reap()
        return self.status is None or bool(descendants(os.getpid()))

    def end(self, grace_seconds: float) -> int:
        """Ask everything to end, then kill it; return how many processes are left (normally 0)."""
        if grace_seconds > 0 and self.is_alive():
            self.signal(signal.SIGTERM)
            self._wait(grace_seconds)
        deadline = time.monotonic() + KILL_SECONDS
        self.signal(signal.SIGKILL)
        while self.is_alive() and time.monotonic() < deadline:
            self.signal(signal.SIGKILL)
            time.sleep(0.002)
        return len(descendants(os.getpid()))

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)


def send(deliver: Callable[[int, int], None], target: int, number: int) -> None:
    """Send a signal; ignore a process that is already gone."""
    try:
        deliver(target, number)
    except (ProcessLookupError, PermissionError):
        return


def wait_seconds(resource: str) -> float | None:
    """Return how long some task of the machine has waited for a resource (cpu, io) since it started.

    It is the total of the line `some` of /proc/pressure/<resource>, in microseconds there; None without it.
    Source: the kernel's Documentation/accounting/psi.rst.
    """
    for line in read_bytes(f"/proc/pressure/{resource}").splitlines():
        if line.startswith(b"some "):
            return int(line.rpartition(b"total=")[2]) / 1e6
    return None


def since(resource: str, before: float | None) -> float | None:
    """Return how long some task has waited for a resource since `before` was read; None if not known."""
    now = wait_seconds(resource)
    return None if now is None or before is None else now - before


def trim(log: int) -> None:
    """Keep the end of a log that grows without limit; the command appends, so it may go on writing."""
    while (size := os.fstat(log).st_size) > LOG_LIMIT_BYTES:
        tail = os.pread(log, LOG_TAIL_BYTES, size - LOG_TAIL_BYTES)
        if os.fstat(log).st_size == size:  # else what was written meanwhile would be lost
            os.ftruncate(log, 0)
            os.write(log, tail)


def start(request: Request) -> int:
    """Start the command in a new session and return its id. Raises OSError if that cannot be done."""
    os.chdir(request["working_folder"])
    return os.posix_spawnp(
        request["command"][0],
        request["command"],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, LOG, RESULT),
        ],
        setsid=True,
        setsigmask=[],
        # Python ignores these two, and ignored signals are inherited
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )


def seconds_left(request: Request, started: float) -> float:
    """Return the time until the command is late; `started` is when it was started (`time.perf_counter`)."""
    idle_seconds = time.perf_counter() - started
    with suppress(OSError):  # it reports no progress
        # a time in the future is that of a clock that was set, or of a command that pretends
        idle_seconds = min(idle_seconds, max(time.time() - os.lstat(request["progress"]).st_mtime, 0.0))
    return request["timeout_seconds"] - idle_seconds


def watch(tree: Tree, request: Request, started: float, wake_up: int) -> bool:
    """Sample until the command ends; return False if its time is up first."""
    poller = select.poll()
    poller.register(wake_up, select.POLLIN)
    pause_seconds = 0.001
    deadline = started + request["timeout_seconds"]
    while tree.status is None:
        now = time.perf_counter()
        if now >= deadline:
            left = seconds_left(request, started)
            if left <= 0:
                return False
            deadline = now + left
        poller.poll(1000 * min(pause_seconds, deadline - now))
        drain(wake_up)
        tree.reap()
        sampled = time.perf_counter()
        tree.sample()
        trim(LOG)
        cost_seconds = time.perf_counter() - sampled
        pause_seconds = max(SAMPLE_SECONDS, SAMPLE_SHARE * cost_seconds)
    return True


def drain(descriptor: int) -> None:
    """Empty the pipe through which signals wake us."""
    try:
        while os.read(descriptor, 512):
            continue
    except BlockingIOError:
        return


def prctl(option: int, value: int = 0) -> int:
    """Ask the kernel for something about this process; nothing is done off Linux (0)."""
    if sys.platform != "linux":
        return 0
    return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0))


def close_to_others() -> None:
    """Let no other process of this user trace this one, or open its descriptors under /proc.

    A process that may do so all the same (CAP_SYS_PTRACE) is not kept out.
    """
    prctl(PR_SET_DUMPABLE, 0)


def prepare_signals() -> int:
    """Wake up when a child ends, and end the tree on a signal to end; return the pipe that wakes."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    # held back until there is a tree to clean up
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    return reader


def stop(number: int, _frame: FrameType | None) -> None:
    """Leave through the clean-up."""
    raise SystemExit(128 + number)


def run(request: Request) -> Result:
    """Run the command to its end, or to the end of its time."""
    wake_up = prepare_signals()
    group = make_group()
    try:
        return run_in(group, request, wake_up)
    finally:
        if group is not None:
            group.remove()


def run_in(group: ControlGroup | None, request: Request, wake_up: int) -> Result:
    """Run the command, in a control group of its own if there is one."""
    usage = Usage(group)
    if group is not None:
        group.enter()
    waits = {resource: wait_seconds(resource) for resource in ("cpu", "io")}
    started = time.perf_counter()
    try:
        tree = Tree(start(request), usage)
    except OSError as error:
        return unstarted(f"{error.strerror}: {error.filename or request['working_folder']}")
    is_in_time = False
    waited: dict[str, float | None] = dict.fromkeys(waits)
    try:
        if group is not None:
            group.leave()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        is_in_time = watch(tree, request, started, wake_up)
        waited = {resource: since(resource, before) for resource, before in waits.items()}
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        survivors = tree.end(0.0 if is_in_time else request["grace_seconds"])
    tree.sample()
    trim(LOG)
    return Result(
        exit_status=tree.status,
        start_error="",
        is_timed_out=not is_in_time,
        wall_seconds=max(tree.ended - started, 0.0),
        cpu_seconds=usage.cpu_seconds,
        cpu_wait_seconds=waited["cpu"],
        io_wait_seconds=waited["io"],
        peak_rss_mib=usage.peak_kib / 1024,
        survivors=survivors,
        memory_method=usage.memory_method,
        cpu_method=usage.cpu_method,
    )


def unstarted(reason: str) -> Result:
    """Return the result of a command that could not be started."""
    return Result(
        exit_status=None,
        start_error=reason,
        is_timed_out=False,
        wall_seconds=0.0,
        cpu_seconds=0.0,
        cpu_wait_seconds=None,
        io_wait_seconds=None,
        peak_rss_mib=0.0,
        survivors=0,
        memory_method="",
        cpu_method="",
    )


def main() -> None:
    """Read the request, run it, write the result."""
    close_to_others()
    request: Request = json.load(sys.stdin)
    os.write(RESULT, json.dumps(run(request)).encode())
