"""`sbir-gate` on a terminal: a pseudo-terminal on which a test reads questions and types answers."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CTRL_C, CTRL_D = "\x03", "\x04"
_SECONDS = 60.0
_HOLD_SECONDS = 0.5


class Terminal:
    """A program on a terminal of its own. `shown` is all that it has printed so far."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.shown = ""
        command = [sys.executable, "-m", "sbir_gate", *arguments]
        self._process, self._end = pty.fork()
        if not self._process:  # the child: nothing but the program runs here
            os.chdir(folder)
            variables = {"TERM": "xterm", **environment}
            os.execve(command[0], command, variables)  # noqa: S606 -- the program under test

    def answer(self, question: str, answer: str) -> str:
        """Wait for a question, then type the answer; return what was shown since the last one."""
        before = len(self.shown)
        self._read_until(question)
        if answer == CTRL_C:
            time.sleep(_HOLD_SECONDS)  # Python misses a signal between the question and its wait for input
        typed = answer if answer in {CTRL_C, CTRL_D} else answer + "\n"
        os.write(self._end, typed.encode())
        return self.shown[before:]

    def end(self) -> int:
        """Read all that is left and return the exit status."""
        self._read_until(None)
        _, status = os.waitpid(self._process, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)

    def _read_until(self, text: str | None) -> None:
        start, deadline = len(self.shown), time.monotonic() + _SECONDS
        while text is None or text not in self.shown[start:]:
            ready, _, _ = select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} was not shown within {_SECONDS:.0f} s:\n{self.shown}"
            try:
                read = os.read(self._end, 65536)
            except OSError:  # Linux says so when the last process has closed its side
                read = b""
            if not read:
                assert text is None, f"ended before {text!r}:\n{self.shown}"
                return
            self.shown += read.decode(errors="replace")
