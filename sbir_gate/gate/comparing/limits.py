"""One metric held against its limits: absolute on the value, relative on the change."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
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
from sbir_gate.gate.comparing.wording import counted, distinct_texts, number_text, unit_text
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit, Severity

# an interval that reaches beyond so many times the fail limit says nothing at all
HOPELESS_TIMES = 10

_RANK = (Severity.OK, Severity.INFO, Severity.WARN, Severity.INCONCLUSIVE, Severity.FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one limit says: how severe, by which limit, and why."""

    severity: Severity
    limit: str
    reason: str


class Reach(Enum):
    """How far for the worse the interval of a noisy metric reaches, beside its fail limit.

    HOPELESS is beyond HOPELESS_TIMES the limit, and so are pairs that give no interval. UNKNOWN is that of
    Runs measured apart, without an interval.
    """

    WITHIN = "within"
    ACROSS = "across"
    HOPELESS = "hopeless"
    UNKNOWN = "unknown"


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the gravest: fail, inconclusive, warn, info, ok. An inconclusive may hide a failure."""
    return max(severities, key=_RANK.index, default=Severity.OK)


def absolute_findings(limit: MetricLimit, head: float) -> tuple[Finding, ...]:
    """Return the breaches of `minimum` and `maximum` by the median of head."""
    findings = []
    if limit.minimum is not None and head < limit.minimum:
        value, bound = distinct_texts(head, limit.minimum)
        words = f"{limit.name} {value} is below the minimum {bound}"
        findings.append(Finding(limit.absolute_severity, f"minimum {bound}", words))
    if limit.maximum is not None and head > limit.maximum:
        value, bound = distinct_texts(head, limit.maximum)
        words = f"{limit.name} {value} is above the maximum {bound}"
        findings.append(Finding(limit.absolute_severity, f"maximum {bound}", words))
    return tuple(findings)


def relative_findings(limit: MetricLimit, ratio: Ratio, head: float, reference: float) -> tuple[Finding, ...]:
    """Return the breach of the gravest relative limit: one finding or none.

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
        return (_finding(Severity.FAIL, limit, ratio, head, reference),)
    if limit.kind is MetricKind.NOISY and (breached or reach_of(limit, ratio, reference) is Reach.HOPELESS):
        words = _change_words(limit, ratio, limit.fail_percent or 0.0, head, reference)
        words += f", {_doubt_words(limit, ratio, is_beyond=breached)}"
        return (Finding(Severity.INCONCLUSIVE, _limit_name(Severity.FAIL, limit), words),)
    if limit.warn_percent is not None and counts and _is_beyond(ratio, limit, limit.warn_percent):
        return (_finding(Severity.WARN, limit, ratio, head, reference),) if ratio.is_significant else ()
    return ()


def _finding(severity: Severity, limit: MetricLimit, ratio: Ratio, head: float, reference: float) -> Finding:
    percent = _percent(severity, limit)
    words = _change_words(limit, ratio, percent, head, reference)
    return Finding(severity, _limit_name(severity, limit), f"{words}, limit {number_text(percent)} %")


def _percent(severity: Severity, limit: MetricLimit) -> float:
    return (limit.fail_percent if severity is Severity.FAIL else limit.warn_percent) or 0.0


def _limit_name(severity: Severity, limit: MetricLimit) -> str:
    return f"{severity} {number_text(_percent(severity, limit))} %"


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


def _change_words(limit: MetricLimit, ratio: Ratio, percent: float, head: float, reference: float) -> str:
    rises = ratio.judged_delta > 0
    verb = "rose" if rises else "fell"
    before, after = distinct_texts(reference, head)
    if ratio.value is None:
        return f"{limit.name} {verb} from {before} to {after}{unit_text(limit.unit)}"
    change, _ = distinct_texts(abs(ratio.value - 1) * 100, percent, fewest_digits=3)
    values = f"{before} -> {after}{unit_text(limit.unit)}"
    if ratio.is_calibrated:
        values += " as measured; the machines' speeds are taken out"
    if ratio.is_paired:
        values = f"medians {values}" + (f" of {counted(ratio.repeats, 'pair')}" if ratio.repeats else "")
    return f"{limit.name} {verb} {change} %{_pair_words(ratio)} ({values})"


def _pair_words(ratio: Ratio) -> str:
    """Return that the pairs decided: the medians beside the change may differ by more, or the other way."""
    if not ratio.is_paired:
        return ""
    if ratio.delta * ratio.judged_delta > 0:
        return " pair by pair"
    moved = "fell" if ratio.delta < 0 else "rose" if ratio.delta > 0 else "did not change"
    return f" pair by pair, though the medians alone {moved}"


def _doubt_words(limit: MetricLimit, ratio: Ratio, *, is_beyond: bool) -> str:
    """Return why nothing was shown, what could have been seen, and what it would have taken."""
    bound = f"the limit of {number_text(limit.fail_percent or 0.0)} %"
    if ratio.doubt:
        return f"beyond {bound}, but {ratio.doubt}" if is_beyond else f"and {ratio.doubt}"
    worsening = worsening_of(ratio, limit.direction)
    if has_few_pairs(ratio):
        few = f"{counted(ratio.repeats, 'pair')} cannot tell: at least {FEWEST_TELLING_PAIRS} are needed"
        return f"beyond {bound}, but {few}" if is_beyond else f"and {few}"
    if worsening is None:
        return f"beyond {bound}, but the interval covers no change"
    if not is_beyond:
        words = f"and the interval is too wide to tell: it reaches more than {HOPELESS_TIMES} times {bound}"
        return words + _more_words(limit, ratio)
    covered = "no change" if not ratio.is_significant else f"the warn limit of {_warn_text(limit)} %"
    words = f"beyond {bound}, but the interval covers {covered}"
    smallest = smallest_detectable(ratio, limit.direction)
    if smallest is not None:
        words += f"; the smallest regression that could have been seen is {number_text(smallest * 100, 3)} %"
    return words + _more_words(limit, ratio)


def _warn_text(limit: MetricLimit) -> str:
    given = [percent for percent in (limit.warn_percent, limit.fail_percent) if percent is not None]
    return number_text(min(given))


def _more_words(limit: MetricLimit, ratio: Ratio) -> str:
    wanted = more_repeats(ratio, limit)
    what = ("pair", "pairs") if ratio.is_paired else ("repeat a side", "repeats a side")
    if wanted is not None:
        return f"; about {counted(wanted, f'more {what[0]}', f'more {what[1]}')} would tell"
    if ratio.fixed_log > 0:
        return "; more repeats would not tell: measure both side by side"
    return ""
