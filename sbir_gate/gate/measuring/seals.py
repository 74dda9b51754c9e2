"""What an enricher must leave as it is while it is measured: the inputs, what judges it, the base's checkout.

It is looked at after every run, so that the side that changed it is known, and once more at the end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from sbir_gate.errors import InputError, TamperingError
from sbir_gate.files import sha256_of
from sbir_gate.gate.measuring.interleaving import Side

_HINT = "an enricher may write to {output}, {metrics} and TMPDIR; restore what it changed, and run again"

# what changes with a file: kind and rights, device and number, size, times of its content and of its status
Mark = tuple[int, ...]


class Seals:
    """Files whose content no run may change, and the base's checkout, of which head may change nothing.

    `find` returns the files; it is asked again at the end, so that a file added to a folder of inputs is
    found. The base may leave files of its own in its checkout: they are sealed from then on.
    """

    def __init__(self, find: Callable[[], Iterable[Path]], checkout: Path | None = None) -> None:
        self._find = find
        self._checkout = checkout
        self._digests = {path: digest_of(path) for path in find()}
        self._marks = {path: _mark(path) for path in self._digests}
        self._entries = self._look()

    def check(self, side: Side) -> None:
        """Look at everything after a run; only what has another mark is read.

        Raises TamperingError if the run of this side changed what it must not, once.
        """
        changed = []
        for path, mark in self._marks.items():
            now = _mark(path)
            if now != mark:
                self._marks[path] = now
                if digest_of(path) != self._digests[path]:
                    changed.append(path)
        entries = self._look()
        if side is Side.HEAD and entries != self._entries:
            names = self._entries.keys() | entries.keys()
            differing = [Path(name) for name in names if self._entries.get(name) != entries.get(name)]
            changed += sorted(path for path in differing if path not in self._digests)
        self._entries = entries
        if changed:
            raise self._error("changed by the enricher", changed)

    def check_at_the_end(self) -> None:
        """Read every file again. Raises TamperingError if one is not what it was, or new."""
        new: list[Path] = []
        with suppress(InputError):  # a file is gone: its digest shows it
            new = [path for path in self._find() if path not in self._digests]
        changed = [path for path, digest in self._digests.items() if digest_of(path) != digest] + new
        if changed:
            raise self._error("changed while it was measured, so the result does not count", changed)

    def _look(self) -> dict[str, Mark]:
        return marks_in(self._checkout) if self._checkout else {}

    def _error(self, problem: str, paths: list[Path]) -> TamperingError:
        first, *others = paths
        more = f" (and {len(others):,} more)" if others else ""
        error = TamperingError(f"{problem}{more}", _HINT, path=first)
        if self._checkout and first.is_relative_to(self._checkout):
            error.seen_from(self._checkout)
            return error.within("in the base's checkout", TamperingError)
        error.seen_from(Path.cwd())
        return error


def files_in(folder: Path, without: str = "") -> tuple[Path, ...]:
    """Return all files and links below a folder, but for those in folders of the name `without`."""
    found = walk(folder, (without,))
    return tuple(Path(name) for name, status in found if not stat.S_ISDIR(status.st_mode))


def walk(folder: Path, left_out: Container[str] = ()) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything below a folder with its status, but for folders of these names.

    Links are not followed. The paths are text: an environment of the base's own has tens of thousands of
    files.
    """
    folders = [str(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    yield entry.path, status
                elif entry.name not in left_out:
                    yield entry.path, status
                    folders.append(entry.path)


def marks_in(folder: Path, left_out: Container[str] = ()) -> dict[str, Mark]:
    """Return the mark of everything below a folder (`walk`)."""
    return {name: mark_of(status) for name, status in walk(folder, left_out)}


def mark_of(status: os.stat_result) -> Mark:
    """Return the mark of a file or folder."""
    if stat.S_ISDIR(status.st_mode):
        return (status.st_mode, status.st_dev, status.st_ino)  # what is in it has marks of its own
    return (
        status.st_mode,
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _mark(path: Path) -> Mark:
    try:
        return mark_of(path.stat())
    except OSError:
        return ()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; empty if it is missing or not a regular file."""
    try:
        return sha256_of(path)
    except OSError:
        return ""
