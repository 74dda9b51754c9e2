"""The history on a branch of its own, which no other one shares a commit with: a file for each entry.

The quality report of a Run is beside its entry and comes with it, in the same commit: its counts alone.
A file is added and never changed, so what two writers add is never in conflict; whoever comes second only
commits again on what the first one pushed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from sbir_gate.documents import MAX_ENTRY_BYTES, load_entry
from sbir_gate.errors import DocumentError
from sbir_gate.gate.storing.history import entry_name, gate_slug, keep_entry
from sbir_gate.gate.storing.remote_branch import Edit, RemoteBranch
from sbir_gate.gate.storing.revisions import Blob, Revision
from sbir_gate.model.document import HISTORY, QUALITY, DocumentKind, decode, encode
from sbir_gate.model.history import HistoryEntry, SkippedFile
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.retrying import RetryPolicy

_SUFFIX = ".json"
_QUALITY_SUFFIX = ".quality.json"
# the time in the name of an entry
_MOMENT = re.compile(r"-(\d{8}T\d{6}Z)-", re.ASCII)
# for other services that build every branch; GitHub finds no workflow on this one
_NO_BUILD = "[skip ci]"


T = TypeVar("T")

ReportOf = Callable[[HistoryEntry], QualityReport | None]
"""Returns the quality report of the Run of an entry, None if there is none."""


def no_report(_entry: HistoryEntry) -> None:
    """Return nothing: of no Run is a report at hand."""


@dataclass(frozen=True, slots=True)
class HistoryTransfer:
    """Number of new entries, number of entries already there, and files that are not entries.

    `reports` counts the quality reports that came with the new ones.
    `commit` is the branch's tip that was made or read; empty if none was made, or there is no such branch.
    """

    added: int
    known: int
    skipped: tuple[SkippedFile, ...] = ()
    commit: str = ""
    attempts: int = 1
    reports: int = 0


def entry_place(entry: HistoryEntry) -> str:
    """Return the path of an entry on the branch: `<gate>/<year>-<month>/<name>`: no folder grows large."""
    return f"{gate_slug(entry.gate)}/{entry.started_at:%Y-%m}/{entry_name(entry)}"


def quality_place(entry: HistoryEntry) -> str:
    """Return the path of the quality report of an entry's Run: beside the entry."""
    return f"{entry_place(entry).removesuffix(_SUFFIX)}{_QUALITY_SUFFIX}"


def push_history(
    branch: RemoteBranch, folder: Path, retrying: RetryPolicy, report_of: ReportOf = no_report
) -> HistoryTransfer:
    """Add the folder's entries that the branch lacks, in one commit; the first one makes the branch.

    The quality report of each of them goes with it, as far as there is one. Anything that is not an entry is
    skipped and named. Raises ToolError if the branch cannot be pushed to.
    """
    paths = sorted(path for path in folder.glob(f"*{_SUFFIX}") if not path.name.startswith("."))
    skipped: list[SkippedFile] = []
    known = added = reports = 0

    @cache  # each is read once, however often the push is tried
    def loaded(path: Path) -> tuple[str, dict[str, bytes]] | None:
        try:
            entry = load_entry(path)
            files = {entry_place(entry): encode(HISTORY, entry).encode()}
            if report := report_of(entry):
                files[quality_place(entry)] = encode(QUALITY, report.without_lists()).encode()
            return entry_name(entry), files
        except DocumentError as error:
            skipped.append(SkippedFile(path.name, error.fault.detail))
            return None

    def edit_of(tip: Revision | None) -> Edit | None:
        nonlocal known, added, reports
        there = {_name(blob) for blob in tip.blobs_in("")} if tip else set()
        found = filter(None, (loaded(path) for path in paths if path.name not in there))
        # an entry may have another name here than on the branch
        new = {name: files for name, files in found if name not in there}
        files = {place: text for each in new.values() for place, text in each.items()}
        known, added = len(paths) - len(new) - len(skipped), len(new)
        reports = len(files) - added
        return Edit(files, _message([*new])) if files else None

    pushed = branch.push(edit_of, retrying)
    return HistoryTransfer(added, known, tuple(skipped), pushed.commit, pushed.attempts, reports)


def fetch_history(branch: RemoteBranch, folder: Path) -> HistoryTransfer:
    """Bring the branch's entries that the folder lacks into it; without such a branch there are none.

    Anything that is not an entry, or damaged, is skipped and named. Raises ToolError if the branch cannot be
    fetched,
    OutputError if the folder cannot be written.
    """
    tip = branch.tip()
    if tip is None:
        return HistoryTransfer(0, 0)
    blobs = [blob for blob in tip.blobs_in("") if not _is_report(blob)]
    here = {path.name for path in folder.glob(f"*{_SUFFIX}")}
    missing = [blob for blob in blobs if _name(blob) not in here]
    skipped = list(_foreign(missing))
    named = {file.file_name for file in skipped}
    known, added = len(blobs) - len(missing), 0
    wanted = [blob for blob in missing if blob.path not in named]
    for _, found in _decoded(HISTORY, tip, wanted):
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
    return _newest(HISTORY, tip, [blob for blob in _blobs_of(tip, gate) if not _is_report(blob)], most)


def reports_at(
    tip: Revision, gate: str | None, most: int
) -> tuple[dict[str, QualityReport], tuple[SkippedFile, ...]]:
    """Return the newest quality reports of a gate (None: of any), the oldest first, as `entries_at` does."""
    return _newest(QUALITY, tip, [blob for blob in _blobs_of(tip, gate) if _is_report(blob)], most)


def _blobs_of(tip: Revision, gate: str | None) -> tuple[Blob, ...]:
    return tip.blobs_in(gate_slug(gate) if gate is not None else "")


def _is_report(blob: Blob) -> bool:
    return blob.path.endswith(_QUALITY_SUFFIX)


def _newest(
    kind: DocumentKind[T], tip: Revision, blobs: list[Blob], most: int
) -> tuple[dict[str, T], tuple[SkippedFile, ...]]:
    """Return the newest documents by their file names, and the files that are none."""
    chosen = sorted(blobs, key=_moment_and_name)[-most:]
    skipped = list(_foreign(chosen))
    named = {file.file_name for file in skipped}
    documents: dict[str, T] = {}
    for blob, found in _decoded(kind, tip, [blob for blob in chosen if blob.path not in named]):
        if isinstance(found, SkippedFile):
            skipped.append(found)
        else:
            documents[_name(blob)] = found
    return documents, tuple(skipped)


def _decoded(
    kind: DocumentKind[T], tip: Revision, blobs: list[Blob]
) -> Iterator[tuple[Blob, T | SkippedFile]]:
    """Yield each document, or why it is none."""
    for blob, content in tip.read_many(blobs, MAX_ENTRY_BYTES):
        try:
            document = decode(kind, content.decode("utf-8"), blob.path)
        except (DocumentError, UnicodeDecodeError) as error:
            reason = error.fault.detail if isinstance(error, DocumentError) else "not UTF-8"
            yield blob, SkippedFile(blob.path, reason)
        else:
            yield blob, document


def _foreign(blobs: list[Blob]) -> Iterator[SkippedFile]:
    for blob in blobs:
        if not blob.path.endswith(_SUFFIX):
            yield SkippedFile(blob.path, "no entry by its name")
        elif blob.size_bytes > MAX_ENTRY_BYTES:
            yield SkippedFile(blob.path, f"larger than {MAX_ENTRY_BYTES:,} bytes")


def _name(blob: Blob) -> str:
    return PurePosixPath(blob.path).name


def _moment_and_name(blob: Blob) -> tuple[str, str]:
    """Return what sorts files by their time: names begin with the gate."""
    name = _name(blob)
    return (_MOMENT.findall(name) or [""])[-1], name


def _message(names: list[str]) -> str:
    first, *others = (PurePosixPath(name).stem for name in names)
    return f"Add {f'{1 + len(others)} Runs' if others else first}\n\n{_NO_BUILD}\n"
