"""A Run against a reference of other data: only rates can be held against one another."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.gate import NO_REFERENCE, judge
from sbir_gate.gate.comparing.limits import worst
from sbir_gate.gate.comparing.promotion import judge_merged
from sbir_gate.gate.comparing.soundness import reference_fault
from sbir_gate.gate.comparing.waivers import apply_waivers
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import MetricLimit, Outcome, Policy, RecordChanges, Severity, Verdict
from sbir_gate.model.waiver import Waivers

_RATIO = "ratio"


def judge_step(
    head: Run, reference: Run | None, policy: Policy, *, waivers: Waivers | None = None
) -> Verdict:
    """Return the verdict on a Run of a step of a pipeline, whose data may be other than the reference's.

    It is `judge_other_data`, and says so where the reference has no time or memory to compare with.
    """
    verdict = judge_other_data(head, reference, policy, waivers=waivers)
    if reference is None:
        return verdict
    limits = {limit.name: limit for limit in policy.limits_on(change.metric for change in verdict.changes)}
    return replace(
        verdict,
        changes=tuple(
            replace(change, is_judged=False)
            if change.reference is None and _limits_change_of_cost(limits.get(change.metric))
            else change
            for change in verdict.changes
        ),
    )


def _limits_change_of_cost(limit: MetricLimit | None) -> bool:
    """Say whether it limits how far time or memory may move from the reference's."""
    return limit is not None and limit.kind is MetricKind.NOISY and limit.fail_percent is not None


def judge_other_data(
    head: Run, reference: Run | None, policy: Policy, *, waivers: Waivers | None = None
) -> Verdict:
    """Return the verdict on a Run whose data may be other than the reference's.

    On the same fixture it is `judge_merged`: what a pipeline runs was merged. Published data change from one
    run to the next: then times, counts and single awards say nothing about the code, and rates still do.
    Exact metrics that are ratios are held against their relative limits, all others against the absolute ones
    alone, and a note says so.
    """
    if reference is None or head.fixture.fingerprint == reference.fixture.fingerprint:
        return judge_merged(head, reference, policy, waivers=waivers)
    if head.gate != reference.gate or reference_fault(reference):
        return judge(head, reference, policy, waivers=waivers)
    alone = judge(head, None, policy, waivers=waivers)
    rates = replace(policy, limits=tuple(filter(is_rate, _limits_on(head, reference, policy))))
    names = {limit.name for limit in rates.limits}
    compared = tuple(
        change
        for change in compare_metrics(_only(head, names), _only(reference, names), rates)
        if change.metric in names
    )
    waived = apply_waivers(compared, RecordChanges(), rates, waivers)
    by_name = {change.metric: change for change in waived.changes}
    changes = tuple(by_name.get(change.metric, change) for change in alone.changes)
    severity = worst(change.severity for change in waived.changes)
    worded = {change.reason for change in alone.changes}
    reasons = tuple(
        change.reason
        for change in waived.changes
        if _is_told(change.severity) and change.reason not in worded
    )
    return replace(
        alone,
        outcome=_outcome(alone.outcome, severity),
        reasons=(*reasons, *alone.reasons),
        changes=changes,
        reference_started_at=reference.started_at,
        reference_commit=reference.source.commit,
        notes=(
            "the data are not those of the reference: rates were compared, times, counts and awards were not",
            *(note for note in alone.notes if note != NO_REFERENCE),
            *(note for note in waived.notes if note not in alone.notes),
        ),
        waivers=tuple(dict.fromkeys((*alone.waivers, *waived.applied))),
    )


def is_rate(limit: MetricLimit) -> bool:
    """Say whether the metric is an exact share of something, which other data have too."""
    return limit.kind is MetricKind.EXACT and limit.unit == _RATIO


def declined(head: Run, reference: Run, policy: Policy) -> tuple[str, ...]:
    """Return the rates that are worse in head than in the reference, however little, in words.

    A reference that moves with every Run follows a decline whose steps are each within their limit; one
    that moves only to what is at least as good does not.
    """
    limits = tuple(
        replace(limit, minimum=None, maximum=None, warn_percent=0.0, fail_percent=None, smallest_change=0.0)
        for limit in _limits_on(head, reference, policy)
        if is_rate(limit) and (limit.warn_percent is not None or limit.fail_percent is not None)
    )
    names = {limit.name for limit in limits}
    changes = compare_metrics(_only(head, names), _only(reference, names), replace(policy, limits=limits))
    return tuple(change.reason for change in changes if _is_told(change.severity))


def _limits_on(head: Run, reference: Run, policy: Policy) -> tuple[MetricLimit, ...]:
    return policy.limits_on(metric.name for run in (head, reference) for metric in run.metrics)


def _only(run: Run, names: set[str]) -> Run:
    return replace(run, metrics=tuple(metric for metric in run.metrics if metric.name in names))


def _is_told(severity: Severity) -> bool:
    return severity not in {Severity.OK, Severity.INFO}


def _outcome(alone: Outcome, severity: Severity) -> Outcome:
    if severity is Severity.FAIL or alone is Outcome.FAIL:
        return Outcome.FAIL
    if severity is Severity.WARN or alone is Outcome.WARN:
        return Outcome.WARN
    return Outcome.PASS if alone is Outcome.NO_BASELINE else alone
