"""What a run's checks say, as alerts: the same model that the command line and Slack have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import dagster as dg

from sbir_gate.gate.comparing.run_checks import GATE, PERFORMANCE, REGRESSION, THRESHOLD
from sbir_gate.model.alert import Alert, AlertKind, AlertList
from sbir_gate.model.finding import Finding, Rule, Severity, recorded
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.facts import FINDINGS

_KINDS = {
    THRESHOLD.name: AlertKind.LIMIT,
    REGRESSION.name: AlertKind.CHANGE,
    PERFORMANCE.name: AlertKind.CHANGE,
}
_ORDER = (Severity.FAIL, Severity.INCONCLUSIVE, Severity.WARN)


def alerts_of_run(
    gate: str,
    evaluations: Sequence[dg.AssetCheckEvaluation],
    started_at: datetime,
    fault: str | None,
) -> AlertList:
    """Return the alerts of a run, most severe first.

    `fault` is why the run failed, None if it did not. A run that failed without a check that says so broke
    for a reason of its own: that is an alert too. What the gate says is left out where other checks say it.
    """
    failed = [evaluation for evaluation in evaluations if not evaluation.passed]
    reported = {
        key
        for evaluation in failed
        if evaluation.check_name != GATE.name
        for key in _finding_keys(evaluation)
    }
    news = [
        evaluation
        for evaluation in failed
        if evaluation.check_name != GATE.name or not reported.issuperset(_finding_keys(evaluation))
    ]
    alerts = [_alert(gate, evaluation) for evaluation in news]
    is_refused = any(alert.severity is Severity.FAIL for alert in alerts)
    if fault is not None and not is_refused:
        alerts.append(Alert(gate, AlertKind.FAULT, Severity.FAIL, (recorded(fault, Severity.FAIL),)))
    return AlertList(
        gate=gate,
        outcome=_outcome(alerts, is_refused=is_refused, is_failed=fault is not None),
        started_at=started_at,
        commit="",
        branch="",
        alerts=tuple(sorted(alerts, key=lambda alert: _ORDER.index(alert.severity))),
    )


def _alert(gate: str, evaluation: dg.AssetCheckEvaluation) -> Alert:
    metadata = evaluation.metadata
    is_error = evaluation.severity is dg.AssetCheckSeverity.ERROR
    said = Severity.INCONCLUSIVE if _text(metadata, "severity") == Severity.INCONCLUSIVE else Severity.WARN
    severity = Severity.FAIL if is_error else said
    asset = evaluation.asset_key.to_user_string()
    finding = Finding(
        Rule.CHECK_FAILED,
        severity,
        metric=_text(metadata, "metric"),
        unit=_text(metadata, "unit"),
        measured=_number(metadata, "value"),
        facts={"asset": asset, "check": evaluation.check_name, "text": evaluation.description or ""},
    )
    return Alert(
        gate=gate,
        kind=_KINDS.get(evaluation.check_name, AlertKind.FAULT),
        severity=severity,
        findings=(finding,),
        metric=_text(metadata, "metric") or evaluation.check_name,
    )


def _finding_keys(evaluation: dg.AssetCheckEvaluation) -> tuple[str, ...]:
    """Return what the check found; of one that names nothing, its own name."""
    listed = evaluation.metadata.get(FINDINGS)
    found = listed.data if isinstance(listed, dg.JsonMetadataValue) else None
    return tuple(map(str, found)) if isinstance(found, list) else (evaluation.check_name,)


def _outcome(alerts: Sequence[Alert], *, is_refused: bool, is_failed: bool) -> Outcome:
    if is_refused:
        return Outcome.FAIL
    if is_failed:
        return Outcome.ERROR
    return Outcome.WARN if alerts else Outcome.PASS


def _text(metadata: Mapping[str, dg.MetadataValue], name: str) -> str:
    value = metadata.get(name)
    return value.text if isinstance(value, dg.TextMetadataValue) and value.text is not None else ""


def _number(metadata: Mapping[str, dg.MetadataValue], name: str) -> float | None:
    value = metadata.get(name)
    return value.value if isinstance(value, dg.FloatMetadataValue) else None
