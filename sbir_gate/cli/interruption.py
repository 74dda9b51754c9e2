"""Ctrl-C and SIGTERM: both end the program in good order, with everything temporary removed."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)


class Interruption:
    """Records that the program received a stop signal.

    The signal raises KeyboardInterrupt, but DuckDB, interrupted in a query, raises its own error instead.
    """

    def __init__(self) -> None:
        self._number = 0

    def watch(self) -> None:
        """Take the signals over, except where whoever started the program has them ignored (nohup)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in _UNTOUCHED:
                signal.signal(number, self._stop)

    @property
    def has_come(self) -> bool:
        """Say whether a signal has come."""
        return self._number > 0

    @property
    def exit_status(self) -> int:
        """Return what a shell reports for the signal: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self._number

    def _stop(self, number: int, _frame: FrameType | None) -> NoReturn:
        self._number = number
        raise KeyboardInterrupt
