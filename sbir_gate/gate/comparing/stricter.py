"""The stricter of two policies: an old branch is judged by what its target has tightened since.

Only what both accept passes: of each limit the tighter one counts, and a waiver that the target has
removed no longer does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import MetricLimit, Policy
from sbir_gate.model.waiver import Waiver


def stricter_policy(base: Policy, target: Policy) -> Policy:
    """Return the base's policy with what is stricter in the target's.

    A metric that only the target limits is limited too, but need not be there: an old branch cannot have it.
    """
    named = {limit.name: limit for limit in target.limits}
    limits = [
        _stricter_limit(limit, named.get(limit.name) or target.limit_of(limit.name)) for limit in base.limits
    ]
    own = {limit.name for limit in base.limits}
    for limit in target.limits:
        if limit.name not in own:
            added = _stricter_limit(replace(limit, is_required=False), base.limit_of(limit.name))
            limits.append(added)
    return replace(
        base,
        limits=tuple(limits),
        max_lost=min(base.max_lost, target.max_lost),
        significance=max(base.significance, target.significance),
        unjudged=tuple(name for name in base.unjudged if name in target.unjudged),
    )


def stricter_waivers(base: Sequence[Waiver], target: Sequence[Waiver]) -> tuple[Waiver, ...]:
    """Return the waivers that both have, each with the lower cap and the earlier end."""
    kept = {waiver.metric: waiver for waiver in target}
    return tuple(
        replace(
            waiver,
            limit=min(waiver.limit, kept[waiver.metric].limit),
            expires=min(waiver.expires, kept[waiver.metric].expires),
        )
        for waiver in base
        if waiver.metric in kept
    )


def tightened(before: Policy, after: Policy, waivers: Sequence[Waiver], left: Sequence[Waiver]) -> list[str]:
    """Return what differs between a policy with its waivers and their stricter form, by name."""
    old = {limit.name: limit for limit in before.limits}
    names = [limit.name for limit in after.limits if limit != old.get(limit.name)]
    gate = [name for name in ("max_lost", "significance") if getattr(before, name) != getattr(after, name)]
    left_by_metric = {waiver.metric: waiver for waiver in left}
    changed = [waiver.metric for waiver in waivers if left_by_metric.get(waiver.metric) != waiver]
    return [*names, *(f"gate.{name}" for name in gate), *(f"waiver for {metric}" for metric in changed)]


def _stricter_limit(base: MetricLimit, target: MetricLimit | None) -> MetricLimit:
    if target is None or _quantity(base) != _quantity(target):
        return base
    merged = replace(
        base,
        warn_percent=_tighter(min, base.warn_percent, target.warn_percent),
        fail_percent=_tighter(min, base.fail_percent, target.fail_percent),
        smallest_change=min(base.smallest_change, target.smallest_change),
    )
    if base.absolute_severity is target.absolute_severity:
        return replace(
            merged,
            minimum=_tighter(max, base.minimum, target.minimum),
            maximum=_tighter(min, base.maximum, target.maximum),
        )
    # a limit that warns and one that fails cannot be one limit: the one that fails counts, if it is set
    severe, mild = (base, target) if base.absolute_severity is Severity.FAIL else (target, base)
    chosen = severe if severe.minimum is not None or severe.maximum is not None else mild
    return replace(
        merged,
        minimum=chosen.minimum,
        maximum=chosen.maximum,
        absolute_severity=chosen.absolute_severity,
    )


def _quantity(limit: MetricLimit) -> tuple[object, ...]:
    return limit.unit, limit.direction, limit.kind


def _tighter(
    choose: Callable[[float, float], float], first: float | None, second: float | None
) -> float | None:
    if first is None or second is None:
        return first if second is None else second
    return choose(first, second)
