"""What the history keeps of a Run: an entry for each, whether it was judged, broke, or is imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from sbir_gate import __version__
from sbir_gate.documents import load_run
from sbir_gate.errors import DocumentError, InputError, OutputError
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.storing.history import keep_entry, open_history
from sbir_gate.model.alert import AlertList
from sbir_gate.model.history import HistoryEntry, HistoryQuery, SkippedFile
from sbir_gate.model.run import Fixture, Machine, Measurement, Run, Source, Timing
from sbir_gate.model.verdict import Outcome, Verdict
from sbir_gate.settings.schema import Settings

_MOST_NAMED = 3


def keep_run(
    run: Run,
    outcome: Outcome | None,
    tags: Sequence[str],
    settings: Settings,
    alerts: AlertList | None = None,
) -> tuple[str, ...]:
    """Keep the Run in the history if the settings say so; return warnings, none if all went well.

    A quick look is not kept: it says nothing of time.
    """
    if run.timing is Timing.QUICK:
        return ()
    return _keep(replace(entry_of(run, outcome, tags), alert_keys=_keys(alerts)), settings)


def keep_error(
    verdict: Verdict, machine: Machine, source: Source, settings: Settings, alerts: AlertList
) -> tuple[str, ...]:
    """Keep that a benchmark broke, so that the next Run that does not is known as a recovery."""
    fixtures = settings.fixtures
    truth = str(fixtures.truth or "")
    entry = HistoryEntry(
        gate=verdict.gate,
        started_at=verdict.head_started_at,
        tool_version=__version__,
        machine=machine,
        source=source,
        fixture=Fixture("", str(fixtures.awards), str(fixtures.recipients), truth, 0),
        enricher="",
        settings_digest="",
        metrics=(),
        outcome=verdict.outcome,
        alert_keys=_keys(alerts),
    )
    return _keep(entry, settings)


def previous_entry(alerts: AlertList, settings: Settings) -> HistoryEntry | None:
    """Return what the history keeps of the Run before, of the same gate and branch; None if there is none.

    Raises InputError or DocumentError where the history cannot be read.
    """
    query = HistoryQuery(gate=alerts.gate, branch=alerts.branch, before=alerts.started_at, limit=1)
    with open_history(history_folder(settings)) as history:
        return next((history.entry(row) for row in history.rows(query)), None)


def entry_of(run: Run, outcome: Outcome | None, tags: Sequence[str]) -> HistoryEntry:
    """Return what the history keeps of a Run."""
    shared = {field.name: getattr(run, field.name) for field in fields(Measurement)}
    return HistoryEntry(**shared, tags=tuple(tags), outcome=outcome)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Number of imported Runs, number of Runs already there, and files that were not Runs."""

    folder: Path
    taken: int
    known: int
    skipped: tuple[SkippedFile, ...]


def import_runs(paths: Iterable[Path], settings: Settings) -> ImportResult:
    """Import saved Runs into the history; for a folder, all JSON files in it.

    Files that are not Runs are skipped and named. Raises InputError if there is no Run at all.
    """
    folder = history_folder(settings)
    taken = known = 0
    skipped = []
    for path in _documents(paths):
        try:
            run = load_run(path)
            if run.fixture.commit:
                skipped.append(SkippedFile(str(path), "was measured on a base's fixture, to judge a change"))
                continue
            _, is_new = keep_entry(folder, entry_of(run, None, ()))
        except DocumentError as error:
            skipped.append(SkippedFile(str(path), error.fault.detail))
            continue
        taken += is_new
        known += not is_new
    if not taken + known:
        faults = "; ".join(skipped_text(skipped)) or "the folders hold no JSON file"
        raise InputError(f"there is no Run to import: {faults}", "name files that 'sbir-gate run' saved")
    return ImportResult(folder, taken, known, tuple(skipped))


def skipped_text(skipped: Sequence[SkippedFile], what: str = "files of the history") -> tuple[str, ...]:
    """Return one line on files that were skipped: the first of them by name and reason, and how many more."""
    if not skipped:
        return ()
    named = "; ".join(f"{file.file_name}: {file.reason}" for file in skipped[:_MOST_NAMED])
    more = f"; and {len(skipped) - _MOST_NAMED:,} more" if len(skipped) > _MOST_NAMED else ""
    return (f"skipped {len(skipped):,} of the {what}: {named}{more}",)


def _keys(alerts: AlertList | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alert.key for alert in alerts.alerts)) if alerts else ()


def _keep(entry: HistoryEntry, settings: Settings) -> tuple[str, ...]:
    if not settings.history.keeps_runs:
        return ()
    try:
        keep_entry(history_folder(settings), entry)
    except (OutputError, DocumentError) as error:
        return (f"the Run was not kept in the history: {error.message}",)
    return ()


def _documents(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.json"))
        else:
            yield path
