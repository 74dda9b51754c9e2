"""A stage that looks like a clone after `make run`, on small fixtures, for commands as a user types them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sbir_gate.documents import load_verdict
from sbir_gate.model.verdict import Verdict
from tests.program import Finished, run_in_process

ROOT = Path(__file__).parents[2]
PROGRAM = ".venv/bin/sbir-gate"
SECONDS = 120


@dataclass(frozen=True)
class Stage:
    """A folder in which commands are run; `environment` is all that they see."""

    folder: Path
    environment: dict[str, str]

    def shell(self, command: str, **changes: str) -> Finished:
        """Run a line as a shell would, settings changed by variables."""
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment | changes,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )

    def gate(self, *arguments: object, **changes: str) -> Finished:
        """Run `sbir-gate` with arguments, in this process."""
        return run_in_process([*map(str, arguments)], self.folder, self.environment | changes)

    def typed(self, line: str, **changes: str) -> Finished:
        """Run a line as a shell would; a plain call of the gate that it ends in is run in this process."""
        before, _, call = line.rpartition(" && ")
        words = shlex.split(call)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            changes[name] = value
        if Path(words[0]).name != "sbir-gate" or _is_for_a_shell(call):
            return self.shell(line, **changes)
        prepared = self.shell(f"{before} && pwd" if before else "pwd")
        if prepared.returncode:
            return prepared
        return replace(self, folder=Path(prepared.stdout.splitlines()[-1])).gate(*words[1:], **changes)

    def program(self, *arguments: object, **changes: str) -> Finished:
        """Run `sbir-gate` with arguments as a process of its own."""
        return self.shell(shlex.join([PROGRAM, *map(str, arguments)]), **changes)

    def start(self, *arguments: object, **pipes: object) -> subprocess.Popen[str]:
        """Start `sbir-gate` in a process group of its own and return it."""
        return subprocess.Popen(
            [PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            text=True,
            process_group=0,
            **pipes,
        )

    def forget_verdict(self) -> None:
        (self.folder / "reports" / "verdict.json").unlink(missing_ok=True)

    def verdict(self) -> Verdict:
        return load_verdict(self.folder / "reports" / "verdict.json")

    def leftovers(self) -> list[str]:
        """Return the temporary files, and the processes that name the stage, that are still there."""
        files = [path.name for path in Path(self.environment["TMPDIR"]).iterdir()]
        return files + [" ".join(command) for command in _commands() if str(self.folder) in " ".join(command)]


def _is_for_a_shell(call: str) -> bool:
    """Say whether a call redirects, starts more than one program, or leaves something to the shell."""
    operators = shlex.shlex(call, posix=True, punctuation_chars=True)
    operators.whitespace_split = True
    return "$" in call or any(set(word) <= set("();<>|&") for word in operators)


def _commands() -> list[list[str]]:
    """Return the arguments of every process on this machine that may be looked at."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace").rstrip("\0").split("\0"))
        except OSError:
            continue  # it has just ended
    return found


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Return a stage with fixtures and a baseline, made by the program itself."""
    folder = tmp_path_factory.mktemp("clone")
    temporary = tmp_path_factory.mktemp("temporary")
    for name in ("tests", "docs"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {
        "TMPDIR": str(temporary),
        "SBIR_GATE__BENCHMARK__REPEATS": "1",
        "SBIR_GATE__BENCHMARK__WARM_UPS": "0",
    }
    made = Stage(folder, environment)
    for command in (
        "data synthesise --awards 1000 --recipients 5000 --seed 1 --sample --output fixtures",
        "run --quiet",
        "baseline promote",
    ):
        done = made.program(*command.split())
        assert done.returncode == 0, done.stderr
    return made
