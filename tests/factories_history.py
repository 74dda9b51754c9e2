"""Entries of the history for tests: a gate that was measured again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sbir_gate.gate.kept_runs import entry_of
from sbir_gate.model.history import HistoryEntry, HistoryPoint, HistoryRow
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Outcome
from tests.factories import MACHINE, NOISY, make_run, scaled

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def commit_id(number: int) -> str:
    return f"{number:040x}"


def make_entry(number: int = 0, outcome: Outcome | None = Outcome.PASS, **changes: object) -> HistoryEntry:
    """Return the entry of a Run `number` days after START, of a commit of its own."""
    run = make_run(
        started_at=START + timedelta(days=number),
        source=replace(make_run().source, commit=commit_id(number)),
    )
    return replace(entry_of(run, outcome, ()), **changes)


def slower_entry(number: int, factor: float, **changes: object) -> HistoryEntry:
    """Return the entry of a Run that took `factor` times as long."""
    return replace(make_entry(number), metrics=scaled(make_run(), "wall_seconds", factor).metrics, **changes)


def make_row(number: int = 0, **changes: object) -> HistoryRow:
    """Return what the index knows of `make_entry(number)`."""
    run = make_run()
    row = HistoryRow(
        file_name=f"{number}.json",
        gate=run.gate,
        started_at=START + timedelta(days=number),
        commit=commit_id(number),
        branch="main",
        is_dirty=False,
        tags=(),
        outcome=Outcome.PASS,
        machine=MACHINE.fingerprint,
        fixture=run.fixture.fingerprint,
        enricher=run.enricher,
        tool_version=run.tool_version,
        calibration_seconds=0.1,
    )
    return replace(row, **changes)


def make_points(
    values: Sequence[float],
    metric: str = "wall_seconds",
    unit: str = "s",
    kind: MetricKind = NOISY,
    **changes: object,
) -> tuple[HistoryPoint, ...]:
    """Return one metric of successive Runs, a day apart."""
    return tuple(
        HistoryPoint(make_row(number, **changes), metric, unit, kind, value, 5)
        for number, value in enumerate(values)
    )
