"""What is done with each file that a new gate needs: what a team has changed is never replaced unasked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sbir_gate.files import read_file, unreadable, write_whole

IGNORE_FILE = ".gitignore"
MOST_BYTES = 256 * 1024 * 1024
"""A file of a gate is not larger."""

_HEADING = "# sbir-gate"


class Fate(StrEnum):
    """What is done with a file: written, extended, replaced, or left because it is the same or differs."""

    CREATED = "created"
    EXTENDED = "extended"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file by its path from the top of the repository; files of one `group` are written together or not."""

    path: str
    content: bytes
    group: str = ""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file and what is done with it."""

    file: NewFile
    fate: Fate

    @property
    def has_changes(self) -> bool:
        """Say whether the file is to be written."""
        return self.fate in {Fate.CREATED, Fate.EXTENDED, Fate.REPLACED}


def plan_files(
    files: Sequence[NewFile], existing: Mapping[str, bytes], *, may_replace: bool
) -> tuple[PlannedFile, ...]:
    """Return what is done with each file; `existing` has the content of those that are there."""
    differing = {file.path for file in files if existing.get(file.path, file.content) != file.content}
    # half a fixture is wrong: new awards beside the truth of others
    kept_groups = {file.group for file in files if file.group and file.path in differing}

    def fate(file: NewFile) -> Fate:
        if existing.get(file.path) == file.content:
            return Fate.UNCHANGED
        if file.path.rpartition("/")[2] == IGNORE_FILE and file.path in existing:
            return Fate.EXTENDED
        if may_replace:
            return Fate.REPLACED if file.path in existing else Fate.CREATED
        is_kept = file.path in differing or file.group in kept_groups
        return Fate.KEPT if is_kept else Fate.CREATED

    return tuple(PlannedFile(file, fate(file)) for file in files)


def plan_on_disk(
    files: Sequence[NewFile], root: Path = Path(), *, may_replace: bool
) -> tuple[PlannedFile, ...]:
    """Return what is done with each file, by what is at its path now. Raises InputError."""
    existing = {file.path: old for file in files if (old := content_of(root / file.path)) is not None}
    return plan_files(files, existing, may_replace=may_replace)


def write_planned(planned: Iterable[PlannedFile], root: Path = Path()) -> None:
    """Write the files that have changes, all or none of them. Raises OutputError."""
    changed = [(root / each.file.path, each.file.content) for each in planned if each.has_changes]
    before = {path: content_of(path) for path, _ in changed}
    with ExitStack() as unless_written:
        for path, content in changed:
            missing = [folder for folder in path.parents if not os.path.lexists(folder)]
            unless_written.callback(_restore, path, before[path], missing)
            write_whole(path, content, may_replace=True)
        unless_written.pop_all()


def _restore(path: Path, content: bytes | None, folders: Sequence[Path]) -> None:
    """Give a file its content of before; without one, remove it and the folders that were not there."""
    if content is not None:
        if content_of(path) != content:
            write_whole(path, content, may_replace=True)
        return
    with suppress(OSError):  # what cannot be removed was not written
        path.unlink(missing_ok=True)
        for folder in folders:
            folder.rmdir()


def with_ignored(existing: str, patterns: Iterable[str]) -> str:
    """Return a .gitignore with these folders, which keeps all of its own lines."""
    known = {line.strip().strip("/") for line in existing.splitlines()}
    missing = [pattern for pattern in patterns if pattern.strip("/") not in known]
    if not missing:
        return existing
    ended = existing if existing.endswith("\n") or not existing else f"{existing}\n"
    gap = "\n" if ended and _HEADING not in ended else ""
    return f"{ended}{gap}" + "\n".join([_HEADING, *missing]) + "\n"


def content_of(path: Path) -> bytes | None:
    """Return what a file holds, None if it is not there. Raises InputError if it cannot be read."""
    try:
        return read_file(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
