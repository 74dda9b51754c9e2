"""The pages of the documentation, and the shell commands on them.

A comment before a block of commands, which no reader sees, holds what a test must know:

    <!-- not run: needs GitHub -->
    <!-- run by tests/integration/test_other_ci.py::test_the_commands_of_a_recipe -->
    <!-- exit status 1 -->
    <!-- in a repository of its own -->

Without one, tests/end_to_end/test_documented_commands.py runs the block and demands exit status 0.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "fixtures" / "README.md"])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEST_NAME = re.compile(r"(tests/[\w/]+\.py)((?:::\w+)+)")
_SHELL_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?:sh|bash|console|shell)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_GATE = re.compile(r"(?:^|[\s(/])sbir-gate(?=\s+[a-z-])")
_QUOTED = re.compile(r"""('[^']*'|"[^"]*")""")
_END_OF_CALL = re.compile(r"&&|\|\||[|;>#]")
OWN = "in a repository of its own"
_MARK = re.compile(
    rf"not run: (?P<reason>\S.*)|run by (?P<test>{TEST_NAME.pattern})|exit status (?P<status>\d)|{OWN}"
)


def place(page: Path) -> str:
    """Return the path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class ShellBlock:
    """A fenced block of shell commands: where it is, its text, and the comment before it."""

    page: Path
    line: int
    text: str
    mark: str

    @property
    def place(self) -> str:
        return f"{place(self.page)}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """Return its command lines; continued ones are joined, and comments are left out."""
        joined = re.sub(r" *\\\n *", " ", self.text).splitlines()
        return [line for line in joined if line.strip() and not line.startswith("#")]

    @property
    def is_mark_known(self) -> bool:
        return not self.mark or _MARK.fullmatch(self.mark) is not None

    @property
    def is_run(self) -> bool:
        return not self.mark.startswith(("not run: ", "run by "))

    @property
    def status(self) -> int:
        """Return the exit status that the page promises."""
        found = _MARK.fullmatch(self.mark)
        return int(found["status"] or 0) if found else 0

    @property
    def test(self) -> tuple[str, str] | None:
        """Return file and name of the test that runs it."""
        found = TEST_NAME.search(self.mark)
        return (found[1], found[2]) if found else None


def shell_blocks(page: Path) -> Iterator[ShellBlock]:
    """Yield the blocks of shell commands on a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _SHELL_BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        yield ShellBlock(page, line, found["text"], found["mark"] or "")


def gate_calls(code: str) -> list[list[str]]:
    """Return the arguments of every `sbir-gate ...` in a line, up to where a shell ends the command."""
    found = []
    for part in _GATE.split(code)[1:]:
        quoted = _QUOTED.split(part)
        end = next(
            (at for at in range(0, len(quoted), 2) if _END_OF_CALL.search(quoted[at])), len(quoted) - 1
        )
        quoted[end] = _END_OF_CALL.split(quoted[end])[0]
        found.append(shlex.split("".join(quoted[: end + 1])))
    return found


def names_in(file: Path) -> set[str]:
    """Return the names of all tests of a file, those of a class after its name."""
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    nested = {f"::{each.name}::{getattr(node, 'name', '')}" for each in classes for node in each.body}
    return nested | {f"::{node.name}" for node in nodes if isinstance(node, ast.FunctionDef)}
