"""One run of a command in a fresh process, started and watched by the small launcher."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import EnricherError, ToolError
from sbir_gate.measuring import launcher

GRACE_SECONDS = 2.0
# how long past its own limits the launcher may take before it counts as broken
SLACK_SECONDS = 30.0
TAIL_LINES = 12
TAIL_CHARACTERS = 2000
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """A command, its whole environment, where it runs, and when it is killed."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    working_folder: Path
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a command ended. `exit_status` is negative for a signal; `log_tail` is the end of its messages.

    `cpu_wait_seconds` is how long some task of the machine waited for a processor meanwhile. `memory_method`
    and `cpu_method` say how memory and processor time were measured.
    """

    exit_status: int
    is_timed_out: bool
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float
    log_tail: str = ""
    cpu_wait_seconds: float | None = None
    memory_method: str = ""
    cpu_method: str = ""


class EnricherCrash(EnricherError):  # noqa: N818 -- it crashed; "error" is what it caused
    """The enricher ended with a status other than 0, which `exit_code` keeps (negative: a signal)."""

    def __init__(self, message: str, hint: str, exit_code: int, stderr_tail: str) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail


def run_process(request: ProcessRequest) -> ProcessResult:
    """Run a command to its end through the launcher; nothing of its process tree stays behind.

    Raises EnricherError if the command cannot be started, ToolError if the launcher breaks.
    """
    with tempfile.TemporaryDirectory(prefix="sbir-gate-process-") as name:
        folder = Path(name)
        log, result_path = folder / "log", folder / "result.json"
        body = launcher.Request(
            command=list(request.arguments),
            working_folder=str(request.working_folder.resolve()),
            log=str(log),
            result=str(result_path),
            timeout_seconds=request.timeout_seconds,
            grace_seconds=GRACE_SECONDS,
        )
        request_path = folder / "request.json"
        request_path.write_text(json.dumps(body), encoding="utf-8")
        messages = _launch(request_path, request)
        result = _read_result(result_path, messages)
        if result["start_error"]:
            raise EnricherError(
                f"the enricher cannot be started: {result['start_error']}",
                "check the first word of enricher.command, and that it is on the PATH",
            )
        if result["survivors"]:
            raise EnricherError(
                f"the enricher left {result['survivors']} processes that could not be ended",
                "end them by hand; the enricher must not start processes that escape it",
            )
        return ProcessResult(
            exit_status=result["exit_status"] or 0,
            is_timed_out=result["is_timed_out"],
            wall_seconds=result["wall_seconds"],
            cpu_seconds=result["cpu_seconds"],
            peak_rss_mib=result["peak_rss_mib"],
            log_tail=_tail(log),
            cpu_wait_seconds=result["cpu_wait_seconds"],
        )


def raise_on_failure(result: ProcessResult, timeout_seconds: float) -> None:
    """Raise EnricherError for a time-out, EnricherCrash for any exit status but 0."""
    said = f": {result.log_tail}" if result.log_tail else " and said nothing"
    if result.is_timed_out:
        raise EnricherError(
            f"the enricher timed out after {timeout_seconds:g} s{said}",
            "make it faster, or raise enrichment.performance.timeout_seconds",
        )
    if result.exit_status != 0:
        raise EnricherCrash(
            f"the enricher ended with {_in_words(result.exit_status)}{said}",
            "run the enricher's command by itself to see the whole of its messages",
            result.exit_status,
            result.log_tail,
        )


def _launch(request_path: Path, request: ProcessRequest) -> str:
    command = [sys.executable, "-I", "-S", str(Path(launcher.__file__).resolve()), str(request_path)]
    limit_seconds = request.timeout_seconds + GRACE_SECONDS + launcher.KILL_SECONDS + SLACK_SECONDS
    with subprocess.Popen(  # noqa: S603 -- our own launcher; the command that it starts is configuration
        command,
        env=dict(request.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as parent:
        try:
            _, messages = parent.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired as error:
            parent.kill()
            raise ToolError(
                f"the launcher did not answer within {limit_seconds:g} s",
                "run again; if it stays, the machine is overloaded",
            ) from error
        finally:
            if parent.poll() is None:
                # interrupted: let the launcher end the enricher's tree before we leave
                parent.terminate()
                parent.wait()
    return messages.decode("utf-8", "replace")


def _read_result(path: Path, messages: str) -> launcher.Result:
    try:
        result: launcher.Result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ToolError(
            f"the launcher gave no result: {plain_tail(messages) or error}",
            "it needs a POSIX system and a writable temporary folder (TMPDIR)",
        ) from error
    return result


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - launcher.LOG_TAIL_BYTES))
        return plain_tail(file.read().decode("utf-8", "replace"))


def plain_tail(text: str) -> str:
    """Return the last lines of a program's messages in one line, without control characters."""
    lines = [_CONTROL.sub("", line).strip() for line in text.splitlines()]
    return " | ".join([line for line in lines if line][-TAIL_LINES:])[-TAIL_CHARACTERS:]


def _in_words(exit_status: int) -> str:
    if exit_status >= 0:
        return f"exit status {exit_status}"
    try:
        return f"signal {signal.Signals(-exit_status).name}"
    except ValueError:
        return f"signal {-exit_status}"
