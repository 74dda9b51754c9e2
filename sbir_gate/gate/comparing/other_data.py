"""A Run against a reference of other data: only rates can be held against one another."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.gate.comparing.changes import Compared, compare_metrics
from sbir_gate.gate.comparing.gate import judge, outcome_of
from sbir_gate.gate.comparing.promotion import judge_merged
from sbir_gate.gate.comparing.soundness import reference_fault
from sbir_gate.gate.comparing.waivers import Judged, apply_waivers
from sbir_gate.model.finding import Finding, Rule, in_order, note
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import MetricLimit, Policy, RecordChanges, Verdict
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
    found = compare_metrics(_only(head, names), _only(reference, names), rates)
    compared = Compared(
        tuple(change for change in found.changes if change.metric in names),
        tuple(finding for finding in found.findings if finding.metric in names),
    )
    waived = apply_waivers(Judged(compared, RecordChanges()), rates, waivers)
    by_name = {change.metric: change for change in waived.changes}
    changes = tuple(by_name.get(change.metric, change) for change in alone.changes)
    findings = in_order(
        (
            *waived.findings,
            # what is waived by itself is waived in the comparison too
            *(each for each in alone.findings if each.rule is not Rule.NO_BASELINE),
            note(Rule.OTHER_DATA),
            *waived.notes,
        )
    )
    return replace(
        alone,
        outcome=outcome_of(findings, has_reference=True),
        findings=findings,
        changes=changes,
        reference_started_at=reference.started_at,
        reference_commit=reference.source.commit,
        waivers=tuple(dict.fromkeys((*alone.waivers, *waived.applied))),
    )


def is_rate(limit: MetricLimit) -> bool:
    """Say whether the metric is an exact share of something, which other data have too."""
    return limit.kind is MetricKind.EXACT and limit.unit == _RATIO


def declined(head: Run, reference: Run, policy: Policy) -> tuple[Finding, ...]:
    """Return the rates that are worse in head than in the reference, however little.

    A reference that moves with every Run follows a decline whose steps are each within their limit; one
    that moves only to what is at least as good does not.
    """
    limits = tuple(
        replace(limit, minimum=None, maximum=None, warn_percent=0.0, fail_percent=None, smallest_change=0.0)
        for limit in _limits_on(head, reference, policy)
        if is_rate(limit) and (limit.warn_percent is not None or limit.fail_percent is not None)
    )
    names = {limit.name for limit in limits}
    found = compare_metrics(_only(head, names), _only(reference, names), replace(policy, limits=limits))
    return tuple(finding for finding in found.findings if finding.is_deciding)


def _limits_on(head: Run, reference: Run, policy: Policy) -> tuple[MetricLimit, ...]:
    return policy.limits_on(metric.name for run in (head, reference) for metric in run.metrics)


def _only(run: Run, names: set[str]) -> Run:
    return replace(run, metrics=tuple(metric for metric in run.metrics if metric.name in names))
