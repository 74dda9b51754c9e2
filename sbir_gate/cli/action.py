"""`sbir-gate action`: the steps of the GitHub Action, each with its inputs in the environment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from sbir_gate.cli.printing import harmless, put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import SbirGateError, ToolError

if TYPE_CHECKING:
    from sbir_gate.pipeline.fetching import FetchRequest
    from sbir_gate.publishing.event import Event
    from sbir_gate.settings.action_inputs import ActionInputs
    from sbir_gate.settings.effective import EffectiveSettings


@click.group(
    epilog="""\b
The steps read the inputs of action.yml from SBIR_GATE_INPUT_<NAME> and the event from what a runner sets.
Nobody needs to call them by hand: docs/github-action.md has the workflows.
"""
)
def action() -> None:
    """The steps of the GitHub Action."""


@action.command()
def measure() -> None:
    """Measure and judge as the event asks for. Leaves the verdict in the reports; `enforce` acts on it.

    A verdict is no reason to stop here: it is to be published first. So is an error, once it is a verdict.
    """
    from sbir_gate.pipeline.action import ActionEdges
    from sbir_gate.pipeline.action import measure as measure_event
    from sbir_gate.pipeline.gate import real_edges
    from sbir_gate.reporting.console import render_console
    from sbir_gate.reporting.view import build_view
    from sbir_gate.storing.git import CHECKOUT_SECONDS, Git

    inputs, event = _inputs(), _event()
    git = Git(Path.cwd(), timeout_seconds=CHECKOUT_SECONDS)
    with Ticker(is_quiet=False) as ticker, _time_limit(inputs.timeout_minutes):
        edges = ActionEdges(
            real_edges(), git, os.environ, lambda request, found: _fetched(request, found, ticker)
        )
        try:
            result = measure_event(inputs, event, edges, ticker.say)
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
def enforce() -> NoReturn:
    """End with the status of the verdict; a verdict that is not there is an error."""
    from sbir_gate.pipeline.action import last_word, mode_of, reports_folder
    from sbir_gate.settings.action_inputs import InputMode

    inputs, event = _inputs(), _event()
    if mode_of(inputs, event) is InputMode.COMMENT:
        sys.exit(0)  # the verdict failed the run that it is of
    status, words = last_word(reports_folder(inputs, os.environ), inputs.fail_on)
    put_line(harmless(words))
    sys.exit(status)


def _inputs() -> ActionInputs:
    from sbir_gate.settings.action_inputs import read_inputs

    return read_inputs(os.environ)


def _event() -> Event:
    from sbir_gate.publishing.event import MAX_PAYLOAD_BYTES, read_event

    path = os.environ.get("GITHUB_EVENT_PATH")
    payload = None
    if path:
        try:
            with Path(path).open("rb") as file:
                payload = file.read(MAX_PAYLOAD_BYTES + 1)
        except OSError as error:
            raise ToolError(
                f"{path}: cannot be read ({error.strerror})", "the runner leaves the event there"
            ) from error
    return read_event(os.environ, payload)


def _fetched(request: FetchRequest, effective: EffectiveSettings, ticker: Ticker) -> Path:
    from sbir_gate.pipeline.fetching import fetch as fetch_source
    from sbir_gate.pipeline.fetching import open_session

    with open_session() as session:
        return fetch_source(
            request,
            effective.settings,
            session,
            lambda done, total: ticker.count(request.source, done, done / total if total else None),
            ticker.note,
        ).path


@contextmanager
def _time_limit(minutes: float) -> Iterator[None]:
    """Raise ToolError in the midst of what is done when the time is up: composite steps have no time-out."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise ToolError(f"the gate did not end within {minutes:g} minutes", "raise the input timeout-minutes")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
