"""A message about a verdict: the notification text for subscribers, the same for every channel.

One model, rendered as Markdown, as Slack's Block Kit and as plain text. All of it has been through `plain`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate.gate.reporting.escaping import is_address
from sbir_gate.gate.reporting.headline import MARKS, product
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.reporting.metric_rows import MetricRow
from sbir_gate.gate.reporting.notices import alert_text
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import NOTHING
from sbir_gate.gate.reporting.view import View, few
from sbir_gate.model.alert import AlertKind, AlertList, RunNotice
from sbir_gate.model.publication import Links

MOST_REASONS = 5
MOST_ROWS = 8

_NAME_CHARACTERS = 80
_COMMIT_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Message:
    """What a message has: a title, the figures, why, the worst metrics, where, and links by their names."""

    symbol: str
    title: str
    text: str
    reasons: tuple[str, ...]
    rows: tuple[MetricRow, ...]
    place: str
    links: tuple[tuple[str, str], ...]


def build_message(view: View, alerts: AlertList, links: Links) -> Message:
    """Return the message on a view. A recovery is in its title, slow drift among the reasons."""
    recovery = next((each for each in alerts.alerts if each.kind is AlertKind.RECOVERY), None)
    place = f"commit {plain(alerts.commit[:_COMMIT_CHARACTERS]) or 'unknown'}"
    if alerts.branch:
        place += f" on {plain(alerts.branch, _NAME_CHARACTERS)}"
    named = (
        ("workflow run", links.run),
        ("reports", links.artifact),
        ("pull request", links.pull_request),
        ("compare", links.compare),
        ("commit", links.commit),
        ("trends", links.dashboard),
    )
    lines = (*view.blind, *((view.improvement,) if view.improvement else ()))
    figures = " · ".join(view.figures)
    return Message(
        symbol=view.mark,
        title=f"{view.product}: {'recovered' if recovery else view.headline}",
        text=alert_text(recovery) if recovery else "\n".join((*([figures] if figures else []), *lines)),
        reasons=few(view.reasons, MOST_REASONS),
        rows=view.open_rows[:MOST_ROWS],
        place=place,
        links=tuple((name, address) for name, address in named if is_address(address)),
    )


def run_message(notice: RunNotice) -> Message:
    """Return the message on a run of a pipeline: what it came to, and each reason."""
    alerts = notice.alerts
    links = (("run", notice.address),) if is_address(notice.address) else ()
    return Message(
        symbol=MARKS[alerts.outcome],
        title=f"{product(alerts.gate)}: {text(notice.headline)}",
        text="",
        reasons=few(tuple(plain(alert_text(alert)) for alert in alerts.alerts), MOST_REASONS),
        rows=(),
        place=plain(alerts.commit, _NAME_CHARACTERS),
        links=links,
    )


def row_text(row: MetricRow) -> str:
    """Return a metric as one line of text: "❌ Wall time +40% (1.70 → 2.38 s, limit +25%)"."""
    details = [row.values, f"limit {row.limit}" if row.limit != NOTHING else NOTHING]
    known = ", ".join(text for text in details if text != NOTHING)
    return f"{row.mark} {row.name} {row.change}" + (f" ({known})" if known else "")
