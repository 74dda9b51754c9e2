"""One tree of errors: each has an exit status and a hint with the fix."""

from __future__ import annotations

import errno
import os
from enum import IntEnum

_FAILING_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


class ExitStatus(IntEnum):
    """What the process says to its caller; "slower" and "crashed" are never the same status."""

    OK = 0
    GATE_FAILED = 1
    WRONG_INPUT = 2
    BROKEN = 3
    INCONCLUSIVE = 4


class SbirGateError(Exception):
    """Base of all errors that are shown to the user as one line and a hint.

    `problem` is what is wrong; `path`, `line`, `column` and `value` say where, if that is known; `hint` is
    the fix.
    """

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        path: object = "",
        line: int | None = None,
        column: str = "",
        value: object = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.path = str(path)
        self.line = line
        self.column = column
        self.value = value

    @property
    def message(self) -> str:
        """The one text of the error: file, line, column, what is wrong, and the value."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        column = f"column {self.column}" if self.column else ""
        value = "" if self.value is None else f" ({self.value!r})"
        return ": ".join(filter(None, (place, column, f"{self.problem}{value}")))

    def __str__(self) -> str:
        """Return the message."""
        return self.message

    @property
    def exit_status(self) -> ExitStatus:
        """What the process ends with."""
        return ExitStatus.BROKEN


class UsageError(SbirGateError):
    """The command line asks for something that cannot be done."""

    exit_status = ExitStatus.WRONG_INPUT


class ConfigurationError(SbirGateError):
    """One or more configuration values are wrong; `problems` are all of them, `message` has one a line.

    `origins` is where each of them is set (`gate.yaml:4`), as far as that is known, in the same order.
    """

    exit_status = ExitStatus.WRONG_INPUT

    def __init__(
        self,
        message: str,
        hint: str = "",
        origins: tuple[str, ...] = (),
        problems: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, hint)
        self.origins = origins
        self.problems = problems or (message,)


class InputError(SbirGateError):
    """A data file is missing, empty, unreadable, or not laid out as expected."""

    exit_status = ExitStatus.WRONG_INPUT


class DocumentError(SbirGateError):
    """A saved document (Run, baseline, verdict) is unreadable, damaged, or newer than this program."""

    exit_status = ExitStatus.WRONG_INPUT


class OutputError(SbirGateError):
    """A result cannot be written: no permission, no such folder, no room."""

    @property
    def exit_status(self) -> ExitStatus:
        """Wrong input for a wrong path; broken where what it was raised from is a full or failing disk."""
        cause = self.__cause__
        if isinstance(cause, OSError):
            is_failing = cause.errno in _FAILING_DISK
        else:  # DuckDB has only the text of the system's error
            is_failing = any(os.strerror(number) in str(cause) for number in _FAILING_DISK)
        return ExitStatus.BROKEN if is_failing else ExitStatus.WRONG_INPUT


class NoRoomError(OutputError):
    """A result would not fit on the disk: nothing was written."""

    exit_status = ExitStatus.BROKEN


class EnricherError(SbirGateError):
    """The enricher under test crashed, hung, or wrote nothing that can be read.

    `log_tail` are the last lines of its messages, without control characters.
    """

    exit_status = ExitStatus.BROKEN

    def __init__(self, message: str, hint: str = "", log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.log_tail = log_tail


class TamperingError(EnricherError):
    """The enricher under test changed what it is measured on, or judged by."""


class TamperedProgramError(TamperingError):
    """The enricher under test changed the code of the gate: no process of it may be started any more."""


class ToolError(SbirGateError):
    """sbir-gate itself, or something it needs from the machine, broke."""

    exit_status = ExitStatus.BROKEN


class PublishError(SbirGateError):
    """A verdict cannot be published: a permission is missing, or GitHub or Slack do not take it."""

    exit_status = ExitStatus.BROKEN
