"""Places for results: folders named by their content, written whole or not at all, and never changed.

A result is drafted in a folder of one process alone, and gets its place by one rename. So runs that are at
work at once never write to the same file, and what was read once is there to be read again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sbir_gate.errors import InputError
from sbir_gate.files import sha256_of, unreadable, unwritable
from sbir_gate.locks import in_use, out_of_use

_NEW = ".new-"
_DRAFT = ".draft-"
_REMOVED = ".removed-"
LOCK_NAME = ".lock"
# of the 64 digits of the fingerprint: enough to tell places apart
_NAME_DIGITS = 16
_HINT = "name a folder that you may write to in orchestration.folder"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with the files of one result, and the fingerprint of their content."""

    folder: Path
    fingerprint: str


@contextmanager
def drafted(parent: Path) -> Iterator[Path]:
    """Give a folder in `parent` to write a result to; what was not settled is removed. Raises OutputError."""
    name = uuid4().hex
    new, draft = parent / f"{_NEW}{name}", parent / f"{_DRAFT}{name}"
    with ExitStack() as stack:
        try:
            new.mkdir(parents=True)
            (new / LOCK_NAME).touch()
            # it has the name of a draft, and may be removed as one, only when it is locked
            stack.enter_context(in_use(new / LOCK_NAME))
            new.rename(draft)
        except OSError as error:
            raise unwritable(parent, error, _HINT) from error
        stack.callback(shutil.rmtree, draft, ignore_errors=True)
        yield draft


def settle(draft: Path) -> Place:
    """Give the draft its place, beside it and named by its content. Raises OutputError.

    Where that result is there already it stays. One that was changed makes way.
    """
    fingerprint = fingerprint_of(draft)
    folder = draft.parent / fingerprint[:_NAME_DIGITS]
    try:
        for path in (*_files(draft), draft):
            _force_to_disk(path)
        if folder.exists() and fingerprint_of(folder) != fingerprint:
            folder.rename(folder.with_name(f"{_REMOVED}{uuid4().hex}"))
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            # another was first, with the same content: it counts as new again
            os.utime(folder)
        _force_to_disk(folder.parent)
    except OSError as error:
        raise unwritable(folder, error, _HINT) from error
    return Place(folder, fingerprint)


@contextmanager
def used(place: Place, hint: str) -> Iterator[None]:
    """Make sure that a place is there and unchanged, and keep it while the block runs.

    Raises InputError, with the hint, where it is not.
    """
    try:
        with in_use(place.folder / LOCK_NAME):
            found = fingerprint_of(place.folder)
            if found != place.fingerprint:
                raise InputError("its files are not those that were recorded", hint, path=place.folder)
            yield
    except FileNotFoundError as error:
        raise InputError("what was recorded is not there any more", hint, path=place.folder) from error


def fingerprint_of(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of the files in a folder. Raises InputError."""
    digest = hashlib.sha256()
    for path in _files(folder):
        try:
            digest.update(f"{path.name} {sha256_of(path)}\n".encode())
        except OSError as error:
            raise unreadable(path, error) from error
    return digest.hexdigest()


def remove_old(parent: Path, keep: int, needed: Collection[Path]) -> None:
    """Remove all places in `parent` but the `keep` newest, the `needed`, and those in use.

    Drafts of processes that were killed go too. What cannot be removed stays.
    """
    needed = {path.resolve() for path in needed}
    try:
        found = [path for path in parent.iterdir() if path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return
    places = sorted((path for path in found if not path.name.startswith(".")), key=_modified, reverse=True)
    leftovers = [path for path in found if path.name.startswith((_DRAFT, _REMOVED))]
    for path in (*leftovers, *(place for place in places[keep:] if place.resolve() not in needed)):
        with out_of_use(path / LOCK_NAME) as is_free, suppress(OSError):
            if is_free:
                # whoever looks now sees it whole or not at all
                removed = path.with_name(f"{_REMOVED}{uuid4().hex}")
                path.rename(removed)
                shutil.rmtree(removed, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != LOCK_NAME)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
