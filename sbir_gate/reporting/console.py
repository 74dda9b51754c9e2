"""The view as text for a terminal: tables that fit its width, colours if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import click

from sbir_gate.model.verdict import Outcome, Severity
from sbir_gate.reporting.plain_text import cut, display_width
from sbir_gate.reporting.view import AwardList, MetricRow, View

NARROWEST_WIDTH = 40

_GAP = "  "


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a table is set: `droppable` columns go first, in this order, where room is short."""

    headings: tuple[str, ...]
    left: frozenset[int]
    droppable: tuple[int, ...]


_METRICS = _Layout(
    ("", "metric", "reference", "head", "delta", "change", "limit"),
    left=frozenset({0, 1, 6}),
    droppable=(6, 4, 2),
)
_AWARDS = _Layout(("award", "firm", "before", "after", "truth"), left=frozenset(range(5)), droppable=(4,))

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
    heading, *body = _table(_METRICS, cells, width)
    if use_colour:
        heading = click.style(heading, bold=True)
        body = [
            click.style(line, fg=_ROW_COLOURS[row.severity]) for line, row in zip(body, rows, strict=True)
        ]
    return [heading, *body]


def _award_lines(awards: AwardList, width: int) -> Iterable[str]:
    cells = [(row.award_id, row.firm_name, row.before, row.after, row.truth) for row in awards.rows]
    yield awards.title
    yield from _table(_AWARDS, cells, width)
    if awards.more:
        yield awards.more


def _table(layout: _Layout, body: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return aligned lines of at most `width` columns: first columns are dropped, then cells cut."""
    rows = (layout.headings, *body)
    widths = {
        index: max(display_width(cell) for cell in column)
        for index, column in enumerate(zip(*rows, strict=True))
    }
    for index in layout.droppable:
        if _total(widths) > width:
            del widths[index]
    while _total(widths) > width:
        widest = max(widths, key=lambda index: widths[index])
        widths[widest] -= 1
    return [
        _GAP.join(
            _aligned(cut(row[index], columns), columns, index in layout.left)
            for index, columns in widths.items()
        ).rstrip()
        for row in rows
    ]


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _aligned(text: str, columns: int, is_left: bool) -> str:
    padding = " " * (columns - display_width(text))
    return text + padding if is_left else padding + text
