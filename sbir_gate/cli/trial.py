"""`sbir-gate trial`: show what the gate finds with your engine and fixture on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import Choice, FiniteRange, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import put
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import SbirGateError

if TYPE_CHECKING:
    from sbir_gate.model.trial import Trial


@click.command(
    epilog="""\b
Examples:
  sbir-gate trial
  sbir-gate trial --budget 1200 --seed 7
  sbir-gate trial --percent 30 --percent 60
  sbir-gate trial --enricher '{python} enrich.py {awards} {recipients} {output}'
  sbir-gate trial --format json > trial.json

\b
Exit status: 0 the trial ended, whatever it found, 2 the command or the fixture cannot be
used, 3 the engine broke. See also 'sbir-gate help trial'.
"""
)
@click.option("--enricher", help="Command line of your engine, with {awards} {recipients} {output}.")
@click.option(
    "--budget",
    type=FiniteRange(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for all of it. Where it is too short, fewer pairs and handicaps are measured.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all that is drawn at random.")
@click.option(
    "--percent",
    "percents",
    type=FiniteRange(1, 1000),
    multiple=True,
    help="A handicap in percent of time and memory; repeatable. Default: 50, 25, 100 and 10.",
)
@click.option(
    "--memory/--no-memory",
    "plants_memory",
    default=True,
    show_default=True,
    help="Handicaps of memory too; off where a container has less memory than its machine.",
)
@click.option("--format", "format_", type=Choice(["text", "json"]), default="text", show_default=True)
@settings_options
@quiet_option
def trial(
    enricher: str | None,
    budget: float,
    seed: int,
    percents: tuple[float, ...],
    plants_memory: bool,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Show what the gate finds with your engine and fixture on this machine, and which settings fit.

    It measures pairs as 'run --base' does: the engine beside itself, and beside itself with a handicap of
    time and memory. It also takes links away, and swaps some. No file of yours is changed, no report written.
    """
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.gate.reporting.trial import render_trial, render_trial_json
    from sbir_gate.gate.trial import PERCENTS, TrialRequest, run_trial

    effective = effective_settings(config_file, assignments, {"enricher.command": enricher})
    request = TrialRequest(budget, seed, tuple(dict.fromkeys(percents)) or PERCENTS, plants_memory)
    render = render_trial_json if format_ == "json" else render_trial
    kept: list[Trial] = []
    with Ticker(is_quiet=quiet) as ticker:

        def show(step: str, share: float, seconds_left: float) -> None:
            ticker.count("trial", 0, share, step, seconds_left)

        try:
            result = run_trial(effective, real_edges(), request, show, kept.append)
        except (KeyboardInterrupt, SbirGateError):
            for known in kept:
                put(render(known))
            raise
    put(render(result))
