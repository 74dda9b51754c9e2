"""`sbir-gate check-engine`: check that an engine keeps the contract."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from sbir_gate.cli.options import Choice, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import put
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import ExitStatus, UsageError


@click.command(
    name="check-engine",
    epilog="""\b
Examples:
  sbir-gate check-engine '{python} enrich.py {awards} {recipients} {output}'
  sbir-gate check-engine '.venv/bin/python link.py {awards} {recipients} {output} {metrics}' \\
      --awards awards.csv --recipients recipients.parquet
  sbir-gate check-engine
  sbir-gate check-engine --format json

\b
Exit status: 0 the engine keeps the contract, 1 it does not, 2 the command or a file of the
fixture cannot be used, 3 the engine broke. See also 'sbir-gate help engine-contract'.
""",
)
@click.argument("command", required=False)
@click.option("--awards", type=click.Path(), help="Awards, of which 50 are taken; default: fixtures.awards.")
@click.option("--recipients", type=click.Path(), help="Recipients; default: fixtures.recipients.")
@click.option("--format", "format_", type=Choice(["table", "json"]), default="table", show_default=True)
@settings_options
@quiet_option
def check_engine(
    command: str | None,
    awards: str | None,
    recipients: str | None,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> NoReturn:
    """Run the engine COMMAND twice on 50 awards and report line by line what is right and what is missing.

    COMMAND is one quoted argument with {awards}, {recipients} and {output}; default: enricher.command.
    Neither a baseline nor a truth is needed.
    """
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.gate.engine_check import check_engine as check
    from sbir_gate.gate.reporting.diagnoses import count_of, render_check, render_check_json
    from sbir_gate.model.diagnosis import Gravity

    options = {"enricher.command": command, "fixtures.awards": awards, "fixtures.recipients": recipients}
    effective = effective_settings(config_file, assignments, options)
    if effective.file is None and awards is None and not effective.settings.fixtures.awards.exists():
        problem = f"there is neither a settings file nor {effective.settings.fixtures.awards}"
        raise UsageError(problem, "name your files: --awards FILE --recipients FILE")
    with Ticker(is_quiet=quiet) as ticker:
        result = check(effective, real_edges(), ticker.say)
    put(render_check_json(result.found) if format_ == "json" else render_check(result.found))
    if result.is_broken:
        sys.exit(ExitStatus.BROKEN)
    is_kept = not count_of(result.found, Gravity.ERROR)
    sys.exit(ExitStatus.OK if is_kept else ExitStatus.GATE_FAILED)
