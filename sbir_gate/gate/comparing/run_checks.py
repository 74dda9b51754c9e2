"""The checks of an enriched table: the verdict of the gate, taken apart into what is asked of the data.

Nothing is judged here that the gate does not judge: each finding is a part of its verdict. Only what a single
run cannot tell, time and memory, is no more than a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.model.asset_check import AssetCheck, CheckFinding
from sbir_gate.model.effects import WORSENED, Effect
from sbir_gate.model.finding import Finding, Rule, Severity, note, worst
from sbir_gate.model.run import MetricKind, Run, Timing
from sbir_gate.model.verdict import (
    AwardChange,
    Change,
    MetricLimit,
    Outcome,
    Policy,
    RecordChanges,
    Verdict,
    not_judged,
)

_MATCH_RATE = "match_rate"
_CALIBRATION = "calibration_error"
_COMPLETE = ("rows_missing", "records", "rows_rejected")
_UNIQUE = ("rows_doubled", "rows_unknown", "recipients_unknown")
_EXAMPLES = 5

THRESHOLD = AssetCheck(
    "match_rate_threshold",
    "The share of the awards with a link is not below enrichment.performance.match_rate_threshold.",
    True,
)
REGRESSION = AssetCheck(
    "match_rate_regression",
    "The share of the awards with a link has not fallen below the baseline's by more than"
    " gate.metrics.match_rate.fail_percent.",
    True,
)
COMPLETENESS = AssetCheck(
    "completeness",
    "Every award has its row in the output; rows of the input that could not be read are named.",
    True,
)
UNIQUENESS = AssetCheck(
    "uniqueness", "No award has two rows, and no row is of an award or a recipient that does not exist.", True
)
CALIBRATION = AssetCheck("calibration", "The stated confidence is as often right as it says.", False)
PERFORMANCE = AssetCheck("performance", "Time and memory are within their limits.", False)
GATE = AssetCheck("gate", "The verdict of the gate on all metrics and on every award.", True)
RUN_CHECKS = (THRESHOLD, REGRESSION, COMPLETENESS, UNIQUENESS, CALIBRATION, PERFORMANCE, GATE)

_REFUSING = (Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR)
_DOUBTFUL = (Outcome.WARN, Outcome.INCONCLUSIVE)


def single_run_policy(policy: Policy) -> Policy:
    """Return the policy for a Run of one repeat: a noisy metric only warns, whatever its limit says.

    What one repeat cannot tell is not judged; it makes no verdict inconclusive.
    """
    return replace(policy, limits=tuple(_softened(limit) for limit in policy.limits))


def run_findings(
    head: Run, reference: Run | None, policy: Policy, verdict: Verdict
) -> tuple[CheckFinding, ...]:
    """Return the answer to each of RUN_CHECKS from the verdict on head against the reference."""
    return (
        _threshold(head, policy, verdict),
        _regression(head, reference, policy, verdict),
        _of_metrics(COMPLETENESS, verdict, _COMPLETE, ()),
        replace(_of_metrics(UNIQUENESS, verdict, _UNIQUE, ()), examples=_doubled(head)),
        _of_metrics(CALIBRATION, verdict, (_CALIBRATION,), ()),
        _performance(policy, verdict),
        _gate(head, reference, verdict),
    )


def is_refused(verdict: Verdict) -> bool:
    """Say whether what was made may not be used."""
    return verdict.outcome in _REFUSING


def _softened(limit: MetricLimit) -> MetricLimit:
    if limit.kind is not MetricKind.NOISY:
        return limit
    warn_percent = limit.fail_percent if limit.warn_percent is None else limit.warn_percent
    return replace(limit, absolute_severity=Severity.WARN, warn_percent=warn_percent, fail_percent=None)


def _threshold(head: Run, policy: Policy, verdict: Verdict) -> CheckFinding:
    limits = [replace(limit, warn_percent=None, fail_percent=None) for limit in _match_rate(policy)]
    found = _split(THRESHOLD, head, None, replace(policy, limits=tuple(limits)), verdict)
    whole = next((change for change in verdict.changes if change.metric == _MATCH_RATE), None)
    return replace(
        found,
        reference=whole.reference if whole is not None else None,
        facts={"links": float(head.quality.links), "awards": float(head.quality.awards)},
    )


def _regression(head: Run, reference: Run | None, policy: Policy, verdict: Verdict) -> CheckFinding:
    limits = [replace(limit, minimum=None, maximum=None) for limit in _match_rate(policy)]
    found = _split(REGRESSION, head, reference, replace(policy, limits=tuple(limits)), verdict)
    return replace(
        found,
        findings=found.findings if reference is not None else (note(Rule.NO_BASELINE),),
        facts=_award_facts(verdict.records) if _has_same_awards(head, reference) else {},
        examples=_award_examples(verdict.records),
    )


def _split(
    check: AssetCheck, head: Run, reference: Run | None, policy: Policy, verdict: Verdict
) -> CheckFinding:
    """Judge the match rate by some of its limits, not more severely than the verdict with its waivers."""
    whole = next((change for change in verdict.changes if change.metric == _MATCH_RATE), None)
    compared = compare_metrics(head, reference, policy)
    parts = [change for change in compared.changes if change.metric == _MATCH_RATE]
    if whole is None or not parts or not policy.limits:
        return _unlimited(check)
    part = parts[0]
    found = _finding(check, (part,), compared.findings)
    milder = _milder(part.severity, whole.severity)
    if milder is part.severity:
        return found
    return replace(found, severity=milder, findings=_deciding((whole,), verdict.findings))


def _unlimited(check: AssetCheck) -> CheckFinding:
    return CheckFinding(check.name, Severity.INFO, (note(Rule.NO_LIMIT),))


def _of_metrics(
    check: AssetCheck, verdict: Verdict, names: Sequence[str], shown: Sequence[str]
) -> CheckFinding:
    """Return what the verdict says of some metrics; `shown` are those whose values are facts."""
    changes = tuple(change for change in verdict.changes if change.metric in names)
    if not changes:
        return _unlimited(check)
    found = _finding(check, changes, verdict.findings)
    if not check.is_blocking and found.severity is Severity.FAIL:
        found = replace(found, severity=Severity.WARN)
    facts = {
        change.metric: change.head
        for change in changes
        if change.head is not None and (not shown or change.metric in shown)
    }
    return replace(found, facts=facts)


def _finding(check: AssetCheck, changes: Sequence[Change], findings: Sequence[Finding]) -> CheckFinding:
    """Return the most severe of the changes as a finding, with the findings of all that are equally bad."""
    severity = worst(change.severity for change in changes)
    most_severe = [change for change in changes if change.severity is severity]
    first = most_severe[0]
    return CheckFinding(
        check.name,
        severity,
        _deciding(most_severe, findings),
        metric=first.metric,
        value=first.head,
        reference=first.reference,
        unit=first.unit,
        limits=first.broken or first.limits,
        unjudged=not_judged(changes),
    )


def _deciding(changes: Sequence[Change], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what made the changes as severe as they are, or no more severe, in their order."""
    return tuple(
        finding
        for change in changes
        for finding in findings
        if finding.metric == change.metric
        and (finding.rule is Rule.SMALL_SAMPLE or _is_of_severity(finding, change.severity))
    )


def _is_of_severity(finding: Finding, severity: Severity) -> bool:
    return finding.is_deciding and finding.severity is severity and finding.rule is not Rule.DRIFT


def _performance(policy: Policy, verdict: Verdict) -> CheckFinding:
    if verdict.timing is not Timing.MEASURED:
        return CheckFinding(PERFORMANCE.name, Severity.INFO, (note(Rule.TIME_NOT_JUDGED),))
    return _of_metrics(PERFORMANCE, verdict, _noisy(policy, verdict), ("wall_seconds", "peak_rss_mib"))


def _gate(head: Run, reference: Run | None, verdict: Verdict) -> CheckFinding:
    severity = Severity.OK
    if verdict.outcome in _REFUSING:
        severity = Severity.FAIL
    elif verdict.outcome in _DOUBTFUL:
        severity = Severity.INCONCLUSIVE if verdict.outcome is Outcome.INCONCLUSIVE else Severity.WARN
    return CheckFinding(
        GATE.name,
        severity,
        verdict.deciding,
        facts=_award_facts(verdict.records) if _has_same_awards(head, reference) else {},
        examples=_award_examples(verdict.records),
        unjudged=not_judged(verdict.changes),
        outcome=verdict.outcome,
    )


def _has_same_awards(head: Run, reference: Run | None) -> bool:
    """Say whether award was compared with award; where none was, nothing is known of how many changed."""
    return reference is not None and head.fixture.fingerprint == reference.fixture.fingerprint


def _award_facts(records: RecordChanges) -> Mapping[str, float]:
    """Return how many awards are worse and better off, and how many there are of each effect."""
    effects = {effect.replace("-", "_"): float(count) for effect, count in records.effects.items()}
    return {"worsened": float(records.worsened), "improved": float(records.improved), **effects}


def _doubled(head: Run) -> tuple[str, ...]:
    """Return some awards that have more than one row."""
    rows = Counter(award.award_id for award in head.awards)
    return tuple(f"{award_id}: {count} rows" for award_id, count in rows.items() if count > 1)[:_EXAMPLES]


def _match_rate(policy: Policy) -> list[MetricLimit]:
    return [limit for limit in policy.limits if limit.name == _MATCH_RATE]


def _noisy(policy: Policy, verdict: Verdict) -> tuple[str, ...]:
    limits = policy.limits_on(change.metric for change in verdict.changes)
    return tuple(limit.name for limit in limits if limit.kind is MetricKind.NOISY)


def _milder(first: Severity, second: Severity) -> Severity:
    return second if worst((first, second)) is first else first


def _award_examples(records: RecordChanges) -> tuple[str, ...]:
    """Return some awards that are worse off, new wrong links first."""
    order = tuple(Effect)
    worse = [
        change for change in (*records.lost, *records.relinked, *records.gained) if change.effect in WORSENED
    ]
    worse.sort(key=lambda change: order.index(change.effect))
    return tuple(map(_example, worse[:_EXAMPLES]))


def _example(change: AwardChange) -> str:
    before = _recipient(change.before_recipient_id, change.before_name)
    after = _recipient(change.after_recipient_id, change.after_name)
    effect = change.effect.replace("-", " ")
    return f"{change.award_id} {change.firm_name}: {before} -> {after} ({effect})"


def _recipient(recipient_id: str, name: str) -> str:
    return " ".join(filter(None, (recipient_id, name))) or "none"
