"""The view as text for a terminal: tables that fit its width, colours if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from sbir_gate.model.verdict import Outcome, Severity
from sbir_gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.reporting.view import AwardList, MetricRow, View

NARROWEST_WIDTH = 40

_METRICS = TableLayout(
    ("", "metric", "reference", "head", "delta", "change", "limit"),
    left=frozenset({0, 1, 6}),
    droppable=(6, 4, 2),
)
_AWARDS = TableLayout(("award", "firm", "before", "after", "truth"), left=frozenset(range(5)), droppable=(4,))

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
    lines += [f"  - {reason}" for reason in view.reasons]
    if view.rows:
        lines += ["", *_metric_lines(view.rows, width, use_colour)]
    if view.sensitivity:
        lines += ["", f"{view.sensitivity}."]
    if view.info_rows and is_verbose:
        lines += ["", "Metrics without a limit", *_metric_lines(view.info_rows, width, use_colour)]
    elif view.info_rows:
        lines += ["", f"{len(view.info_rows)} more metrics have no limit: --verbose shows them."]
    if view.records:
        lines += ["", f"Awards: {view.records}"]
    for awards in view.award_lists:
        lines += ["", *_award_lines(awards, width)]
    if view.quality:
        lines += ["", "Quality", *(f"  {fact.name}: {fact.value}" for fact in view.quality)]
    if is_verbose:
        lines += ["", "Environment", *(f"  {fact.name}: {fact.value}" for fact in view.environment)]
    if view.notes:
        lines += ["", *(f"note: {note}" for note in view.notes)]
    return "\n".join(lines) + "\n"


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
    cells = [(row.award_id, row.firm_name, row.before, row.after, row.truth) for row in awards.rows]
    yield awards.title
    yield from table_lines(_AWARDS, cells, width)
    if awards.more:
        yield awards.more
