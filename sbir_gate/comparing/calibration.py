"""How much faster or slower the machine was: the timings of the calibration workload.

The same fixed workload is timed between the repeats of every Run. Its ratio between two Runs tells
how much of a change in time the machine explains, whatever the code did.
"""

from __future__ import annotations

import math
import re

from sbir_gate.comparing.statistics import FEWEST_REPEATS, Estimate, difference, estimate_log_median
from sbir_gate.model.run import Run

# What calibration leaves between two different machines: one workload does not slow down exactly as
# another does. An assumption, not a measurement: one standard deviation of 8 % in time, so that an
# interval between machines is never narrower than about 17 % each way.
BETWEEN_MACHINES_LOG_SD = 0.08


def time_exponent(metric_name: str) -> int:
    """Return how a metric scales with machine time: 1 for seconds, -1 for "per second", else 0.

    Metric names carry their unit by the rule of this project, whatever spelling `unit` shows.
    """
    words = re.split(r"[^a-z]+", metric_name.lower())
    if "second" in words and "per" in words[: words.index("second")]:
        return -1
    return 1 if "seconds" in words else 0


def is_same_machine(head: Run, reference: Run) -> bool:
    """Say whether raw times of the two Runs may be compared: same machine and same Python."""
    return (
        head.machine.fingerprint == reference.machine.fingerprint
        and head.machine.python_version == reference.machine.python_version
    )


def machine_effect(metric_name: str, head: Run, reference: Run) -> Estimate | None:
    """Return the log of the ratio that the machine alone would give this time metric.

    It is log(head / reference) of the calibration medians, with its sign turned for rates. The error
    covers the spread of both calibrations and, between different machines, BETWEEN_MACHINES_LOG_SD.
    None if either Run has too few usable timings.
    """
    if not (_is_usable(head.calibration_seconds) and _is_usable(reference.calibration_seconds)):
        return None
    slowdown = difference(
        estimate_log_median(head.calibration_seconds), estimate_log_median(reference.calibration_seconds)
    )
    unexplained = 0.0 if is_same_machine(head, reference) else BETWEEN_MACHINES_LOG_SD
    return Estimate(
        slowdown.value * time_exponent(metric_name),
        math.hypot(slowdown.error, unexplained),
        slowdown.freedom,
    )


def _is_usable(timings: tuple[float, ...]) -> bool:
    return len(timings) >= FEWEST_REPEATS and all(math.isfinite(value) and value > 0 for value in timings)
