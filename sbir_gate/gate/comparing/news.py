"""What is worth telling somebody who did not ask: a failure, a recovery, a slow drift, each told once."""

from __future__ import annotations

from sbir_gate.model.alert import AlertKind, AlertList
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.verdict import Outcome

_BROKEN = frozenset({Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR})
_NEWS = frozenset({AlertKind.RECOVERY, AlertKind.DRIFT})


def is_news(alerts: AlertList, previous: HistoryEntry | None) -> bool:
    """Say whether the alerts of a verdict are news after the Run before, of the same gate and branch.

    A gate that fails again for nothing new, or drifts on, was told already. One thing more is news.
    """
    told = set(previous.alert_keys) if previous is not None else set()
    if alerts.outcome in _BROKEN:
        was_broken = previous is not None and previous.outcome in _BROKEN
        return not was_broken or any(alert.key not in told for alert in alerts.alerts)
    return any(alert.kind in _NEWS and alert.key not in told for alert in alerts.alerts)
