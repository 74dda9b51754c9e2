"""`sbir-gate config`: the effective settings."""

from __future__ import annotations

from pathlib import Path

import click

from sbir_gate.cli.options import Choice, Group, effective_settings, settings_options
from sbir_gate.cli.printing import put


@click.group(cls=Group)
def config() -> None:
    """Show the effective settings and the source of each value."""


@config.command(
    epilog="""\b
Examples:
  sbir-gate config show
  sbir-gate config show --set gate.max_lost=3 > mine.yaml
"""
)
@click.option(
    "--format",
    "format_",
    type=Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
)
@settings_options
def show(format_: str, config_file: Path | None, assignments: tuple[str, ...]) -> None:
    """Print every value and its origin: a line of a file, a variable or an option."""
    from sbir_gate.settings.display import ShowFormat, render_effective

    effective = effective_settings(config_file, assignments, {})
    put(render_effective(effective, ShowFormat(format_)))
