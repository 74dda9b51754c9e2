"""Alerts as text for a terminal: a line for each, the gravest first."""

from __future__ import annotations

from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.model.alert import AlertList

_MOST_SHOWN = 20


def render_alerts(found: AlertList) -> str:
    """Return a line for each alert, cut to a length that can be read; an empty text if there is none."""
    lines = [
        f"alert ({alert.severity}, {alert.kind}): {plain(alert.text)}" for alert in found.alerts[:_MOST_SHOWN]
    ]
    if len(found.alerts) > _MOST_SHOWN:
        lines.append(f"and {len(found.alerts) - _MOST_SHOWN:,} more alerts")
    return "".join(f"{line}\n" for line in lines)
