"""`sbir-gate checklist`: whether a pipeline is ready to be deployed."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from sbir_gate.cli.options import Choice, effective_settings, history_source_option, settings_options
from sbir_gate.cli.printing import put
from sbir_gate.errors import ExitStatus


@click.command(
    epilog="""\b
Examples:
  sbir-gate checklist
  sbir-gate checklist --history sbir-gate-history --send-test-alert
  sbir-gate checklist --format json

Exit status: 0 every item holds; 1 an item is open.
"""
)
@history_source_option
@click.option(
    "--send-test-alert",
    is_flag=True,
    help="Send a message that is marked as a test to the webhook in SBIR_GATE_SLACK_WEBHOOK.",
)
@click.option("--format", "format_", type=Choice(["table", "json"]), default="table", show_default=True)
@settings_options
def checklist(
    source: str | None,
    send_test_alert: bool,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> NoReturn:
    """Print what is open before a deployment, each item with its fix.

    The items: checks, full run, baseline, alerting, and the reviews of docs/DEPLOYMENT_CHECKLIST.md.
    """
    import requests

    from sbir_gate.gate.checklist import ChecklistEdges, examine_readiness
    from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE, SlackEdges
    from sbir_gate.gate.reporting.diagnoses import count_of, render_check_json, render_checklist
    from sbir_gate.model.diagnosis import Gravity

    effective = effective_settings(config_file, assignments, {})
    edges = ChecklistEdges(
        now=lambda: datetime.now(UTC),
        webhook=os.environ.get(WEBHOOK_VARIABLE, "").strip(),
        slack=lambda: SlackEdges(requests.Session()),
    )
    found = examine_readiness(effective, source, edges, sends_alert=send_test_alert)
    put(render_check_json(found) if format_ == "json" else render_checklist(found))
    sys.exit(ExitStatus.GATE_FAILED if count_of(found, Gravity.ERROR) else ExitStatus.OK)
