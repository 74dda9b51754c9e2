"""git as an edge: arguments in, bytes out, never through a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import ToolError

_SECONDS = 60.0
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What git said: its exit status (0 is well), its output, and the last line of its complaint."""

    status: int
    output: bytes
    complaint: str = ""

    @property
    def line(self) -> str:
        """The output as one line of text."""
        return self.output.decode("utf-8", errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Git:
    """git in a folder. Nothing that a repository replaces or pages is in its answers."""

    folder: Path

    def ask(self, *arguments: str) -> Answer:
        """Run git to its end. Raises ToolError if there is no git, or it does not come to an end."""
        try:
            done = subprocess.run(  # noqa: S603 -- a list of arguments, no shell
                self._command(arguments), capture_output=True, check=False, timeout=_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _broken(error) from error
        complaint = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        return Answer(done.returncode, done.stdout, complaint[-1] if complaint else "")

    @contextmanager
    def stream(self, *arguments: str) -> Iterator[Iterator[bytes]]:
        """Give git's output block by block, so that none of it need be held. Raises ToolError."""
        try:
            process = subprocess.Popen(  # noqa: S603 -- as above
                self._command(arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise _broken(error) from error
        with process:
            if process.stdout is None:
                raise ToolError("git gives no output", "install git again")
            with ExitStack() as unfinished:
                unfinished.callback(process.kill)  # git need not go on for a reader that gave up
                yield iter(lambda: process.stdout.read(_BLOCK_BYTES) if process.stdout else b"", b"")
                unfinished.pop_all()
        if process.returncode:
            raise ToolError(
                f"git {arguments[0]} ended with status {process.returncode}",
                "the repository may be damaged or incomplete: 'git fsck' tells",
            )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        options = ["--no-replace-objects", "--literal-pathspecs", "--no-pager"]
        return ["git", "-C", str(self.folder), *options, *arguments]


def _broken(error: Exception) -> ToolError:
    return ToolError(f"git cannot be run ({error})", "install git, and run sbir-gate in the repository")
