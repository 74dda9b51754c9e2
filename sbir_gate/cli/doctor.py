"""`sbir-gate doctor`: find configuration mistakes, and try what the gate does on GitHub."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sbir_gate.cli.options import Choice, effective_settings, settings_options
from sbir_gate.cli.printing import put
from sbir_gate.cli.progress import Ticker
from sbir_gate.cli.publish import workflow_event
from sbir_gate.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from sbir_gate.model.diagnosis import Diagnosis


@click.command(
    epilog="""\b
Examples:
  sbir-gate doctor
  sbir-gate doctor --config gate.yaml --strict
  sbir-gate doctor --format json
  sbir-gate doctor --live

Exit status: 0 no problems, or only warnings; 1 errors, or warnings with --strict.
"""
)
@click.option("--format", "format_", type=Choice(["table", "json"]), default="table", show_default=True)
@click.option("--strict", is_flag=True, help="Exit with status 1 on warnings too.")
@click.option(
    "--live",
    "is_live",
    is_flag=True,
    help="In a workflow: also try comment, check, annotation and pushes on a scratch branch and its pull"
    " request, and remove them again.",
)
@settings_options
def doctor(
    format_: str, strict: bool, is_live: bool, config_file: Path | None, assignments: tuple[str, ...]
) -> NoReturn:
    """Find mistakes in limits, waivers, baseline, machine and workflows without measuring."""
    from sbir_gate.gate.doctor import examine, real_edges
    from sbir_gate.gate.reporting.diagnoses import count_of, render_diagnoses, render_diagnoses_json
    from sbir_gate.model.diagnosis import Gravity

    diagnoses = examine(config_file, os.environ, assignments, real_edges())
    if is_live:
        diagnoses += _tried_live(config_file, assignments)
    render = render_diagnoses_json if format_ == "json" else render_diagnoses
    put(render(diagnoses))
    found = [count_of(diagnoses, Gravity.ERROR), count_of(diagnoses, Gravity.WARNING) if strict else 0]
    sys.exit(ExitStatus.GATE_FAILED if any(found) else ExitStatus.OK)


def _tried_live(config_file: Path | None, assignments: tuple[str, ...]) -> tuple[Diagnosis, ...]:
    """Try what the gate does on GitHub, and add the result to the summary of the job."""
    from sbir_gate.gate.branches import push_retrying
    from sbir_gate.gate.github_token import NO_TOKEN_HINT, token_of
    from sbir_gate.gate.live_check import LiveEdges, check_live
    from sbir_gate.gate.publish import connect
    from sbir_gate.gate.publishing.workflow import append_summary
    from sbir_gate.gate.reporting.diagnoses import render_live_summary
    from sbir_gate.gate.storing.git import Git

    settings = effective_settings(config_file, assignments, {}).settings
    event, token = workflow_event(None), token_of(os.environ)
    if token is None:
        raise UsageError("--live needs a token for GitHub", NO_TOKEN_HINT)
    edges = LiveEdges(connect(event, token.text, settings), Git(Path.cwd()), push_retrying())
    with Ticker(is_quiet=False) as ticker:
        found = check_live(settings, event, edges, ticker.say)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(Path(summary), [render_live_summary(found)])
    return found
