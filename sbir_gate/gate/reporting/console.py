"""The view as text for a terminal: tables that fit its width, colours if wanted, the verdict last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from sbir_gate.gate.reporting.awards_view import (
    AFTER,
    AWARD,
    BEFORE,
    CHANGED_AWARDS_NAME,
    FIRM,
    LOST_AT,
    AwardRow,
    AwardTable,
)
from sbir_gate.gate.reporting.metric_rows import MetricRow
from sbir_gate.gate.reporting.next_steps import WAIVERS_FILE
from sbir_gate.gate.reporting.plain_text import cut, display_width
from sbir_gate.gate.reporting.quantities import ARROW, counted
from sbir_gate.gate.reporting.table_text import FittingCell, TableLayout, table_lines
from sbir_gate.gate.reporting.view import View
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import Outcome

NARROWEST_WIDTH = 40

_METRICS = TableLayout(
    ("", "metric", "change", f"base {ARROW} head", "limit"),
    left=frozenset({0, 1}),
    droppable=(),
    whole=frozenset({3, 4}),
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
_SEVERITIES = {Severity.INCONCLUSIVE: "open", Severity.INFO: "info"}


@dataclass(frozen=True, slots=True)
class _ChangeCell:
    """A change; where room is short it goes without its interval."""

    row: MetricRow

    def __str__(self) -> str:
        return self.row.change

    @property
    def least(self) -> int:
        return min(display_width(self.row.change), display_width(self.row.estimate))

    def fit(self, columns: int) -> str:
        fits = display_width(self.row.change) <= columns
        return cut(self.row.change if fits else self.row.estimate, columns)


def render_console(view: View, width: int, use_colour: bool, is_verbose: bool = False) -> str:
    """Return the report as text that ends in a newline, in at most `width` columns.

    Tables shrink to the width (NARROWEST_WIDTH at least); reasons, facts and notes are never cut, the
    terminal wraps them. Without `use_colour` there is no escape sequence. Metrics within their limits or
    without one, quality and environment are shown only if `is_verbose`. The last line is the verdict.
    """
    width = max(width, NARROWEST_WIDTH)
    parts = (
        list(_policy_lines(view, use_colour)),
        [*view.log, *(["Reasons"] if view.reasons else []), *(f"- {each}" for each in view.reasons)],
        list(_measured_lines(view, width, use_colour, is_verbose)),
        *(list(table) for table in _award_tables(view, width, is_verbose)),
        [f"{line}." for line in view.kept],
        list(_verbose_lines(view, width)) if is_verbose else [],
        [f"note: {note}" for note in view.notes],
        list(_next_lines(view, is_verbose)),
        list(_verdict_lines(view, width, use_colour)),
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _verdict_lines(view: View, width: int, use_colour: bool) -> Iterator[str]:
    if view.figures:
        yield from textwrap.wrap(" · ".join(view.figures), width, break_on_hyphens=False)
    yield from (f"{line}." for line in view.blind)
    if view.improvement:
        yield f"{view.improvement}."
    _, _, reason = view.headline.partition(" · ")
    colour = _OUTCOME_COLOURS.get(view.outcome, "red")
    title = f"{view.outcome.upper()}: {view.gate}"
    yield (click.style(title, fg=colour, bold=True) if use_colour else title) + (
        f" · {reason}" if reason else ""
    )


def _policy_lines(view: View, use_colour: bool) -> Iterator[str]:
    """Yield the banner of a change that edits its own policy, and what was waived."""
    banner = view.banner
    if banner:
        title = f"{banner.title}."
        yield click.style(title, fg="red", bold=True) if use_colour else title
        yield from (f"  {line}" for line in (banner.outcomes, banner.fixture) if line)
        yield from (f"  - {row.what}: {row.before} {ARROW} {row.after}" for row in banner.rows)
        if banner.more:
            yield f"  {banner.more}"
    for row in view.waivers:
        terms = f"waived up to {row.cap} until {row.expires} by {row.owner}"
        yield f"{row.metric}: {terms} ({row.pr}): {row.reason}"


def _measured_lines(view: View, width: int, use_colour: bool, is_verbose: bool) -> Iterator[str]:
    """Yield the open rows, and how many other metrics there are."""
    rows = (*view.rows, *view.info_rows) if is_verbose else view.open_rows
    if rows:
        yield from _metric_lines(rows, width, use_colour)
    others = [counted(len(view.rows) - len(view.open_rows), "metric") + " within limits"]
    if view.info_rows:
        others.append(f"{len(view.info_rows):,} not judged")
    if not is_verbose and (view.rows or view.info_rows):
        yield f"{', '.join(others)} (--verbose shows them)"
    if view.own_rows and is_verbose:
        yield from ("", "This change's own fixture, judged by the absolute limits")
        yield from _metric_lines(view.own_rows, width, use_colour)


def _metric_lines(rows: Sequence[MetricRow], width: int, use_colour: bool) -> list[str]:
    cells: list[tuple[str | FittingCell, ...]] = [
        (_SEVERITIES.get(row.severity, row.severity.value), row.name, _ChangeCell(row), row.values, row.limit)
        for row in rows
    ]
    heading, *body = table_lines(_METRICS, cells, width)
    if use_colour:
        heading = click.style(heading, bold=True)
        body = [
            click.style(line, fg=_ROW_COLOURS[row.severity]) for line, row in zip(body, rows, strict=True)
        ]
    return [heading, *body]


def _award_tables(view: View, width: int, is_verbose: bool) -> Iterator[Iterator[str]]:
    for table in view.awards.open:
        yield _award_lines(table, width)
    if is_verbose:
        for table in view.awards.folded:
            yield _award_lines(table, width)
    elif view.awards.fold_title:
        yield iter([f"{view.awards.fold_title} (all in {CHANGED_AWARDS_NAME})"])


def _award_lines(table: AwardTable, width: int) -> Iterator[str]:
    places = frozenset(range(len(table.columns)))
    layout = TableLayout(table.columns, places, droppable=(), whole=frozenset({0}))
    all_in = f"; all in {CHANGED_AWARDS_NAME}" if table.shown < table.count else ""
    yield f"{table.title} ({table.shown_text}{all_in})"
    yield from table_lines(
        layout, [[_award_cell(row, name) for name in table.columns] for row in table.rows], width
    )


def _award_cell(row: AwardRow, column: str) -> str | FittingCell:
    cells: dict[str, str | FittingCell] = {
        AWARD: f"{row.award_id} {row.more}".rstrip(),
        FIRM: row.firm,
        BEFORE: row.before,
        AFTER: row.after,
        LOST_AT: row.lost_at,
    }
    return cells[column]


def _verbose_lines(view: View, width: int) -> Iterator[str]:
    if view.awards.summary:
        yield f"Awards: {view.awards.summary}"
    if view.slices:
        cells = [(row.dimension, row.value, row.lost, row.gained, row.relinked) for row in view.slices]
        yield from table_lines(_SLICES, cells, width)
    for title, facts in (("Quality", view.quality), ("Environment", view.environment)):
        if facts:
            yield from (title, *(f"  {fact.name}: {fact.value}" for fact in facts))


def _next_lines(view: View, is_verbose: bool) -> Iterator[str]:
    steps = view.next
    yield from steps.advice
    if steps.command:
        yield f"Reproduce: {steps.command}"
    if steps.explain:
        yield f"Explain a lost link: {steps.explain}"
    if steps.waivers and is_verbose:
        yield from (f"Accept it in {WAIVERS_FILE}:", *steps.waivers.splitlines())
    elif steps.waivers:
        yield f"Accept it: --verbose shows the entry for {WAIVERS_FILE}"
