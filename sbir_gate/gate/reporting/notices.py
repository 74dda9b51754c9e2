"""Texts of alerts, of asset checks, and of why a Run cannot become the baseline."""

from __future__ import annotations

from sbir_gate.gate.reporting.messages import limit_text, texts
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import quantity
from sbir_gate.model.alert import Alert, AlertKind, AlertList
from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.effects import Effect
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.verdict import Limit, PromotionObstacle

_MOST_SHOWN = 20
_WITHIN = "within the limits"

_LOST = frozenset({Effect.LOST, Effect.LOST_CORRECT})
_WRONG = frozenset({Effect.NEW_WRONG, Effect.RELINKED_WRONG})


def alert_text(alert: Alert) -> str:
    """Return what was found, in one line."""
    return "; ".join(texts(alert.findings))


def alert_title(alert: Alert) -> str:
    """Return the alert, short enough for a subject line."""
    return f"{alert.gate}: {_title(alert)}"


def _title(alert: Alert) -> str:
    first, metric = alert.findings[0], metric_name(alert.metric)
    if first.rule is Rule.CHECK_FAILED:
        return f"{first.facts.get('asset', '')} does not pass {first.facts.get('check', '')}"
    if alert.kind is AlertKind.AWARDS:
        return _awards_title(first)
    if alert.kind is AlertKind.LIMIT and first.limit_kind is not None and first.limit is not None:
        return f"{metric} is beyond its {limit_text(Limit(first.limit_kind, first.limit))}"
    worse = "may be worse" if alert.severity is Severity.INCONCLUSIVE else "got worse"
    titles = {
        AlertKind.RECOVERY: f"{first.facts.get('outcome', '')} again",
        AlertKind.DRIFT: f"{metric} drifted",
        AlertKind.CHANGE: f"{metric} {worse}",
    }
    return titles.get(alert.kind, f"{metric} cannot be judged" if metric else alert.severity.value)


def _awards_title(finding: Finding) -> str:
    """Return the worst that happened to awards."""
    if finding.rule in {Rule.AWARDS_UNDECIDED, Rule.AWARDS_DECIDED_TWICE}:
        return "awards without a clear decision"
    if finding.facts.keys() & _WRONG:
        return "awards are linked to an incorrect recipient"
    return "awards lost their link" if finding.facts.keys() & _LOST else "awards were re-linked"


def render_alerts(found: AlertList) -> str:
    """Return a line for each alert, cut to a length that can be read; an empty text if there is none."""
    lines = [
        f"alert ({alert.severity}, {alert.kind}): {plain(alert_text(alert))}"
        for alert in found.alerts[:_MOST_SHOWN]
    ]
    if len(found.alerts) > _MOST_SHOWN:
        lines.append(f"and {len(found.alerts) - _MOST_SHOWN:,} more alerts")
    return "".join(f"{line}\n" for line in lines)


def check_text(check: CheckFinding) -> str:
    """Return the answer to a check of an asset, in one line."""
    said = "; ".join(texts(check.findings)) or _within(check)
    if check.outcome is not None:
        said = f"{check.outcome}: {said}"
    return said + (f"; {' and '.join(map(plain, check.unjudged))} not judged" if check.unjudged else "")


def _within(check: CheckFinding) -> str:
    """Return the value of a check that nothing was found by, with its limits where they are known."""
    if check.value is None or not check.limits:
        return _WITHIN
    value = f"{metric_name(check.metric)} {quantity(check.value, check.unit)}"
    baseline = f" (baseline {quantity(check.reference, check.unit)})" if check.reference is not None else ""
    return f"{value}{baseline}, within its limit: {', '.join(map(limit_text, check.limits))}"


def obstacle_text(obstacle: PromotionObstacle) -> str:
    """Return why a Run may not become the baseline."""
    said = "; ".join(texts(obstacle.findings))
    if obstacle.outcome is None:
        return f"it would make a slow decline the baseline: {said}"
    return f"the verdict on it is {obstacle.outcome}{f': {said}' if said else ''}"
