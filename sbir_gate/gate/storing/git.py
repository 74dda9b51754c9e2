"""git as an edge: arguments in, bytes out, never through a shell. Nothing else starts git."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from sbir_gate.errors import ToolError
from sbir_gate.model.git import GitResult

CHECKOUT_SECONDS = 600.0  # a checkout of a large repository takes minutes; a longer one hangs
_SECONDS = 60.0
_END_SECONDS = 10.0
_BLOCK_BYTES = 1 << 20
_SAID_CHARACTERS = 400
# set within a git hook, they would lead git to the user's own index. It lists them itself (`git rev-parse
# --local-env-vars`); those that hold configuration, such as safe.directory, stay
_LOCAL_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
# a trace among git's complaints would hide them, and may contain a password
_TRACES = re.compile(r"GIT_TRACE\w*|GIT_CURL_VERBOSE")
# no prompts, no unneeded writes, and errors in English
_SET = MappingProxyType(
    {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "",
    }
)
# whatever the configuration says: no hook runs, no submodule is fetched, no watcher is started, nothing is
# tidied up, no object replaces another, and paths are not patterns
_PLAIN = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.splitIndex=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "advice.detachedHead=false"),
    "--no-replace-objects",
    "--literal-pathspecs",
    "--no-pager",
)
# who a URL says that one is, and with which password
_USER_OF_URL = re.compile(r"(?<=://)[^/\s@]+@")
_MASK = "***"
_COMPLAINTS = ("fatal:", "error:", "remote:")


@dataclass(frozen=True, slots=True)
class Git:
    """git in a folder, without questions, hooks, or a way to the user's index.

    `added` are variables for git alone, such as an index of its own or a password. `secrets` are in nothing
    that git is quoted with.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    timeout_seconds: float = _SECONDS
    added: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def at(self, folder: Path) -> Git:
        """Return the same git in another folder."""
        return replace(self, folder=folder)

    def ask(self, *arguments: str, content: bytes = b"") -> GitResult:
        """Run git to its end, with `content` to read. Raises ToolError if it cannot be, or does not end.

        Ctrl-C does not reach git itself: git gets SIGTERM and time to clean up.
        """
        with self._started(arguments, subprocess.PIPE) as process:
            try:
                output, messages = process.communicate(content, timeout=self.timeout_seconds)
            except subprocess.TimeoutExpired as error:
                raise ToolError(
                    f"git {arguments[0]} did not end within {self.timeout_seconds:g} s",
                    "run the same git command by hand to see what it waits for",
                ) from error
            finally:
                _end(process)
        return GitResult(process.returncode, output, self._said(messages))

    @contextmanager
    def stream(self, *arguments: str) -> Iterator[Iterator[bytes]]:
        """Give git's output block by block, so that none of it need be held. Raises ToolError."""
        with self._started(arguments, subprocess.DEVNULL) as process:
            if process.stdout is None:
                raise ToolError("git gives no output", "install git again")
            with ExitStack() as unfinished:
                unfinished.callback(process.kill)  # git need not go on for a reader that gave up
                yield iter(lambda: process.stdout.read(_BLOCK_BYTES) if process.stdout else b"", b"")
                unfinished.pop_all()
        if process.returncode:
            raise ToolError(
                f"git {arguments[0]} ended with status {process.returncode}",
                "the repository may be damaged or incomplete: check with 'git fsck'",
            )

    def _started(self, arguments: Sequence[str], messages: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 -- a list of arguments, no shell; names follow --end-of-options
                ["git", *_PLAIN, "-C", str(self.folder), *arguments],  # noqa: S607 -- git is found on the PATH
                env=_seen(self.environment) | {**_SET, **self.added},
                stdin=subprocess.PIPE if messages == subprocess.PIPE else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=messages,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolError(
                f"git cannot be run ({error})", "install git, and run sbir-gate in the repository"
            ) from error

    def _said(self, messages: bytes) -> str:
        text = messages.decode("utf-8", errors="replace")
        for secret in filter(None, self.secrets):
            text = text.replace(secret, _MASK)
        return said(text)


def said(messages: str) -> str:
    """Return what git complained of, in one line: from its first complaint on, without who a URL names."""
    lines = [line.strip() for line in messages.splitlines()]
    lines = [line for line in lines if line]
    first = next((at for at, line in enumerate(lines) if line.startswith(_COMPLAINTS)), 0)
    return _USER_OF_URL.sub(f"{_MASK}@", " ".join(lines[first:]))[:_SAID_CHARACTERS]


def _seen(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that git sees."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _LOCAL_VARIABLES and not _TRACES.fullmatch(name)
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, where it is still at work: gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
