"""One tree of errors: each has an exit status and a hint with the fix."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import reduce
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack

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


def known(**facts: str | int | tuple[str, ...] | None) -> dict[str, str | int | tuple[str, ...]]:
    """Return the facts that are not empty."""
    return {name: fact for name, fact in facts.items() if fact is not None and fact != ""}


E = TypeVar("E", bound="SbirGateError")


class SbirGateError(Exception):
    """Base of all errors that are shown to the user: a line for each fault, and a hint with the fix.

    `context` says during which part of a run it came up, such as "the base".
    """

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
        self.context = ""

    @property
    def fault(self) -> Fault:
        """The first fault."""
        return self.faults[0]

    @property
    def message(self) -> str:
        """The text of the error: its context, and one line for each fault."""
        return ": ".join(filter(None, (self.context, "\n".join(map(str, self.faults)))))

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The text and the fix of each fault; of a single one the whole message."""
        if len(self.faults) == 1:
            return ((self.message, self.hint),)
        return tuple((str(self.facts_of(fault)["text"]), fault.hint or self.hint) for fault in self.faults)

    def facts_of(self, fault: Fault) -> dict[str, str | int | tuple[str, ...]]:
        """Return what is known of the error and of one fault, by name, for documents and other programs."""
        text = ": ".join(filter(None, (self.context, fault.text)))
        return {"text": text, "hint": fault.hint or self.hint} | known(
            problem=fault.problem,
            context=self.context,
            path=fault.path,
            line=fault.line,
            row=fault.row,
            column=fault.column,
            value=None if fault.value is None else str(fault.value),
            exit_status=int(self.exit_status),
        )

    def seen_from(self, folder: Path) -> None:
        """Make paths in a folder relative to it."""
        self.faults = tuple(
            replace(fault, path=str(Path(fault.path).relative_to(folder)))
            if fault.path and Path(fault.path).is_relative_to(folder)
            else fault
            for fault in self.faults
        )

    def within(self, context: str, kind: type[E], hint: str = "") -> E:
        """Return an error of this kind with the same facts and the context."""
        error = kind(self.fault.problem)
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

    @property
    def may_pass(self) -> bool:
        """Say whether the same may succeed at another attempt."""
        return self.exit_status is ExitStatus.BROKEN


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


class NoAwardsError(InputError):
    """No award is of the year that is asked for."""


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
        command: str = "",
        status: int | None = None,
        log_tail: tuple[str, ...] = (),
        log: str = "",
        **place: Unpack[Place],
    ) -> None:
        super().__init__(problem, hint, **place)
        self.command = command
        self.status = status
        self.log_tail = log_tail
        self.log = log

    @property
    def message(self) -> str:
        """The text of the error, with the reason that the program printed."""
        return ": ".join((super().message, *self._reason))

    @property
    def _reason(self) -> tuple[str, ...]:
        """Why the program ended: its last line, or an exception with all lines of its message."""
        lines = self.log_tail
        frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
        after = range(frames[-1] if frames else len(lines), len(lines))
        first = next((number for number in after if not lines[number].startswith(" ")), -1)
        return (" ".join(line.strip() for line in lines[first:]),) if lines else ()

    def facts_of(self, fault: Fault) -> dict[str, str | int | tuple[str, ...]]:
        """Return what is known of the error, the fault and the program."""
        log = self.log_tail or None
        program = known(command=self.command, status=self.status, log=log, log_file=self.log)
        found = super().facts_of(fault)
        return {**found, "text": ": ".join((str(found["text"]), *self._reason)), **program}

    def seen_from(self, folder: Path) -> None:
        """Make paths in a folder relative to it, those in the program's messages too."""
        super().seen_from(folder)
        self.log_tail = tuple(line.replace(f"{folder}{os.sep}", "") for line in self.log_tail)

    def name_files(self, names: Mapping[str, Path]) -> None:
        """Replace paths that the user never sees by their names, in the program's messages too."""

        def named(text: str) -> str:
            return reduce(lambda said, name: said.replace(str(names[name]), name), names, text)

        self.faults = tuple(replace(fault, problem=named(fault.problem)) for fault in self.faults)
        self.log_tail = tuple(map(named, self.log_tail))


class EnricherLimitError(EnricherError):
    """The enricher under test took longer than it may."""

    may_pass = False


class TamperingError(EnricherError):
    """The enricher under test changed what it is measured on, or judged by."""

    may_pass = False


class TamperedProgramError(TamperingError):
    """The enricher under test changed the code of the gate: no process of it may be started any more."""


class ToolError(SbirGateError):
    """sbir-gate itself, or something it needs from the machine, broke."""

    exit_status = ExitStatus.BROKEN


class LimitError(ToolError):
    """The time or the memory that the settings grant does not suffice."""

    may_pass = False


class PublishError(SbirGateError):
    """A verdict cannot be published: a permission is missing, or GitHub or Slack do not take it."""

    exit_status = ExitStatus.BROKEN
