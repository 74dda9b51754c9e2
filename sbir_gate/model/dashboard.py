"""What a dashboard shows: the Runs of each gate, and the course of each metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sbir_gate.model.history import HistoryPoint, HistoryRow, MetricHistory
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.verdict import Direction

ANY_BRANCH = ""


@dataclass(frozen=True, slots=True)
class MetricCourse:
    """One metric on one branch (ANY_BRANCH: on all): its history, and the values that are lines in it.

    `direction` is where it should go, None where no limit says so. `fail_beyond` is the value beyond which it
    fails, by an absolute limit or relative to the baseline, whichever is stricter; None where there is none
    or it cannot be compared.
    """

    branch: str
    metric: str
    history: MetricHistory
    direction: Direction | None = None
    fail_beyond: float | None = None


@dataclass(frozen=True, slots=True)
class GateHistory:
    """What the dashboard shows of one gate.

    `rows` are the Runs that are shown, the oldest first, of `runs` in all. `points` are all metrics of the
    shown Runs. `courses` hold points of every Run; those that are not shown are left out by the renderer.
    `releases` are the tags that count as one, by the file name of the Run. `branch` is the one that is shown
    first, and `quality` the newest quality report. `metrics_left_out` and `gates_left_out` count what a page
    has no room for.
    """

    gate: str
    runs: int
    rows: tuple[HistoryRow, ...]
    points: Mapping[str, tuple[HistoryPoint, ...]]
    courses: tuple[MetricCourse, ...]
    branch: str = ANY_BRANCH
    releases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    quality: QualityReport | None = None
    metrics_left_out: int = 0
    gates_left_out: int = 0
