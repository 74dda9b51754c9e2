"""What may become a baseline, and how a Run of merged code is judged, which may have to start a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sbir_gate.gate.comparing.changes import NO_SPREAD
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.records import compare_records
from sbir_gate.gate.comparing.renaming import rename
from sbir_gate.gate.comparing.soundness import reference_fault
from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.finding import Finding, Rule, Severity, in_order, note
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Change, Outcome, Policy, PromotionObstacle, Verdict
from sbir_gate.model.waiver import Waivers

_SOUND = frozenset({Outcome.PASS, Outcome.WARN, Outcome.NO_BASELINE})


def baseline_obstacle(verdict: Verdict, drift: Sequence[Finding] = ()) -> PromotionObstacle | None:
    """Return why a Run with this verdict may not become the baseline; None if it may.

    The exact metrics and the absolute limits decide: what failed, broke or was not compared is not a
    reference for others, and a baseline that follows a slow decline hides it. Noise in times alone does not
    hold a baseline up: the Run keeps all its values, so that later ones are judged with that noise.
    """
    findings = in_order((*verdict.drift, *drift))
    if findings:
        return PromotionObstacle(findings)
    if verdict.outcome in _SOUND or (
        verdict.outcome is Outcome.INCONCLUSIVE and _is_noise_alone(verdict.changes)
    ):
        return None
    return PromotionObstacle(verdict.deciding[:1], verdict.outcome)


def judge_merged(
    head: Run,
    reference: Run | None,
    policy: Policy,
    *,
    waivers: Waivers | None = None,
    spread: Mapping[str, float] = NO_SPREAD,
) -> Verdict:
    """Return the verdict on a Run of code that was merged, against the baseline before it.

    What was merged is accepted, and may be of another kind: a fixture that changed, or a method, counter or
    stage that is gone. Then the Run starts a new baseline, after the absolute limits, and what both Runs have
    is compared all the same: the awards in both fixtures, and every metric that the policy requires.
    """
    if reference is None or head.gate != reference.gate or reference_fault(reference):
        return judge(head, reference, policy, waivers=waivers, spread=spread)
    if head.fixture.fingerprint != reference.fixture.fingerprint:
        return _with_common_awards(head, reference, policy, waivers)
    gone = _gone(head, reference, policy)
    kept = tuple(metric for metric in reference.metrics if metric.name not in gone)
    verdict = judge(head, replace(reference, metrics=kept), policy, waivers=waivers, spread=spread)
    if not gone:
        return verdict
    return verdict.found(note(Rule.METRICS_RETIRED, names=tuple(sorted(gone))))


def _gone(head: Run, reference: Run, policy: Policy) -> frozenset[str]:
    """Return the metrics that only the reference has, under no name, and that the policy does not require."""
    missing = {metric.name for metric in reference.metrics} - {metric.name for metric in head.metrics}
    missing -= set(rename(head, reference, policy).old_names.values())
    required = {limit.name for limit in policy.limits_on(()) if limit.is_required}
    return frozenset(missing - required)


def _with_common_awards(head: Run, reference: Run, policy: Policy, waivers: Waivers | None) -> Verdict:
    """Judge by the absolute limits, and award by award where both fixtures have the award."""
    now, before = _common(head, reference)
    records = compare_records(now, before, policy)
    verdict = judge(head, None, policy, waivers=waivers, records=records)
    starts = note(
        Rule.BASELINE_STARTS if verdict.outcome is Outcome.NO_BASELINE else Rule.COMMON_AWARDS,
        before=reference.fixture.fingerprint,
        after=head.fixture.fingerprint,
        awards=len(now.awards),
    )
    others = (finding for finding in verdict.findings if finding.rule is not Rule.NO_BASELINE)
    return replace(
        verdict,
        findings=in_order((starts, *others)),
        reference_started_at=reference.started_at,
        reference_commit=reference.source.commit,
    )


def _common(head: Run, reference: Run) -> tuple[Run, Run]:
    """Return both Runs with only the awards that both have.

    Where the link is the same, so is its label: an edit of the truth is not a change of the engine. A link
    that was right and is another now is not right for what the edited truth says: else a regression would
    pass with the truth that allows it.
    """
    before = {award.award_id: award for award in reference.awards}
    now = tuple(
        _relabelled(award, before[award.award_id]) for award in head.awards if award.award_id in before
    )
    ids = {award.award_id for award in now}
    return (
        replace(head, awards=now),
        replace(reference, awards=tuple(award for award in reference.awards if award.award_id in ids)),
    )


def _relabelled(now: AwardRecord, before: AwardRecord) -> AwardRecord:
    """Return head's award with the label by which it is compared."""
    if now.label is Label.UNLABELLED:
        return now
    if now.link == before.link:
        return replace(now, label=before.label)
    return replace(now, label=Label.INCORRECT) if before.label is Label.CORRECT else now


def _is_noise_alone(changes: Sequence[Change]) -> bool:
    return all(
        change.kind is MetricKind.NOISY for change in changes if change.severity is Severity.INCONCLUSIVE
    )
