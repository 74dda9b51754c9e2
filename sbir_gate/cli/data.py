"""`sbir-gate data`: download published data, profile a dump, generate benchmark data."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import click

from sbir_gate.cli.fetch import fetch
from sbir_gate.cli.options import Choice, FilePath, Group, effective_settings, quiet_option, settings_options
from sbir_gate.cli.printing import put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.datasets.synthesising.options import (
    FEWEST_RECIPIENTS,
    MOST_AWARDS,
    MOST_RECIPIENTS,
    FileFormat,
    SynthesisOptions,
    SynthesisSummary,
)
from sbir_gate.datasets.synthesising.worlds import (
    MOST_SAME_NAME,
    MOST_WITHOUT_RECIPIENT,
    WORLDS,
    Damage,
    World,
)
from sbir_gate.errors import UsageError

_WIDTH = 100  # columns if standard output is not a terminal


@click.group(cls=Group)
def data() -> None:
    """Download published data, profile a database dump, or generate benchmark data."""


data.add_command(fetch)


@data.command(
    epilog="""\b
Examples:
  sbir-gate data synthesise --awards 1000 --recipients 25000 --sample --output fixtures
  sbir-gate data synthesise --awards 220000 --recipients 3400000 --format parquet --output /tmp/full
  sbir-gate data synthesise --awards 5000 --recipients 60000 --world very-common-names --output /tmp/common
  sbir-gate data synthesise --world common-names --without-recipient 50 --identifiers 10 --output /tmp/mine

\b
A world is how hard the data is to link. Worlds by name:
  plain                 as the fixtures
  clean                 no other recipient with a firm's name, light damage, 90% with identifiers
  common-names          3 other recipients with each name on average
  very-common-names     10 other recipients with each name on average
  half-absent           50% of the firms without a recipient
  mostly-absent         90% of the firms without a recipient
  placeless             60% of the recipients without a place
  placeless-common-names
                        60% without a place, and 3 with each name
  heavy-damage          most names spelled differently
  few-identifiers       15% of the firms with a UEI or DUNS
  no-identifiers        no UEI and no DUNS in the awards
  hard                  3 with each name, 60% without a recipient, 40% without a place,
                        heavy damage, 40% with identifiers
"""
)
@click.option(
    "--awards", type=click.IntRange(1, MOST_AWARDS), default=1000, show_default=True, help="Number of awards."
)
@click.option(
    "--recipients",
    type=click.IntRange(FEWEST_RECIPIENTS, MOST_RECIPIENTS),
    default=25000,
    show_default=True,
    help="Number of recipients, at least as many as awards.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Random seed; the same seed gives the same files.",
)
@click.option(
    "--format",
    "file_format",
    type=Choice([format_.value for format_ in FileFormat]),
    default="csv",
    show_default=True,
    help="Format of awards and recipients; the truth is always CSV.",
)
@click.option("--sample", is_flag=True, help="Stratify awards by phase, company size and identifier type.")
@click.option(
    "--world", type=Choice(tuple(WORLDS)), default="plain", show_default=True, help="A world by name."
)
@click.option(
    "--name-frequency",
    type=click.IntRange(0, MOST_SAME_NAME),
    help="Other recipients with a firm's name, on average.",
)
@click.option(
    "--without-recipient",
    type=click.IntRange(0, MOST_WITHOUT_RECIPIENT),
    metavar="PERCENT",
    help="Share of the firms without a recipient.",
)
@click.option(
    "--without-place",
    type=click.IntRange(0, 100),
    metavar="PERCENT",
    help="Share of the recipients without a place.",
)
@click.option("--damage", type=Choice([each.value for each in Damage]), help="How different spellings are.")
@click.option(
    "--identifiers",
    type=click.IntRange(0, 100),
    metavar="PERCENT",
    help="Share of the firms with a UEI or DUNS.",
)
@click.option("--output", type=FilePath(), required=True, help="Folder for the files.")
@quiet_option
def synthesise(
    awards: int,
    recipients: int,
    seed: int,
    file_format: str,
    sample: bool,
    world: str,
    output: Path,
    quiet: bool,
    **changes: int | str | None,
) -> None:
    """Generate realistic awards, recipients and their correct links."""
    from sbir_gate.datasets.synthesising.dataset import synthesise as synthesise_data

    if sample and changes["identifiers"] is None and WORLDS[world].identifiers is not None:
        raise UsageError(
            f"--world {world} sets a share of identifiers, and --sample deals every identifier type in turn",
            "leave out --sample, or name another world",
        )
    options = SynthesisOptions(
        awards, recipients, seed, FileFormat(file_format), sample, _changed(WORLDS[world], changes)
    )
    with Ticker(is_quiet=quiet) as ticker:
        summary = synthesise_data(
            options, output, lambda done, total: ticker.count("recipients", done, done / total)
        )
    if not quiet:
        for line in _summary_lines(options, summary):
            put_line(line)


@data.command(
    epilog="""\b
Examples:
  sbir-gate data profile usaspending-db.zip
  sbir-gate data profile dump/ --table recipient_lookup --table rpt.recipient_profile
  sbir-gate data profile dump/ --table all --format json

To resume an interrupted profile, run the same command again.
"""
)
@click.argument("dump", type=FilePath())
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="[SCHEMA.]TABLE",
    help="Table to profile, or 'all'. Repeatable; without it, the tables are listed.",
)
@click.option("--format", "format_", type=Choice(("table", "json")), default="table", show_default=True)
@settings_options
@quiet_option
def profile(
    dump: Path,
    tables: tuple[str, ...],
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """List the tables of a PostgreSQL DUMP (folder or zip), or profile their columns."""
    from sbir_gate.datasets.profiling import list_tables, profile_tables
    from sbir_gate.gate.reporting.profiles import render_json, render_listing, render_profiles

    settings = effective_settings(config_file, assignments, {}).settings
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    if not tables:
        listed = list_tables(dump, settings)
        put(render_json(listed) if format_ == "json" else render_listing(listed, width))
        return
    with Ticker(is_quiet=quiet) as ticker:
        profiles = profile_tables(dump, tables, settings, ticker.count, ticker.say)
    put(render_json(profiles) if format_ == "json" else render_profiles(profiles, width))


def _changed(world: World, changes: Mapping[str, int | str | None]) -> World:
    """Return the world with the shares that options give."""
    given = {name: value for name, value in changes.items() if value is not None}
    changed = World(**{**asdict(world), **given})
    return replace(changed, damage=Damage(changed.damage))


def _summary_lines(options: SynthesisOptions, summary: SynthesisSummary) -> list[str]:
    strata = [
        f"  {dimension}: " + ", ".join(f"{value} {count:,}" for value, count in counts.items())
        for dimension, counts in summary.awards_by_stratum.items()
    ]
    none = summary.awards_without_recipient
    return [
        f"{options.awards:,} awards of {summary.firms:,} firms, {none:,} of them without a recipient",
        *strata,
        f"{options.recipients:,} recipients",
        f"written to {summary.awards_path}, {summary.recipients_path} and {summary.truth_path}",
    ]
