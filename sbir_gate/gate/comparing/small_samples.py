"""Rates of a part of the data: with few awards they differ from one set to another by chance."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.gate.comparing.gate import outcome_of
from sbir_gate.gate.comparing.other_data import is_rate
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity, in_order
from sbir_gate.model.proportion import score_interval
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import MetricLimit, Policy, Verdict


def with_chance(verdict: Verdict, head: Run, reference: Run | None, policy: Policy) -> Verdict:
    """Return the verdict on a part of the data: a rate is too low only if its 95% interval is.

    The interval is Wilson's. Against a reference of the same awards nothing is left to chance: there only
    the absolute limits are judged so.
    """
    is_same = reference is not None and reference.fixture.fingerprint == head.fixture.fingerprint
    limits = {limit.name: limit for limit in policy.limits_on(change.metric for change in verdict.changes)}
    findings = tuple(
        finding
        if is_same and finding.limit_kind is not LimitKind.MINIMUM
        else _by_chance(finding, limits.get(finding.metric), head)
        for finding in verdict.findings
    )
    softened = {new.metric for old, new in zip(verdict.findings, findings, strict=True) if new is not old}
    if not softened:
        return verdict
    failing = {finding.metric for finding in findings if finding.is_deciding}
    return replace(
        verdict,
        outcome=outcome_of(findings, has_reference=reference is not None),
        findings=in_order(findings),
        changes=tuple(
            replace(change, severity=Severity.OK, broken=())
            if change.metric in softened - failing
            else change
            for change in verdict.changes
        ),
    )


def _by_chance(finding: Finding, limit: MetricLimit | None, head: Run) -> Finding:
    """Return the finding, or a note in its place where the interval of the rate reaches the limit."""
    whole = head.quality.wholes.get(finding.metric)
    least = _least(finding)
    if limit is None or not is_rate(limit) or not whole or least is None or finding.measured is None:
        return finding
    low, high = score_interval(finding.measured, whole)
    if high < least:
        return finding
    facts = {"whole": whole, "low": low, "high": high, "least": least}
    return replace(finding, rule=Rule.SMALL_SAMPLE, severity=Severity.INFO, facts=facts)


def _least(finding: Finding) -> float | None:
    """Return the least rate that the broken limit lets pass; None of a finding about something else."""
    if finding.rule is Rule.BELOW_MINIMUM:
        return finding.limit
    if finding.rule is Rule.REGRESSION and finding.reference is not None and finding.limit is not None:
        return finding.reference * (1 - finding.limit / 100)
    return None
