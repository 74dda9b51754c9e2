"""Alerts from a verdict: the same for the command line, Dagster and Slack.

No threshold stands here: what the verdict warns of or fails for by the limits in config is an alert.
"""

from __future__ import annotations

from collections.abc import Iterator

from sbir_gate.model.alert import Alert, AlertKind, AlertList
from sbir_gate.model.effects import Effect
from sbir_gate.model.verdict import Change, Outcome, RecordChanges, Severity, Verdict

_ALERTING = (Severity.FAIL, Severity.INCONCLUSIVE, Severity.WARN)
_ORDER = (*_ALERTING, Severity.INFO, Severity.OK)

_FAULT_SEVERITY = {
    Outcome.FAIL: Severity.FAIL,
    Outcome.INCOMPARABLE: Severity.FAIL,
    Outcome.ERROR: Severity.FAIL,
    Outcome.INCONCLUSIVE: Severity.INCONCLUSIVE,
}

_LOST = frozenset({Effect.LOST, Effect.LOST_CORRECT})

_BROKEN = (Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR)
_WELL = (Outcome.PASS, Outcome.WARN)


def alerts_of(verdict: Verdict, branch: str, previous: Outcome | None) -> AlertList:
    """Return the alerts of a verdict, the gravest first.

    `previous` is the outcome of the Run before on the same gate and branch, None if there is none: a gate
    that had failed and does not any more is news too.
    """
    found = [*_changes(verdict), *_awards(verdict), *_drift(verdict), *_faults(verdict)]
    if previous in _BROKEN and verdict.outcome in _WELL:
        found.append(
            Alert(
                gate=verdict.gate,
                kind=AlertKind.RECOVERY,
                severity=Severity.INFO,
                title=f"{verdict.gate}: {verdict.outcome} again",
                text=f"the Run before on this branch was {previous}, this one is {verdict.outcome}",
            )
        )
    return AlertList(
        gate=verdict.gate,
        outcome=verdict.outcome,
        started_at=verdict.head_started_at,
        commit=verdict.head_commit,
        branch=branch,
        alerts=tuple(sorted(found, key=lambda alert: _ORDER.index(alert.severity))),
    )


def _changes(verdict: Verdict) -> Iterator[Alert]:
    for change in verdict.changes:
        if change.severity in _ALERTING:
            kind, words = _nature(change)
            yield Alert(
                gate=verdict.gate,
                kind=kind,
                severity=change.severity,
                title=f"{verdict.gate}: {change.metric} {words}",
                text=change.reason,
                metric=change.metric,
                value=change.head,
                unit=change.unit,
                limit=change.limit,
            )


def _nature(change: Change) -> tuple[AlertKind, str]:
    if change.head is None:
        return AlertKind.FAULT, "cannot be judged"
    if "minimum" in change.limit or "maximum" in change.limit:
        return AlertKind.LIMIT, f"is beyond its {change.limit}"
    if change.severity is Severity.INCONCLUSIVE:
        return AlertKind.CHANGE, "may be worse"
    return AlertKind.CHANGE, "got worse"


def _awards(verdict: Verdict) -> Iterator[Alert]:
    records = verdict.records
    if records.severity in _ALERTING:
        yield Alert(
            gate=verdict.gate,
            kind=AlertKind.AWARDS,
            severity=records.severity,
            title=f"{verdict.gate}: {_awards_title(records)}",
            text=records.reason,
            value=float(records.worsened),
            unit="count",
        )


def _awards_title(records: RecordChanges) -> str:
    """Return the worst that happened to awards."""
    if not records.is_sound:
        return "awards without a clear decision"
    effects = records.effects
    if Effect.NEW_WRONG in effects or Effect.RELINKED_WRONG in effects:
        return "awards are linked to a wrong recipient"
    return "awards lost their link" if effects.keys() & _LOST else "awards were re-linked"


def _drift(verdict: Verdict) -> Iterator[Alert]:
    heads = {change.metric: change for change in verdict.changes}
    # of two references that show the same drift, the one that shows it worst is told
    worst_first = sorted(verdict.drift, key=lambda finding: _ORDER.index(finding.severity))
    for metric in dict.fromkeys(finding.metric for finding in worst_first):
        finding = next(finding for finding in worst_first if finding.metric == metric)
        head = heads.get(metric)
        yield Alert(
            gate=verdict.gate,
            kind=AlertKind.DRIFT,
            severity=finding.severity,
            title=f"{verdict.gate}: {metric} got worse slowly",
            text=finding.reason,
            metric=metric,
            value=head.head if head else None,
            unit=head.unit if head else "",
        )


def _faults(verdict: Verdict) -> Iterator[Alert]:
    """Yield what the verdict says besides metrics, awards and drift: faults of the Run or the comparison."""
    told = {change.reason for change in verdict.changes} | {finding.reason for finding in verdict.drift}
    told.add(verdict.records.reason)
    severity = _FAULT_SEVERITY.get(verdict.outcome, Severity.WARN)
    for reason in verdict.reasons:
        if reason not in told:
            yield Alert(
                gate=verdict.gate,
                kind=AlertKind.FAULT,
                severity=severity,
                title=f"{verdict.gate}: {verdict.outcome}",
                text=reason,
            )
