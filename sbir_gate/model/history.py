"""The history: what is kept of every Run, and what is asked of it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sbir_gate.model.definitions import FIRST_VERSION
from sbir_gate.model.run import Measurement, MetricKind
from sbir_gate.model.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry(Measurement):
    """What is kept of one Run: its Measurement, without decisions, samples and quality by slices.

    `metrics` have the values of all repeats, so that a later Run is compared with this one just as with a
    baseline. `tags` are the git tags of the commit when it was measured. `outcome` is what the gate said,
    None of an imported Run without a verdict, and `alert_keys` its alerts (`Alert.key`), so that the same
    news is not sent again. A benchmark that broke leaves an entry of outcome `error` without
    metrics.
    """

    tags: tuple[str, ...] = ()
    outcome: Outcome | None = None
    alert_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which entries are asked for; what is None or 0 does not restrict.

    `since` is UTC and inclusive, `before` UTC and exclusive. `limit` keeps this number of newest entries.
    """

    gate: str | None = None
    branch: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    fixture: str | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """The head of one entry, as the index knows it; `file_name` is that of the entry in its folder.

    `started_at` is UTC. `calibration_seconds` is the median of the calibration workload,
    `calibration_cpu_seconds` that of its processor times; None if it was not timed. `pull_request` is its
    number, 0 if it is not known.
    """

    file_name: str
    gate: str
    started_at: datetime
    commit: str
    branch: str
    is_dirty: bool
    tags: tuple[str, ...]
    outcome: Outcome | None
    machine: str
    fixture: str
    enricher: str
    tool_version: str
    calibration_seconds: float | None
    calibration_cpu_seconds: float | None = None
    pull_request: int = 0


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One metric of one entry: the median of its repeats, in `unit`, and how many they were.

    `low` and `high` are the lowest and the highest of the repeats, `interval` the bounds of the value at 95%
    (`metric_interval`); None where they are not known. `version` and `method` are those of the metric: points
    that differ in either are never joined.
    """

    row: HistoryRow
    metric: str
    unit: str
    kind: MetricKind
    value: float
    repeats: int
    version: int = FIRST_VERSION
    method: str = ""
    low: float | None = None
    high: float | None = None
    interval: tuple[float, float] | None = None

    def is_defined_like(self, other: HistoryPoint) -> bool:
        """Say whether both were measured by the same definition, in the same way."""
        return (self.version, self.method) == (other.version, other.method)


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file in the history folder that is not an entry, and why."""

    file_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trend:
    """How steadily a series goes one way, from run to run.

    `slope` is the usual change from one run to the next, on the series that it was taken of. `p_value` is how
    often chance alone looks so steady.
    """

    slope: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """One change of level, by the positions of points in a series.

    `start` is the first point after the change began, most likely; it is one of `earliest` to `latest`
    unless chance misled (5 in 100 on simulated series). `end` is the first point of the new level, one of
    `earliest_end` to `latest_end`: for a step, those of `start`. `before` and `after` are the levels on both
    sides.
    """

    start: int
    earliest: int
    latest: int
    end: int
    earliest_end: int
    latest_end: int
    before: float
    after: float

    @property
    def is_ramp(self) -> bool:
        """Say whether the change came gradually."""
        return self.end > self.start

    @property
    def ratio(self) -> float | None:
        """Return the level after over the level before, None where that is not above 0."""
        return self.after / self.before if self.before > 0 else None


@dataclass(frozen=True, slots=True)
class MetricHistory:
    """One metric over the history, with all that is known of its course; the oldest point first.

    `values` run parallel to `points` and may be compared with one another: where the machines differ, times
    are calibrated (`is_calibrated`). `trend` and `changes` are of the logarithms where `is_logarithmic`, else
    of the values; None where they were not looked for or there are too few points. `spread` is the standard
    deviation of the logarithm between runs of unchanged code. `notes` say what was left out.
    """

    metric: str
    unit: str
    points: tuple[HistoryPoint, ...]
    values: tuple[float, ...]
    is_calibrated: bool
    is_logarithmic: bool
    trend: Trend | None
    spread: float | None
    changes: tuple[ChangePoint, ...] | None
    notes: tuple[str, ...] = ()
