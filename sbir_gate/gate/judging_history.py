"""The history that judges a change: never that of its working tree, and read before anything is measured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from sbir_gate.errors import DocumentError, InputError
from sbir_gate.gate.main_branch import course_branch
from sbir_gate.gate.storing.history import History, open_entries, open_history
from sbir_gate.gate.storing.history_branch import entries_at
from sbir_gate.gate.storing.references import find_reference
from sbir_gate.gate.storing.revisions import Revision, place_in
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.history import HistoryEntry, HistoryQuery, SkippedFile
from sbir_gate.settings.schema import Settings

# the newest Runs of the gate: more say nothing new of its noise, and each is read
MAX_ENTRIES = 2000


def history_folder(settings: Settings) -> Path:
    """Return the folder of the history: as set, else in the folder of reports."""
    return settings.history.folder or settings.reports.folder / "history"


@dataclass(frozen=True, slots=True)
class JudgingHistory:
    """Runs of the past, by the names of their files, and the branch whose Runs are a measure (None: any).

    `skipped` are files that are not entries. `notes` say which history it is, and what was not used.
    """

    branch: str | None
    entries: Mapping[str, HistoryEntry] = field(default_factory=lambda: MappingProxyType({}))
    skipped: tuple[SkippedFile, ...] = ()
    notes: tuple[Finding, ...] = ()


def history_of_commit(settings: Settings, revision: Revision) -> JudgingHistory:
    """Return the history to judge by where the policy is that of a commit.

    It is the operator's own folder where that lies outside the repository, else the branch of the history as
    it was fetched. What else a change brings along in the folder is named, and not used.
    """
    folder = history_folder(settings)
    branch = course_branch(settings)
    place = place_in(revision.root, Path.cwd() / folder)
    if place is None:
        entries, skipped = _of_folder(folder, settings.gate.name)
        return JudgingHistory(branch, entries, skipped)
    history = settings.history
    ref = f"refs/remotes/{history.remote}/{history.branch}"
    tip = find_reference(revision.git, ref)
    entries, skipped = {}, ()
    if tip is not None:
        at_tip = Revision(revision.git, tip.commit, revision.root)
        entries, skipped = entries_at(at_tip, settings.gate.name, MAX_ENTRIES)
    return JudgingHistory(branch, entries, skipped, tuple(_unused(revision, place, ref, entries)))


@contextmanager
def opened(settings: Settings, judging: JudgingHistory | None) -> Iterator[History]:
    """Open the history that judges; without one, that of the folder. Raises InputError, DocumentError."""
    if judging is None:
        with open_history(history_folder(settings)) as history:
            yield history
    else:
        with open_entries(judging.entries, judging.skipped) as history:
            yield history


def branch_of(settings: Settings, judging: JudgingHistory | None) -> str | None:
    """Return the branch whose Runs are a measure, None for any."""
    return course_branch(settings) if judging is None else judging.branch


def _of_folder(folder: Path, gate: str) -> tuple[dict[str, HistoryEntry], tuple[SkippedFile, ...]]:
    entries: dict[str, HistoryEntry] = {}
    try:
        with open_history(folder) as history:
            skipped = list(history.skipped)
            for row in history.rows(HistoryQuery(gate=gate, limit=MAX_ENTRIES)):
                try:
                    entries[row.file_name] = history.entry(row)
                except DocumentError as error:
                    skipped.append(SkippedFile(row.file_name, error.message))
    except InputError as error:
        return {}, (SkippedFile(str(folder), error.fault.detail),)
    return entries, tuple(skipped)


def _unused(
    revision: Revision, place: str, ref: str, entries: Mapping[str, HistoryEntry]
) -> Iterator[Finding]:
    """Yield what a change brings along in the folder and the branch has not.

    What git ignores there is no part of a change: it is what earlier runs kept.
    """
    listed = revision.git.ask(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", f"{place}/"
    ).output.split(b"\0")
    names = (PurePosixPath(os.fsdecode(path)).name for path in listed)
    there = {name for name in names if name.endswith(".json") and not name.startswith(".")}
    surplus = sorted(there - set(entries))
    if surplus:
        yield note(
            Rule.HISTORY_NOT_USED,
            place=place,
            entries=len(surplus),
            names=tuple(surplus),
            source="branch" if entries else "none",
            runs=len(entries),
            ref=ref,
        )
