"""One run of a command in a fresh process, started and watched by the small launcher."""

from __future__ import annotations

import fcntl
import json
import marshal
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import BinaryIO, cast

from sbir_gate.errors import EnricherError, EnricherLimitError, ToolError
from sbir_gate.files import write_durably
from sbir_gate.gate.measuring import launcher, usage

# Isolated and without site-packages: what the launcher imports is the standard library. Its own code comes
# from this process, ahead of the request: no engine can have put it there, and it is compiled only once.
LAUNCH = """\
import marshal, sys, types
for name, code in marshal.load(sys.stdin.buffer):
    module = sys.modules[name] = types.ModuleType(name)
    exec(code, module.__dict__)
module.main()
"""
GRACE_SECONDS = 2.0
# how long past its own limits the launcher may take before it counts as broken
SLACK_SECONDS = 30.0
_SPARE_SECONDS = GRACE_SECONDS + launcher.KILL_SECONDS + SLACK_SECONDS
TAIL_LINES = 15
TAIL_CHARACTERS = 2000
# a result is a few hundred bytes, and no larger than what any pipe takes at once
RESULT_BYTES = 4096
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """A command, its whole environment, where it runs, and when it is killed.

    It may take `timeout_seconds` in all; if it writes the file `progress`, without writing it again.
    `log` is the file that keeps the end of the command's messages, if it has any; None keeps nothing. `name`
    is what errors call it.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    working_folder: Path
    timeout_seconds: float
    log: Path | None = None
    name: str = "the enricher"
    progress: Path | None = None

    @property
    def reports_progress(self) -> bool:
        """Say whether the command has written the file."""
        return self.progress is not None and os.path.lexists(self.progress)


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a command ended; `exit_status` is negative for a signal.

    `log_tail` are the last lines of its messages.
    `cpu_wait_seconds` is how long some task of the machine waited for a processor meanwhile,
    `io_wait_seconds` for a disk. `log` is the file that has the messages in full; empty where none was kept.
    `memory_method` and `cpu_method` say how memory and processor time were measured.
    """

    exit_status: int
    is_timed_out: bool
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float
    log_tail: tuple[str, ...] = ()
    cpu_wait_seconds: float | None = None
    memory_method: str = ""
    cpu_method: str = ""
    log: str = ""
    io_wait_seconds: float | None = None


def run_process(request: ProcessRequest) -> ProcessResult:
    """Run a command to its end through the launcher; nothing of its process tree stays behind.

    Raises EnricherError if the command cannot be started, or if the launcher is killed meanwhile, ToolError
    if the launcher breaks.
    """
    # the log has no name while the command runs: nothing can be put in its place
    with tempfile.TemporaryFile(prefix="sbir-gate-log-") as log:
        fcntl.fcntl(log, fcntl.F_SETFL, fcntl.fcntl(log, fcntl.F_GETFL) | os.O_APPEND)
        try:
            with _shielded():
                status, answer = _launch(request, log)
        finally:
            content = _end_of(log)
            kept = _keep(content, request.log)
        messages = plain_tail(content.decode("utf-8", "replace"))
        result = _result(status, answer, messages, kept)
    if result["start_error"]:
        raise EnricherError(
            f"{request.name} cannot be started: {result['start_error']}",
            "make the first word of its command a program on the PATH, or the path to an executable",
            command=shlex.join(request.arguments),
        )
    if result["survivors"]:
        raise EnricherError(
            f"{request.name} left {result['survivors']} processes that could not be ended",
            "end them by hand; the enricher must not start processes that escape it",
            command=shlex.join(request.arguments),
        )
    return ProcessResult(
        exit_status=result["exit_status"] or 0,
        is_timed_out=result["is_timed_out"],
        wall_seconds=result["wall_seconds"],
        cpu_seconds=result["cpu_seconds"],
        peak_rss_mib=result["peak_rss_mib"],
        log_tail=messages,
        cpu_wait_seconds=result["cpu_wait_seconds"],
        io_wait_seconds=result["io_wait_seconds"],
        memory_method=result["memory_method"],
        cpu_method=result["cpu_method"],
        log=kept,
    )


def raise_on_failure(request: ProcessRequest, result: ProcessResult) -> None:
    """Raise EnricherError for a time-out, and for any exit status but 0, which it keeps.

    Paths in its folder are relative to it, also in the program's messages.
    """
    kind = EnricherLimitError if result.is_timed_out else EnricherError
    if result.is_timed_out:
        late = "reported no progress for" if request.reports_progress else "timed out after"
        problem = f"{request.name} {late} {request.timeout_seconds:g} s"
        hint = f"make it faster, or raise enrichment.performance.timeout_seconds{_and_log(result.log)}"
    elif result.exit_status != 0:
        problem = f"{request.name} ended with {_end_text(result.exit_status)}"
        hint = _log_hint(result.log) or "run its command by itself to see the whole of its messages"
    else:
        return
    error = kind(
        problem if result.log_tail else f"{problem} and printed nothing",
        hint,
        command=shlex.join(request.arguments),
        status=result.exit_status,
        log_tail=result.log_tail,
        log=result.log,
    )
    error.seen_from(request.working_folder)
    raise error


def _log_hint(log: str) -> str:
    return f"{log} has all its messages" if log else ""


def _and_log(log: str) -> str:
    return f"; {_log_hint(log)}" if log else ""


@contextmanager
def _shielded() -> Iterator[None]:
    """Let no command look into this process while it runs, nor leave a process behind that escapes it.

    A command that kills its launcher makes orphans: they become children of this process, and are ended.
    """
    own = frozenset(usage.children(os.getpid()))
    dumpable = launcher.prctl(launcher.PR_GET_DUMPABLE)
    launcher.prctl(launcher.PR_SET_CHILD_SUBREAPER, 1)
    launcher.close_to_others()
    try:
        yield
    finally:
        _end_orphans(own)
        launcher.prctl(launcher.PR_SET_CHILD_SUBREAPER, 0)
        if dumpable == 1:
            launcher.prctl(launcher.PR_SET_DUMPABLE, 1)


def _end_orphans(own: frozenset[int]) -> None:
    """End the children of this process that another one made: they are of another session, and none of `own`.

    The launcher made a session for the command, and no process can enter one that is there.
    """
    session = os.getsid(0)
    deadline = time.monotonic() + launcher.KILL_SECONDS
    while time.monotonic() < deadline:
        children = [pid for pid in usage.children(os.getpid()) if pid not in own]
        orphans = [pid for pid in children if _session_of(pid) not in {None, session}]
        if not orphans:
            return
        for pid in orphans:
            launcher.send(os.kill, pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.002)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _launch(request: ProcessRequest, log: BinaryIO) -> tuple[int, bytes]:
    """Return the launcher's exit status, and what it wrote."""
    body = launcher.Request(
        command=list(request.arguments),
        working_folder=str(request.working_folder.resolve()),
        timeout_seconds=request.timeout_seconds,
        progress=str(request.progress or ""),
        grace_seconds=GRACE_SECONDS,
    )
    with subprocess.Popen(  # noqa: S603 -- our own launcher; the command that it starts is configuration
        [sys.executable, "-I", "-S", "-c", LAUNCH],
        env=dict(request.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        process_group=0,  # whoever kills the whole group of this process leaves one that ends the tree
    ) as parent:
        try:
            return _exchange(parent, body)
        except subprocess.TimeoutExpired as error:
            parent.kill()
            raise ToolError(
                f"the launcher did not answer within {_SPARE_SECONDS:g} s after the time of its command",
                "run again; if it stays, the machine is overloaded",
            ) from error
        finally:
            if parent.poll() is None:
                # interrupted: let the launcher end the enricher's tree before we leave
                parent.terminate()
                parent.wait()


def launcher_input(request: launcher.Request) -> bytes:
    """Return what a process that runs LAUNCH reads: the launcher's modules, then the request."""
    return _CODE + json.dumps(request).encode()


def _code_of(module: ModuleType) -> CodeType | None:
    """Return the code of a module, read as Python read it to load the module."""
    loader = module.__loader__
    return loader.get_code(module.__name__) if isinstance(loader, InspectLoader) else None


_CODE = marshal.dumps([(module.__name__, _code_of(module)) for module in (usage, launcher)])


def _exchange(parent: subprocess.Popen[bytes], request: launcher.Request) -> tuple[int, bytes]:
    """Hand the request over, wait for the end, and return exit status and answer."""
    started = time.perf_counter()
    reader, writer = cast("BinaryIO", parent.stdout), cast("BinaryIO", parent.stdin)
    with suppress(BrokenPipeError), writer:  # it died at once: its status says so
        writer.write(launcher_input(request))
    poller = select.poll()
    poller.register(reader, select.POLLIN)
    while (left := launcher.seconds_left(request, started) + _SPARE_SECONDS) > 0:
        if poller.poll(1000 * left):
            break
    status = parent.wait(max(left, 0.0))
    os.set_blocking(reader.fileno(), False)
    try:
        return status, os.read(reader.fileno(), RESULT_BYTES)
    except BlockingIOError:
        return status, b""


def _result(status: int, answer: bytes, messages: tuple[str, ...], log: str) -> launcher.Result:
    """Return the launcher's result, which counts only where it ended well and wrote nothing else."""
    number = -status if status < 0 else status - 128
    if number > 0:
        raise EnricherError(
            f"the enricher's launcher was ended by {_end_text(-number)}, so its measurement does not count",
            "the enricher must not signal processes that it did not start; the kernel does so where memory"
            f" runs out{_and_log(log)}",
        )
    try:
        result: launcher.Result = json.loads(answer)
        is_whole = result.keys() == launcher.Result.__annotations__.keys()
    except (ValueError, AttributeError):
        is_whole = False
    if status or not is_whole:
        raise ToolError(
            f"the launcher gave no result (exit status {status}): {messages or 'it said nothing'}",
            "it needs a POSIX system and a writable temporary folder (TMPDIR)",
        )
    return result


def _end_of(log: BinaryIO) -> bytes:
    size = os.fstat(log.fileno()).st_size
    return os.pread(log.fileno(), launcher.LOG_TAIL_BYTES, max(0, size - launcher.LOG_TAIL_BYTES))


def _keep(content: bytes, path: Path | None) -> str:
    """Write the log to its file and return the path; nothing where there is no message, or no room."""
    if path is None or not content:
        return ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)
    except OSError:  # a verdict matters more than its log
        return ""
    return str(path)


def plain_tail(text: str) -> tuple[str, ...]:
    """Return the last lines of a program's messages, without control characters and empty lines."""
    lines = [_CONTROL.sub("", line).rstrip() for line in text.splitlines()]
    tail = "\n".join([line for line in lines if line][-TAIL_LINES:])[-TAIL_CHARACTERS:]
    return tuple(tail.split("\n")) if tail else ()


def _end_text(exit_status: int) -> str:
    if exit_status >= 0:
        return f"exit status {exit_status}"
    try:
        return f"signal {signal.Signals(-exit_status).name}"
    except ValueError:
        return f"signal {-exit_status}"
