"""The grammar of delimited text: where a record ends, and whether it is whole.

The rules are RFC 4180's with what DuckDB's strict parser adds: blanks around a quoted cell are
dropped, a quote inside an unquoted cell is a character like any other, and surplus empty cells at the end of
a row are allowed. All text is UTF-8 bytes whose lines end in one newline byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

QUOTE = b'"'
NEWLINE = b"\n"
BLANK = b" \n"
"""The characters of a blank line. Tabs aren't blank: they may be delimiters."""
DELIMITERS = (b",", b"\t", b";", b"|")
# `""` is a quote inside the cell; DuckDB also goes on after `" "`, and so does this grammar
_QUOTED = rb' *"[^"]*+(?:" *"[^"]*+)*+'
_ESCAPE = re.compile('"( *)"')
_OPENING = re.compile(_QUOTED)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the rows of a file are written: the byte between cells, and how many cells make a row."""

    delimiter: bytes
    columns: int


@dataclass(frozen=True, slots=True)
class Record:
    """The record that starts at a position: `stop` is the position after it.

    `fault` is empty when it is a whole row. `is_open` says that a quote is still open where the
    text ends; `is_malformed` that a quoted cell goes on after its closing quote.
    """

    stop: int
    fault: str = ""
    is_open: bool = False
    is_malformed: bool = False


@lru_cache(maxsize=8)
def _cell(delimiter: bytes) -> re.Pattern[bytes]:
    stop = re.escape(delimiter)
    return re.compile(_QUOTED + rb'" *(?:%b|\n)|(?! *")[^%b\n]*+(?:%b|\n)' % (stop, stop, stop))


@lru_cache(maxsize=8)
def _empty_cells(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'(?:(?: *"" *)?(?:%b|\n))*' % re.escape(delimiter))


@lru_cache(maxsize=8)
def _long_quoted_cell(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'(?:(?<=%b)|^) *"([^"]*+(?:" *"[^"]*+)*+)"' % re.escape(delimiter), re.MULTILINE)


def scan_record(text: bytes, start: int, end: int, dialect: Dialect) -> Record:
    """Return the record that starts at `start`; the text ends, with a newline, at `end`."""
    line_end = text.index(NEWLINE, start, end) + 1
    if text.find(QUOTE, start, line_end) < 0:
        columns = text.count(dialect.delimiter, start, line_end) + 1
        surplus = max(columns - dialect.columns, 0)
        is_surplus_empty = text.endswith(dialect.delimiter * surplus + NEWLINE, start, line_end)
        return Record(line_end, _column_fault(columns, dialect, is_surplus_empty=is_surplus_empty))
    cell = _cell(dialect.delimiter)
    position, row_end, columns = start, start, 0
    while True:
        match = cell.match(text, position, end)
        if match is None:
            return _broken(text, position, end)
        columns += 1
        position = match.end()
        if columns <= dialect.columns:
            row_end = position
        if text[position - 1] == NEWLINE[0]:
            surplus_cells = _empty_cells(dialect.delimiter).fullmatch(text, row_end, position)
            is_surplus_empty = surplus_cells is not None
            return Record(position, _column_fault(columns, dialect, is_surplus_empty=is_surplus_empty))


def record_lines(text: bytes, first_line: int, dialect: Dialect) -> list[int]:
    """Return the line of each record of a text that starts in `first_line`; blank lines are none."""
    lines, position, line = [], 0, first_line
    while position < len(text):
        stop = scan_record(text, position, len(text), dialect).stop
        if text[position:stop].strip(BLANK):
            lines.append(line)
        line += text.count(NEWLINE, position, stop)
        position = stop
    return lines


def split_cells(text: bytes, record: Record, start: int, delimiter: bytes) -> list[str]:
    """Return the cells of a whole record, without their quotes."""
    cell = _cell(delimiter)
    cells, position = [], start
    while position < record.stop:
        match = cell.match(text, position, record.stop)
        if match is None:
            raise ValueError("the record is not whole")
        raw = match.group()[:-1].decode()
        quoted = raw.strip(" ")
        cells.append(
            _ESCAPE.sub(lambda match: match[1] or '"', quoted[1:-1]) if quoted.startswith('"') else raw
        )
        position = match.end()
    return cells


def find_delimiter(line: bytes) -> bytes:
    """Return the delimiter that occurs most often outside quotes in a header line; a comma if none does."""
    unquoted = b"".join(line.split(QUOTE)[::2])
    return max(DELIMITERS, key=unquoted.count)


def holds_swallowed_rows(text: bytes, dialect: Dialect) -> bool:
    """Return whether a quoted cell seems to hold whole rows: then a stray quote opened it.

    That is so when it breaks over at least three lines and every line between its first and its
    last has the delimiters of a whole row (of at least four cells: fewer occur in prose).
    """
    if dialect.columns < 4:
        return False
    return any(
        len(lines) > 3 and all(line.count(dialect.delimiter) == dialect.columns - 1 for line in lines[1:-1])
        for lines in (
            match[1].split(NEWLINE) for match in _long_quoted_cell(dialect.delimiter).finditer(text)
        )
    )


def _broken(text: bytes, position: int, end: int) -> Record:
    opening = _OPENING.match(text, position, end)
    if opening is None or opening.end() == end:
        return Record(end, "a quote is opened and not closed", is_open=True)
    return Record(opening.end(), "text after the closing quote of a cell", is_malformed=True)


def _column_fault(columns: int, dialect: Dialect, *, is_surplus_empty: bool) -> str:
    if columns == dialect.columns or (columns > dialect.columns and is_surplus_empty):
        return ""
    return f"{columns} columns, {dialect.columns} expected"
