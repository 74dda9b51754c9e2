"""Alerts from a verdict, the same for the command line, Dagster and Slack; and which of them are news.

No threshold stands here: what the verdict warns of or fails for by the limits in config is an alert.
"""

from __future__ import annotations

from sbir_gate.model.alert import Alert, AlertKind, AlertList
from sbir_gate.model.finding import ABSOLUTE, MOST_SEVERE_FIRST, Finding, Rule, Severity
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.verdict import Outcome, Verdict

_OF_AWARDS = frozenset(
    {Rule.AWARDS_WORSENED, Rule.AWARDS_UNDECIDED, Rule.AWARDS_DECIDED_TWICE, Rule.ONE_RECIPIENT_GAINS}
)
_BROKEN = (Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR)
_WELL = (Outcome.PASS, Outcome.WARN)
_NEWS = (AlertKind.RECOVERY, AlertKind.DRIFT)


def alerts_of(verdict: Verdict, branch: str, previous: Outcome | None) -> AlertList:
    """Return the alerts of a verdict, the most severe first.

    `previous` is the outcome of the Run before on the same gate and branch, None if there is none: a gate
    that had failed and does not any more is news too.
    """
    found = _grouped(verdict)
    if previous in _BROKEN and verdict.outcome in _WELL:
        facts = {"previous": previous.value, "outcome": verdict.outcome.value}
        recovery = Finding(Rule.RECOVERED, Severity.INFO, facts=facts)
        found.append(Alert(verdict.gate, AlertKind.RECOVERY, Severity.INFO, (recovery,)))
    return AlertList(
        gate=verdict.gate,
        outcome=verdict.outcome,
        started_at=verdict.head_started_at,
        commit=verdict.head_commit,
        branch=branch,
        alerts=tuple(sorted(found, key=lambda alert: MOST_SEVERE_FIRST.index(alert.severity))),
    )


def _grouped(verdict: Verdict) -> list[Alert]:
    """Return one alert for each metric and kind, one for the awards, and one for each fault."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for place, finding in enumerate(verdict.deciding):
        kind = _kind(finding)
        is_alone = kind is AlertKind.FAULT and not finding.metric
        group = (kind, place) if is_alone else (kind is AlertKind.DRIFT, finding.metric)
        groups.setdefault(group, []).append(finding)
    return [_alert(verdict.gate, findings) for findings in groups.values()]


def _alert(gate: str, findings: list[Finding]) -> Alert:
    # the findings of a verdict are ordered: the first is the most severe
    first = findings[0]
    kinds = [_kind(finding) for finding in findings]
    kind = AlertKind.LIMIT if AlertKind.LIMIT in kinds else kinds[0]
    # of two references that show the same drift, the one that shows it worst is reported
    kept = (first,) if kind is AlertKind.DRIFT else tuple(findings)
    return Alert(gate, kind, first.severity, kept, first.metric)


def _kind(finding: Finding) -> AlertKind:
    if finding.rule is Rule.DRIFT:
        return AlertKind.DRIFT
    if finding.rule in _OF_AWARDS:
        return AlertKind.AWARDS
    if finding.measured is None:
        return AlertKind.FAULT
    return AlertKind.LIMIT if finding.limit_kind in ABSOLUTE else AlertKind.CHANGE


def is_news(alerts: AlertList, previous: HistoryEntry | None) -> bool:
    """Say whether the alerts of a verdict are news after the Run before, of the same gate and branch.

    A gate that fails again for nothing new, or drifts on, was reported already. One more finding is news.
    """
    reported = set(previous.alert_keys) if previous is not None else set()
    if alerts.outcome in _BROKEN:
        was_broken = previous is not None and previous.outcome in _BROKEN
        return not was_broken or any(alert.key not in reported for alert in alerts.alerts)
    return any(alert.kind in _NEWS and alert.key not in reported for alert in alerts.alerts)
