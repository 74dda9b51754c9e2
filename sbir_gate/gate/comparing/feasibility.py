"""Limits that cannot do what they are for: never reached, never established, or already broken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from statistics import median

import numpy as np

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.excuses import ALWAYS_HELD
from sbir_gate.gate.comparing.limits import absolute_findings
from sbir_gate.gate.comparing.sensitivity import FEWEST_TELLING_PAIRS
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact, Rule, Severity
from sbir_gate.model.run import Machine, Measurement, Metric, MetricKind, Timing
from sbir_gate.model.statistics import FEWEST_REPEATS
from sbir_gate.model.verdict import Direction, MetricLimit, Policy

PlaceOf = Callable[[str], str]
"""Returns where a setting was set, by its dotted key."""

_TOLERANCE = 1e-4
_MOST_PERCENT = 100_000.0
_RATIO = "ratio"
# a hint is tried first: multiples of the repeats, and how far the smallest regression has to fall
_MORE_REPEATS = 4
_TELLING_SHARE = 0.1
_NEVER_NEGATIVE = frozenset({_RATIO, "count", "s", "MiB", "1/s"})


def limit_faults(policy: Policy, place_of: PlaceOf) -> Iterator[Diagnosis]:
    """Yield what is wrong with limits by themselves, whatever is measured."""
    for limit in policy.limits:
        for gravity, flaw, name, value in _own_faults(limit):
            place = place_of(f"gate.metrics.{limit.name}.{name}")
            facts: dict[str, Fact] = {"metric": limit.name, "field": name}
            yield Diagnosis(gravity, flaw, place, facts if value is None else {**facts, "value": value})


def _own_faults(limit: MetricLimit) -> Iterator[tuple[Gravity, Flaw, str, float | None]]:
    """Yield what is wrong, the field, and its value."""
    warn, fail, minimum, maximum = limit.warn_percent, limit.fail_percent, limit.minimum, limit.maximum
    if warn is not None and fail is not None and warn > fail:
        yield Gravity.ERROR, Flaw.WARN_ABOVE_FAIL, "warn_percent", warn
    if minimum is not None and minimum <= 0 and limit.unit in _NEVER_NEGATIVE:
        yield Gravity.ERROR, Flaw.MINIMUM_NEVER_BROKEN, "minimum", minimum
    if maximum is not None and maximum >= 1 and limit.unit == _RATIO:
        yield Gravity.ERROR, Flaw.MAXIMUM_NEVER_BROKEN, "maximum", maximum
    if minimum is not None and minimum > 1 and limit.unit == _RATIO:
        yield Gravity.ERROR, Flaw.MINIMUM_ALWAYS_BROKEN, "minimum", minimum
    for name, percent in (("warn_percent", warn), ("fail_percent", fail)):
        if percent is not None and percent >= 100 and limit.direction is Direction.HIGHER_IS_BETTER:
            yield Gravity.ERROR, Flaw.FALL_NEVER_REACHED, name, percent
    if warn is not None and warn == fail:
        yield Gravity.WARNING, Flaw.WARN_EQUALS_FAIL, "warn_percent", warn
    if all(bound is None for bound in (minimum, maximum, warn, fail)):
        yield Gravity.WARNING, Flaw.WITHOUT_LIMIT, "unit", None


def baseline_faults(policy: Policy, baseline: Measurement, place_of: PlaceOf) -> Iterator[Diagnosis]:
    """Yield where policy and baseline do not fit: metrics it lacks, units that differ, limits it breaks."""
    metrics = {metric.name: metric for metric in baseline.metrics}
    for limit in policy.limits_on(metrics):
        place, metric = place_of(f"gate.metrics.{limit.name}.unit"), metrics.get(limit.name)
        if metric is None:
            # one that need not be measured, such as a rate against a truth, may be what this engine never has
            if limit.is_required and (limit.warn_percent is not None or limit.fail_percent is not None):
                facts = {"metric": limit.name}
                yield Diagnosis(Gravity.WARNING, Flaw.BASELINE_LACKS_METRIC, place, facts)
        elif metric.unit != limit.unit:
            facts = {"metric": limit.name, "unit": limit.unit, "measured_unit": metric.unit}
            yield Diagnosis(Gravity.ERROR, Flaw.BASELINE_HAS_OTHER_UNIT, place, facts)
        elif metric.values and all(map(math.isfinite, metric.values)):
            yield from _broken_limits(limit, metric, place_of)


def _broken_limits(limit: MetricLimit, metric: Metric, place_of: PlaceOf) -> Iterator[Diagnosis]:
    """Yield the absolute limits that the baseline breaks; all but a few only warn while head is not worse."""
    value = median(metric.values)
    for finding in absolute_findings(limit, value):
        is_failing = finding.severity is Severity.FAIL and limit.name in ALWAYS_HELD
        field = "minimum" if finding.rule is Rule.BELOW_MINIMUM else "maximum"
        yield Diagnosis(
            Gravity.ERROR if is_failing else Gravity.WARNING,
            Flaw.BASELINE_FAILS_LIMIT if is_failing else Flaw.BASELINE_BREAKS_LIMIT,
            place_of(f"gate.metrics.{limit.name}.{field}"),
            {"metric": limit.name, "field": field, "value": value},
        )


def repeats_fault(policy: Policy, repeats: int, place_of: PlaceOf) -> Diagnosis | None:
    """Return why no time or memory can fail with so many repeats; None if one can or none has a limit."""
    if repeats >= FEWEST_REPEATS or not _enforces_noise(policy):
        return None
    facts = {"repeats": repeats, "fewest": FEWEST_REPEATS}
    return Diagnosis(Gravity.ERROR, Flaw.TOO_FEW_REPEATS, place_of("benchmark.repeats"), facts)


def pairs_fault(policy: Policy, max_pairs: int, place_of: PlaceOf) -> Diagnosis | None:
    """Return why no time or memory can fail with so many pairs; None if one can or none has a limit."""
    if max_pairs >= FEWEST_TELLING_PAIRS or not _enforces_noise(policy):
        return None
    facts = {"pairs": max_pairs, "fewest": FEWEST_TELLING_PAIRS}
    return Diagnosis(Gravity.ERROR, Flaw.TOO_FEW_PAIRS, place_of("benchmark.max_pairs"), facts)


def _enforces_noise(policy: Policy) -> bool:
    return any(limit.kind is MetricKind.NOISY and limit.fail_percent is not None for limit in policy.limits)


def noise_faults(
    policy: Policy, baseline: Measurement, machine: Machine, repeats: int, place_of: PlaceOf
) -> Iterator[Diagnosis]:
    """Yield the limits on noisy metrics that `repeats` repeats on this machine can never establish.

    Uses the baseline's noise as an estimate for head: Measurements of `repeats` values, spread as those of
    the baseline and worse by more and more, are judged against it by the rules that judge every Run.
    """
    if repeats < FEWEST_REPEATS:
        return
    for limit in policy.limits_on(metric.name for metric in baseline.metrics):
        metric = next((metric for metric in baseline.metrics if metric.name == limit.name), None)
        if limit.fail_percent is None or limit.kind is not MetricKind.NOISY or metric is None:
            continue
        fate = _Fate(limit, _of_metric(baseline, metric), machine, repeats)
        least = fate.least_failing_percent()
        if least is None or least <= limit.fail_percent * (1 + _TOLERANCE):
            continue
        facts: dict[str, Fact] = {
            "metric": limit.name,
            "limit": limit.fail_percent,
            "repeats": repeats,
            "machine": "other" if fate.is_other_machine else "same",
            "reach": "none" if math.isinf(least) else "some",
            "unit": limit.unit,
            "smallest_change": limit.smallest_change,
            "limit_change": abs(median(metric.values)) * limit.fail_percent / 100,
            "remedies": _remedies(fate, least),
        }
        if not math.isinf(least):
            facts["least_percent"] = least
        place = place_of(f"gate.metrics.{limit.name}.fail_percent")
        yield Diagnosis(Gravity.WARNING, Flaw.LIMIT_BELOW_NOISE, place, facts)


def _remedies(fate: _Fate, least: float) -> tuple[str, ...]:
    """Return what would help: what makes the limit hold by itself, else all that brings it nearer."""
    percent = fate.limit.fail_percent or 0.0
    tried = {
        "smallest-change": replace(fate, limit=replace(fate.limit, smallest_change=0.0)),
        "same-machine": replace(fate, machine=fate.baseline.machine),
        "more-repeats": replace(fate, repeats=fate.repeats * _MORE_REPEATS),
    }
    reached = {
        remedy: found for remedy, each in tried.items() if (found := each.least_failing_percent()) is not None
    }
    enough = [remedy for remedy, found in reached.items() if found <= percent * (1 + _TOLERANCE)]
    nearer = [remedy for remedy, found in reached.items() if found < least * (1 - _TELLING_SHARE)]
    return (*(enough or nearer), "limit")


@dataclass(frozen=True, slots=True)
class _Fate:
    """The judgement of a metric as noisy as the baseline's and worse by a given percentage."""

    limit: MetricLimit
    baseline: Measurement
    machine: Machine
    repeats: int

    @property
    def is_other_machine(self) -> bool:
        """Say whether the baseline is of another machine."""
        return self.machine.fingerprint != self.baseline.machine.fingerprint

    def least_failing_percent(self) -> float | None:
        """Return the least regression that fails, infinity if none does.

        None if the values are not such that one could tell.
        """
        values = self.baseline.metrics[0].values
        if not values or not all(math.isfinite(value) and value > 0 for value in values):
            return None
        low = self.limit.fail_percent or 0.0
        high = _MOST_PERCENT if self.limit.direction is Direction.LOWER_IS_BETTER else 100.0
        first = low * (1 + _TOLERANCE) + _TOLERANCE
        if self.is_failing(first):
            return low
        if not self.is_failing(high * (1 - _TOLERANCE)):
            return math.inf
        low = first
        while high - low > _TOLERANCE * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.is_failing(middle) else (middle, high)
        return high

    def is_failing(self, percent: float) -> bool:
        """Judge, by the rules that judge every Run, a head that is worse by a given percentage."""
        sign = 1 if self.limit.direction is Direction.LOWER_IS_BETTER else -1
        (metric,) = self.baseline.metrics
        factor = 1 + sign * percent / 100
        values = tuple(value * factor for value in _spread(metric.values, self.repeats))
        head = replace(self.baseline, machine=self.machine, metrics=(replace(metric, values=values),))
        # an absolute limit that is exceeded on the way would fail independently of the noise
        limit = replace(self.limit, minimum=None, maximum=None)
        (change,) = compare_metrics(head, self.baseline, Policy((limit,))).changes
        return change.severity is Severity.FAIL


def _of_metric(baseline: Measurement, metric: Metric) -> Measurement:
    """Return the measurement of one metric alone, without the baseline's repeats."""
    shared = {each.name: getattr(baseline, each.name) for each in fields(Measurement)}
    return Measurement(**{**shared, "metrics": (metric,), "timing": Timing.MEASURED})


def _spread(values: Sequence[float], count: int) -> tuple[float, ...]:
    """Return a number of values with the quantiles of the given ones, so that the noise stays what it is."""
    if len(values) in {0, count}:
        return tuple(values)
    return tuple(np.quantile(values, np.linspace(0, 1, count)).tolist())
