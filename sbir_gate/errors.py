"""One tree of errors: each has an exit status and a hint with the fix."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypedDict, Unpack

from sbir_gate.wrong_input import shortened, shown

_FAILING_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


class ExitStatus(IntEnum):
    """What the process says to its caller; "slower" and "crashed" are never the same status."""

    OK = 0
    GATE_FAILED = 1
    WRONG_INPUT = 2
    BROKEN = 3
    INCONCLUSIVE = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and where: file, line (or row of a table), column or key, the value found there; a fix.

    Every message with a place is made from these fields here, never the other way round.
    """

    problem: str
    path: str = ""
    line: int | None = None
    row: int | None = None
    column: str = ""
    value: object = None
    hint: str = ""

    def __str__(self) -> str:
        """Return the fault as one line."""
        return "; ".join(filter(None, (self.text, self.hint)))

    @property
    def text(self) -> str:
        """The line without the fix."""
        return ": ".join(filter(None, (self.place, self.detail)))

    @property
    def place(self) -> str:
        """The file and the line or row in it; empty if unknown."""
        path = self.path if self.line is None else f"{self.path}:{self.line}"
        return ": ".join(filter(None, (path, "" if self.row is None else f"row {self.row:,}")))

    @property
    def detail(self) -> str:
        """The line without its place: the column, what is wrong, and the value."""
        column = shortened(self.column if self.column.isprintable() else repr(self.column))
        problem = self.problem if self.value is None else f"{self.problem} ({shown(self.value)})"
        return ": ".join(filter(None, (column, problem)))


class Place(TypedDict, total=False):
    """The fields of a fault that say where it is, all optional."""

    path: object
    line: int | None
    row: int | None
    column: str
    value: object


class SbirGateError(Exception):
    """Base of all errors that are shown to the user: a line for each fault, and a hint with the fix."""

    def __init__(self, problem: str, hint: str = "", **place: Unpack[Place]) -> None:
        super().__init__(problem)
        self.hint = hint
        fault = Fault(
            problem,
            str(place.get("path", "")),
            place.get("line"),
            place.get("row"),
            place.get("column", ""),
            place.get("value"),
        )
        self.faults: tuple[Fault, ...] = (fault,)

    @property
    def fault(self) -> Fault:
        """The first fault."""
        return self.faults[0]

    @property
    def message(self) -> str:
        """The text of the error: one line for each fault."""
        return "\n".join(map(str, self.faults))

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
    """One or more configuration values are wrong; `faults` are all of them."""

    exit_status = ExitStatus.WRONG_INPUT

    def __init__(
        self, problem: str, hint: str = "", faults: Sequence[Fault] = (), **place: Unpack[Place]
    ) -> None:
        super().__init__(problem, hint, **place)
        self.faults = tuple(faults) or self.faults


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

    def __init__(
        self, problem: str, hint: str = "", log_tail: tuple[str, ...] = (), **place: Unpack[Place]
    ) -> None:
        super().__init__(problem, hint, **place)
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
