"""Progress on standard error: one updating line on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType

from sbir_gate.cli.printing import harmless, put

_EVERY_SECONDS_TERMINAL = 0.1
_EVERY_SECONDS_LOG = 5.0
_LINE = 78
_BAR = 20

put_on_standard_error = partial(put, is_error=True)


def mebibytes(count: float) -> str:
    """Return a number of bytes as MiB."""
    return f"{count / 2**20:,.1f} MiB"


def _records(count: float) -> str:
    return f"{count:,.0f}"


class Ticker:
    """Shows a stage, its number of records, its rate and, if the share is known, a bar.

    If `is_terminal` is None, standard error decides. With `keeps_first` the first line stays on a terminal.
    """

    def __init__(
        self,
        *,
        is_quiet: bool,
        is_terminal: bool | None = None,
        keeps_first: bool = False,
        write: Callable[[str], None] = put_on_standard_error,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_quiet = is_quiet
        self._keeps_next = keeps_first
        self._is_terminal = sys.stderr.isatty() if is_terminal is None else is_terminal
        self._write = write
        self._clock = clock
        self._started = self._shown = clock()
        self._stage = ""
        self._first_records = 0
        self._first_share = 0.0

    def __enter__(self) -> Ticker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal and not self._is_quiet:
            self._write("\r" + " " * _LINE + "\r")

    def say(self, words: str) -> None:
        """Show the current step."""
        show = self.note if self._keeps_next else self._show
        self._keeps_next = False
        show(words)

    def note(self, words: str) -> None:
        """Print a line that stays, also on a terminal."""
        if self._is_terminal and not self._is_quiet:
            self._write("\r" + " " * _LINE + f"\r{harmless(words)}\n")
        else:
            self._show(words)

    def count(
        self,
        stage: str,
        records: int,
        share: float | None = None,
        remark: str = "",
        seconds_left: float | None = None,
        amount: Callable[[float], str] = _records,
    ) -> None:
        """Show the progress of a stage, as `share` of 0..1 if known; calls are throttled.

        `seconds_left` are those until everything is done; without them those of the stage are estimated.
        `amount` formats a number of records. Records done before the stage began, such as the bytes of a
        resumed download, do not count towards the rate.
        """
        now = self._clock()
        if stage != self._stage:
            self._stage, self._started = stage, now
            self._first_records, self._first_share = records, share or 0.0
        elif now - self._shown < (_EVERY_SECONDS_TERMINAL if self._is_terminal else _EVERY_SECONDS_LOG):
            return
        seconds = now - self._started
        new = records - self._first_records
        facts = [amount(records)] if records else []
        if new > 0 and seconds > 1:
            facts.append(f"{amount(new / seconds)}/s")
            if seconds_left is None and share and self._first_share < share < 1:
                seconds_left = seconds * (1 - share) / (share - self._first_share)
        if seconds_left is not None:
            facts.append(f"{seconds_left:,.0f} s left")
        if remark:
            facts.append(remark)
        self._show(": ".join([self._headed(stage, share), *([", ".join(facts)] if facts else [])]))

    def _headed(self, stage: str, share: float | None) -> str:
        """Return the stage with a bar on a terminal, with only percent elsewhere."""
        if share is None:
            return stage
        percent = f"{100 * share:3.0f}%"
        if not self._is_terminal:
            return f"{stage} {percent.strip()}"
        filled = round(_BAR * share)
        return f"{stage} [{'#' * filled}{'-' * (_BAR - filled)}] {percent}"

    def _show(self, words: str) -> None:
        self._shown = self._clock()
        words = harmless(words)
        if self._is_quiet:
            return
        if self._is_terminal:
            self._write("\r" + words[:_LINE].ljust(_LINE))
        else:
            self._write(f"{time.strftime('%H:%M:%S')} {words}\n")
