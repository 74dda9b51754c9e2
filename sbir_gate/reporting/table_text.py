"""Tables as text: aligned columns that fit the width of a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sbir_gate.reporting.plain_text import cut, display_width

_GAP = "  "


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table is set: `droppable` columns go first, in this order, where room is short."""

    headings: tuple[str, ...]
    left: frozenset[int]
    droppable: tuple[int, ...]


def table_lines(layout: TableLayout, body: Sequence[Sequence[str]], width: int) -> list[str]:
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
