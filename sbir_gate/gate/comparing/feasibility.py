"""Limits that cannot do what they are for: never reached, never established, or already broken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.excuses import ALWAYS_HELD
from sbir_gate.gate.comparing.limits import absolute_findings
from sbir_gate.gate.comparing.sensitivity import FEWEST_TELLING_PAIRS
from sbir_gate.gate.comparing.statistics import FEWEST_REPEATS
from sbir_gate.gate.comparing.wording import number_text
from sbir_gate.model.diagnosis import Diagnosis, Gravity
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import Machine, Measurement, Metric, MetricKind
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
        key = f"gate.metrics.{limit.name}"
        for name, problem, cure in _own_faults(limit):
            yield Diagnosis(Gravity.ERROR, place_of(f"{key}.{name}"), f"{key}.{name}: {problem}", cure)
        if limit.warn_percent is not None and limit.warn_percent == limit.fail_percent:
            yield Diagnosis(
                Gravity.WARNING,
                place_of(f"{key}.warn_percent"),
                f"{key}.warn_percent: is the same as fail_percent, so nothing ever warns",
                "lower warn_percent, or leave it out",
            )
        if not _limits_anything(limit):
            yield Diagnosis(
                Gravity.WARNING,
                place_of(f"{key}.unit"),
                f"{key}: has no limit, so nothing but its absence ever fails",
                "give it a limit, or take the entry out",
            )


def _limits_anything(limit: MetricLimit) -> bool:
    bounds = (limit.minimum, limit.maximum, limit.warn_percent, limit.fail_percent)
    return any(bound is not None for bound in bounds)


def _own_faults(limit: MetricLimit) -> Iterator[tuple[str, str, str]]:
    """Yield the field, what is wrong with it, and the hint."""
    warn, fail = limit.warn_percent, limit.fail_percent
    if warn is not None and fail is not None and warn > fail:
        yield "warn_percent", "is above fail_percent, so nothing ever warns", "lower it below fail_percent"
    if limit.minimum is not None and limit.minimum <= 0 and limit.unit in _NEVER_NEGATIVE:
        words = f"{number_text(limit.minimum)} has no effect: the metric is never below 0"
        yield "minimum", words, "raise it, or leave it out"
    if limit.maximum is not None and limit.maximum >= 1 and limit.unit == _RATIO:
        words = f"{number_text(limit.maximum)} has no effect: a ratio is never above 1"
        yield "maximum", words, "lower it, or leave it out"
    if limit.minimum is not None and limit.minimum > 1 and limit.unit == _RATIO:
        yield (
            "minimum",
            f"{number_text(limit.minimum)} always fails: no ratio is above 1",
            "write a share, 0..1",
        )
    for name in ("warn_percent", "fail_percent"):
        percent: float | None = getattr(limit, name)
        if percent is not None and percent >= 100 and limit.direction is Direction.HIGHER_IS_BETTER:
            words = f"{number_text(percent)} can never be exceeded: a fall cannot be more than 100%"
            yield name, words, "lower it below 100"


def baseline_faults(policy: Policy, baseline: Measurement, place_of: PlaceOf) -> Iterator[Diagnosis]:
    """Yield where policy and baseline do not fit: metrics it lacks, units that differ, limits it breaks."""
    metrics = {metric.name: metric for metric in baseline.metrics}
    for limit in policy.limits_on(metrics):
        key = f"gate.metrics.{limit.name}"
        metric = metrics.get(limit.name)
        if metric is None:
            # one that need not be measured, such as a rate against a truth, may be what this engine never has
            if limit.is_required and (limit.warn_percent is not None or limit.fail_percent is not None):
                yield Diagnosis(
                    Gravity.WARNING,
                    place_of(f"{key}.unit"),
                    f"{key}: the baseline has no such metric, so its change is never judged",
                    "measure again and promote that Run, or check the name",
                )
            continue
        if metric.unit != limit.unit:
            yield Diagnosis(
                Gravity.ERROR,
                place_of(f"{key}.unit"),
                f"{key}.unit: is {limit.unit!r}, but the baseline measured {metric.unit!r}",
                "write the unit that is measured",
            )
        elif metric.values and all(map(math.isfinite, metric.values)):
            yield from _broken_limits(limit, metric, place_of)


def _broken_limits(limit: MetricLimit, metric: Metric, place_of: PlaceOf) -> Iterator[Diagnosis]:
    """Yield the absolute limits that the baseline breaks; all but a few only warn while head is not worse."""
    value = median(metric.values)
    found = (
        *(("minimum", finding) for finding in absolute_findings(replace(limit, maximum=None), value)),
        *(("maximum", finding) for finding in absolute_findings(replace(limit, minimum=None), value)),
    )
    for field, finding in found:
        is_failing = finding.severity is Severity.FAIL and limit.name in ALWAYS_HELD
        fate = "so every change fails" if is_failing else "so a change that does not worsen it only warns"
        yield Diagnosis(
            Gravity.ERROR if is_failing else Gravity.WARNING,
            place_of(f"gate.metrics.{limit.name}.{field}"),
            f"gate.metrics.{limit.name}.{field}: the baseline itself breaks it"
            f" ({limit.name} is {number_text(value)}), {fate}",
            "set a limit that the baseline keeps, or fix the enricher and promote a better Run",
        )


def repeats_fault(policy: Policy, repeats: int, place_of: PlaceOf) -> Diagnosis | None:
    """Return why no time or memory can fail with so many repeats; None if one can or none has a limit."""
    if repeats >= FEWEST_REPEATS or not _enforces_noise(policy):
        return None
    return Diagnosis(
        Gravity.ERROR,
        place_of("benchmark.repeats"),
        f"benchmark.repeats: {repeats} shows nothing of the noise, so no time or memory can ever fail",
        f"measure at least {FEWEST_REPEATS}, better 5, or judge the exact metrics alone: benchmark.is_timed",
    )


def pairs_fault(policy: Policy, max_pairs: int, place_of: PlaceOf) -> Diagnosis | None:
    """Return why no time or memory can fail with so many pairs; None if one can or none has a limit."""
    if max_pairs >= FEWEST_TELLING_PAIRS or not _enforces_noise(policy):
        return None
    return Diagnosis(
        Gravity.ERROR,
        place_of("benchmark.max_pairs"),
        f"benchmark.max_pairs: {max_pairs} shows too little of the noise, so no time or memory can ever fail",
        f"measure at least {FEWEST_TELLING_PAIRS} pairs, or judge the exact metrics alone with --quick",
    )


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
        key = f"gate.metrics.{limit.name}.fail_percent"
        where = "another machine than the baseline's" if fate.is_other_machine else "this machine"
        what = "nothing could fail" if math.isinf(least) else f"nothing below {number_text(least, 3)}% fails"
        yield Diagnosis(
            Gravity.WARNING,
            place_of(key),
            f"{key}: {number_text(limit.fail_percent)} cannot be established with {repeats} repeats on "
            f"{where}: {what}",
            _remedies(fate, least),
        )


def _remedies(fate: _Fate, least: float) -> str:
    """Return what would help: what makes the limit hold by itself, else all that brings it nearer."""
    limit, (metric,) = fate.limit, fate.baseline.metrics
    percent = limit.fail_percent or 0.0
    change = f"{number_text(abs(median(metric.values)) * percent / 100, 2)} {limit.unit}"
    lower = (
        f"lower gate.metrics.{limit.name}.smallest_change ({number_text(limit.smallest_change)} {limit.unit})"
        f" below {change}, which is {number_text(percent)}% of the baseline"
    )
    tried = {
        lower: replace(fate, limit=replace(limit, smallest_change=0.0)),
        "measure the baseline on this machine": replace(fate, machine=fate.baseline.machine),
        "raise benchmark.repeats": replace(fate, repeats=fate.repeats * _MORE_REPEATS),
    }
    reached = {
        cure: found for cure, other in tried.items() if (found := other.least_failing_percent()) is not None
    }
    enough = [cure for cure, found in reached.items() if found <= percent * (1 + _TOLERANCE)]
    nearer = [cure for cure, found in reached.items() if found < least * (1 - _TELLING_SHARE)]
    return ", or ".join([*(enough or nearer), "raise the limit"])


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
    return Measurement(
        gate=baseline.gate,
        started_at=baseline.started_at,
        tool_version=baseline.tool_version,
        machine=baseline.machine,
        source=baseline.source,
        fixture=baseline.fixture,
        enricher=baseline.enricher,
        settings_digest=baseline.settings_digest,
        metrics=(metric,),
        calibration_seconds=baseline.calibration_seconds,
        calibration_cpu_seconds=baseline.calibration_cpu_seconds,
    )


def _spread(values: Sequence[float], count: int) -> tuple[float, ...]:
    """Return a number of values with the quantiles of the given ones, so that the noise stays what it is."""
    if len(values) in {0, count}:
        return tuple(values)
    ordered = sorted(values)
    places = [number * (len(ordered) - 1) / (count - 1) for number in range(count)]
    return tuple(
        ordered[math.floor(place)]
        + (ordered[math.ceil(place)] - ordered[math.floor(place)]) * (place - math.floor(place))
        for place in places
    )
