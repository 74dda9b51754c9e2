"""Notify Slack of a verdict that is news, from the saved documents."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.documents import load_alerts
from sbir_gate.errors import DocumentError, InputError
from sbir_gate.gate.comparing.alerts import is_news
from sbir_gate.gate.conclusion import ALERTS_NAME
from sbir_gate.gate.kept_runs import previous_entry
from sbir_gate.gate.publishing.slack import SlackEdges, check_webhook, post_to_slack
from sbir_gate.gate.reporting.message import Message, build_message, run_message
from sbir_gate.gate.reporting.slack_blocks import render_slack
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.gate.saved_verdict import load_saved
from sbir_gate.model.alert import RunNotice
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.publication import Links
from sbir_gate.settings.schema import Settings

SENT = "sent to Slack"
NO_NEWS = "nothing new for Slack"


def message_of_news(reports: Path, settings: Settings, links: Links) -> Message | None:
    """Return the message on the saved verdict, None if it is not news after the previous Run.

    If the history cannot be read, the message is sent. Raises DocumentError
    for documents that cannot be read.
    """
    saved, alerts = load_saved(reports), load_alerts(reports / ALERTS_NAME)
    previous: HistoryEntry | None
    try:
        previous = previous_entry(alerts, settings)
    except (InputError, DocumentError):
        previous = None
    if not is_news(alerts, previous):
        return None
    return build_message(build_view(saved.run, saved.verdict, links), alerts, links)


def announce_run(notice: RunNotice, webhook: str, edges: SlackEdges) -> None:
    """Send the notice of a run of a pipeline to Slack.

    Raises UsageError for a webhook that is not an https URL, PublishError where Slack does not take it.
    """
    check_webhook(webhook)
    post_to_slack(webhook, render_slack(run_message(notice)), edges)


def announce(reports: Path, settings: Settings, webhook: str, links: Links, edges: SlackEdges) -> str:
    """Send the saved verdict to Slack if it is news; return a message on what was done.

    Raises UsageError for a webhook that is not an https URL (`check_webhook`), PublishError where Slack does
    not take the message, DocumentError for documents that cannot be read.
    """
    webhook = webhook.strip()  # a secret that was pasted often ends a line
    check_webhook(webhook)
    message = message_of_news(reports, settings, links)
    if message is None:
        return NO_NEWS
    post_to_slack(webhook, render_slack(message), edges)
    return SENT
