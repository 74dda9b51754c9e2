"""The index of the history: the heads and medians of all entries, so that a question opens no file.

It is a cache in SQLite beside the entries, rebuilt from them whenever it is missing, damaged or has another
layout. Nothing is only in it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from sbir_gate.model.history import HistoryEntry, HistoryPoint, HistoryQuery, HistoryRow, SkippedFile
from sbir_gate.model.run import Metric, MetricKind
from sbir_gate.model.statistics import metric_interval
from sbir_gate.model.verdict import Outcome

# Raise it when the tables change: an index with another number is rebuilt.
_LAYOUT = 5
_BUSY_SECONDS = 5.0

_TABLES = """
CREATE TABLE entries (
    entry INTEGER PRIMARY KEY, file_name TEXT UNIQUE, size INTEGER, changed_ns INTEGER, fault TEXT,
    gate TEXT, started_at REAL, commit_id TEXT, branch TEXT, is_dirty INTEGER, tags TEXT, outcome TEXT,
    machine TEXT, fixture TEXT, enricher TEXT, tool_version TEXT, calibration_seconds REAL,
    calibration_cpu_seconds REAL, pull_request INTEGER
);
CREATE TABLE metrics (
    metric INTEGER PRIMARY KEY, name TEXT, unit TEXT, kind TEXT, version INTEGER, method TEXT,
    UNIQUE (name, unit, kind, version, method)
);
CREATE TABLE points (
    metric INTEGER, entry INTEGER, value REAL, repeats INTEGER, low REAL, high REAL,
    interval_low REAL, interval_high REAL,
    PRIMARY KEY (metric, entry)
) WITHOUT ROWID;
CREATE INDEX entries_by_time ON entries (started_at);
CREATE INDEX points_by_entry ON points (entry);
"""

# the newest entries that a query asks for; what is NULL does not restrict
_CHOSEN = """
WITH chosen AS (
    SELECT * FROM entries
    WHERE fault IS NULL
        AND (:gate IS NULL OR gate = :gate)
        AND (:branch IS NULL OR branch = :branch)
        AND (:fixture IS NULL OR fixture = :fixture)
        AND (:since IS NULL OR started_at >= :since)
        AND (:before IS NULL OR started_at < :before)
    ORDER BY started_at DESC, file_name DESC
    LIMIT :newest
)
"""
_HEADS = (
    "file_name, gate, started_at, commit_id, branch, is_dirty, tags, outcome,"
    " machine, fixture, enricher, tool_version, calibration_seconds, calibration_cpu_seconds, pull_request"
)
_ROWS = _CHOSEN + "SELECT " + _HEADS + " FROM chosen ORDER BY started_at, file_name"
_POINTS = (
    _CHOSEN
    + "SELECT "
    + _HEADS
    + ", unit, kind, version, method, value, repeats, low, high, interval_low, interval_high"
    + " FROM metrics JOIN points USING (metric) JOIN chosen USING (entry)"
    + " WHERE name = :metric ORDER BY started_at, file_name"
)
_METRICS = (
    _CHOSEN
    + "SELECT DISTINCT name FROM metrics WHERE EXISTS"
    + " (SELECT 1 FROM points JOIN chosen USING (entry) WHERE points.metric = metrics.metric) ORDER BY name"
)

_Cells = tuple[Any, ...]
"""One row of SQLite, in the order of _HEADS."""

Stamp = tuple[int, int]
"""Size in bytes, and time of change in nanoseconds: a file with another stamp is read again."""


class HistoryIndex:
    """The index, open. All methods raise sqlite3.Error where the file behind it is damaged or locked."""

    def __init__(self, path: Path | None) -> None:
        """Open the index in the file, or in memory alone if there is none."""
        self._metric_numbers: dict[tuple[str, str, str, int, str], int] = {}
        self._connection = sqlite3.connect(
            str(path) if path else ":memory:", timeout=_BUSY_SECONDS, isolation_level=None
        )
        try:
            # a cache is not worth waiting for the disk
            self._connection.execute("PRAGMA synchronous = OFF")
            # one writer at a time: what is read below is what is changed
            self._connection.execute("BEGIN IMMEDIATE")
            (layout,) = self._connection.execute("PRAGMA user_version").fetchone()
            if layout != _LAYOUT:
                self._make_tables()
            (finding,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if finding != "ok":
                raise sqlite3.DatabaseError(finding)
        except sqlite3.Error:
            self._connection.close()
            raise

    def _make_tables(self) -> None:
        for table in ("entries", "metrics", "points"):
            self._connection.execute("DROP TABLE IF EXISTS " + table)
        for statement in filter(str.strip, _TABLES.split(";")):
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {_LAYOUT}")

    def close(self) -> None:
        """Close it; what was not committed is forgotten."""
        self._connection.close()

    def commit(self) -> None:
        """Keep what was added and forgotten, and let others in."""
        self._connection.execute("COMMIT")

    def stamps(self) -> Mapping[str, Stamp]:
        """Return the stamp of every file that is indexed, the faulty ones too."""
        found = self._connection.execute("SELECT file_name, size, changed_ns FROM entries")
        return {name: (size, changed_ns) for name, size, changed_ns in found}

    def add(self, file_name: str, stamp: Stamp, entry: HistoryEntry) -> None:
        """Index an entry under the name of its file."""
        source = entry.source
        timings, cpu_timings = entry.calibration_seconds, entry.calibration_cpu_seconds
        added = self._connection.execute(
            "INSERT INTO entries VALUES (NULL, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                file_name,
                *stamp,
                entry.gate,
                entry.started_at.timestamp(),
                source.commit,
                source.branch,
                source.is_dirty,
                json.dumps(entry.tags),
                entry.outcome,
                entry.machine.fingerprint,
                entry.fixture.fingerprint,
                entry.enricher,
                entry.tool_version,
                median(timings) if timings else None,
                median(cpu_timings) if cpu_timings else None,
                source.pull_request,
            ),
        ).lastrowid
        # a metric that an entry holds twice is ambiguous and ignored
        times = Counter(metric.name for metric in entry.metrics)
        self._connection.executemany(
            "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    self._metric_number(metric),
                    added,
                    median(metric.values),
                    len(metric.values),
                    min(metric.values),
                    max(metric.values),
                    *(metric_interval(metric) or (None, None)),
                )
                for metric in entry.metrics
                if metric.values and times[metric.name] == 1
            ],
        )

    def _metric_number(self, metric: Metric) -> int:
        """Return a number for everything but the values of the metric in the points."""
        facts = metric.name, metric.unit, metric.kind.value, metric.version, metric.method
        if facts not in self._metric_numbers:
            self._connection.execute(
                "INSERT OR IGNORE INTO metrics (name, unit, kind, version, method) VALUES (?, ?, ?, ?, ?)",
                facts,
            )
            (self._metric_numbers[facts],) = self._connection.execute(
                "SELECT metric FROM metrics WHERE (name, unit, kind, version, method) = (?, ?, ?, ?, ?)",
                facts,
            ).fetchone()
        return self._metric_numbers[facts]

    def add_faulty(self, file_name: str, stamp: Stamp, fault: str) -> None:
        """Remember that the file is not an entry, so that it is not read each time."""
        self._connection.execute(
            "INSERT INTO entries (file_name, size, changed_ns, fault) VALUES (?, ?, ?, ?)",
            (file_name, *stamp, fault),
        )

    def forget(self, file_name: str) -> None:
        """Take the file out of the index."""
        for statement in (
            "DELETE FROM points WHERE entry IN (SELECT entry FROM entries WHERE file_name = ?)",
            "DELETE FROM entries WHERE file_name = ?",
        ):
            self._connection.execute(statement, (file_name,))

    def skipped(self) -> tuple[SkippedFile, ...]:
        """Return the files that are not entries, by name."""
        found = self._connection.execute(
            "SELECT file_name, fault FROM entries WHERE fault IS NOT NULL ORDER BY file_name"
        )
        return tuple(SkippedFile(name, fault) for name, fault in found)

    def rows(self, query: HistoryQuery) -> tuple[HistoryRow, ...]:
        """Return the heads of the entries, the oldest first."""
        return tuple(_row(tuple(cells)) for cells in self._connection.execute(_ROWS, _parameters(query)))

    def points(self, metric: str, query: HistoryQuery) -> tuple[HistoryPoint, ...]:
        """Return one metric of the entries, the oldest first; entries without it are left out."""
        found = self._connection.execute(_POINTS, {**_parameters(query), "metric": metric})
        return tuple(_points(metric, found))

    def metrics(self, query: HistoryQuery) -> tuple[str, ...]:
        """Return the names of all metrics of the entries."""
        return tuple(name for (name,) in self._connection.execute(_METRICS, _parameters(query)))


def _parameters(query: HistoryQuery) -> dict[str, str | float | int | None]:
    return {
        "gate": query.gate,
        "branch": query.branch,
        "fixture": query.fixture,
        "since": query.since.timestamp() if query.since else None,
        "before": query.before.timestamp() if query.before else None,
        "newest": query.limit or -1,
    }


# a question on one metric after the other meets the same heads again
@lru_cache(maxsize=1 << 15)
def _row(cells: _Cells) -> HistoryRow:
    name, gate, started, commit, branch, is_dirty, tags, outcome, *rest = cells
    machine, fixture, enricher, tool_version, timing, cpu_timing, pull_request = rest
    return HistoryRow(
        file_name=name,
        gate=gate,
        started_at=datetime.fromtimestamp(started, UTC),
        commit=commit,
        branch=branch,
        is_dirty=bool(is_dirty),
        tags=tuple(json.loads(tags)),
        outcome=Outcome(outcome) if outcome else None,
        machine=machine,
        fixture=fixture,
        enricher=enricher,
        tool_version=tool_version,
        calibration_seconds=timing,
        calibration_cpu_seconds=cpu_timing,
        pull_request=pull_request,
    )


def _points(metric: str, found: sqlite3.Cursor) -> Iterator[HistoryPoint]:
    for *head, unit, kind, version, method, value, repeats, low, high, least, most in found:
        yield HistoryPoint(
            row=_row(tuple(head)),
            metric=metric,
            unit=unit,
            kind=MetricKind(kind),
            value=value,
            repeats=repeats,
            version=version,
            method=method,
            low=low,
            high=high,
            interval=(least, most) if least is not None else None,
        )
