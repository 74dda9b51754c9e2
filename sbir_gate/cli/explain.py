"""`sbir-gate explain`: why an award is linked, or is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from sbir_gate.cli.options import (
    Choice,
    FilePath,
    effective_settings,
    has_colour,
    quiet_option,
    settings_options,
)
from sbir_gate.cli.printing import STANDARD_OUTPUT, deliver, put
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import UsageError

_WIDTH = 100


@click.command(
    epilog="""\b
Examples:
  sbir-gate explain A0000018
  sbir-gate explain A0000018 --against baseline
  sbir-gate explain 42 43 --awards awards.csv --recipients recipients.parquet
  sbir-gate explain 42 --html why.html
  sbir-gate explain 42 --enriched linked.parquet --format json
"""
)
@click.argument("award_ids", metavar="AWARD...", nargs=-1, required=True)
@click.option("--awards", type=click.Path(), help="Awards to link; default: those of the settings.")
@click.option("--recipients", type=click.Path(), help="Recipients; default: those of the settings.")
@click.option("--enriched", type=FilePath(), help="Explain from this enriched file of any engine instead.")
@click.option(
    "--against",
    type=FilePath(),
    help="A saved Run, 'baseline' or 'base' (beside the newest Run): which stage decided otherwise?",
)
@click.option("--format", "format_", type=Choice(("console", "json")), default="console", show_default=True)
@click.option(
    "--html", type=FilePath(), help="Page with charts to write as well; - for standard output, alone."
)
@settings_options
@quiet_option
def explain(
    award_ids: tuple[str, ...],
    awards: str | None,
    recipients: str | None,
    enriched: Path | None,
    against: Path | None,
    format_: str,
    html: Path | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Explain why each AWARD is linked, or is not: candidates, their features, what would change it.

    Names, words and labels are counted over all awards and recipients, so all of them are linked on the way.
    Another engine than the built-in one is run on them, and states its decision.
    """
    from sbir_gate.files import check_outputs
    from sbir_gate.gate.edges import real_edges
    from sbir_gate.gate.reporting.explanation import explanation_view, render_explanation
    from sbir_gate.gate.reporting.explanation_page import render_explanations
    from sbir_gate.model.adapters import adapter
    from sbir_gate.model.explanation import ExplainedAward
    from sbir_gate.pipeline.explanation import ExplainRequest, explain_awards, files_read

    if enriched is not None and (awards or recipients):
        raise UsageError(
            "--enriched cannot be used with --awards or --recipients",
            "name the enriched file alone to read it, or the awards and recipients to link them again",
        )
    options = {"fixtures.awards": awards, "fixtures.recipients": recipients}
    effective = effective_settings(config_file, assignments, options)
    request = ExplainRequest(award_ids, enriched, against)
    if html is not None:
        check_outputs((html,), files_read(request, effective))
    with Ticker(is_quiet=quiet or enriched is not None) as ticker:
        explained = explain_awards(request, effective, real_edges(), ticker.count, ticker.say)
    views = [explanation_view(award.explanation, award.since) for award in explained]
    if html is not None:
        deliver(html, render_explanations(views))
    if html == STANDARD_OUTPUT:
        return
    if format_ == "json":
        documents = (adapter(ExplainedAward).dump_json(award, indent=1).decode() for award in explained)
        put(f"[{', '.join(documents)}]\n")
        return
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    put("\n".join(render_explanation(view, width, has_colour()) for view in views))
