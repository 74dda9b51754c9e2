"""The view as text for a terminal: tables that fit its width, colours if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from sbir_gate.gate.reporting.records_view import AwardList
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.gate.reporting.view import MetricRow, View
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import Outcome

NARROWEST_WIDTH = 40

_METRICS = TableLayout(
    ("", "metric", "reference", "head", "delta", "change", "limit"),
    left=frozenset({0, 1, 6}),
    droppable=(6, 4, 2),
)
_AWARDS = TableLayout(
    ("award", "firm", "before", "after", "lost by", "truth"),
    left=frozenset(range(6)),
    droppable=(5,),
    whole=frozenset({0}),
)
_SLICES = TableLayout(
    ("changed links", "", "lost", "gained", "re-linked"), left=frozenset({0, 1}), droppable=()
)

_ROW_COLOURS = {
    Severity.FAIL: "red",
    Severity.WARN: "yellow",
    Severity.INCONCLUSIVE: "magenta",
    Severity.OK: "green",
    Severity.INFO: "bright_black",
}
_OUTCOME_COLOURS = {
    Outcome.PASS: "green",
    Outcome.NO_BASELINE: "green",
    Outcome.WARN: "yellow",
    Outcome.INCONCLUSIVE: "magenta",
}


def render_console(view: View, width: int, use_colour: bool, is_verbose: bool = False) -> str:
    """Return the report as text that ends in a newline, in at most `width` columns.

    Tables shrink to the width (NARROWEST_WIDTH at least); reasons, facts and notes are never cut, the
    terminal wraps them. Without `use_colour` there is no escape sequence. Metrics without a limit and
    the environment are shown only if `is_verbose`.
    """
    width = max(width, NARROWEST_WIDTH)
    colour = _OUTCOME_COLOURS.get(view.outcome, "red")
    title = f"{view.outcome.upper()}: {view.gate}"
    lines = [click.style(title, fg=colour, bold=True) if use_colour else title, f"{view.headline}."]
    lines += [f"{view.improvement}."] if view.improvement else []
    lines += [f"  - {reason}" for reason in view.reasons]
    lines += _policy_lines(view, use_colour)
    lines += _measured_lines(view, width, use_colour, is_verbose)
    lines += _changed_award_lines(view, width, is_verbose)
    if view.quality:
        lines += ["", "Quality", *(f"  {fact.name}: {fact.value}" for fact in view.quality)]
    if is_verbose:
        lines += ["", "Environment", *(f"  {fact.name}: {fact.value}" for fact in view.environment)]
    if view.notes:
        lines += ["", *(f"note: {note}" for note in view.notes)]
    return "\n".join(lines) + "\n"


def _policy_lines(view: View, use_colour: bool) -> Iterable[str]:
    """Yield the banner of a change that edits its own policy, and what was waived."""
    banner = view.banner
    if banner:
        title = f"{banner.title}."
        yield from ("", click.style(title, fg="red", bold=True) if use_colour else title)
        yield from (f"  {line}" for line in (banner.outcomes, banner.fixture) if line)
        yield from (f"  - {row.what}: {row.before} -> {row.after}" for row in banner.rows)
        if banner.more:
            yield f"  {banner.more}"
    if view.waivers:
        yield from ("", "Waived")
    for row in view.waivers:
        yield f"  {row.metric}: up to {row.cap} until {row.expires}, {row.owner}, {row.pr}: {row.reason}"


def _measured_lines(view: View, width: int, use_colour: bool, is_verbose: bool) -> Iterable[str]:
    """Yield the metrics with a limit, and those without one."""
    if view.rows:
        yield from ("", *_metric_lines(view.rows, width, use_colour))
    if view.own_rows and is_verbose:
        yield from ("", "This change's own fixture, judged by the absolute limits")
        yield from _metric_lines(view.own_rows, width, use_colour)
    if view.info_rows and is_verbose:
        yield from ("", "Metrics without a limit", *_metric_lines(view.info_rows, width, use_colour))
    elif view.info_rows:
        yield from ("", f"{len(view.info_rows)} more metrics have no limit: --verbose shows them.")


def _changed_award_lines(view: View, width: int, is_verbose: bool) -> Iterable[str]:
    if view.records:
        yield from ("", f"Awards: {view.records}")
    for awards in view.award_lists:
        yield from ("", *_award_lines(awards, width))
    if view.kept:
        yield from ("", *(f"{line}." for line in view.kept))
    if view.slices and is_verbose:
        cells = [(row.dimension, row.value, row.lost, row.gained, row.relinked) for row in view.slices]
        yield from ("", *table_lines(_SLICES, cells, width))


def _metric_lines(rows: Sequence[MetricRow], width: int, use_colour: bool) -> list[str]:
    cells = [
        (row.severity, row.metric, row.reference, row.head, row.delta, row.change, row.limit) for row in rows
    ]
    heading, *body = table_lines(_METRICS, cells, width)
    if use_colour:
        heading = click.style(heading, bold=True)
        body = [
            click.style(line, fg=_ROW_COLOURS[row.severity]) for line, row in zip(body, rows, strict=True)
        ]
    return [heading, *body]


def _award_lines(awards: AwardList, width: int) -> Iterable[str]:
    cells = [
        (row.award_id, row.firm_name, row.before, row.after, row.lost_by, row.truth) for row in awards.rows
    ]
    yield awards.title
    yield from table_lines(_AWARDS, cells, width)
    if awards.more:
        yield awards.more
