"""A Run against a reference of other data: only rates can be held against one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sbir_gate.gate.comparing.backing import MATCH_RATE
from sbir_gate.gate.comparing.changes import NO_SPREAD, Compared, compare_metrics
from sbir_gate.gate.comparing.gate import judge, outcome_of
from sbir_gate.gate.comparing.promotion import judge_merged
from sbir_gate.gate.comparing.soundness import reference_fault
from sbir_gate.gate.comparing.waivers import Judged, apply_waivers
from sbir_gate.model.finding import Excuse, Rule, Severity, in_order, note
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import MetricLimit, Policy, RecordChanges, Verdict
from sbir_gate.model.waiver import Waivers

_RATIO = "ratio"
_HARMLESS = (Excuse.HARMLESS, Excuse.PARTLY_HARMLESS)


def judge_step(
    head: Run,
    reference: Run | None,
    policy: Policy,
    *,
    waivers: Waivers | None = None,
    spread: Mapping[str, float] = NO_SPREAD,
) -> Verdict:
    """Return the verdict on a Run of a step of a pipeline, whose data may be other than the reference's.

    It is `judge_other_data`, but the match rate may not fall beyond its limit unseen though no award worsened
    (`_with_fall`), and what time and memory could not be compared with is not judged, and said.
    """
    verdict = judge_other_data(head, reference, policy, waivers=waivers, spread=spread)
    if reference is None:
        return verdict
    limits = {limit.name: limit for limit in policy.limits_on(change.metric for change in verdict.changes)}
    verdict = replace(
        verdict,
        changes=tuple(
            replace(change, is_judged=False)
            if change.ratio_low is None and _limits_change_of_cost(limits.get(change.metric))
            else change
            for change in verdict.changes
        ),
    )
    return _with_fall(verdict, head, reference, policy)


def _limits_change_of_cost(limit: MetricLimit | None) -> bool:
    """Say whether it limits how far time or memory may move from the reference's."""
    return limit is not None and limit.kind is MetricKind.NOISY and limit.warn_percent is not None


def _with_fall(verdict: Verdict, head: Run, reference: Run, policy: Policy) -> Verdict:
    """Return the verdict with a fall of the match rate beyond its limit that it excuses as harmless.

    It warns where no award worsened, by the truth; where some did, it fails, however much of it is harmless.
    """
    whole = next((each for each in verdict.changes if each.metric == MATCH_RATE), None)
    if whole is None or whole.severity is Severity.FAIL or whole.excuse not in _HARMLESS:
        return verdict
    names = {MATCH_RATE}
    limits = tuple(limit for limit in _limits_on(head, reference, policy) if limit.name in names)
    compared = compare_metrics(_only(head, names), _only(reference, names), replace(policy, limits=limits))
    fallen = next((each for each in compared.findings if each.severity is Severity.FAIL), None)
    if fallen is None:
        return verdict
    severity = Severity.FAIL if verdict.records.worsened else Severity.WARN
    findings = in_order((*verdict.findings, replace(fallen, severity=severity)))
    return replace(
        verdict,
        outcome=outcome_of(findings, has_reference=True),
        findings=findings,
        changes=tuple(
            replace(each, severity=severity, broken=compared.changes[0].broken) if each is whole else each
            for each in verdict.changes
        ),
    )


def judge_other_data(
    head: Run,
    reference: Run | None,
    policy: Policy,
    *,
    waivers: Waivers | None = None,
    spread: Mapping[str, float] = NO_SPREAD,
) -> Verdict:
    """Return the verdict on a Run whose data may be other than the reference's.

    On the same fixture it is `judge_merged`: what a pipeline runs was merged. Published data change from one
    run to the next: then times, counts and single awards say nothing about the code, and rates still do.
    Exact metrics that are ratios are held against their relative limits, all others against the absolute ones
    alone, and a note says so.
    """
    if reference is None or head.fixture.fingerprint == reference.fixture.fingerprint:
        return judge_merged(head, reference, policy, waivers=waivers, spread=spread)
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


def _limits_on(head: Run, reference: Run, policy: Policy) -> tuple[MetricLimit, ...]:
    return policy.limits_on(metric.name for run in (head, reference) for metric in run.metrics)


def _only(run: Run, names: set[str]) -> Run:
    return replace(run, metrics=tuple(metric for metric in run.metrics if metric.name in names))
