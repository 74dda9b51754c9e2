"""`sbir-gate doctor`: find configuration mistakes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from sbir_gate.cli.options import Choice, settings_options
from sbir_gate.cli.printing import put
from sbir_gate.errors import ExitStatus


@click.command(
    epilog="""\b
Examples:
  sbir-gate doctor
  sbir-gate doctor --config gate.yaml --strict
  sbir-gate doctor --format json

Exit status: 0 no problems, or only warnings; 1 errors, or warnings with --strict.
"""
)
@click.option("--format", "format_", type=Choice(["table", "json"]), default="table", show_default=True)
@click.option("--strict", is_flag=True, help="Exit with status 1 on warnings too.")
@settings_options
def doctor(format_: str, strict: bool, config_file: Path | None, assignments: tuple[str, ...]) -> NoReturn:
    """Find mistakes in limits, waivers, baseline, machine and workflows without measuring."""
    from sbir_gate.gate.doctor import examine, real_edges
    from sbir_gate.gate.reporting.diagnoses import count_of, render_diagnoses, render_diagnoses_json
    from sbir_gate.model.diagnosis import Gravity

    found = examine(config_file, os.environ, assignments, real_edges())
    put(render_diagnoses_json(found) if format_ == "json" else render_diagnoses(found))
    errors, warnings = (count_of(found, gravity) for gravity in (Gravity.ERROR, Gravity.WARNING))
    is_bad = errors > 0 or (strict and warnings > 0)
    sys.exit(ExitStatus.GATE_FAILED if is_bad else ExitStatus.OK)
