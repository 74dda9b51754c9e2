"""What a measurement could not tell: the metrics whose fate is open, and those that were not judged."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sbir_gate.gate.comparing.sensitivity import limit_log
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Change, Direction, MetricLimit, Outcome, Policy, Verdict


def is_failed_exactly(verdict: Verdict) -> bool:
    """Say whether the verdict fails independently of noise, so that no more pairs could change it.

    An exact metric, the awards one by one, a metric that is not a measurement, or a fault of the Run.
    """
    failing = [change for change in verdict.changes if change.severity is Severity.FAIL]
    is_by_noise_alone = failing and all(
        change.kind is MetricKind.NOISY and change.is_sound for change in failing
    )
    return verdict.outcome is Outcome.FAIL and (
        verdict.records.severity is Severity.FAIL or not is_by_noise_alone
    )


def undecided(changes: Iterable[Change], policy: Policy) -> tuple[str, ...]:
    """Return the noisy metrics with a relative limit whose fate more pairs could still change.

    `changes` are those of `compare_metrics` for two Runs side by side. Decided is a metric that fails, one
    whose whole interval is within every limit (that it did not get worse was shown, not only not
    refuted), and one that warns and whose interval is within the fail limit.

    To look after every pair would raise the number of false alarms. Ask after 5, 7, 10, 14, 20 and 28
    pairs, a few looks that are fixed beforehand: the level of the intervals allows for them
    (docs/statistics.md).
    """
    changes = tuple(changes)
    limits = _noisy_limits(changes, policy)
    open_ = (
        change.metric
        for change in changes
        if change.metric in limits and not _is_decided(change, limits[change.metric])
    )
    return tuple(dict.fromkeys(open_))


def blind_spots(changes: Iterable[Change], policy: Policy) -> tuple[Finding, ...]:
    """Return the metrics that pass because nothing could be seen, not because it was shown."""
    changes = tuple(changes)
    limits = _noisy_limits(changes, policy)
    return tuple(
        _blind_spot(change, limits[change.metric])
        for change in changes
        if change.metric in limits and not change.is_judged and change.severity is not Severity.INCONCLUSIVE
    )


def _blind_spot(change: Change, limit: MetricLimit) -> Finding:
    worst = change.ratio_high if limit.direction is Direction.LOWER_IS_BETTER else change.ratio_low
    return Finding(
        Rule.BLIND_SPOT,
        Severity.INFO,
        metric=change.metric,
        unit=change.unit,
        measured=change.head,
        limit=limit.fail_percent,
        limit_kind=LimitKind.FAIL if limit.fail_percent is not None else None,
        reference=change.reference,
        ratio=change.ratio,
        ratio_low=change.ratio_low,
        ratio_high=change.ratio_high,
        facts={} if worst is None else {"reach_percent": (worst - 1) * 100},
    )


def _noisy_limits(changes: Iterable[Change], policy: Policy) -> dict[str, MetricLimit]:
    limits = policy.limits_on(change.metric for change in changes)
    return {limit.name: limit for limit in limits if _is_judged_by_noise(limit)}


def _is_judged_by_noise(limit: MetricLimit) -> bool:
    has_limit = limit.warn_percent is not None or limit.fail_percent is not None
    return limit.kind is MetricKind.NOISY and has_limit


def _is_decided(change: Change, limit: MetricLimit) -> bool:
    if change.severity is Severity.FAIL or change.head is None or change.reference is None:
        return True
    if change.ratio_low is None or change.ratio_high is None:
        return False
    lower_is_better = limit.direction is Direction.LOWER_IS_BETTER
    worst = change.ratio_high if lower_is_better else change.ratio_low
    if abs(worst - 1) * abs(change.reference) < limit.smallest_change:
        return True
    worst_log = math.log(worst) if worst > 0 else -math.inf
    farthest = worst_log if lower_is_better else -worst_log
    if limit.fail_percent is not None and farthest > limit_log(limit.fail_percent, limit.direction):
        return False
    return (
        change.severity is Severity.WARN
        or limit.warn_percent is None
        or farthest <= limit_log(limit.warn_percent, limit.direction)
    )
