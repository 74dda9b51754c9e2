"""One metric held against its limits: absolute on the value, relative on the change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum

from sbir_gate.gate.comparing.ratios import RELATIVE_TOLERANCE, Ratio
from sbir_gate.gate.comparing.sensitivity import (
    FEWEST_TELLING_PAIRS,
    has_few_pairs,
    limit_log,
    more_repeats,
    smallest_detectable,
    warn_guard,
    worsening_of,
)
from sbir_gate.model.finding import Fact, Finding, LimitKind, Rule, Severity
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, Limit, MetricLimit

# an interval that reaches beyond this multiple of the fail limit says nothing
HOPELESS_TIMES = 10


class Reach(Enum):
    """How far for the worse the interval of a noisy metric reaches, beside its fail limit.

    HOPELESS is beyond HOPELESS_TIMES the limit, and so are pairs that give no interval. UNKNOWN is that of
    Runs measured apart, without an interval.
    """

    WITHIN = "within"
    ACROSS = "across"
    HOPELESS = "hopeless"
    UNKNOWN = "unknown"


def limits_of(limit: MetricLimit) -> tuple[Limit, ...]:
    """Return all limits that are set for a metric."""
    found = (
        (LimitKind.WARN, limit.warn_percent, Severity.WARN),
        (LimitKind.FAIL, limit.fail_percent, Severity.FAIL),
        (LimitKind.MINIMUM, limit.minimum, limit.absolute_severity),
        (LimitKind.MAXIMUM, limit.maximum, limit.absolute_severity),
    )
    return tuple(Limit(kind, value, severity) for kind, value, severity in found if value is not None)


def absolute_findings(limit: MetricLimit, head: float) -> tuple[Finding, ...]:
    """Return the breaches of `minimum` and `maximum` by the median of head."""
    findings = []
    if limit.minimum is not None and head < limit.minimum:
        findings.append(_breach(Rule.BELOW_MINIMUM, LimitKind.MINIMUM, limit, head, limit.minimum))
    if limit.maximum is not None and head > limit.maximum:
        findings.append(_breach(Rule.ABOVE_MAXIMUM, LimitKind.MAXIMUM, limit, head, limit.maximum))
    return tuple(findings)


def _breach(rule: Rule, kind: LimitKind, limit: MetricLimit, head: float, bound: float) -> Finding:
    return Finding(
        rule,
        limit.absolute_severity,
        metric=limit.name,
        unit=limit.unit,
        measured=head,
        limit=bound,
        limit_kind=kind,
    )


def relative_findings(limit: MetricLimit, ratio: Ratio, head: float, reference: float) -> tuple[Finding, ...]:
    """Return the breach of the most severe relative limit: one finding or none.

    `head` and `reference` are the medians, for the words. A change for the better, or one within
    `smallest_change`, never counts. A noisy metric fails where its estimate is beyond the fail limit and
    the interval excludes the warn limit (no change, without one), and warns where it is beyond the warn
    limit and the interval excludes no change. A breach of the fail limit that is not shown so is
    inconclusive, and so is an interval that is hopelessly wide. Where the estimate is within the limit and
    the interval reaches beyond it, the metric was not judged (`was_judged`), nor is it from a single repeat.
    Where the budget ended after few pairs, a time that is beyond HOPELESS_TIMES the limit in each of them,
    and in the first runs, fails: the slower a change, the fewer pairs there are.
    """
    if limit.kind is MetricKind.NOISY and not ratio.is_sought:
        return ()
    counts = _counts(limit, ratio)
    breached = limit.fail_percent is not None and counts and _is_beyond(ratio, limit, limit.fail_percent)
    if breached and (_is_established(limit, ratio) or _is_overwhelming(limit, ratio)):
        return (_regression(Severity.FAIL, limit, ratio, head, reference),)
    if limit.kind is MetricKind.NOISY and (breached or reach_of(limit, ratio, reference) is Reach.HOPELESS):
        doubt = _doubt_facts(limit, ratio, is_beyond=breached)
        return (_regression(Severity.INCONCLUSIVE, limit, ratio, head, reference, doubt),)
    if limit.warn_percent is not None and counts and _is_beyond(ratio, limit, limit.warn_percent):
        warning = _regression(Severity.WARN, limit, ratio, head, reference)
        return (warning,) if ratio.is_significant else ()
    return ()


def _regression(
    severity: Severity,
    limit: MetricLimit,
    ratio: Ratio,
    head: float,
    reference: float,
    doubt: Mapping[str, Fact] | None = None,
) -> Finding:
    is_warning = severity is Severity.WARN
    facts: dict[str, Fact] = {"change": ratio.judged_delta}
    if ratio.is_calibrated:
        facts["is_calibrated"] = 1
    if ratio.is_paired:
        facts |= {"pairs": ratio.repeats, "medians_change": ratio.delta}
    return Finding(
        Rule.POSSIBLE_REGRESSION if severity is Severity.INCONCLUSIVE else Rule.REGRESSION,
        severity,
        metric=limit.name,
        unit=limit.unit,
        measured=head,
        limit=(limit.warn_percent if is_warning else limit.fail_percent) or 0.0,
        limit_kind=LimitKind.WARN if is_warning else LimitKind.FAIL,
        reference=reference,
        ratio=ratio.value,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        facts={**facts, **(doubt or {})},
    )


def _counts(limit: MetricLimit, ratio: Ratio) -> bool:
    """Say whether the change is for the worse and not too small to count."""
    towards_worse = 1 if limit.direction is Direction.LOWER_IS_BETTER else -1
    worse_delta = ratio.judged_delta * towards_worse
    return worse_delta > 0 and worse_delta >= limit.smallest_change * (1 - RELATIVE_TOLERANCE)


def _is_established(limit: MetricLimit, ratio: Ratio) -> bool:
    """Say whether a breach of the fail limit is more than noise explains."""
    if limit.kind is MetricKind.EXACT:
        return ratio.is_significant
    worsening = worsening_of(ratio, limit.direction)
    return ratio.is_significant and (worsening is None or worsening.near > warn_guard(limit))


def _is_overwhelming(limit: MetricLimit, ratio: Ratio) -> bool:
    """Say whether each of few pairs, at least two with the first runs, is far beyond the fail limit."""
    bound = 1 + HOPELESS_TIMES * (limit.fail_percent or math.inf) / 100
    return len(ratio.least_each) >= 2 and min(ratio.least_each) > bound


def reach_of(limit: MetricLimit, ratio: Ratio, reference: float) -> Reach:
    """Return how far the interval of a metric reaches beside the fail limit, if it has one.

    `reference` is the median of the reference: what it could have changed by may be too small to count.
    """
    if limit.kind is MetricKind.EXACT or limit.fail_percent is None:
        return Reach.WITHIN
    bound = ratio.high if limit.direction is Direction.LOWER_IS_BETTER else ratio.low
    worsening = worsening_of(ratio, limit.direction)
    if bound is None or worsening is None:
        if not ratio.doubt:
            return Reach.WITHIN
        return Reach.HOPELESS if ratio.is_paired else Reach.UNKNOWN
    if abs(bound - 1) * reference < limit.smallest_change:
        return Reach.WITHIN
    if worsening.far <= limit_log(limit.fail_percent, limit.direction):
        return Reach.WITHIN
    is_hopeless = worsening.far > math.log1p(HOPELESS_TIMES * limit.fail_percent / 100)
    return Reach.HOPELESS if is_hopeless else Reach.ACROSS


def was_judged(limit: MetricLimit, ratio: Ratio, reference: float) -> bool:
    """Say whether the measurement could tell if the fail limit is broken."""
    return reach_of(limit, ratio, reference) is Reach.WITHIN


def _is_beyond(ratio: Ratio, limit: MetricLimit, percent: float) -> bool:
    if ratio.value is None:
        # no percentage can be taken of a reference at or below 0: any change for the worse counts
        return True
    towards_worse = 1 if limit.direction is Direction.LOWER_IS_BETTER else -1
    worse_percent = (ratio.value - 1) * towards_worse * 100
    return worse_percent > percent * (1 + RELATIVE_TOLERANCE) + RELATIVE_TOLERANCE


def _doubt_facts(limit: MetricLimit, ratio: Ratio, *, is_beyond: bool) -> dict[str, Fact]:
    """Return why nothing was shown, what could have been seen, and what it would have taken."""
    facts: dict[str, Fact] = {"is_beyond": int(is_beyond)}
    if ratio.doubt is not None:
        before, after = ratio.counts
        return {**facts, "doubt": ratio.doubt, "reference_values": before, "head_values": after}
    if has_few_pairs(ratio):
        return {**facts, "doubt": "few-pairs", "needed_pairs": FEWEST_TELLING_PAIRS}
    if worsening_of(ratio, limit.direction) is None:
        return {**facts, "doubt": "covers-no-change"}
    if not is_beyond:
        return {**facts, "doubt": "too-wide", "times": HOPELESS_TIMES, **_more_facts(limit, ratio)}
    if ratio.is_significant:
        given = [percent for percent in (limit.warn_percent, limit.fail_percent) if percent is not None]
        facts |= {"doubt": "covers-warn-limit", "warn_percent": min(given)}
    else:
        facts["doubt"] = "covers-no-change"
    smallest = smallest_detectable(ratio, limit.direction)
    if smallest is not None:
        facts["smallest_percent"] = smallest * 100
    return {**facts, **_more_facts(limit, ratio)}


def _more_facts(limit: MetricLimit, ratio: Ratio) -> dict[str, Fact]:
    wanted = more_repeats(ratio, limit)
    if wanted is not None:
        return {"more_pairs" if ratio.is_paired else "more_repeats": wanted}
    return {"needs_pairs": 1} if ratio.fixed_log > 0 else {}
