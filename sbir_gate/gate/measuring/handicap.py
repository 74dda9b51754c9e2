"""Run a command with a handicap of time and memory: a file of its own, started by its path.

    python -I -S handicap.py SHARE MIB COMMAND [ARGUMENT ...]

Once the command has ended, this process grows to MIB of memory, and keeps one processor busy for SHARE of the
time that the command took. With 0 and 0 nothing is added but this process, so that both sides of a comparison
can have it. Standard library only: it should add next to nothing of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

PAGE_BYTES = 4096
MEBIBYTE = 2**20
_NOT_STARTED = 127  # as a shell says it


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status, negative for a signal."""
    share, mib, *command = arguments
    started = time.perf_counter()
    try:
        process = os.posix_spawnp(command[0], command, os.environ)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: cannot be started ({error.strerror})\n")
        return _NOT_STARTED
    _, status = os.waitpid(process, 0)
    ended = time.perf_counter()
    ballast = bytearray(max(int(float(mib) * MEBIBYTE) - _resident_bytes(), 0))
    ballast[::PAGE_BYTES] = b"\x01" * len(ballast[::PAGE_BYTES])  # memory counts once it is written to
    while time.perf_counter() < ended + float(share) * (ended - started):
        pass
    return os.waitstatus_to_exitcode(status)


def _resident_bytes() -> int:
    """Return what this process holds already; 0 where the kernel does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 -- pathlib adds to its memory
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    end = main(sys.argv[1:])
    if end < 0:
        with suppress(OSError):  # of SIGKILL and SIGSTOP nothing can be set
            signal.signal(-end, signal.SIG_DFL)
        os.kill(os.getpid(), -end)
    sys.exit(end)
