"""One metric held against its limits: absolute on the value, relative on the change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sbir_gate.comparing.ratios import RELATIVE_TOLERANCE, Ratio
from sbir_gate.comparing.wording import distinct_texts, number_text, unit_text
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit, Severity

_RANK = (Severity.OK, Severity.INFO, Severity.WARN, Severity.INCONCLUSIVE, Severity.FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one limit says: how severe, by which limit, and why."""

    severity: Severity
    limit: str
    reason: str


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
    `smallest_change`, never counts. A breach that the noise could explain is inconclusive where the
    limit would fail, and nothing where it would only warn.
    """
    towards_worse = 1 if limit.direction is Direction.LOWER_IS_BETTER else -1
    worse_delta = ratio.judged_delta * towards_worse
    if worse_delta <= 0 or worse_delta < limit.smallest_change * (1 - RELATIVE_TOLERANCE):
        return ()
    for severity, percent in ((Severity.FAIL, limit.fail_percent), (Severity.WARN, limit.warn_percent)):
        if percent is None or not _is_beyond(ratio, towards_worse, percent):
            continue
        name = f"{severity} {number_text(percent)} %"
        words = _change_words(limit, ratio, percent, head, reference)
        if ratio.is_significant:
            return (Finding(severity, name, f"{words}, limit {number_text(percent)} %"),)
        if severity is Severity.FAIL and limit.kind is MetricKind.NOISY:
            words += f", beyond the limit of {number_text(percent)} %, but {_doubt_words(limit, ratio)}"
            return (Finding(Severity.INCONCLUSIVE, name, words),)
    return ()


def _is_beyond(ratio: Ratio, towards_worse: int, percent: float) -> bool:
    if ratio.value is None:
        # no percentage can be taken of a reference at or below 0: any change for the worse counts
        return True
    worse_percent = (ratio.value - 1) * towards_worse * 100
    return worse_percent > percent * (1 + RELATIVE_TOLERANCE) + RELATIVE_TOLERANCE


def _change_words(limit: MetricLimit, ratio: Ratio, percent: float, head: float, reference: float) -> str:
    verb = "rose" if limit.direction is Direction.LOWER_IS_BETTER else "fell"
    before, after = distinct_texts(reference, head)
    if ratio.value is None:
        return f"{limit.name} {verb} from {before} to {after}{unit_text(limit.unit)}"
    change, _ = distinct_texts(abs(ratio.value - 1) * 100, percent, fewest_digits=3)
    values = f"{before} -> {after}{unit_text(limit.unit)}"
    if ratio.is_calibrated:
        values += " as measured; the machines' speeds are taken out"
    return f"{limit.name} {verb} {change} % ({values})"


def _doubt_words(limit: MetricLimit, ratio: Ratio) -> str:
    if ratio.doubt:
        return ratio.doubt
    if ratio.value is None or ratio.low is None or ratio.high is None or min(ratio.low, ratio.value) <= 0:
        return "the interval covers no change"
    if limit.direction is Direction.LOWER_IS_BETTER:
        smallest = ratio.value / ratio.low - 1
    else:
        smallest = 1 - ratio.value / ratio.high
    return (
        "the interval covers no change; the smallest regression that could have been seen is "
        f"{number_text(smallest * 100, 3)} %"
    )
