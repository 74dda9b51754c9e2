"""The rows that could not be read: counted, shown, written to a file, and limited; with those left out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from sbir_gate.errors import InputError, OutputError
from sbir_gate.files import create_file, error_reason
from sbir_gate.model.records import Reject

KEPT_IN_MEMORY = 100
MAX_VALUE_CHARACTERS = 200
COLUMNS = ("file", "line", "column", "value", "reason")


class RejectLog:
    """Counts rejects, keeps the first ones, and streams all of them to a CSV file when given a path.

    Use it as a context manager, so that the file is closed. Raises OutputError when the file
    cannot be written. Its columns are file, line, column, value, reason.
    """

    def __init__(self, path: Path | None = None, kept: int = KEPT_IN_MEMORY) -> None:
        self.count = 0
        self.first: list[Reject] = []
        self._kept = kept
        self._path = path
        self._stream: TextIO | None = None
        if path is not None:
            with self._writing():
                self._stream = TextIOWrapper(create_file(path), encoding="utf-8", newline="")
            self._write(COLUMNS)

    def add(self, reject: Reject) -> None:
        """Take one reject; its value is cut to 200 characters."""
        self.count += 1
        value = reject.value[:MAX_VALUE_CHARACTERS]
        if len(self.first) < self._kept:
            self.first.append(Reject(reject.file, reject.line, reject.column, value, reject.reason))
        self._write((reject.file, reject.line, reject.column, value, reject.reason))

    def leave_out(self, row: Reject) -> None:
        """List a row that was read and is left out: it is in the file, and no reject."""
        self._write((row.file, row.line, row.column, row.value[:MAX_VALUE_CHARACTERS], row.reason))

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            with self._writing():
                self._stream.close()
            self._stream = None

    def __enter__(self) -> RejectLog:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _write(self, row: tuple[str | int, ...]) -> None:
        if self._stream is not None:
            with self._writing():
                csv.writer(self._stream, lineterminator="\n").writerow(row)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hint = "give --rejects a file in a folder that exists, that you may write to, and that has room"
            problem = f"cannot write the rejects ({error_reason(error)})"
            raise OutputError(problem, hint, path=self._path) from error


class RejectTally:
    """The rejects of one source: how many, and the first; each is passed on to the log.

    `hint` is the fix, where the reader knows a better one than that of each row.
    """

    def __init__(self, log: RejectLog) -> None:
        self.count = 0
        self.first: Reject | None = None
        self.hint = ""
        self._log = log

    def add_all(self, rejects: Iterable[Reject], left_out: Iterable[Reject] = ()) -> None:
        """Take rejects, and rows that are left out, each in source order."""
        for row in left_out:
            self._log.leave_out(row)
        for reject in rejects:
            self.count += 1
            self.first = self.first or reject
            self._log.add(reject)

    def check(self, rows: int, max_reject_percent: float) -> None:
        """Raise InputError when more than `max_reject_percent` of all rows are rejects; `rows` were read."""
        share = share_percent(self.count, rows + self.count)
        if share <= max_reject_percent:
            return
        problem = f"{self.count:,} of {rows + self.count:,} rows ({share:.1f}%) could not be read"
        hint = "fix the rows (--rejects FILE lists them all), or raise reading.max_reject_percent"
        raise self._error(f"{problem}, at most {max_reject_percent:g}%", self.hint or hint)

    def nothing_read(self, source: str, what: str) -> InputError:
        """Return the error for a source in which no row could be read."""
        if self.first is None:
            hint = "give a file with at least one row"
            return InputError(f"holds no {what}, only a header", hint, path=source)
        problem = f"none of {self.count:,} {what} could be read"
        return self._error(problem, self.hint or "fix the rows, or rewrite the file as CSV")

    def _error(self, problem: str, hint: str) -> InputError:
        """Return an error at the place of the first reject."""
        if self.first is None:
            return InputError(problem, hint)
        return InputError(
            f"{problem}; the first: {self.first.reason}",
            hint,
            path=self.first.file,
            line=self.first.line,
            column=self.first.column,
            value=self.first.value,
        )


def share_percent(part: int, whole: int) -> float:
    """Return `part` of `whole` in percent; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0
