"""Tables as text: aligned columns that fit the width of a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sbir_gate.gate.reporting.plain_text import cut, display_width

_GAP = "  "
_FEWEST_COLUMNS = 8  # of a text that is cut


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table is set: `droppable` columns go first, in this order, where room is short.

    Columns in `whole` are cut last.
    """

    headings: tuple[str, ...]
    left: frozenset[int]
    droppable: tuple[int, ...]
    whole: frozenset[int] = frozenset()


class FittingCell(Protocol):
    """A cell that knows what of it to leave out first; in `least` columns all that matters is whole."""

    @property
    def least(self) -> int:
        """The columns without which something that matters is cut."""

    def fit(self, columns: int) -> str:
        """Return the cell in at most `columns` columns."""


def table_lines(layout: TableLayout, body: Sequence[Sequence[str | FittingCell]], width: int) -> list[str]:
    """Return aligned lines of at most `width` columns: first columns are dropped, then cells cut."""
    rows = (layout.headings, *body)
    widths = {
        index: max(display_width(str(cell)) for cell in column)
        for index, column in enumerate(zip(*rows, strict=True))
    }
    leasts = {
        index: widths[index] if index in layout.whole else max(map(_least, column))
        for index, column in enumerate(zip(*rows, strict=True))
    }
    for index in layout.droppable:
        if _total(widths) > width:
            del widths[index]
    while _total(widths) > width:
        roomy = [index for index in widths if widths[index] > leasts[index]]
        widths[max(roomy or widths, key=lambda index: widths[index])] -= 1
    return [
        _GAP.join(
            _aligned(_fitted(row[index], columns), columns, index in layout.left)
            for index, columns in widths.items()
        ).rstrip()
        for row in rows
    ]


def _least(cell: str | FittingCell) -> int:
    return min(_FEWEST_COLUMNS, display_width(cell)) if isinstance(cell, str) else cell.least


def _fitted(cell: str | FittingCell, columns: int) -> str:
    return cut(cell, columns) if isinstance(cell, str) else cell.fit(columns)


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _aligned(text: str, columns: int, is_left: bool) -> str:
    padding = " " * (columns - display_width(text))
    return text + padding if is_left else padding + text
