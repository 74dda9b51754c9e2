"""How much faster or slower the machine was: the timings of the calibration workload.

The same fixed workload is timed between the repeats of every Run. Its ratio between two Runs shows how much
of a change in time the machine explains, whatever the code did. Wall times are calibrated by its
wall time and processor times by its processor time: on a busy machine only the former grows.
"""

from __future__ import annotations

import math
import re

from sbir_gate.model.run import Measurement
from sbir_gate.model.statistics import (
    FEWEST_REPEATS,
    Estimate,
    difference,
    estimate_log_median,
    interval,
)

# What calibration leaves between two different machines: one workload does not slow down exactly as
# another does. An assumption, for as long as no history has measured it: one standard deviation of 8% in
# time, so that an interval between machines is never narrower than about 17% each way.
BETWEEN_MACHINES_LOG_SD = 0.08

# One machine at rest does not change its speed by a tenth from one hour to another.
OTHER_SPEED_LOG = math.log(1.1)


def time_exponent(metric_name: str) -> int:
    """Return how a metric scales with machine time: 1 for seconds, -1 for "per second", else 0.

    Metric names carry their unit by the rule of this project, whatever spelling `unit` shows.
    """
    words = re.split(r"[^a-z]+", metric_name.lower())
    if "second" in words and "per" in words[: words.index("second")]:
        return -1
    return 1 if "seconds" in words else 0


def is_processor_time(metric_name: str) -> bool:
    """Say whether a metric of time counts processor time, not what a clock on the wall shows."""
    return "cpu" in re.split(r"[^a-z]+", metric_name.lower())


def is_same_machine(head: Measurement, reference: Measurement) -> bool:
    """Say whether raw times of the two Runs may be compared: same machine and same Python."""
    return (
        head.machine.fingerprint == reference.machine.fingerprint
        and head.machine.python_version == reference.machine.python_version
    )


def has_other_speed(metric_name: str, head: Measurement, reference: Measurement) -> bool:
    """Say whether two machines of one kind are, by the calibration workload, not of one speed.

    A fingerprint names a kind of machine: hosted runners of one kind differ by tens of percent. Their
    speeds differ for a metric of time if the workload's do, by the clock of that metric and by more than
    OTHER_SPEED_LOG, beyond the noise of its timings.
    """
    effect = machine_effect(metric_name, head, reference)
    return effect is not None and abs(effect.value) > OTHER_SPEED_LOG and not interval(effect).covers(0.0)


def is_calibrated(metric_name: str, head: Measurement, reference: Measurement) -> bool:
    """Say whether a metric of time is judged as multiples of the calibration workload."""
    return not is_same_machine(head, reference) or has_other_speed(metric_name, head, reference)


def unexplained_log_sd(
    metric_name: str, head: Measurement, reference: Measurement, spread: float | None
) -> float:
    """Return the uncertainty that no repeat of either Run can show, as a log standard deviation.

    `spread` is what the history measured: the log standard deviation, from one Run of the same code to
    another, of a metric as it is judged (a time as a multiple of the calibration workload). Both Runs
    have it. Without a history it is BETWEEN_MACHINES_LOG_SD where times are calibrated, else nothing.
    """
    if spread is not None:
        return math.sqrt(2) * spread
    return BETWEEN_MACHINES_LOG_SD if is_calibrated(metric_name, head, reference) else 0.0


def machine_effect(metric_name: str, head: Measurement, reference: Measurement) -> Estimate | None:
    """Return the log of the ratio that the machine alone would give this time metric.

    It is log(head / reference) of the calibration medians by the metric's clock, with its sign turned for
    rates. The error is the spread of both calibrations. None if either Run has too few usable timings.
    """
    now, before = _timings(metric_name, head), _timings(metric_name, reference)
    if not (_is_usable(now) and _is_usable(before)):
        return None
    slowdown = difference(estimate_log_median(now), estimate_log_median(before))
    return Estimate(slowdown.value * time_exponent(metric_name), slowdown.error, slowdown.freedom)


def _timings(metric_name: str, run: Measurement) -> tuple[float, ...]:
    return run.calibration_cpu_seconds if is_processor_time(metric_name) else run.calibration_seconds


def _is_usable(timings: tuple[float, ...]) -> bool:
    return len(timings) >= FEWEST_REPEATS and all(math.isfinite(value) and value > 0 for value in timings)
