"""A message about a verdict: what somebody hears who did not ask, the same for every channel.

One model, rendered as Markdown, as Slack's Block Kit and as plain text. All of it has been through `plain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbir_gate.gate.reporting.markdown import escape_markdown, is_address
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.gate.reporting.notices import alert_text
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.view import OUTCOMES, MetricRow, build_view
from sbir_gate.model.alert import AlertKind, AlertList
from sbir_gate.model.finding import Severity
from sbir_gate.model.publication import Links
from sbir_gate.model.verdict import Verdict

MOST_REASONS = 5
MOST_ROWS = 8

_NAME_CHARACTERS = 80
_COMMIT_CHARACTERS = 12
_NOTABLE = frozenset({Severity.FAIL, Severity.WARN, Severity.INCONCLUSIVE})


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: a title, one sentence, why, the worst metrics, where, and links by their names."""

    symbol: str
    title: str
    text: str
    reasons: tuple[str, ...]
    rows: tuple[MetricRow, ...]
    place: str
    links: tuple[tuple[str, str], ...]


def build_message(verdict: Verdict, alerts: AlertList, links: Links) -> Message:
    """Return the message on a verdict. What recovered says so in its title, slow drift among the reasons."""
    view = build_view(None, verdict)
    lines = [view.headline, *([view.improvement] if view.improvement else [])]
    recovery = next((each for each in alerts.alerts if each.kind is AlertKind.RECOVERY), None)
    words = "recovered" if recovery else view.outcome.value
    return Message(
        symbol=view.symbol,
        title=f"{view.gate}: {words}",
        text=alert_text(recovery) if recovery else " ".join(f"{line}." for line in lines),
        reasons=_capped(texts(verdict.deciding)),
        rows=tuple(row for row in view.rows if row.severity in _NOTABLE)[:MOST_ROWS],
        place=_place(alerts),
        links=_named(links),
    )


def message_of_alerts(alerts: AlertList, links: Links) -> Message:
    """Return the message on alerts without a saved verdict, such as those of a run that broke."""
    symbol, headline = OUTCOMES[alerts.outcome]
    return Message(
        symbol=symbol,
        title=f"{plain(alerts.gate, _NAME_CHARACTERS)}: {alerts.outcome}",
        text=f"{headline}.",
        reasons=_capped([alert_text(alert) for alert in alerts.alerts]),
        rows=(),
        place=_place(alerts),
        links=_named(links),
    )


def _place(alerts: AlertList) -> str:
    place = f"commit {plain(alerts.commit[:_COMMIT_CHARACTERS]) or 'unknown'}"
    return f"{place} on {plain(alerts.branch, _NAME_CHARACTERS)}" if alerts.branch else place


def _named(links: Links) -> tuple[tuple[str, str], ...]:
    named = (
        ("workflow run", links.run),
        ("reports", links.artifact),
        ("pull request", links.pull_request),
        ("commit", links.commit),
    )
    return tuple((name, address) for name, address in named if is_address(address))


def _capped(reasons: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(reasons[:MOST_REASONS])
    more = len(reasons) - len(shown)
    return (*shown, f"and {more:,} more") if more else shown


def render_plain(message: Message) -> str:
    """Return the message as text that ends in a newline."""
    lines = [
        f"{message.symbol} {message.title}",
        message.text,
        *(f"- {reason}" for reason in message.reasons),
    ]
    lines += [f"  {row_words(row)}" for row in message.rows]
    lines += [message.place, *(f"{name}: {address}" for name, address in message.links)]
    return "".join(f"{line}\n" for line in lines)


def render_message_markdown(message: Message) -> str:
    """Return the message as Markdown that ends in a newline."""
    parts = [f"### {message.symbol} {escape_markdown(message.title)}", escape_markdown(message.text)]
    if message.reasons:
        parts.append("\n".join(f"- {escape_markdown(reason)}" for reason in message.reasons))
    if message.rows:
        table = ["|   | metric | reference | head | change |", "|---|---|--:|--:|--:|"]
        for row in message.rows:
            cells = map(escape_markdown, (row.metric, row.reference, row.head, row.change))
            table.append(f"| {row.symbol} | {' | '.join(cells)} |")
        parts.append("\n".join(table))
    end = [escape_markdown(message.place), *(f"[{name}]({address})" for name, address in message.links)]
    return "\n\n".join([*parts, " · ".join(end)]) + "\n"


def row_words(row: MetricRow) -> str:
    """Return a metric as one line of text."""
    return f"{row.symbol} {row.metric}: {row.reference} -> {row.head} ({row.change}), {row.limit}"
