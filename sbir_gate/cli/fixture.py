"""`sbir-gate fixture`: what the fixture shows of all awards, and a newer one that keeps its labels."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.drawn_fixture import drawn_lines, file_line
from sbir_gate.cli.options import (
    Choice,
    FilePath,
    Group,
    effective_settings,
    history_source_option,
    quiet_option,
    settings_options,
)
from sbir_gate.cli.printing import put, put_line
from sbir_gate.cli.progress import Ticker
from sbir_gate.errors import UsageError

if TYPE_CHECKING:
    from sbir_gate.pipeline.fixture_refresh import Refreshed

_REASONS = {
    "award-gone": "the award is not in the data",
    "other-firm": "the award is of another firm now",
    "recipient-gone": "the recipient is not in the data",
    "not-drawn": "by identifier, and the award was not drawn again",
    "in-doubt": "the identifiers leave a doubt now",
}


@click.group(cls=Group)
def fixture() -> None:
    """Show what the fixture represents, or draw a newer one that keeps its labels."""


@fixture.command(
    epilog="""\b
Examples:
  sbir-gate fixture status
  sbir-gate fixture status --full reports/quality/2026-01-31.json
  sbir-gate fixture status --history sbir-gate-history --format json

The full run is the newest of the gate in checklist.full_gate. A quality report knows award years, a saved Run
does not. Exit status: 0, whatever it finds.
"""
)
@click.option("--full", type=FilePath(), help="Saved Run or quality report of a full run.")
@history_source_option
@click.option(
    "--least",
    type=click.IntRange(min=1),
    help="List strata with fewer awards than this; default: those in which no loss fails the gate.",
)
@click.option("--format", "format_", type=Choice(["table", "json"]), default="table", show_default=True)
@settings_options
def status(
    full: Path | None,
    source: str | None,
    least: int | None,
    format_: str,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Show how old the fixture is, how it differs from the latest full run, and what it cannot show."""
    from sbir_gate.gate.fixture_status import StatusRequest, fixture_status
    from sbir_gate.gate.reporting.fixture_status import render_status, render_status_json

    if full is not None and source is not None:
        raise UsageError("--full and --history exclude one another", "give one of them")
    effective = effective_settings(config_file, assignments, {})
    found = fixture_status(StatusRequest(full, source, least), effective, datetime.now(UTC).date())
    put(render_status_json(found) if format_ == "json" else render_status(found))


@fixture.command(
    epilog="""\b
Examples:
  sbir-gate fixture refresh --awards data/awards.csv --recipients data/recipients.parquet --dry-run
  sbir-gate fixture refresh --awards data/awards.csv --recipients data/recipients.parquet
  sbir-gate fixture refresh --awards data/awards.csv --recipients data/recipients.csv --seed 7 --count 800

The same data, labels, number and seed give the same fixture: a second time changes nothing.
"""
)
@click.option("--awards", required=True, help="Your awards as they are now: a file, folder or glob.")
@click.option("--recipients", required=True, help="Your recipients: a file, folder, glob or dump.")
@click.option("--truth", type=FilePath(), help="Your known correct recipients: award_id,recipient_ids.")
@click.option(
    "--count", type=click.IntRange(min=50), help="About how many awards to draw; default: as many as before."
)
@click.option("--seed", type=int, help="Decides which awards are drawn; default: the seed of before.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@settings_options
@quiet_option
def refresh(
    awards: str,
    recipients: str,
    truth: Path | None,
    count: int | None,
    seed: int | None,
    dry_run: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
    quiet: bool,
) -> None:
    """Draw the fixture of the settings again from your data, in the same way, and keep its labels.

    Awards that people have labelled stay in the fixture; the others are drawn anew.
    """
    from sbir_gate.pipeline.fixture_refresh import RefreshRequest, refresh_fixture
    from sbir_gate.pipeline.new_gate.file_plan import write_planned

    effective = effective_settings(config_file, assignments, {})
    request = RefreshRequest(awards, recipients, truth, count, seed)
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-refresh-") as scratch,
        Ticker(is_quiet=quiet) as ticker,
    ):
        today = datetime.now(UTC).date()
        refreshed = refresh_fixture(request, effective, Path(scratch), today, ticker.say)
    if not dry_run:
        write_planned(refreshed.files)
    if not quiet:
        for line in _refreshed_lines(refreshed, is_dry=dry_run):
            put_line(line)


def _refreshed_lines(refreshed: Refreshed, *, is_dry: bool) -> Iterator[str]:
    drawn = refreshed.drawn
    yield from drawn_lines(drawn)
    awards = len(drawn.awards.drawn)
    kept_awards = len(drawn.awards.kept_ids)
    yield (
        f"of {refreshed.before:,} awards before, {refreshed.same_awards:,} are in the new fixture, "
        f"{kept_awards:,} of them because people labelled them; seed {drawn.draw.seed}"
    )
    kept = refreshed.kept_labels
    yield (
        f"labels: {kept:,} of {refreshed.labels_before:,} kept, {len(drawn.labels) - kept:,} new; "
        f"{awards - len(drawn.labels):,} of {awards:,} awards have no label"
    )
    for fate, count in drawn.fates.items():
        if fate in _REASONS:
            yield f"labels not kept: {count:,}: {_REASONS[fate]}"
    for planned in refreshed.files:
        note = "; it is yours or was edited; remove it to have it written" if planned.fate == "kept" else ""
        yield file_line(planned, note, is_dry=is_dry)
    if refreshed.draw:
        yield f"to do: name it in the settings: fixtures.draw: {refreshed.draw}"
    if refreshed.truth:
        yield f"to do: name it in the settings: fixtures.truth: {refreshed.truth}"
    if any(planned.has_changes for planned in refreshed.files):
        yield "next: commit the fixture in a pull request of its own; the next run of main makes the baseline"
