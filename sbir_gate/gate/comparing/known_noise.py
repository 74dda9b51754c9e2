"""What the history knows of the noise between Runs, as far as it may judge one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev

from sbir_gate.gate.comparing.calibration import (
    BETWEEN_MACHINES_LOG_SD,
    OTHER_SPEED_LOG,
    is_calibrated,
    is_same_machine,
    time_exponent,
)
from sbir_gate.gate.comparing.series import calibrated_series, calibration_of, raw_series, spread
from sbir_gate.model.history import HistoryPoint
from sbir_gate.model.run import Measurement

# Twenty Runs tell a spread to about a quarter (the standard error of a scaled median of absolute deviations
# of 19 differences, simulated). With fewer an assumption may be widened by what they say, never narrowed.
FEWEST_TO_NARROW = 20


def known_spread(points: Sequence[HistoryPoint], head: Measurement, reference: Measurement) -> float | None:
    """Return how far Runs of the same code lie apart in a metric, in the way that head is judged.

    `points` are those of the metric by head's definition, the oldest first. The value is the log standard
    deviation of one Run, as `noisy_ratio` takes it; None without enough history, so that the assumption is
    used.

    Where times are judged raw, only Runs on head's machine tell. Where they are calibrated, all do; but
    the assumed BETWEEN_MACHINES_LOG_SD gives way to less only if there are FEWEST_TO_NARROW of them, made at
    speeds that differ as much as machines do: one quiet machine knows nothing of another.
    """
    if not points:
        return None
    if time_exponent(points[0].metric) == 0:
        return spread(raw_series(points))
    if not is_calibrated(points[0].metric, head, reference):
        here = [point for point in points if point.row.machine == head.machine.fingerprint]
        return spread(raw_series(here)) if is_same_machine(head, reference) else None
    series = calibrated_series(points)
    measured = spread(series)
    if measured is None:
        return None
    assumed = BETWEEN_MACHINES_LOG_SD / math.sqrt(2)
    is_enough = len(series.points) >= FEWEST_TO_NARROW and _have_other_speeds(series.points)
    return measured if is_enough else max(measured, assumed)


def _have_other_speeds(points: Sequence[HistoryPoint]) -> bool:
    """Say so of points that all have a calibration."""
    logs = [math.log(calibration_of(point) or math.nan) for point in points]
    return stdev(logs) > OTHER_SPEED_LOG
