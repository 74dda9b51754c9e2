"""`sbir-gate publish`: a saved verdict as comment, check, job summary, outputs and Slack message."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import Choice, FilePath, effective_settings, settings_options
from sbir_gate.cli.printing import harmless, put, put_line
from sbir_gate.errors import PublishError, UsageError
from sbir_gate.files import read_file

if TYPE_CHECKING:
    from sbir_gate.gate.publish import Channels, PublishEdges, PublishResult
    from sbir_gate.gate.publishing.event import Event
    from sbir_gate.gate.publishing.github import GitHub
    from sbir_gate.gate.saved_verdict import Saved
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
    help="Annotations on the lines of the limits.",
)
@click.option(
    "--outputs/--no-outputs", "has_outputs", default=True, show_default=True, help="Outputs of the step."
)
@click.option(
    "--slack/--no-slack",
    "has_slack",
    default=None,
    help="Slack message, if the outcome changed. Default: on if SBIR_GATE_SLACK_WEBHOOK is set.",
)
@click.option(
    "--event",
    "event_file",
    type=FilePath(),
    help="Event payload; default: the file in GITHUB_EVENT_PATH.",
)
@click.option(
    "--reports",
    type=click.Path(),
    help="Folder of the saved verdict; default: reports.folder.",
)
@click.option(
    "--artifact-url", default="", metavar="URL", help="URL of the uploaded reports, linked in the comment."
)
@click.option(
    "--untrusted",
    type=FilePath(),
    metavar="FOLDER",
    help="For workflow_run: the artifact that a fork's job uploaded. Only its Runs are read; they are "
    "judged here.",
)
@click.option(
    "--fail-on",
    type=Choice(["fail", "inconclusive"]),
    default="fail",
    show_default=True,
    help="Least severe verdict that fails the check.",
)
@click.option("--strict", is_flag=True, help="Exit with status 3 if a channel fails.")
@click.option(
    "--dry-run", is_flag=True, help="Print what each of these channels would send, without any request."
)
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
    """Publish a saved verdict. Nothing is measured, and the exit status does not repeat the verdict.

    The token ('sbir-gate help publishing') and Slack's webhook (SBIR_GATE_SLACK_WEBHOOK) come from the
    environment. When a permission is missing or a server fails, that channel prints a warning and the others
    are still published.
    """
    from sbir_gate.gate.publish import Channels
    from sbir_gate.gate.publish import publish as publish_verdict

    if untrusted is not None:
        _check_untrusted(is_dry_run=dry_run, has_slack=bool(has_slack))
    effective = effective_settings(config_file, assignments, {"reports.folder": reports})
    channels = Channels(
        has_comment=has_comment,
        has_check=has_check,
        has_summary=has_summary,
        has_annotations=has_annotations,
        has_outputs=has_outputs,
        # a fork's result is never sent to Slack
        has_slack=untrusted is None and _wants_slack(has_slack),
    )
    fails = fail_on == "inconclusive"
    if dry_run:
        _print_dry_run(effective, event_file, artifact_url, channels, fails)
        return
    event = workflow_event(event_file)
    edges = publish_edges(event, effective)
    if untrusted is None:
        saved = saved_verdict(event, effective, channels, edges)
    else:
        saved, event = judged_untrusted(untrusted, effective, event, edges.github)
    result = publish_verdict(
        saved, effective, event, channels, edges, artifact_url, fails_on_inconclusive=fails
    )
    report_result(result, strict)


def _check_untrusted(*, is_dry_run: bool, has_slack: bool) -> None:
    """Raise UsageError for an option that excludes --untrusted."""
    both = "remove one of the two options"
    if is_dry_run:
        raise UsageError("--dry-run sends no request, but --untrusted needs one", both)
    if has_slack:
        raise UsageError(
            "--slack cannot be used with --untrusted: results of forks are not sent to Slack", both
        )


def _wants_slack(has_slack: bool | None) -> bool:
    from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE

    return bool(os.environ.get(WEBHOOK_VARIABLE)) if has_slack is None else has_slack


def report_result(result: PublishResult, is_strict: bool) -> None:
    """Print the result of each channel. Raises PublishError if `is_strict` and a channel failed."""
    for name, url in (("comment", result.comment_url), ("check", result.check_url)):
        if url:
            put_line(f"{name}: {harmless(url)}", is_error=True)
    for note in result.notes:
        put_line(f"note: {_line(note)}", is_error=True)
    for problem in result.problems:
        put_line(f"warning: {_line(problem)}", is_error=True)
    if is_strict and result.problems:
        raise PublishError(f"failed channels: {len(result.problems)}", "see the warnings above")


def workflow_event(event_file: Path | None) -> Event:
    """Return the event that triggered this workflow."""
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
                f"cannot read the event payload ({error.strerror})", "check --event", path=path
            ) from error
    return read_event(os.environ, payload)


def publish_edges(event: Event, effective: EffectiveSettings) -> PublishEdges:
    """Return the edges to GitHub, the runner and Slack; secrets come from the environment alone."""
    from secrets import token_hex

    import requests

    from sbir_gate.gate.edges import subject_here
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
        subject=subject_here,
    )


def saved_verdict(
    event: Event, effective: EffectiveSettings, channels: Channels, edges: PublishEdges
) -> Saved:
    """Return the saved verdict; if there is none, complete the check before raising."""
    from sbir_gate.errors import DocumentError
    from sbir_gate.gate.publish import fail_check
    from sbir_gate.gate.saved_verdict import load_saved

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
    """Return the verdict on a fork's Run, and the event to publish it under."""
    from sbir_gate.gate.github_token import NO_TOKEN_HINT
    from sbir_gate.gate.storing.git import Git
    from sbir_gate.gate.untrusted import judge_untrusted

    if github is None:
        raise UsageError(
            "no GitHub token: it is needed to look up which pull request the Run belongs to", NO_TOKEN_HINT
        )
    git, today = Git(Path.cwd()), datetime.now(UTC).date()
    return judge_untrusted(folder, effective, event, github, git, today)


def _print_dry_run(
    effective: EffectiveSettings, event_file: Path | None, artifact_url: str, channels: Channels, fails: bool
) -> None:
    from sbir_gate.gate.edges import subject_here
    from sbir_gate.gate.publish import dry_run
    from sbir_gate.gate.saved_verdict import load_saved

    saved = load_saved(effective.settings.reports.folder)
    event = workflow_event(event_file) if os.environ.get("GITHUB_EVENT_NAME") else None
    shown = dry_run(
        saved, effective, event, channels, artifact_url, subject_here, fails_on_inconclusive=fails
    )
    for line in shown.split("\n"):
        put_line(harmless(line))


def _line(text: str) -> str:
    """Return the text on one line: a second line could be a workflow command."""
    return harmless(" ".join(text.split()))
