"""Documents on disk: written whole or not at all, read with every doubt named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sbir_gate.errors import DocumentError, OutputError
from sbir_gate.files import NotAFileError, TooLargeError, near_miss, read_file, write_whole
from sbir_gate.model.alert import AlertList
from sbir_gate.model.document import (
    ALERTS,
    AWARD_TABLE,
    FIXTURE_DRAW,
    HISTORY,
    LABEL_SAMPLE,
    MAKE_AGAIN,
    PROGRESS,
    QUALITY,
    RUN,
    VERDICT,
    DocumentKind,
    decode,
    encode_bytes,
)
from sbir_gate.model.fixture_draw import FixtureDraw
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.labelling import LabelSample
from sbir_gate.model.moments import moment_stem
from sbir_gate.model.profile import ProfileProgress
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.records import AwardTable
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Verdict

# A Run of all 220,000 awards is about 60 MB; a larger file is not one of our documents.
MAX_DOCUMENT_BYTES = 512 * 1024 * 1024
# An entry of the history has no decisions: some kilobytes.
MAX_ENTRY_BYTES = 4 * 1024 * 1024
# A quality report lists the first of everything: at most a megabyte.
MAX_QUALITY_BYTES = 16 * 1024 * 1024

_MAX_COLLISIONS = 1000
DRAW_AGAIN = "restore it from git, draw the fixture again, or set fixtures.draw to null"

Document = TypeVar(
    "Document",
    Run,
    Verdict,
    ProfileProgress,
    HistoryEntry,
    AlertList,
    AwardTable,
    QualityReport,
    LabelSample,
    FixtureDraw,
)


def save_run(folder: Path, run: Run) -> Path:
    """Write the Run to `<folder>/<UTC start>.json`, e.g. 20260131T235959Z.json, and return its path.

    An existing file is never overwritten: the name gets a suffix, -2 and so on. Raises OutputError.
    """
    return _save_beside(folder, moment_stem(run.started_at), _encoded(RUN, run))


def save_quality(folder: Path, report: QualityReport) -> Path:
    """Write the report to `<folder>/<UTC date>.json`, e.g. 2026-01-31.json, and return its path.

    The second of a day gets the suffix -2, and so on. Raises OutputError.
    """
    return _save_beside(folder, f"{report.made_at:%Y-%m-%d}", _encoded(QUALITY, report))


def load_quality(path: Path) -> QualityReport:
    """Return the report in the file. Raises DocumentError for anything but a whole, valid quality report."""
    return _load(QUALITY, path, MAX_QUALITY_BYTES, "recreate it with 'sbir-gate quality'")


def _save_beside(folder: Path, stem: str, content: bytes) -> Path:
    """Write a file of this name that is new, with the first suffix that is free."""
    for number in range(1, _MAX_COLLISIONS + 1):
        path = folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
        if write_whole(path, content, may_replace=False):
            return path
    hint = "clean the folder, or name another"
    raise OutputError(f"{_MAX_COLLISIONS} documents already start at {stem}", hint, path=folder)


def write_run(path: Path, run: Run) -> None:
    """Write the Run to exactly this path, in place of what is there. Raises OutputError."""
    write_whole(path, _encoded(RUN, run), may_replace=True)


def load_run(path: Path, max_bytes: int = MAX_DOCUMENT_BYTES, again: str = MAKE_AGAIN) -> Run:
    """Return the Run in the file; `again` says in errors how such a file is made.

    Raises DocumentError for anything but a whole, valid Run.
    """
    return _load(RUN, path, max_bytes, again)


def save_verdict(path: Path, verdict: Verdict) -> None:
    """Write the verdict to exactly this path, in place of what is there. Raises OutputError."""
    write_whole(path, _encoded(VERDICT, verdict), may_replace=True)


def load_verdict(path: Path, max_bytes: int = MAX_DOCUMENT_BYTES) -> Verdict:
    """Return the verdict in the file. Raises DocumentError for anything but a whole, valid verdict."""
    return _load(VERDICT, path, max_bytes)


def save_progress(path: Path, progress: ProfileProgress) -> None:
    """Write the progress to exactly this path, in place of what is there. Raises OutputError."""
    write_whole(path, _encoded(PROGRESS, progress), may_replace=True)


def load_progress(path: Path, max_bytes: int = MAX_DOCUMENT_BYTES) -> ProfileProgress:
    """Return the progress in the file. Raises DocumentError for anything but a whole, valid progress."""
    return _load(PROGRESS, path, max_bytes)


def save_entry(path: Path, entry: HistoryEntry) -> bool:
    """Write an entry of the history; say False, and change nothing, if it is there. Raises OutputError."""
    return write_whole(path, _encoded(HISTORY, entry), may_replace=False)


def load_entry(path: Path, max_bytes: int = MAX_ENTRY_BYTES) -> HistoryEntry:
    """Return the entry in the file. Raises DocumentError for anything but a whole, valid entry."""
    return _load(HISTORY, path, max_bytes)


def save_alerts(path: Path, alerts: AlertList) -> None:
    """Write the alerts to exactly this path, in place of what is there. Raises OutputError."""
    write_whole(path, _encoded(ALERTS, alerts), may_replace=True)


def load_alerts(path: Path, max_bytes: int = MAX_DOCUMENT_BYTES) -> AlertList:
    """Return the alerts in the file. Raises DocumentError for anything but a whole, valid list of them."""
    return _load(ALERTS, path, max_bytes)


def save_award_table(path: Path, table: AwardTable) -> None:
    """Write what is known of a table of awards to exactly this path. Raises OutputError."""
    write_whole(path, _encoded(AWARD_TABLE, table), may_replace=True)


def load_award_table(path: Path, max_bytes: int = MAX_ENTRY_BYTES) -> AwardTable:
    """Return what is known of a table of awards. Raises DocumentError for anything but a whole, valid one."""
    return _load(AWARD_TABLE, path, max_bytes)


def save_label_sample(path: Path, sample: LabelSample) -> None:
    """Write the sample to exactly this path, in place of what is there. Raises OutputError."""
    write_whole(path, _encoded(LABEL_SAMPLE, sample), may_replace=True)


def load_label_sample(path: Path) -> LabelSample:
    """Return the sample in the file. Raises DocumentError for anything but a whole, valid sample."""
    return _load(LABEL_SAMPLE, path, MAX_QUALITY_BYTES, "recreate it with 'sbir-gate label'")


def load_fixture_draw(path: Path) -> FixtureDraw:
    """Return how the fixture was drawn. Raises DocumentError for anything but a whole, valid draw."""
    return _load(FIXTURE_DRAW, path, MAX_QUALITY_BYTES, DRAW_AGAIN)


def draw_content(draw: FixtureDraw, path: Path) -> bytes:
    """Return the document of a draw; where the file has the same one of another day or version, that one."""
    if path.exists():
        try:
            kept = load_fixture_draw(path)
        except DocumentError:
            kept = draw
        if replace(draw, drawn_on=kept.drawn_on, tool_version=kept.tool_version) == kept:
            draw = kept
    return _encoded(FIXTURE_DRAW, draw)


def _load(kind: DocumentKind[Document], path: Path, max_bytes: int, again: str = MAKE_AGAIN) -> Document:
    return decode(kind, _read(path, max_bytes, again), str(path), again)


def _read(path: Path, max_bytes: int, again: str) -> str:
    """Return the text of a regular file of at most `max_bytes`."""
    try:
        content = read_file(path, max_bytes)
    except TooLargeError as error:
        raise DocumentError(
            f"{error.strerror}", "not a document of sbir-gate: check the path", path=path
        ) from error
    except NotAFileError as error:
        raise DocumentError(f"{error.strerror}", "name the JSON file itself", path=path) from error
    except FileNotFoundError as error:
        raise DocumentError(
            "no such file", near_miss(path) or f"check the path, or {again}", path=path
        ) from error
    except OSError as error:
        raise DocumentError(
            f"cannot be read ({error.strerror or error})", "check the path and its permissions", path=path
        ) from error
    if not content.strip():
        raise DocumentError("the file is empty", again, path=path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"not UTF-8 at byte {error.start}", f"the file is damaged or compressed: {again}", path=path
        ) from error


def _encoded(kind: DocumentKind[Document], content: Document) -> bytes:
    try:
        return encode_bytes(kind, content)
    except ValueError as error:
        hint = "a metric is not a number (NaN or infinity), or a text is not Unicode: look at the enricher"
        raise OutputError(f"the {kind.name} cannot be saved as JSON: {error}", hint) from error
