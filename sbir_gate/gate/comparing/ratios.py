"""Head over reference for one metric, with the interval that its noise and its machine leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

from sbir_gate.gate.comparing.calibration import (
    is_calibrated,
    machine_effect,
    time_exponent,
    unexplained_log_sd,
)
from sbir_gate.model.run import Measurement
from sbir_gate.model.statistics import (
    FEWEST_REPEATS,
    Estimate,
    Interval,
    difference,
    estimate_log_median,
    estimate_median,
    half_width,
    interval,
)

# Two floats nearer than this are one value that was computed in two ways.
RELATIVE_TOLERANCE = 1e-9


class Doubt(StrEnum):
    """Why a noisy ratio has no interval."""

    NOT_CALIBRATED = "not-calibrated"
    FEW_REPEATS = "few-repeats"
    UNPAIRED = "unpaired"
    ONE_PAIR = "one-pair"


_WALL_METRICS = ("wall_seconds", "seconds_per_record", "records_per_second")
_LEAST_SHARE = 0.05
# what is known of the noise of a single repeat: two of them have the four differences of the shortest history
_HISTORY_FREEDOM = 2


@dataclass(frozen=True, slots=True)
class Ratio:
    """Head over reference: the value that is judged, its bounds, and its obstacles.

    `value` is None where the reference is not above 0; `low` and `high` are None where there is no
    interval. `raw` is never calibrated. `delta` is head minus reference in the metric's unit, and
    `judged_delta` is what of it counts: between machines, the calibrated part. `doubt` says
    why there is no interval, `counts` how many values the reference and head have then. `repeats` are those
    of the side that has fewer, or the pairs. `fixed_log` is what of the interval, to one side and on logs,
    more repeats would not narrow; `noise_floor_log` what pairs of the same code say of its width, where there
    are such. `is_sought` is False where the set-up takes one repeat, so that no change is looked for in
    noise. `least_each` is, of a time with few pairs, the least that each of them and the first runs can show,
    whatever else the machine did.
    """

    value: float | None
    low: float | None
    high: float | None
    raw: float | None
    delta: float
    judged_delta: float
    is_significant: bool
    is_calibrated: bool = False
    doubt: Doubt | None = None
    counts: tuple[int, int] = (0, 0)
    repeats: int = 0
    fixed_log: float = 0.0
    noise_floor_log: float = 0.0
    is_paired: bool = False
    is_sought: bool = True
    least_each: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """The values of one metric in both Runs; each side has at least one, all finite."""

    name: str
    head: Sequence[float]
    reference: Sequence[float]


def exact_ratio(pair: Pair) -> Ratio:
    """Return the ratio of an exact metric: its bounds are the value itself, and any change is one."""
    delta, raw = _raw(pair)
    is_same = math.isclose(pair.head[0], pair.reference[0], rel_tol=RELATIVE_TOLERANCE)
    if is_same:
        delta = 0.0
    return Ratio(raw, raw, raw, raw, delta, delta, not is_same)


def noisy_ratio(pair: Pair, head: Measurement, reference: Measurement, spread: float | None = None) -> Ratio:
    """Return the ratio of the medians of two Runs that were measured apart, with its interval.

    `spread` is how far the metric differs between Runs of the same code, as the log standard deviation of one
    Run, if known from the history.
    """
    if min(*pair.head, *pair.reference) <= 0:
        return _noisy_about_zero(pair)
    return _noisy(pair, head, reference, spread)


def doubtful_ratio(pair: Pair, doubt: Doubt) -> Ratio:
    """Return the ratio without an interval, and why it has none."""
    delta, raw = _raw(pair)
    counts = len(pair.reference), len(pair.head)
    return Ratio(raw, None, None, raw, delta, delta, is_significant=False, doubt=doubt, counts=counts)


def too_few_repeats(pair: Pair) -> bool:
    """Say whether a side has too few repeats to tell anything of the noise."""
    return min(len(pair.head), len(pair.reference)) < FEWEST_REPEATS


def _raw(pair: Pair) -> tuple[float, float | None]:
    head, reference = median(pair.head), median(pair.reference)
    return head - reference, head / reference if reference > 0 else None


def _noisy_about_zero(pair: Pair) -> Ratio:
    """Judge by the difference of the medians: values at or below 0 have no logarithm."""
    if too_few_repeats(pair):
        return replace(doubtful_ratio(pair, Doubt.FEW_REPEATS), is_sought=False)
    delta, raw = _raw(pair)
    found = interval(difference(estimate_median(pair.head), estimate_median(pair.reference)))
    low, high = None, None
    if raw is not None:
        scale = median(pair.reference)
        low, high = 1 + found.low / scale, 1 + found.high / scale
    return Ratio(raw, low, high, raw, delta, delta, not found.covers(0.0))


def _noisy(pair: Pair, head: Measurement, reference: Measurement, spread: float | None) -> Ratio:
    is_time = time_exponent(pair.name) != 0
    effect = machine_effect(pair.name, head, reference) if is_time else None
    is_between_machines = is_time and is_calibrated(pair.name, head, reference)
    if is_between_machines and effect is None:
        return doubtful_ratio(pair, Doubt.NOT_CALIBRATED)
    if too_few_repeats(pair) and spread is None:
        return replace(doubtful_ratio(pair, Doubt.FEW_REPEATS), is_sought=False)
    measured = difference(_log_median(pair.head), _log_median(pair.reference))
    is_uncertain = is_time or spread is not None
    unexplained = unexplained_log_sd(pair.name, head, reference, spread) if is_uncertain else 0.0
    change = replace(measured, error=math.hypot(measured.error, unexplained))
    if effect is None:
        found = interval(change)
    elif is_between_machines:
        found = interval(difference(change, effect))
    else:
        found = _stretched(interval(change), change, effect)
    found = _covering(found, _undisturbed_shift(pair, head, reference))
    delta, raw = _raw(pair)
    value = math.exp(found.value)
    own = interval(measured)
    return Ratio(
        value,
        math.exp(found.low),
        math.exp(found.high),
        raw,
        delta,
        judged_delta=median(pair.reference) * (value - 1) if is_between_machines else delta,
        is_significant=not found.covers(0.0),
        is_calibrated=is_between_machines,
        repeats=min(len(pair.head), len(pair.reference)),
        fixed_log=max(half_width(found) - half_width(own), 0.0),
    )


def _log_median(values: Sequence[float]) -> Estimate:
    """Return the log of the median; the noise of a single value is known from the history."""
    if len(values) >= FEWEST_REPEATS:
        return estimate_log_median(values)
    return Estimate(math.log(values[0]), 0.0, _HISTORY_FREEDOM)


def _stretched(found: Interval, change: Estimate, effect: Estimate) -> Interval:
    """Widen the interval so that it covers what the calibration workload says too.

    On one machine the raw ratio decides. But if the calibration workload slowed down as well, the
    machine was busier, and that part of the change must not be held against the code. Where the
    workload's own change is no more than noise its estimate is covered, else its whole interval.
    """
    calibrated = interval(difference(change, effect))
    if interval(effect).covers(0.0):
        return Interval(found.value, min(found.low, calibrated.value), max(found.high, calibrated.value))
    return Interval(found.value, min(found.low, calibrated.low), max(found.high, calibrated.high))


def _undisturbed_shift(pair: Pair, head: Measurement, reference: Measurement) -> float:
    """Return the log of how much smaller the ratio is in the best case: no waiting on either side."""
    head_best = undisturbed(pair.name, pair.head, head)
    reference_best = undisturbed(pair.name, pair.reference, reference)
    if head_best is None or reference_best is None:
        return 0.0
    best = median(head_best) / median(reference_best)
    return math.log(best / (median(pair.head) / median(pair.reference)))


def _covering(found: Interval, shift: float) -> Interval:
    """Widen the interval so that it covers the estimate less what waiting for a processor explains.

    It is widened, not moved: whose work the waiting task did is not known.
    """
    return Interval(found.value, min(found.low, found.low + shift), max(found.high, found.high + shift))


def undisturbed(metric_name: str, values: Sequence[float], measured: Measurement) -> tuple[float, ...] | None:
    """Return the values without any waiting for a processor: the best case.

    While a repeat runs, the kernel counts how long any task had to wait for a processor: at most this part of
    the wall time was lost to other work. Sleeping and waiting for disks or networks is not in it, so code
    that became slower in that way hides behind nothing.

    None if the metric is not a wall time, or the waiting was not recorded for every repeat.
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
