"""The quality reports that are kept: read from their folder, and compared with one another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from sbir_gate.documents import load_quality
from sbir_gate.errors import DocumentError, InputError
from sbir_gate.model.history import HistoryEntry, SkippedFile
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, QualityComparison, QualityReport, SegmentChange
from sbir_gate.settings.schema import Settings

# how the name of a report begins: 2026-01-31
_DATE_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class KeptReports:
    """The reports of a folder or a branch, the oldest first, and the files in it that are none.

    `comparison` is of the newest with the one before of the same gate; None if there is none.
    """

    reports: tuple[tuple[Path, QualityReport], ...]
    skipped: tuple[SkippedFile, ...]
    comparison: QualityComparison | None


def quality_folder(settings: Settings) -> Path:
    """Return the folder of the quality reports."""
    return settings.reports.folder / "quality"


def kept_reports(folder: Path, gate: str | None, since: datetime | None, limit: int) -> KeptReports:
    """Return the newest `limit` reports of a gate (None: any; "" those of files alone), 0 for all of them.

    Raises InputError for a folder that cannot be listed.
    """
    return chosen_reports(*_load(folder), gate, since, limit)


def chosen_reports(
    found: Sequence[tuple[Path, QualityReport]],
    skipped: Sequence[SkippedFile],
    gate: str | None,
    since: datetime | None,
    limit: int,
) -> KeptReports:
    """Return which of these reports, the oldest first, are shown, as `kept_reports` chooses them."""
    chosen = [
        (path, report)
        for path, report in found
        if (gate is None or report.gate == gate) and (since is None or report.made_at >= since)
    ]
    shown = chosen[-limit:] if limit else chosen
    return KeptReports(tuple(shown), tuple(skipped), _with_the_one_before([report for _, report in chosen]))


def is_any(_report: QualityReport) -> bool:
    """Say that a report is wanted, whatever it is of."""
    return True


def newest_reports(
    folder: Path, gates: Collection[str], is_wanted: Callable[[QualityReport], bool] = is_any
) -> dict[str, QualityReport]:
    """Return the newest report of each of these gates that is wanted; those of newer days are read first.

    What cannot be read is left out. Raises InputError for a folder that cannot be listed.
    """
    found: dict[str, QualityReport] = {}
    days = groupby(sorted(_paths(folder), reverse=True), key=lambda path: path.stem[:_DATE_CHARACTERS])
    for _, paths in days:
        of_day: dict[str, QualityReport] = {}
        for path in paths:
            try:
                report = load_quality(path)
            except DocumentError:
                continue
            known = of_day.get(report.gate)
            if is_wanted(report) and (known is None or report.made_at > known.made_at):
                of_day[report.gate] = report
        found = of_day | found
        if found.keys() >= set(gates):
            break
    return {gate: report for gate, report in found.items() if gate in gates}


def reports_by_run(folder: Path) -> Callable[[HistoryEntry], QualityReport | None]:
    """Return what finds the report of the Run of an entry; one that cannot be read is none."""

    @lru_cache(maxsize=2)  # entries come by their time
    def of_day(day: date) -> dict[tuple[str, datetime, str], QualityReport]:
        found = {}
        for path in sorted(folder.glob(f"{day:%Y-%m-%d}*.json")):
            try:
                report = load_quality(path)
            except DocumentError:
                continue
            found[report.gate, report.made_at, report.source.commit] = report
        return found

    def report_of(entry: HistoryEntry) -> QualityReport | None:
        return of_day(entry.started_at.date()).get((entry.gate, entry.started_at, entry.source.commit))

    return report_of


def compared_reports(before: Path, after: Path) -> QualityComparison:
    """Return two saved reports side by side. Raises DocumentError for one that cannot be read."""
    return compare_quality(load_quality(before), load_quality(after))


def compare_quality(before: QualityReport, after: QualityReport) -> QualityComparison:
    """Return the segments whose links or awards differ, all awards first, then the largest difference.

    Merged segments are left out: they may be of other values.
    """
    whole = SegmentChange(None, "", before.match_rate, after.match_rate)
    old, new = _rates_by_segment(before), _rates_by_segment(after)
    changes = [SegmentChange(*key, old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new])]
    differing = [change for change in changes if change.before != change.after]
    return QualityComparison(before, after, (whole, *sorted(differing, key=_by_difference)))


def _rates_by_segment(report: QualityReport) -> dict[tuple[Dimension, str], Proportion]:
    return {
        (segment.dimension, segment.value): segment.match_rate
        for segment in report.segments
        if not segment.merged
    }


def _by_difference(change: SegmentChange) -> tuple[float, str, str]:
    # a segment that one report lacks comes first
    size = 2.0 if change.delta is None else abs(change.delta)
    return (-size, str(change.dimension), change.value)


def _load(folder: Path) -> tuple[list[tuple[Path, QualityReport]], list[SkippedFile]]:
    found, skipped = [], []
    for path in _paths(folder):
        try:
            found.append((path, load_quality(path)))
        except DocumentError as error:
            skipped.append(SkippedFile(path.name, error.fault.detail))
    return sorted(found, key=lambda each: (each[1].made_at, each[0].stat().st_mtime_ns)), skipped


def _paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"the quality reports cannot be listed ({error.strerror})",
            "name a folder that you may read in reports.folder",
            path=folder,
        ) from error


def _with_the_one_before(reports: Sequence[QualityReport]) -> QualityComparison | None:
    if not reports:
        return None
    *older, newest = reports
    before = next((report for report in reversed(older) if report.gate == newest.gate), None)
    return compare_quality(before, newest) if before is not None else None
