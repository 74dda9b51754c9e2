"""What git leaves in the place of a file's content: the markers of a merge conflict, the pointer of Git LFS.

Every reader asks here, so that each names the cause and its fix instead of a symptom.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_POINTER = b"version https://git-lfs.github.com/spec/"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# a line of '=' alone may be an underline in a text; these two are in no other use at the start of a line
_CONFLICT = re.compile(rb"^(?:<{7}|>{7})(?: .*)?\r?$", re.MULTILINE)
_MARKER = re.compile(r'\s*"?(?:<{7}|>{7}|\|{7})(?: .*)?|\s*"?={7}"?\s*', re.DOTALL)

CONFLICT = "a marker of a merge conflict"
CONFLICT_HINT = "resolve the conflict in this file, and commit it again"
POINTER = "a Git LFS pointer, not the file itself"
POINTER_HINT = "run 'git lfs pull'; in GitHub Actions give actions/checkout the input 'lfs: true'"


@dataclass(frozen=True, slots=True)
class Leftover:
    """Text in a file that replaces its content: the line of it, what it is, and the fix."""

    line: int
    reason: str
    hint: str

    @property
    def problem(self) -> str:
        """What is wrong with the file."""
        return f"is {self.reason}"


def find_leftover(content: bytes) -> Leftover | None:
    """Return what git left in the content, which may be the beginning of a file alone; None for nothing."""
    if content.removeprefix(_BYTE_ORDER_MARK).startswith(_POINTER):
        return Leftover(1, POINTER, POINTER_HINT)
    found = _CONFLICT.search(content.removeprefix(_BYTE_ORDER_MARK))
    if found is None:
        return None
    return Leftover(content.count(b"\n", 0, found.start()) + 1, CONFLICT, CONFLICT_HINT)


def is_conflict_marker(line: str) -> bool:
    """Say whether a line that is not a row of its file is one of the markers of a merge conflict."""
    return _MARKER.fullmatch(line) is not None
