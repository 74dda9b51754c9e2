"""`sbir-gate diff`: the verdict on one saved Run against another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from sbir_gate.cli.judging import fail_on_option, format_option, renderer, verbose_option
from sbir_gate.cli.options import FilePath, policy_from_option, settings_options
from sbir_gate.cli.printing import put


@click.command(
    epilog="""\b
Examples:
  sbir-gate diff baselines/enrichment.json reports/benchmarks/20260101T120000Z.json --format markdown
  sbir-gate diff BASE.json HEAD.json --policy-from origin/main
"""
)
@click.argument("reference", type=FilePath())
@click.argument("head", type=FilePath())
@format_option
@verbose_option
@fail_on_option
@policy_from_option
@settings_options
def diff(
    reference: Path,
    head: Path,
    format_: str,
    verbose: bool,
    fail_on: str,
    policy_from: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> NoReturn:
    """Judge the saved Run HEAD against the saved Run REFERENCE without measuring."""
    from sbir_gate.gate.comparing.gate import exit_status
    from sbir_gate.gate.interface import compare_saved

    judged = compare_saved(head, reference, config_file, assignments, policy_from=policy_from)
    put(renderer(format_, verbose)(judged))
    sys.exit(exit_status(judged.verdict, fail_on == "inconclusive"))
