"""Every metric of head against the reference and its limit: the rows of the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType

from sbir_gate.gate.comparing.backing import LINKS, NO_BACKING, Backing, is_proxy
from sbir_gate.gate.comparing.definitions import (
    definition_obstacle,
    is_retired,
    method_fault,
    not_compared_row,
)
from sbir_gate.gate.comparing.excuses import excused
from sbir_gate.gate.comparing.first_runs import first_runs
from sbir_gate.gate.comparing.limits import absolute_findings, limits_of, relative_findings, was_judged
from sbir_gate.gate.comparing.paired import is_side_by_side, least_ratios, paired_ratio
from sbir_gate.gate.comparing.ratios import Pair, Ratio, exact_ratio, noisy_ratio
from sbir_gate.gate.comparing.sensitivity import FEWEST_TELLING_PAIRS, has_few_pairs, smallest_detectable
from sbir_gate.gate.comparing.soundness import is_other_engines_stage, stage_fault
from sbir_gate.model.finding import Fact, Finding, Rule, Severity, worst
from sbir_gate.model.run import Measurement, Metric, MetricKind, Timing
from sbir_gate.model.verdict import Change, Direction, Limit, MetricLimit, Policy

NO_SPREAD: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Compared:
    """The rows of the verdict, and what was found in them, in their order."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...] = ()


_Row = tuple[Change, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class _Sides:
    """The two sides, and what is known of them beside their metrics."""

    head: Measurement
    reference: Measurement | None
    spread: Mapping[str, float]
    backing: Backing

    @property
    def is_timed(self) -> bool:
        """Say whether both sides measured time and memory."""
        sides = (self.head, *([self.reference] if self.reference is not None else []))
        return all(side.timing is Timing.MEASURED for side in sides)


def compare_metrics(
    head: Measurement,
    reference: Measurement | None,
    policy: Policy,
    spread: Mapping[str, float] = NO_SPREAD,
    backing: Backing = NO_BACKING,
) -> Compared:
    """Return one Change for each limit of the policy, then for each metric that has none.

    The rows are the union of policy, head and reference, so that a metric that is gone from head is
    a row, and a failure. Metrics without a limit are for information only, unless they are gone or
    not a number; those that the policy leaves unjudged have no row. Without a reference only the absolute
    limits are judged. `spread` is, by metric, how far Runs of the same code lie apart (`noisy_ratio`);
    Runs side by side need none. A fall in links counts as far as `backing` says that awards which worsened
    stand behind it.
    """
    heads, references = _by_name(head), _by_name(reference)
    measured = heads | references
    if reference is not None:
        _count_no_links(heads, measured)
        _count_no_links(references, measured)
    limits = policy.limits_on(measured)
    limited = {limit.name for limit in limits}
    rows = [
        *((limit.name, limit) for limit in limits),
        *((name, None) for name in measured if name not in limited and not policy.is_unjudged(name)),
    ]
    sides = _Sides(head, reference, spread, backing)
    found = [
        _compare(name, limit, heads.get(name, ()), references.get(name, ()), sides) for name, limit in rows
    ]
    return Compared(
        tuple(change for change, _ in found), tuple(each for _, findings in found for each in findings)
    )


def _compare(
    name: str,
    limit: MetricLimit | None,
    heads: Sequence[Metric],
    references: Sequence[Metric],
    sides: _Sides,
) -> _Row:
    row = _row(name, limit, heads, references)
    reference = sides.reference
    unjudged = _unjudged(row, limit, heads, references, sides)
    if unjudged is not None:
        return unjudged, ()
    fault = _fault(row, heads, references)
    if fault is None and reference is not None and references:
        fault = stage_fault(heads[0], references[0]) or method_fault(
            heads[0], references[0], is_paired=is_side_by_side(sides.head, reference)
        )
    if fault is not None:
        return replace(row, severity=Severity.FAIL, is_sound=False, is_gone=not heads), (fault,)
    absolute = absolute_findings(limit, median(heads[0].values)) if limit else ()
    if reference is None or not references:
        return _with_findings(row, absolute)
    if obstacle := definition_obstacle(heads[0], references[0]):
        row, note = not_compared_row(row, obstacle, heads[0], references[0])
        return _with_findings(row, (*absolute, note))
    pair = Pair(name, heads[0].values, references[0].values)
    if row.kind is MetricKind.ONCE:
        both = first_runs(pair, sides.head, reference)
        return _with_findings(
            _with_ratio(row, both.ratio), absolute + (both.findings(limit) if limit else ())
        )
    ratio = _ratio(pair, row.kind, sides.head, reference, sides.spread)
    row = _with_ratio(row, ratio)
    return _judged(row, limit, pair, ratio, sides) if limit else (row, ())


def _unjudged(
    row: Change,
    limit: MetricLimit | None,
    heads: Sequence[Metric],
    references: Sequence[Metric],
    sides: _Sides,
) -> Change | None:
    """Return the row of a metric that head need not have, or of a time that was not measured; else None."""
    name, reference = row.metric, sides.reference
    if row.kind is not MetricKind.EXACT and not sides.is_timed:
        return replace(row, severity=Severity.INFO, is_measured=False)
    if not heads and not references and limit is not None and not limit.is_required:
        return replace(row, severity=Severity.INFO)
    if heads or reference is None:
        return None
    is_other_stage = limit is None and is_other_engines_stage(name, sides.head, reference)
    return row if is_other_stage or is_retired(name, limit, sides.head, reference) else None


def _judged(row: Change, limit: MetricLimit, pair: Pair, ratio: Ratio, sides: _Sides) -> _Row:
    """Return the row held against its limits, milder where there is an excuse."""
    now, before = median(pair.head), median(pair.reference)
    findings, excuse, judged = excused(
        limit,
        pair,
        ratio,
        absolute_findings(limit, now),
        relative_findings(limit, ratio, now, before),
        _harmless_value(limit, pair, sides),
    )
    has_failed = any(finding.severity is Severity.FAIL for finding in findings)
    is_judged = has_failed or was_judged(limit, ratio, before)
    row = row if judged is ratio else replace(_with_ratio(row, judged), raw_ratio=ratio.raw)
    return _with_findings(replace(row, excuse=excuse, is_judged=is_judged), findings)


def _harmless_value(limit: MetricLimit, pair: Pair, sides: _Sides) -> float | None:
    """Return head's value without what did no harm, None where all of a change counts."""
    if limit.kind is not MetricKind.EXACT:
        return None
    if is_proxy(limit):
        now, before = median(pair.head), median(pair.reference)
        return before if sides.backing.is_nobody_worse and now < before else None
    return sides.backing.judged_values.get(limit.name)


def _count_no_links(found: dict[str, list[Metric]], measured: Iterable[str]) -> None:
    """Count 0 for each method that only the other side has: it has no links, and is not gone."""
    for name in measured:
        if name.startswith(LINKS) and name not in found:
            found[name] = [Metric(name, "count", MetricKind.EXACT, (0.0,))]


def _ratio(
    pair: Pair, kind: MetricKind, head: Measurement, reference: Measurement, spread: Mapping[str, float]
) -> Ratio:
    if kind is MetricKind.EXACT:
        return exact_ratio(pair)
    if is_side_by_side(head, reference):
        ratio = paired_ratio(pair)
        if len(pair.head) < FEWEST_TELLING_PAIRS:
            ratio = replace(ratio, least_each=least_ratios(pair.name, head, reference))
        return ratio
    return noisy_ratio(pair, head, reference, spread.get(pair.name))


def _by_name(side: Measurement | None) -> dict[str, list[Metric]]:
    """Return the metrics of each name, which should be one."""
    found: dict[str, list[Metric]] = {}
    for metric in side.metrics if side is not None else ():
        found.setdefault(metric.name, []).append(metric)
    return found


def _row(
    name: str, limit: MetricLimit | None, heads: Sequence[Metric], references: Sequence[Metric]
) -> Change:
    """Return the row before any judgement; the policy, not head, says how a metric is judged."""
    pattern = limit or next(iter((*references, *heads)))
    return Change(
        metric=name,
        unit=pattern.unit,
        kind=pattern.kind,
        direction=limit.direction if limit else Direction.LOWER_IS_BETTER,
        head=_middle(heads),
        reference=_middle(references),
        delta=None,
        ratio=None,
        ratio_low=None,
        ratio_high=None,
        raw_ratio=None,
        is_significant=False,
        severity=Severity.OK if limit else Severity.INFO,
        limits=limits_of(limit) if limit else (),
    )


def _middle(metrics: Sequence[Metric]) -> float | None:
    """Return the median that a report may show; a saved document holds no NaN."""
    if len(metrics) != 1 or not metrics[0].values or not all(map(math.isfinite, metrics[0].values)):
        return None
    return median(metrics[0].values)


def _fault(row: Change, heads: Sequence[Metric], references: Sequence[Metric]) -> Finding | None:
    """Return why the metric cannot be judged at all, None if it can."""
    if not heads:
        # which of them has it: the reference, or the policy alone
        return _unsound(Rule.METRIC_GONE, row, required_by="reference" if references else "policy")
    for side, metrics in (("head", heads), ("reference", references)):
        if len(metrics) > 1:
            return _unsound(Rule.METRIC_REPEATED, row, side=side, times=len(metrics))
        for metric in metrics:
            fault = _value_fault(row, metric, side)
            if fault is not None:
                return fault
    return None


def _value_fault(row: Change, metric: Metric, side: str) -> Finding | None:
    if not metric.values:
        return _unsound(Rule.METRIC_EMPTY, row, side=side)
    if not all(map(math.isfinite, metric.values)):
        return _unsound(Rule.METRIC_UNDEFINED, row, side=side)
    if metric.unit != row.unit:
        units = {"unit_found": metric.unit, "unit_expected": row.unit}
        return _unsound(Rule.UNIT_DIFFERS, row, side=side, **units)
    if row.kind is MetricKind.EXACT and min(metric.values) != max(metric.values):
        return _unsound(Rule.REPEATS_DISAGREE, row, side=side)
    return None


def _unsound(rule: Rule, row: Change, **facts: Fact) -> Finding:
    return Finding(rule, Severity.FAIL, metric=row.metric, unit=row.unit, facts=facts)


def _with_ratio(row: Change, ratio: Ratio) -> Change:
    has_interval = ratio.is_significant or not has_few_pairs(ratio)
    return replace(
        row,
        delta=ratio.judged_delta,
        ratio=ratio.value,
        ratio_low=ratio.low if has_interval else None,
        ratio_high=ratio.high if has_interval else None,
        raw_ratio=ratio.raw,
        is_significant=ratio.is_significant,
        is_calibrated=ratio.is_calibrated,
        smallest_detectable=(
            smallest_detectable(ratio, row.direction) if row.kind is MetricKind.NOISY else None
        ),
    )


def _with_findings(row: Change, findings: Sequence[Finding]) -> _Row:
    """Return the row with the most severe findings, and with the notes; without any it stays as it is."""
    severity = worst(finding.severity for finding in findings if finding.is_deciding)
    kept = tuple(each for each in findings if not each.is_deciding or each.severity is severity)
    if severity is Severity.OK:
        return row, kept
    return replace(row, severity=severity, broken=tuple(_broken(kept))), kept


def _broken(findings: Iterable[Finding]) -> Iterable[Limit]:
    for finding in findings:
        if finding.limit_kind is not None and finding.limit is not None and finding.is_deciding:
            yield Limit(finding.limit_kind, finding.limit, finding.severity)
