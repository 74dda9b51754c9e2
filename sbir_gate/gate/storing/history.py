"""The history on disk: one small file for each Run, and answers to questions about all of them.

Every entry has a name of its own, so two writers never meet, and a branch of them merges without conflict.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sbir_gate.documents import load_entry, save_entry
from sbir_gate.errors import DocumentError, InputError
from sbir_gate.gate.storing.history_index import HistoryIndex, Stamp
from sbir_gate.model.history import HistoryEntry, HistoryRow, SkippedFile
from sbir_gate.model.moments import moment_stem
from sbir_gate.model.run import MOST_GATE_CHARACTERS

INDEX_NAME = ".index.sqlite3"

_COMMIT_CHARACTERS = 12
_DIGEST_CHARACTERS = 8
_NO_STAMP: Stamp = (-1, 0)

Load = Callable[[Path], HistoryEntry]
"""Reads one entry from its file; raises DocumentError."""


def keep_entry(folder: Path, entry: HistoryEntry) -> tuple[Path, bool]:
    """Write the entry to a file of its own in the folder; return the path, and whether it is new.

    The same Run kept again is found by its name and changes nothing. Raises OutputError if the file cannot
    be written.
    """
    path = folder / entry_name(entry)
    return path, save_entry(path, entry)


def entry_name(entry: HistoryEntry) -> str:
    """Return `<gate>-<UTC start>-<commit>-<digest>.json`: the digest is of what was measured, when and where.

    It leaves out what is learned later (the outcome, the tags), so that a Run imported after it was kept is
    known again.
    """
    moment = moment_stem(entry.started_at)
    gate = gate_slug(entry.gate)
    commit = re.sub(r"[^0-9a-f]", "", entry.source.commit.lower())[:_COMMIT_CHARACTERS] or "no-commit"
    facts = [
        entry.gate,
        entry.source.commit,
        entry.machine.fingerprint,
        entry.fixture.fingerprint,
        [[metric.name, *metric.values] for metric in entry.metrics],
    ]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{gate}-{moment}-{commit}-{digest}.json"


def gate_slug(gate: str) -> str:
    """Return the name of a gate for file names."""
    return re.sub(r"[^a-z0-9]+", "-", gate.lower()).strip("-")[:MOST_GATE_CHARACTERS] or "gate"


class History:
    """The history of a folder, open for questions: the index answers all but those for a whole entry.

    `skipped` names the files that are not entries.
    """

    def __init__(self, folder: Path, index: HistoryIndex, load: Load) -> None:
        self._folder = folder
        self._load = load
        self.rows, self.points, self.metrics = index.rows, index.points, index.metrics
        self.skipped = index.skipped()

    def entry(self, row: HistoryRow) -> HistoryEntry:
        """Return the whole entry. Raises DocumentError if it was damaged or removed meanwhile."""
        return self._load(self._folder / row.file_name)


@contextmanager
def open_history(folder: Path, load: Load = load_entry) -> Iterator[History]:
    """Open the history of a folder; only files that the index does not know yet are read.

    A folder that is not there has no entries. A file that is damaged, empty, of a newer format or no entry at
    all is skipped and named in `skipped`. Where the index cannot be written or is in use for long, all
    entries are read instead. Raises InputError for a folder that cannot be listed.
    """
    stamps = _files(folder)
    index = _indexed(folder, stamps, load)
    try:
        yield History(folder, index, load)
    finally:
        index.close()


@contextmanager
def open_entries(
    entries: Mapping[str, HistoryEntry], skipped: tuple[SkippedFile, ...] = ()
) -> Iterator[History]:
    """Open a history that is held in memory: entries by the names of their files."""
    index = HistoryIndex(None)
    try:
        for name in sorted(entries):
            index.add(name, _NO_STAMP, entries[name])
        for file in skipped:
            index.add_faulty(file.file_name, _NO_STAMP, file.reason)
        index.commit()
        yield History(Path(), index, lambda path: entries[path.name])
    finally:
        index.close()


def _files(folder: Path) -> dict[str, Stamp]:
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(
            f"the history cannot be listed ({error.strerror})",
            "name a folder that you may read in history.folder",
            path=folder,
        ) from error
    found = {}
    for name in names:
        if name.endswith(".json") and not name.startswith("."):
            stamp = _stamp(folder / name)
            if stamp is not None:
                # a name that is not UTF-8 can be no entry of ours, and is named as far as that goes
                found[os.fsencode(name).decode("utf-8", "backslashreplace")] = stamp
    return found


def _stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file; None if it was removed just now.

    What cannot be looked at (a link in a loop, or to nothing) has one too: reading it says what is wrong.
    """
    try:
        status = path.stat()
    except OSError:
        return _NO_STAMP if path.is_symlink() else None
    return status.st_size, status.st_mtime_ns


def _indexed(folder: Path, stamps: dict[str, Stamp], load: Load) -> HistoryIndex:
    path = folder / INDEX_NAME
    if stamps:
        for _ in range(2):
            try:
                return _refreshed(HistoryIndex(path), folder, stamps, load)
            except sqlite3.OperationalError:
                break  # locked for long, or the folder is read-only
            except sqlite3.Error:
                with suppress(OSError):  # damaged: it is rebuilt
                    path.unlink()
    return _refreshed(HistoryIndex(None), folder, stamps, load)


def _refreshed(index: HistoryIndex, folder: Path, stamps: dict[str, Stamp], load: Load) -> HistoryIndex:
    """Return the index brought up to the files that there are."""
    try:
        known = index.stamps()
        for name in known:
            if stamps.get(name) != known[name]:
                index.forget(name)
        for name in sorted(stamps):
            if known.get(name) != stamps[name]:
                _add(index, folder / name, stamps[name], load)
        index.commit()
    except sqlite3.Error:
        index.close()
        raise
    return index


def _add(index: HistoryIndex, path: Path, stamp: Stamp, load: Load) -> None:
    try:
        entry = load(path)
        index.add(path.name, stamp, entry)
    except DocumentError as error:
        index.add_faulty(path.name, stamp, error.fault.detail)
