"""What other work on the machine may have added to wall time: the kernel's record of waiting.

While a repeat runs, the kernel counts how long any task had to wait for a processor. At most so much
of the wall time was lost to other work. Sleeping and waiting for disks or networks is not in it: code
that became slower in that way hides behind nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from sbir_gate.model.run import Measurement

_WALL_METRICS = ("wall_seconds", "seconds_per_record", "records_per_second")
_LEAST_SHARE = 0.05


def undisturbed(metric_name: str, values: Sequence[float], measured: Measurement) -> tuple[float, ...] | None:
    """Return the values as they would be had nobody waited for a processor: the best case.

    None if the metric is no wall time, or the waiting was not recorded for every repeat.
    """
    is_wall = metric_name in _WALL_METRICS or metric_name.startswith("stage_seconds/")
    if not is_wall or len(values) != len(measured.repeats.samples):
        return None
    shares = []
    for sample in measured.repeats.samples:
        if sample.cpu_wait_seconds is None or sample.wall_seconds <= 0:
            return None
        shares.append(max(1 - sample.cpu_wait_seconds / sample.wall_seconds, _LEAST_SHARE))
    is_rate = "per_second" in metric_name
    return tuple(
        value / share if is_rate else value * share for value, share in zip(values, shares, strict=True)
    )
