"""Explained awards as a page: a section for each, with the waterfall of its best candidate."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from sbir_gate.gate.reporting.explanation import CandidateView, ExplanationView
from sbir_gate.gate.reporting.quantities import counted, signed_number
from sbir_gate.pages.blocks import (
    Axis,
    Block,
    Cell,
    Chart,
    Column,
    Mark,
    Page,
    Paragraph,
    Scale,
    Section,
    Series,
    Table,
    Tone,
)
from sbir_gate.pages.page import render_page

_ROW_PIXELS = 26
_MARGIN_PIXELS = 110


def render_explanations(views: Sequence[ExplanationView]) -> str:
    """Return the page of one award or more."""
    linked = sum(view.is_linked for view in views)
    lead = views[0].title if len(views) == 1 else f"{counted(len(views), 'award')}, {linked:,} linked"
    return render_page(
        Page(
            title="Why linked, or not",
            lead=lead,
            sections=tuple(_section(number, view) for number, view in enumerate(views, start=1)),
            notes=("Made by sbir-gate explain.",),
        )
    )


def _section(number: int, view: ExplanationView) -> Section:
    title = " · ".join(filter(None, (view.award_id, view.firm)))
    return Section(f"award-{number}", title, tuple(_blocks(number, view)))


def _blocks(number: int, view: ExplanationView) -> Iterator[Block]:
    yield Paragraph(
        f"{view.title}{': ' if view.why else ''}{view.why}", Tone.GOOD if view.is_linked else Tone.WARN
    )
    for line in view.since:
        yield Paragraph(line)
    best = next((one for one in view.candidates if one.parts), None)
    facts = {
        "firm": view.firm_facts,
        "compared as": " · ".join(view.names),
        "search": view.searched,
        "found by": " · ".join(best.keys) if best else "",
    }
    shown = tuple((name, value) for name, value in facts.items() if value)
    if shown:
        yield Table(f"facts-{number}", "What was compared", (Column("what"), Column("value")), shown)
    if view.candidates:
        yield _candidate_table(number, view)
    if best is not None:
        yield _waterfall(number, best)
    if view.changes or view.robust:
        yield _trial_table(number, view)
    if view.unknown:
        yield Paragraph(view.unknown, Tone.QUIET)


def _candidate_table(number: int, view: ExplanationView) -> Table:
    columns = ("candidate", "name", "identifiers", "place", "method", "reason")
    return Table(
        f"candidates-{number}",
        "Candidates, the best first",
        (*map(Column, columns), Column("score", is_number=True), Column("confidence", is_number=True)),
        tuple(
            (
                Cell(one.recipient_id, is_code=True),
                one.name,
                one.identifiers,
                one.place,
                one.method,
                one.reason,
                Cell(one.score, one.score_value),
                Cell(one.confidence, one.confidence_value),
            )
            for one in view.candidates
        ),
    )


def _waterfall(number: int, best: CandidateView) -> Chart:
    """Return the parts as bars, each from where the one before ended: the last end is the total."""
    ends = list(itertools.accumulate(part.log_odds for part in best.parts))
    starts = [0.0, *ends[:-1]]
    names = [part.name for part in best.parts]
    rows = tuple(
        (part.name, part.value, _number_cell(part.log_odds), _number_cell(end))
        for part, end in zip(best.parts, ends, strict=True)
    )
    sizes = [*(part.log_odds for part in best.parts), best.total]
    # color alone does not show the direction of a bar
    bars = tuple(
        f"{signed_number(size)} {name}" for size, name in zip(sizes, (*names, "together"), strict=True)
    )
    together = f": confidence {best.confidence}" if best.is_by_parts else ""
    return Chart(
        f"parts-{number}",
        best.heading,
        f"The parts add up to log-odds of {signed_number(best.total)}{together}.",
        (
            Series(
                "log-odds",
                Mark.BAR,
                bars,
                tuple(sizes),
                base=(*starts, 0.0),
                texts=bars,
                tones=(*(Tone.GOOD if part.log_odds >= 0 else Tone.BAD for part in best.parts), Tone.QUIET),
            ),
        ),
        Table(
            f"parts-table-{number}",
            "Parts of the log-odds",
            (
                Column("part"),
                Column("value", is_number=True),
                Column("log-odds", is_number=True),
                Column("up to here", is_number=True),
            ),
            rows,
        ),
        x=Axis(scale=Scale.CATEGORY),
        y=Axis("log-odds"),
        height_pixels=_MARGIN_PIXELS + _ROW_PIXELS * (len(names) + 1),
        is_horizontal=True,
        is_wide=True,
    )


def _trial_table(number: int, view: ExplanationView) -> Table:
    rows = [
        *((Cell(trial.change), Cell(trial.result, tone=Tone.WARN)) for trial in view.changes),
        *((Cell(trial.change), Cell(trial.result)) for trial in view.robust),
    ]
    columns = (Column("with"), Column("the decision would be"))
    return Table(
        f"trials-{number}", "What would change the decision, and what would not", columns, tuple(rows)
    )


def _number_cell(value: float) -> Cell:
    return Cell(signed_number(value), value)
