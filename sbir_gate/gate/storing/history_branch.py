"""The history on a branch of its own, which no other one shares a commit with: a file for each entry.

A file is added and never changed, so what two writers add is never in conflict; whoever comes second only
commits again on what the first one pushed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from sbir_gate.documents import MAX_ENTRY_BYTES, load_entry
from sbir_gate.errors import DocumentError
from sbir_gate.gate.storing.history import entry_name, gate_slug, keep_entry
from sbir_gate.gate.storing.remote_branch import Edit, RemoteBranch
from sbir_gate.gate.storing.revisions import Blob, Revision
from sbir_gate.model.document import HISTORY, decode, encode
from sbir_gate.model.history import HistoryEntry, SkippedFile
from sbir_gate.retrying import RetryPolicy

_SUFFIX = ".json"
# for other services that build every branch; GitHub finds no workflow on this one
_NO_BUILD = "[skip ci]"


@dataclass(frozen=True, slots=True)
class HistoryTransfer:
    """Number of new entries, number of entries already there, and files that are not entries.

    `commit` is the branch's tip that was made or read; empty if none was made, or there is no such branch.
    """

    added: int
    known: int
    skipped: tuple[SkippedFile, ...] = ()
    commit: str = ""
    attempts: int = 1


def entry_place(entry: HistoryEntry) -> str:
    """Return the path of an entry on the branch: `<gate>/<year>-<month>/<name>`: no folder grows large."""
    return f"{gate_slug(entry.gate)}/{entry.started_at:%Y-%m}/{entry_name(entry)}"


def push_history(branch: RemoteBranch, folder: Path, retrying: RetryPolicy) -> HistoryTransfer:
    """Add the folder's entries that the branch lacks, in one commit; the first one makes the branch.

    Anything that is not an entry is skipped and named. Raises ToolError if the branch cannot be pushed to.
    """
    paths = sorted(path for path in folder.glob(f"*{_SUFFIX}") if not path.name.startswith("."))
    skipped: list[SkippedFile] = []
    known = added = 0

    @cache  # each is read once, however often the push is tried
    def loaded(path: Path) -> tuple[str, bytes] | None:
        try:
            entry = load_entry(path)
            return entry_place(entry), encode(HISTORY, entry).encode()
        except DocumentError as error:
            skipped.append(SkippedFile(path.name, error.fault.detail))
            return None

    def edit_of(tip: Revision | None) -> Edit | None:
        nonlocal known, added
        there = {_name(blob) for blob in tip.blobs_in("")} if tip else set()
        found = filter(None, (loaded(path) for path in paths if path.name not in there))
        # an entry may have another name here than on the branch
        files = {place: text for place, text in found if PurePosixPath(place).name not in there}
        known, added = len(paths) - len(files) - len(skipped), len(files)
        return Edit(files, _message(files)) if files else None

    pushed = branch.push(edit_of, retrying)
    return HistoryTransfer(added, known, tuple(skipped), pushed.commit, pushed.attempts)


def fetch_history(branch: RemoteBranch, folder: Path) -> HistoryTransfer:
    """Bring the branch's entries that the folder lacks into it; without such a branch there are none.

    Anything that is not an entry, or damaged, is skipped and named. Raises ToolError if the branch cannot be
    fetched,
    OutputError if the folder cannot be written.
    """
    tip = branch.tip()
    if tip is None:
        return HistoryTransfer(0, 0)
    blobs = tip.blobs_in("")
    here = {path.name for path in folder.glob(f"*{_SUFFIX}")}
    missing = [blob for blob in blobs if _name(blob) not in here]
    skipped = list(_foreign(missing))
    named = {file.file_name for file in skipped}
    known, added = len(blobs) - len(missing), 0
    wanted = [blob for blob in missing if blob.path not in named]
    for _, found in _entries(tip, wanted):
        if isinstance(found, SkippedFile):
            skipped.append(found)
            continue
        try:
            _, is_new = keep_entry(folder, found)
        except DocumentError as error:
            skipped.append(SkippedFile(entry_place(found), error.message))
            continue
        added += is_new
        known += not is_new
    return HistoryTransfer(added, known, tuple(skipped), tip.commit)


def entries_at(
    tip: Revision, gate: str | None, most: int
) -> tuple[dict[str, HistoryEntry], tuple[SkippedFile, ...]]:
    """Return the newest entries of a gate (None: of each) at a commit of the branch, by their file names.

    Anything that is not an entry, or damaged, is skipped and named. Raises InputError if the commit cannot be
    read.
    """
    # names begin with the gate and the time, so the last ones of a gate are the newest
    blobs = sorted(tip.blobs_in(gate_slug(gate) if gate is not None else ""), key=_name)[-most:]
    skipped = list(_foreign(blobs))
    named = {file.file_name for file in skipped}
    entries: dict[str, HistoryEntry] = {}
    for blob, found in _entries(tip, [blob for blob in blobs if blob.path not in named]):
        if isinstance(found, SkippedFile):
            skipped.append(found)
        else:
            entries[_name(blob)] = found
    return entries, tuple(skipped)


def _entries(tip: Revision, blobs: list[Blob]) -> Iterator[tuple[Blob, HistoryEntry | SkippedFile]]:
    """Yield each entry, or why it is none."""
    for blob, content in tip.read_many(blobs, MAX_ENTRY_BYTES):
        try:
            entry = decode(HISTORY, content.decode("utf-8"), blob.path)
        except (DocumentError, UnicodeDecodeError) as error:
            reason = error.fault.detail if isinstance(error, DocumentError) else "not UTF-8"
            yield blob, SkippedFile(blob.path, reason)
        else:
            yield blob, entry


def _foreign(blobs: list[Blob]) -> Iterator[SkippedFile]:
    for blob in blobs:
        if not blob.path.endswith(_SUFFIX):
            yield SkippedFile(blob.path, "no entry by its name")
        elif blob.size_bytes > MAX_ENTRY_BYTES:
            yield SkippedFile(blob.path, f"larger than {MAX_ENTRY_BYTES:,} bytes")


def _name(blob: Blob) -> str:
    return PurePosixPath(blob.path).name


def _message(files: dict[str, bytes]) -> str:
    first, *others = (PurePosixPath(place).stem for place in files)
    return f"Add {f'{1 + len(others)} Runs' if others else first}\n\n{_NO_BUILD}\n"
