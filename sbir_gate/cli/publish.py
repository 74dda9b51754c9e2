"""`sbir-gate publish`: a saved verdict told to the pull request, the check, the workflow and Slack."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import FilePath, effective_settings, settings_options
from sbir_gate.cli.printing import harmless, put, put_line
from sbir_gate.errors import PublishError, UsageError
from sbir_gate.files import read_file

if TYPE_CHECKING:
    from sbir_gate.gate.publish import Channels, PublishEdges, PublishResult, Saved
    from sbir_gate.gate.publishing.event import Event
    from sbir_gate.gate.publishing.github import GitHub
    from sbir_gate.settings.effective import EffectiveSettings


@click.command(
    epilog="""\b
Examples:
  sbir-gate publish
  sbir-gate publish --check --no-annotations --strict
  sbir-gate publish --dry-run
  sbir-gate publish --untrusted artifact
"""
)
@click.option(
    "--comment/--no-comment", "has_comment", default=True, show_default=True, help="Pull request comment."
)
@click.option(
    "--check/--no-check", "has_check", default=False, show_default=True, help="Check on the commit."
)
@click.option("--summary/--no-summary", "has_summary", default=True, show_default=True, help="Job summary.")
@click.option(
    "--annotations/--no-annotations",
    "has_annotations",
    default=True,
    show_default=True,
    help="Remarks on the lines of the limits.",
)
@click.option(
    "--outputs/--no-outputs", "has_outputs", default=True, show_default=True, help="Outputs of the step."
)
@click.option(
    "--slack/--no-slack",
    "has_slack",
    default=None,
    help="Slack, if it is news. Default: if SBIR_GATE_SLACK_WEBHOOK is set.",
)
@click.option(
    "--event",
    "event_file",
    type=FilePath(),
    help="Payload of the event; default: the file that GITHUB_EVENT_PATH names.",
)
@click.option("--reports", help="Folder of the saved verdict; default: reports.folder of the settings.")
@click.option("--artifact-url", default="", metavar="URL", help="Page of the uploaded reports, to link to.")
@click.option(
    "--untrusted",
    type=FilePath(),
    metavar="FOLDER",
    help="For workflow_run: what a job of a fork uploaded. Only Runs are read of it, and judged here.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "inconclusive"]),
    default="fail",
    show_default=True,
    help="The mildest verdict for which the check fails.",
)
@click.option("--strict", is_flag=True, help="End with status 3 if anything could not be told.")
@click.option("--dry-run", is_flag=True, help="Print what would be told; ask and change nothing.")
@settings_options
def publish(
    has_comment: bool,
    has_check: bool,
    has_summary: bool,
    has_annotations: bool,
    has_outputs: bool,
    has_slack: bool | None,
    event_file: Path | None,
    reports: str | None,
    artifact_url: str,
    untrusted: Path | None,
    fail_on: str,
    strict: bool,
    dry_run: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Tell a saved verdict where people look: nothing is measured, and the verdict's status is not repeated.

    The environment holds the token (docs/publishing.md) and Slack's webhook (SBIR_GATE_SLACK_WEBHOOK).
    What a missing permission or a broken server keeps from being told is a warning, and the rest is told.
    """
    from sbir_gate.gate.publish import Channels, load_saved
    from sbir_gate.gate.publish import publish as tell

    effective = effective_settings(config_file, assignments, {"reports.folder": reports})
    if dry_run:
        if untrusted is not None:
            raise UsageError("--dry-run asks nothing, and --untrusted has to", "leave one of them out")
        _print_dry_run(load_saved(effective.settings.reports.folder), effective, event_file, artifact_url)
        return
    event = workflow_event(event_file)
    edges = publish_edges(event, effective)
    channels = Channels(
        has_comment=has_comment,
        has_check=has_check,
        has_summary=has_summary,
        has_annotations=has_annotations,
        has_outputs=has_outputs,
        # what a fork measures is no news
        has_slack=untrusted is None and _wants_slack(has_slack),
    )
    if untrusted is None:
        saved = saved_verdict(event, effective, channels, edges)
    else:
        if has_slack:
            raise UsageError(
                "--slack and --untrusted: what a fork measures is no news", "leave one of them out"
            )
        saved, event = judged_untrusted(untrusted, effective, event, edges.github)
    result = tell(
        saved,
        effective,
        event,
        channels,
        edges,
        artifact_url,
        fails_on_inconclusive=fail_on == "inconclusive",
    )
    report_result(result, strict)


def _wants_slack(has_slack: bool | None) -> bool:
    from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE

    return bool(os.environ.get(WEBHOOK_VARIABLE)) if has_slack is None else has_slack


def report_result(result: PublishResult, is_strict: bool) -> None:
    """Say what came of publishing, a line each. Raises PublishError if `is_strict` and something is amiss."""
    for name, url in (("comment", result.comment_url), ("check", result.check_url)):
        if url:
            put_line(f"{name}: {harmless(url)}", is_error=True)
    for note in result.notes:
        put_line(f"note: {_line(note)}", is_error=True)
    for problem in result.problems:
        put_line(f"warning: {_line(problem)}", is_error=True)
    if is_strict and result.problems:
        raise PublishError(f"{len(result.problems)} of what was to be told was not", "see the warnings above")


def workflow_event(event_file: Path | None) -> Event:
    """Return the event of the workflow that this is a step of."""
    from sbir_gate.gate.publishing.event import MAX_PAYLOAD_BYTES, read_event

    path = event_file or (
        Path(os.environ["GITHUB_EVENT_PATH"]) if os.environ.get("GITHUB_EVENT_PATH") else None
    )
    payload = None
    if path is not None:
        try:
            payload = read_file(path, MAX_PAYLOAD_BYTES)
        except OSError as error:
            raise UsageError(
                f"{path}: the payload of the event cannot be read ({error.strerror})", "check --event"
            ) from error
    return read_event(os.environ, payload)


def publish_edges(event: Event, effective: EffectiveSettings) -> PublishEdges:
    """Return the edges to GitHub, the runner and Slack; secrets come from the environment alone."""
    from secrets import token_hex

    import requests

    from sbir_gate.gate.github_token import token_of
    from sbir_gate.gate.publish import PublishEdges, connect
    from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE, SlackEdges

    token = token_of(os.environ)
    summary, output = (os.environ.get(name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"))
    return PublishEdges(
        github=connect(event, token.text, effective.settings) if token else None,
        summary_path=Path(summary) if summary else None,
        output_path=Path(output) if output else None,
        say=put,
        new_delimiter=lambda: f"sbir-gate-{token_hex(16)}",
        slack=SlackEdges(requests.Session()),
        webhook=os.environ.get(WEBHOOK_VARIABLE, ""),
    )


def saved_verdict(
    event: Event, effective: EffectiveSettings, channels: Channels, edges: PublishEdges
) -> Saved:
    """Return the saved verdict; without one, let the check end before the error does."""
    from sbir_gate.errors import DocumentError
    from sbir_gate.gate.publish import fail_check, load_saved

    settings = effective.settings
    try:
        return load_saved(settings.reports.folder)
    except DocumentError as error:
        if channels.has_check and edges.github is not None:
            try:
                fail_check(event, settings.gate.name, edges.github, error)
            except PublishError as failure:
                put_line(f"warning: {_line(failure.message)}", is_error=True)
        raise


def judged_untrusted(
    folder: Path, effective: EffectiveSettings, event: Event, github: GitHub | None
) -> tuple[Saved, Event]:
    """Return the verdict on what a fork measured, and the event as it is to be told."""
    from sbir_gate.gate.github_token import NO_TOKEN_HINT
    from sbir_gate.gate.storing.git import Git
    from sbir_gate.gate.untrusted import judge_untrusted

    if github is None:
        raise UsageError("there is no token for GitHub, which has to say whose Run this is", NO_TOKEN_HINT)
    git, today = Git(Path.cwd()), datetime.now(UTC).date()
    return judge_untrusted(folder, effective, event, github, git, today)


def _print_dry_run(
    saved: Saved, effective: EffectiveSettings, event_file: Path | None, artifact_url: str
) -> None:
    from sbir_gate.gate.publish import lines_of_dry_run, outputs_of, publication_of

    is_workflow = bool(os.environ.get("GITHUB_EVENT_NAME"))
    event = workflow_event(event_file) if is_workflow else None
    publication = publication_of(saved, effective, event, artifact_url)
    for line in lines_of_dry_run(publication, outputs_of(saved, "")):
        put_line(harmless(line))


def _line(text: str) -> str:
    """Return a text on one line: a second one could be a command to the runner."""
    return harmless(" ".join(text.split()))
