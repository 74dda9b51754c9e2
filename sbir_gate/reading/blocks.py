"""Clean text cut into blocks of whole records, without one stray quote costing more than its own row.

A block is first cut where the quotes so far are paired: that is cheap and nearly always right. When
its reader finds that it is not (`BlockCutter.examine`), the same text is cut record by record with
the number of columns as the judge, and only the lines at fault are set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sbir_gate.git_leftovers import CONFLICT, is_conflict_marker
from sbir_gate.model.records import Reject
from sbir_gate.reading.records import (
    BLANK,
    NEWLINE,
    QUOTE,
    Dialect,
    Record,
    find_delimiter,
    holds_swallowed_rows,
    scan_record,
    split_cells,
)

MAX_BLOCK_BYTES = 32 * 1024 * 1024
_COUNTING_STEP_BYTES = 64 * 1024
_SHOWN_BYTES = 800  # at most 4 bytes per character: enough for the 200 that a reject shows


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records of one file: their text, the 1-based line where it starts, and what was set aside.

    `records` is their number where it is known, else None, and `record_lines` has the line of each.
    `consumed_bytes` and `lines` count the rejected text too.
    """

    first_line: int
    text: bytes
    lines: int
    consumed_bytes: int
    records: int | None = None
    rejects: tuple[Reject, ...] = ()
    record_lines: tuple[int, ...] = ()


# a record that no table holds: it carries its line and what is wrong; quotes in it are written as \x1d
_MISREAD = re.compile('"\x1e([0-9]+)\x1e([^\x1e]*)\x1e" (.*)', re.DOTALL)


def misread_record(line: int, reason: str, value: str) -> str:
    """Return a record that is rejected with this line, reason and value, whatever the columns are."""
    shown = value[:_SHOWN_BYTES].replace('"', "\x1d").replace("\n", " ")
    return f'"\x1e{line}\x1e{reason}\x1e" {shown}\n'


class BlockCutter:
    """Cuts one file's chunks of text into blocks: look at one, then `take` it."""

    def __init__(
        self,
        file: str,
        chunks: Iterator[bytes],
        block_lines: int,
        max_record_bytes: int,
        first_line: int = 1,
    ) -> None:
        self._file = file
        self._chunks = chunks
        self.block_lines = block_lines
        self._stop_bytes: int | None = None
        self._max_record_bytes = max_record_bytes
        self._text = b""
        self._start = 0
        self._line = first_line
        self._is_exhausted = False

    def header(self) -> tuple[list[str], bytes]:
        """Take the first record that isn't blank: its cells, and the delimiter found in it.

        An empty file has no cells. A header with a stray quote ends with its line.
        """
        while (end := self._line_end()) is not None:
            line = self._text[self._start : end]
            if not line.strip():
                self._advance(end)
                continue
            delimiter = find_delimiter(line)
            record, _ = self._first_record(end - self._start, Dialect(delimiter, 0))
            if record.is_open or record.is_malformed:
                self._advance(self._start + len(line))
                return line.decode().rstrip("\n").split(delimiter.decode()), delimiter
            cells = split_cells(self._text, record, self._start, delimiter)
            self._advance(record.stop)
            return cells, delimiter
        return [], b","

    def ahead(self, most: int, delimiter: bytes) -> list[tuple[int, list[str]]]:
        """Return the next records that are whole and not blank, with their lines, without taking them."""
        found: list[tuple[int, list[str]]] = []
        if self._line_end() is None:
            return found
        position, line = self._start, self._line
        stop = self._text.rfind(NEWLINE) + 1
        while position < stop and len(found) < most:
            record = scan_record(self._text, position, stop, Dialect(delimiter, 0))
            if record.is_open or record.is_malformed:
                break
            if self._text[position : record.stop].strip(BLANK):
                found.append((line, split_cells(self._text, record, position, delimiter)))
            line += self._text.count(NEWLINE, position, record.stop)
            position = record.stop
        return found

    def skip(self, size: int) -> None:
        """Go on behind the next `size` bytes, which must end with a record, without a look at them."""
        while size > 0 and not self.is_done():
            step = min(size, len(self._text) - self._start)
            self._advance(self._start + step)
            size -= step

    def stop_within(self, size: int | None) -> None:
        """Let no further block reach beyond the next `size` bytes, which must end with a record."""
        self._stop_bytes = size

    def candidate(self) -> Block | None:
        """Return the next block, cut where quotes are paired; None where no such place is near."""
        end = self._window_end()
        if end is None:
            return None
        quotes = self._text.count(QUOTE, self._start, end)
        while quotes % 2:
            last_quote = self._text.rfind(QUOTE, self._start, end)
            cut = self._text.rfind(NEWLINE, self._start, last_quote) + 1
            if cut <= self._start:
                return None
            quotes -= self._text.count(QUOTE, cut, end)
            end = cut
        text = self._text[self._start : end]
        return Block(self._line, text, text.count(NEWLINE), len(text))

    def is_done(self) -> bool:
        """Return whether all text has been taken."""
        return self._start >= len(self._text) and not self._fill()

    def take(self, block: Block) -> None:
        """Go on behind the block."""
        self._advance(self._start + block.consumed_bytes)

    def examine(self, dialect: Dialect) -> Block:
        """Return the next block, cut record by record; its rejects are the records at fault."""
        end = self._window_end()
        if end is None:
            return self._overlong_line()
        record, window = self._first_record(end - self._start, dialect)
        position, line = 0, self._line
        spans: list[bytes] = []
        lines: list[int] = []
        rejects: list[Reject] = []
        while True:
            stop, fault = self._judge(record, position, dialect)
            piece = self._text[position:stop]
            if fault:
                rejects.append(self._reject(piece, line, fault))
            elif piece.strip(BLANK):
                spans.append(piece)
                lines.append(line)
            line += piece.count(NEWLINE)
            position = stop
            if record.is_open or position >= window:
                break
            record = scan_record(self._text, position, window, dialect)
            if record.is_open:
                break  # it may go on behind the window: the next block begins with it
        return Block(
            self._line,
            b"".join(spans),
            line - self._line,
            position,
            len(spans),
            tuple(rejects),
            tuple(lines),
        )

    def _first_record(self, window: int, dialect: Dialect) -> tuple[Record, int]:
        """Return the next record, and the window (in bytes) grown until the record closes in it."""
        self._text, self._start = self._text[self._start :], 0
        record = scan_record(self._text, 0, window, dialect)
        while record.is_open and (grown := self._grown(window)) > window:
            window = grown
            record = scan_record(self._text, 0, window, dialect)
        return record, window

    def _judge(self, record: Record, start: int, dialect: Dialect) -> tuple[int, str]:
        """Return where the record at `start` ends, and what is wrong with it."""
        line_end = self._text.index(NEWLINE, start) + 1
        if record.is_open:
            return line_end, f"{record.fault} within {self._max_record_bytes:,} bytes or the end of the file"
        if record.is_malformed:
            return line_end, record.fault
        piece = self._text[start : record.stop]
        if record.fault and piece.strip(BLANK):
            return self._judge_columns(record, line_end, dialect)
        if len(piece) > self._max_record_bytes:
            return record.stop, f"the record is longer than {self._max_record_bytes:,} bytes"
        if record.stop > line_end and holds_swallowed_rows(piece, dialect):
            return line_end, "a quote is opened and closed only some rows later"
        return record.stop, ""

    def _judge_columns(self, record: Record, line_end: int, dialect: Dialect) -> tuple[int, str]:
        """Return where the record of the wrong number of columns ends, and why.

        A line in it that is a whole row by itself was swallowed by a stray quote: it must survive.
        (Its quotes are paired: else it may be the end of a cell that broke over lines.)
        """
        line = line_end
        while line < record.stop:
            alone = scan_record(self._text, line, record.stop, dialect)
            if not alone.fault and self._text.count(QUOTE, line, alone.stop) % 2 == 0:
                return line_end, "a quote is opened and not closed in its row"
            line = self._text.index(NEWLINE, line) + 1
        return record.stop, record.fault

    def _overlong_line(self) -> Block:
        """Drop the line that is longer than the buffer may become."""
        shown = self._text[self._start : self._start + _SHOWN_BYTES]
        reject = self._reject(shown, self._line, f"the line is longer than {self._max_record_bytes:,} bytes")
        while self._text.find(NEWLINE, self._start) < 0:
            self._text, self._start = b"", 0
            if not self._fill():
                break
        stop = self._text.find(NEWLINE, self._start) + 1
        return Block(self._line, b"", 1, stop - self._start, 0, (reject,))

    def _reject(self, piece: bytes, line: int, reason: str) -> Reject:
        value = piece[:_SHOWN_BYTES].decode("utf-8", "ignore").rstrip("\n")
        misread = _MISREAD.match(value)
        if misread is not None:
            line, reason, value = int(misread[1]), misread[2], misread[3].replace("\x1d", '"')
        value = value[:200]
        if is_conflict_marker(value):
            reason = f"{CONFLICT}: the file was committed before it was resolved"
        return Reject(self._file, line, "", value, reason)

    def _advance(self, position: int) -> None:
        self._line += self._text.count(NEWLINE, self._start, position)
        self._start = position

    def _fill(self) -> bool:
        """Read one more chunk; False at the end. The last line gets its newline if it has none."""
        if self._is_exhausted:
            return False
        chunk = next(filter(None, self._chunks), None)
        rest = self._text[self._start :]
        if chunk is None:
            self._is_exhausted = True
            chunk = NEWLINE if rest and not rest.endswith(NEWLINE) else b""
        self._text, self._start = rest + chunk, 0
        return bool(chunk)

    def _line_end(self) -> int | None:
        """Return the position after the next newline; None when there is none within the longest record."""
        searched = self._start
        while (newline := self._text.find(NEWLINE, searched)) < 0:
            searched_bytes = len(self._text) - self._start
            if searched_bytes > self._max_record_bytes or not self._fill():
                return None
            searched = searched_bytes
        return newline + 1

    def _window_end(self) -> int | None:
        """Return the position after the next block's lines, filling the buffer; None as `_line_end`."""
        end = self._full_window_end()
        if end is None or self._stop_bytes is None:
            return end
        return min(end, self._start + self._stop_bytes)

    def _full_window_end(self) -> int | None:
        end = self._line_end()
        if end is None:
            return None
        line_bytes = end - self._start
        size, lines = line_bytes, 1
        while lines < self.block_lines and size < MAX_BLOCK_BYTES:
            position = self._start + size
            if position >= len(self._text):
                if not self._fill():
                    break
                continue
            step = min(position + _COUNTING_STEP_BYTES, len(self._text))
            found = self._text.count(NEWLINE, position, step)
            if lines + found >= self.block_lines:
                for _ in range(self.block_lines - lines):
                    position = self._text.index(NEWLINE, position) + 1
                return position
            lines += found
            size = step - self._start
        last = self._text.rfind(NEWLINE, self._start, self._start + size) + 1
        return max(last, self._start + line_bytes)

    def _grown(self, window: int) -> int:
        """Return a window about twice as long, or the same when there is no more or it would be too long."""
        if window > self._max_record_bytes:
            return window
        while len(self._text) < 2 * window and self._fill():
            pass
        end = self._text.rfind(NEWLINE, window, 2 * window) + 1
        return end or self._text.find(NEWLINE, window) + 1 or window
