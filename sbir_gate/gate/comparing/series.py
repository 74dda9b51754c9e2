"""One metric over the history as a series that can be compared with itself, and its dispersion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from sbir_gate.gate.comparing.calibration import is_processor_time, time_exponent
from sbir_gate.model.history import HistoryPoint
from sbir_gate.model.run import MetricKind

# the median of |x| for a normal x of standard deviation 1 is 1 / 1.4826
_MAD_TO_SD = 1.4826
# below this many differences their median says little
FEWEST_DIFFERENCES = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One metric, the oldest point first. `values` run parallel to `points` and are comparable.

    They are in the metric's unit; if `is_calibrated`, they are what the machine of the median calibration
    would have taken. `left_out` counts points of another machine without a calibration, `other_definitions`
    those that were measured by another definition of the metric, or in another way, than the newest.
    """

    points: tuple[HistoryPoint, ...]
    values: tuple[float, ...]
    is_calibrated: bool = False
    left_out: int = 0
    other_definitions: int = 0

    @property
    def has_logarithms(self) -> bool:
        """Say whether all values are above 0, so that changes are ratios."""
        return all(value > 0 for value in self.values)


def comparable_series(points: Sequence[HistoryPoint]) -> Series:
    """Return the points as a series; times of different machines become multiples of their calibration.

    Only those of the newest one's definition are in it: a change of the definition is not a change of the
    code.

    On one machine the steadier of the two is taken: where jobs differ in speed the calibrated series has the
    smaller dispersion, on a quiet machine the raw one does.
    """
    alike = [point for point in points if point.is_defined_like(points[-1])]
    return replace(_comparable(alike), other_definitions=len(points) - len(alike))


def _comparable(points: Sequence[HistoryPoint]) -> Series:
    raw = raw_series(points)
    if not points or time_exponent(points[0].metric) == 0:
        return raw
    is_one_machine = len({point.row.machine for point in points}) == 1
    calibrated = calibrated_series(points)
    if not calibrated.points:
        return raw
    if not is_one_machine:
        return calibrated
    raw_spread, calibrated_spread = spread(raw), spread(calibrated)
    if calibrated.left_out or raw_spread is None or calibrated_spread is None:
        return raw
    return calibrated if calibrated_spread < raw_spread else raw


def raw_series(points: Sequence[HistoryPoint]) -> Series:
    """Return the points as they were measured."""
    return Series(tuple(points), tuple(point.value for point in points))


def calibrated_series(points: Sequence[HistoryPoint]) -> Series:
    """Return the points of a time as multiples of their calibration, in what the usual machine would take.

    Those without a calibration are left out.
    """
    timed = [point for point in points if (calibration_of(point) or 0) > 0]
    if not timed:
        return Series((), (), is_calibrated=True, left_out=len(points))
    timings = [calibration_of(point) or math.nan for point in timed]
    usual = median(timings)
    values = tuple(
        point.value * (usual / timing) ** time_exponent(point.metric)
        for point, timing in zip(timed, timings, strict=True)
    )
    return Series(tuple(timed), values, is_calibrated=True, left_out=len(points) - len(timed))


def calibration_of(point: HistoryPoint) -> float | None:
    """Return the seconds of the calibration workload by the clock of the metric."""
    row = point.row
    return row.calibration_cpu_seconds if is_processor_time(point.metric) else row.calibration_seconds


def spread(series: Series) -> float | None:
    """Return the standard deviation of the log of the metric between runs of unchanged code.

    From the differences of successive runs, most of which changed nothing: the median of their distances
    from their own median, scaled to a standard deviation, over the square root of 2 because each difference
    has the variance of two runs. A few runs that did change the metric, and a slow trend, do not count.
    Sources: von Neumann, Ann. Math. Stat. 12 (1941) 367-395, for successive differences; Hampel, J. Am. Stat.
    Assoc. 69 (1974) 383-393, for the median of absolute deviations.

    None with fewer than FEWEST_DIFFERENCES differences, for values at or below 0, and for an exact metric,
    which has no noise.
    """
    if len(series.values) <= FEWEST_DIFFERENCES or not series.has_logarithms:
        return None
    if series.points[0].kind is MetricKind.EXACT:
        return None
    return scatter([math.log(value) for value in series.values])


def scatter(values: Sequence[float]) -> float:
    """Return the standard deviation of the noise of a series, from the differences of its neighbours."""
    differences = [later - earlier for earlier, later in pairwise(values)]
    middle = median(differences)
    return _MAD_TO_SD * median(abs(value - middle) for value in differences) / math.sqrt(2)
