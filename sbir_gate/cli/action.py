"""`sbir-gate action`: the steps of the GitHub Action, each with its inputs in the environment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from sbir_gate.cli.options import Group
from sbir_gate.cli.printing import harmless, put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.cli.publish import (
    judged_untrusted,
    publish_edges,
    report_result,
    saved_verdict,
    workflow_event,
)
from sbir_gate.errors import SbirGateError, TamperedProgramError, ToolError, UsageError
from sbir_gate.files import read_file

if TYPE_CHECKING:
    from sbir_gate.datasets.fetching import FetchRequest
    from sbir_gate.gate.publishing.event import Event
    from sbir_gate.settings.action_inputs import ActionInputs
    from sbir_gate.settings.effective import EffectiveSettings

_MAX_RUNNER_FILE_BYTES = 2**20  # these files are empty when a step begins


@click.group(
    cls=Group,
    epilog="""\b
Examples:
  sbir-gate action measure
  sbir-gate action enforce

The steps read the inputs of action.yml from SBIR_GATE_INPUT_<NAME> and the event from the runner's variables.
You need not call them yourself: 'sbir-gate help github-action' has complete workflows.
""",
)
def action() -> None:
    """Run one step of the GitHub Action."""


@action.command()
def begin() -> None:
    """Fetch the history and start the check. A failure of either is only a warning."""
    from sbir_gate.gate.keeping import fetch_past
    from sbir_gate.gate.publish import begin as begin_check
    from sbir_gate.gate.storing.git import CHECKOUT_SECONDS, Git
    from sbir_gate.pipeline.action import mode_of, publishing_settings
    from sbir_gate.settings.action_inputs import InputMode

    inputs, event = _begun()
    if mode_of(inputs, event) is InputMode.COMMENT:
        return
    git = Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    effective = publishing_settings(inputs, event, os.environ, git)
    _try(lambda: fetch_past(inputs, effective.settings, git))
    github = publish_edges(event, effective).github
    if inputs.check and github is not None and not event.is_fork:
        _try(lambda: f"check: {begin_check(event, effective.settings, github)}")


def _try(do: Callable[[], str]) -> None:
    """Do it and print the result or the reason of the failure; the verdict is published in both cases."""
    try:
        put_line(harmless(do()))
    except SbirGateError as error:
        put_line(f"warning: {harmless(' '.join(f'{error.message}; {error.hint}'.split()))}")


@action.command()
def measure() -> None:
    """Measure and judge as the event requires. Saves the verdict in the reports; `enforce` acts on it.

    A failed verdict, or an error saved as a verdict, does not stop here: it is published first. If an engine
    modified sbir-gate itself, this step fails: later steps hold a token.
    """
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.gate.measuring.own_code import sources_alone
    from sbir_gate.gate.reporting.console import render_console
    from sbir_gate.gate.reporting.messages import catalogue
    from sbir_gate.gate.reporting.view import build_view
    from sbir_gate.gate.storing.git import CHECKOUT_SECONDS, Git
    from sbir_gate.pipeline.action import ActionEdges
    from sbir_gate.pipeline.action import measure as measure_event

    inputs, event = _begun()
    git = Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    catalogue()  # read before an engine runs, which could change it
    with (
        sources_alone(),
        _runner_files_kept(os.environ),
        _no_commands(),
        Ticker(is_quiet=False) as ticker,
        _time_limit(inputs.timeout_minutes),
    ):
        edges = ActionEdges(
            real_edges(), git, os.environ, lambda request, found: _fetched(request, found, ticker)
        )
        try:
            result = measure_event(inputs, event, edges, ticker.say)
        except TamperedProgramError:
            raise
        except SbirGateError as error:
            put_line(
                f"error: {harmless(error.message)}" + (f"; {harmless(error.hint)}" if error.hint else "")
            )
            return
        if result is None:
            put_line("nothing to measure on this event")
            return
        put(render_console(build_view(result.run, result.verdict), 120, use_colour=False))
        for warning in result.warnings:
            put_line(f"warning: {harmless(warning)}")


@action.command()
def reports() -> None:
    """Set the outputs for the upload step."""
    from secrets import token_hex

    from sbir_gate.gate.publishing.workflow import append_outputs
    from sbir_gate.pipeline.action import upload_of

    inputs, event = _begun()
    upload = upload_of(inputs, event, os.environ)
    outputs = {
        "has_reports": str(upload.is_wanted).lower(),
        "name": upload.name,
        "paths": upload.paths,
    }
    append_outputs(_output_path(), outputs, lambda: token_hex(16))


@action.command()
def publish() -> None:
    """Publish the verdict on every channel; in mode comment, the verdict on a fork's Run."""
    from sbir_gate.gate.branches import push_retrying
    from sbir_gate.gate.keeping import KeepEdges, keep_for_later
    from sbir_gate.gate.publish import publish as publish_verdict
    from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE
    from sbir_gate.gate.storing.git import CHECKOUT_SECONDS, Git
    from sbir_gate.pipeline.action import channels_of, mode_of, publishing_settings
    from sbir_gate.settings.action_inputs import FailOn, InputMode

    inputs, event = _begun()
    git = Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    effective = publishing_settings(inputs, event, os.environ, git)
    edges = publish_edges(event, effective)
    channels = channels_of(inputs, event, bool(os.environ.get(WEBHOOK_VARIABLE)))
    if mode_of(inputs, event) is InputMode.COMMENT:
        if inputs.untrusted is None:
            raise UsageError("input untrusted is missing", "set it to the folder of the downloaded artifact")
        saved, event = judged_untrusted(inputs.untrusted, effective, event, edges.github)
    else:
        saved = saved_verdict(event, effective, channels, edges)
    result = publish_verdict(
        saved,
        effective,
        event,
        channels,
        edges,
        os.environ.get("SBIR_GATE_ARTIFACT_URL", ""),
        fails_on_inconclusive=inputs.fail_on is FailOn.INCONCLUSIVE,
    )
    report_result(result, is_strict=False)
    kept_with = KeepEdges(git, push_retrying(), edges.github)
    for keep in keep_for_later(saved, mode_of(inputs, event), inputs, event, effective.settings, kept_with):
        _try(keep)


@action.command()
def cancel() -> None:
    """Complete the check of a cancelled run; otherwise it would block the merge."""
    from sbir_gate.gate.publish import cancel as cancel_check
    from sbir_gate.gate.storing.git import CHECKOUT_SECONDS, Git
    from sbir_gate.pipeline.action import mode_of, publishing_settings
    from sbir_gate.settings.action_inputs import InputMode

    inputs, event = _begun()
    if not inputs.check or event.is_fork or mode_of(inputs, event) is InputMode.COMMENT:
        return
    effective = publishing_settings(
        inputs, event, os.environ, Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    )
    github = publish_edges(event, effective).github
    if github is not None:
        _try(lambda: cancel_check(event, effective.settings.gate.name, github))


@action.command()
def enforce() -> NoReturn:
    """Exit with the status of the verdict; a missing verdict is an error."""
    from sbir_gate.pipeline.action import last_word, mode_of, reports_folder
    from sbir_gate.settings.action_inputs import InputMode

    inputs, event = _begun()
    if mode_of(inputs, event) is InputMode.COMMENT:
        sys.exit(0)  # the verdict already failed its own workflow run
    status, words = last_word(reports_folder(inputs, os.environ), inputs.fail_on)
    put_line(harmless(words))
    sys.exit(status)


def _output_path() -> Path:
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        raise UsageError(
            "$GITHUB_OUTPUT is not set: not running in a workflow step", "call this command from a workflow"
        )
    return Path(path)


def _begun() -> tuple[ActionInputs, Event]:
    """Return the inputs and the event of a step, which then works in the folder that the inputs name.

    A folder that cannot be entered is an error of measuring, so that the verdict says so.
    """
    from sbir_gate.pipeline.working_folder import job_key, seen_from_folder, working_folder
    from sbir_gate.settings.action_inputs import read_inputs

    inputs, event = read_inputs(os.environ), workflow_event(None)
    event = replace(event, job=job_key(inputs, os.environ))
    try:
        folder = working_folder(inputs, os.environ)
    except UsageError:
        return seen_from_folder(inputs, is_entered=False), event
    if folder is not None:
        os.chdir(folder)
    return seen_from_folder(inputs, is_entered=True), event


def _fetched(request: FetchRequest, effective: EffectiveSettings, ticker: Ticker) -> Path:
    from sbir_gate.datasets.fetching import fetch as fetch_source
    from sbir_gate.datasets.fetching import open_session

    with open_session() as session:
        return fetch_source(
            request,
            effective.settings,
            session,
            lambda done, total: ticker.count(request.source, done, done / total if total else None),
            ticker.note,
        ).path


@contextmanager
def _no_commands() -> Iterator[None]:
    """Suspend workflow commands: names of awards are untrusted."""
    from secrets import token_hex

    word = token_hex(16)
    put_line(f"::stop-commands::{word}")
    try:
        yield
    finally:
        put_line(f"::{word}::")


@contextmanager
def _runner_files_kept(environment: Mapping[str, str]) -> Iterator[None]:
    """Restore the files that set variables and outputs of later steps: measuring sets none."""
    names = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
    files = [Path(environment[name]) for name in names if environment.get(name)]
    kept = {file: read_file(file, _MAX_RUNNER_FILE_BYTES) for file in files if file.is_file()}
    try:
        yield
    finally:
        for file, content in kept.items():
            file.unlink(missing_ok=True)  # it may have become a symbolic link
            file.write_bytes(content)


@contextmanager
def _time_limit(minutes: float) -> Iterator[None]:
    """Raise ToolError when the time is up: composite actions have no timeout."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise ToolError(f"the gate did not end within {minutes:g} minutes", "raise the input timeout-minutes")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
