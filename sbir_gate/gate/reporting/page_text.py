"""A page as GitHub Markdown and as plain text: the same blocks, with tables in place of charts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sbir_gate.gate.reporting.escaping import code_span, escape_markdown
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import NOTHING
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.pages.blocks import Block, Cell, Chart, Column, Page, Paragraph, Table

_CELL_CHARACTERS = 300
_TEXT_CHARACTERS = 1200
_FACT_COLUMNS = (Column("Figure"), Column("Value", is_number=True), Column("Remark"))


def render_page_markdown(page: Page, most_rows: int) -> str:
    """Return the page as Markdown that ends in a newline, with the first `most_rows` of each table."""
    lines = [f"# {_escaped(page.title)}", "", *_paragraph(page.lead)]
    if page.facts:
        lines += _markdown_table(_facts_table(page), len(page.facts))
    for section in page.sections:
        lines += [f"## {_escaped(section.title)}", ""]
        for block in section.blocks:
            lines += _markdown_block(block, most_rows)
    lines += [line for note in page.notes for line in _paragraph(note)]
    return "\n".join(lines).rstrip("\n") + "\n"


def render_page_text(page: Page, width: int, most_rows: int) -> str:
    """Return the page for a terminal, as text that ends in a newline."""
    lines = [plain(page.title), "", *_wrapped(page.lead, width)]
    if page.facts:
        lines += [*_text_table(_facts_table(page), width, len(page.facts)), ""]
    for section in page.sections:
        lines.append(f"-- {plain(section.title)}")
        for block in section.blocks:
            lines += [*_text_block(block, width, most_rows), ""]
    lines += [line for note in page.notes for line in _wrapped(note, width)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _facts_table(page: Page) -> Table:
    rows = tuple((fact.name, fact.value, fact.remark) for fact in page.facts)
    return Table("facts", "", _FACT_COLUMNS, rows)


def _markdown_block(block: Block, most_rows: int) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from _paragraph(block.text)
    elif isinstance(block, Chart):
        yield from _paragraph(f"{block.title}. {block.summary}")
        yield from _markdown_table(block.table, most_rows)
    elif isinstance(block, Table):
        yield from _markdown_table(block, most_rows)


def _paragraph(text: str) -> list[str]:
    return [_escaped(text), ""] if text else []


def _markdown_table(table: Table, most_rows: int) -> Iterator[str]:
    if not table.rows:
        yield from _paragraph(f"{table.caption}: {table.empty}.")
        return
    yield _row([_escaped(column.title) for column in table.columns])
    yield _row(["---:" if column.is_number else "---" for column in table.columns])
    for row in table.rows[:most_rows]:
        yield _row([_markdown_cell(cell) for cell in row])
    yield ""
    if len(table.rows) > most_rows:
        yield from _paragraph(_more(table, most_rows))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return _escaped(cell)
    text = plain(cell.text, _CELL_CHARACTERS)
    return str(code_span(text)) if cell.is_code else _escaped(text)


def _escaped(text: str) -> str:
    return escape_markdown(plain(text, _TEXT_CHARACTERS))


def _text_block(block: Block, width: int, most_rows: int) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from _wrapped(block.text, width)
    elif isinstance(block, Chart):
        yield from _wrapped(f"{block.title}. {block.summary}", width)
        yield from _text_table(block.table, width, most_rows)
    elif isinstance(block, Table):
        yield f"{plain(block.caption)}:" if block.rows else f"{plain(block.caption)}: {plain(block.empty)}"
        yield from _text_table(block, width, most_rows)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(plain(text, _TEXT_CHARACTERS), max(width, 20))


def _text_table(table: Table, width: int, most_rows: int) -> Iterator[str]:
    if not table.rows:
        return
    left = frozenset(place for place, column in enumerate(table.columns) if not column.is_number)
    # what stands last says least
    droppable = tuple(range(len(table.columns) - 1, 1, -1))
    layout = TableLayout(tuple(column.title for column in table.columns), left, droppable)
    body = [
        [plain(cell if isinstance(cell, str) else cell.text, _CELL_CHARACTERS) or NOTHING for cell in row]
        for row in table.rows[:most_rows]
    ]
    yield from (f"  {line}" for line in table_lines(layout, body, width - 2))
    if len(table.rows) > most_rows:
        yield f"  {_more(table, most_rows)}"


def _more(table: Table, most_rows: int) -> str:
    return f"{len(table.rows) - most_rows:,} more rows are in the HTML and JSON reports."
