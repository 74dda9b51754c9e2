"""One tree of errors: each has an exit status and a hint with the fix."""

from __future__ import annotations

import errno
import os
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

_FAILING_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


class ExitStatus(IntEnum):
    """What the process says to its caller; "slower" and "crashed" are never the same status."""

    OK = 0
    GATE_FAILED = 1
    WRONG_INPUT = 2
    BROKEN = 3
    INCONCLUSIVE = 4


E = TypeVar("E", bound="SbirGateError")


class SbirGateError(Exception):
    """Base of all errors that are shown to the user as one line and a hint.

    `problem` is what is wrong; `path`, `line`, `column` and `value` say where, if that is known; `hint` is
    the fix. `context` says during which part of a run it came up, such as "the base".
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
        self.context = ""

    @property
    def message(self) -> str:
        """The one text of the error: context, file, line, column, what is wrong, and the value."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        column = f"column {self.column}" if self.column else ""
        value = "" if self.value is None else f" ({self.value!r})"
        return ": ".join(filter(None, (self.context, place, column, f"{self.problem}{value}")))

    @property
    def facts(self) -> dict[str, str | int | tuple[str, ...]]:
        """What is known of the error, by name, for documents and for other programs."""
        value = "" if self.value is None else str(self.value)
        known: dict[str, str | int | tuple[str, ...] | None] = {
            "text": self.message,
            "problem": self.problem,
            "context": self.context,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "value": value,
            "hint": self.hint,
            "exit_status": int(self.exit_status),
        }
        return {name: fact for name, fact in known.items() if fact not in {None, ""}}

    def seen_from(self, folder: Path) -> None:
        """Make the path relative to a folder, if it is in it."""
        if Path(self.path).is_relative_to(folder):
            self.path = str(Path(self.path).relative_to(folder))

    def within(self, context: str, kind: type[E], hint: str = "") -> E:
        """Return an error of this kind with the same facts and the context."""
        error = kind(self.problem)
        vars(error).update(vars(self), hint=hint or self.hint)
        error.context = ": ".join(filter(None, (context, self.context)))
        return error

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

    Of a program that ended, `command` is its command line and `status` its exit status (negative: a signal).
    `log_tail` are the last lines of its messages, without control characters, `log` is the file with all.
    """

    exit_status = ExitStatus.BROKEN

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        path: object = "",
        line: int | None = None,
        column: str = "",
        value: object = None,
        command: str = "",
        status: int | None = None,
        log_tail: tuple[str, ...] = (),
        log: str = "",
    ) -> None:
        super().__init__(problem, hint, path=path, line=line, column=column, value=value)
        self.command = command
        self.status = status
        self.log_tail = log_tail
        self.log = log

    @property
    def message(self) -> str:
        """The text of the error, with the last line that the program printed."""
        return ": ".join((super().message, *(line.strip() for line in self.log_tail[-1:])))

    @property
    def facts(self) -> dict[str, str | int | tuple[str, ...]]:
        """What is known of the error and of the program."""
        known = {"command": self.command, "status": self.status, "log": self.log_tail, "log_file": self.log}
        return super().facts | {name: fact for name, fact in known.items() if fact not in {None, "", ()}}

    def seen_from(self, folder: Path) -> None:
        """Make the path, and those in the program's messages, relative to a folder."""
        super().seen_from(folder)
        self.log_tail = tuple(line.replace(f"{folder}{os.sep}", "") for line in self.log_tail)


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
