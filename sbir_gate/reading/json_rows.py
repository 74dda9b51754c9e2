"""JSON as delimited text: one row per object, one column per value, nested names joined by dots.

Read are JSON lines, an array of objects, and an object that holds one array of objects, as the SAM.gov API
answers (`entityData`). Lists within a row stay JSON; numbers keep their digits.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from io import StringIO

from sbir_gate.errors import InputError
from sbir_gate.reading.blocks import misread_record

_ROWS_AT_ONCE = 1_000
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
_MOST_CHARACTERS = 1 << 28
_LONGEST_LINE = 1 << 26
_LONGEST_STRING = 1 << 24
_LONGEST_TOKEN = 16  # of any other kind: a literal, an escape
_MOST_BLANKS = 1 << 20
_NOT_BLANK = re.compile(r"\S")
_NO_OBJECT = "not a JSON object"


class _DamagedError(Exception):
    """Something in the text is not JSON."""


def json_table(chunks: Callable[[], Iterable[bytes]], origin: str) -> Iterator[bytes]:
    """Yield the objects as comma-separated text, in blocks of rows, with a header of all names.

    `chunks` opens the text, which is read twice: the names come first. A line of JSON lines that is not an
    object becomes a record that cannot be read. Raises InputError for other text that is not JSON.
    """
    names: dict[str, None] = {}
    for _, row in _rows(chunks(), origin):
        if isinstance(row, dict):
            names.update(dict.fromkeys(row))
    if not names:
        return
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for number, (line, row) in enumerate(_rows(chunks(), origin), start=1):
        if isinstance(row, dict):
            writer.writerow([row.get(name, "") for name in names])
        else:
            buffer.write(misread_record(line, _NO_OBJECT, row))
        if number % _ROWS_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")


def _rows(chunks: Iterable[bytes], origin: str) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield each object with its line, flat; a line that is none as its text."""
    text = _Text(chunks)
    try:
        if text.begins_with_object():
            yield from _lines(text)
        else:
            for line, value in _document(text):
                yield line, (_flat(value) if isinstance(value, dict) else json.dumps(value))
    except _DamagedError as error:
        hint = "write the file again, as JSON lines or as one array of objects"
        raise InputError(f"is not JSON ({error})", hint, path=origin, line=text.line) from error


def _lines(text: _Text) -> Iterator[tuple[int, dict[str, str] | str]]:
    for line_text in text.lines():
        stripped = line_text.strip()
        if not stripped:
            continue
        value = _parsed(stripped)
        if not isinstance(value, dict):
            yield text.line, stripped
            continue
        for each in _members(value):
            yield text.line, _flat(each)


def _parsed(text: str) -> object:
    try:
        value: object = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value


def _members(value: dict[str, object]) -> list[dict[str, object]]:
    """Return the objects of the one list of objects that an object holds, or itself."""
    lists = [found for found in value.values() if isinstance(found, list) and found]
    lists = [found for found in lists if all(isinstance(each, dict) for each in found)]
    has_record = any(isinstance(found, dict) and found for found in value.values())
    named = {name.casefold() for name in value}
    if len(lists) != 1 or has_record or named & _OF_A_RECORD:
        return [value]
    return [each for each in lists[0] if isinstance(each, dict)]


# an object with one of these is a row itself, whatever lists it holds
_OF_A_RECORD = frozenset(
    {"uei", "duns", "firm", "company", "company_name", "name", "recipient_name", "award_id"}
)


def _document(text: _Text) -> Iterator[tuple[int, object]]:
    """Yield the elements of an array, or of the one list in an object, with their lines.

    Raises _DamagedError, also for what follows it: those would be rows that are lost.
    """
    if text.peek() != "[":
        value = text.value()
        yield from ((1, each) for each in (_members(value) if isinstance(value, dict) else [value]))
    else:
        yield from _elements(text)
    if text.peek():
        raise _DamagedError("more text follows the first value")


def _elements(text: _Text) -> Iterator[tuple[int, object]]:
    text.skip()
    while (sign := text.peek()) != "]":
        if not sign:
            raise _DamagedError("the array is cut short")
        yield text.line, text.value()
        if text.peek() == ",":
            text.skip()
    text.skip()


def _flat(value: dict[str, object], prefix: str = "") -> dict[str, str]:
    row: dict[str, str] = {}
    for name, cell in value.items():
        key = f"{prefix}{name}"
        if isinstance(cell, dict):
            row |= _flat(cell, f"{key}.")
        elif cell is None:
            row[key] = ""
        elif isinstance(cell, bool):
            row[key] = "true" if cell else "false"
        else:
            row[key] = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    return row


def _is_cut(error: ValueError | RecursionError, length: int) -> bool:
    """Say whether text of this length was at its end, so that more of it could make the value whole."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    is_string = error.msg.startswith("Unterminated string")  # its place is that of the first quote
    return length - error.pos <= (_LONGEST_STRING if is_string else _LONGEST_TOKEN)


class _Text:
    """Text that is read as it is needed; `line` counts from 1."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.line = 1
        self._chunks = iter(chunks)
        self._text = ""
        self._start = 0

    def begins_with_object(self) -> bool:
        """Say whether the first line that is not blank is an object, without taking it."""
        while True:
            line, is_whole, _ = self._text.lstrip().partition("\n")
            if line[:1] not in {"", "{"} or (not line and len(self._text) > _MOST_BLANKS):
                return False
            try:
                end = _DECODER.raw_decode(line)[1]
            except (ValueError, RecursionError) as error:
                is_damaged = bool(line) and not _is_cut(error, len(line))
                if is_whole or is_damaged or len(line) > _LONGEST_LINE or not self._fill():
                    return False
            else:
                if is_whole or line[end:].strip() or not self._fill():
                    return not line[end:].strip()

    def lines(self) -> Iterator[str]:
        """Yield all lines; `line` is the number of the present one.

        Raises _DamagedError for a line without an end.
        """
        number = 0
        while True:
            end = self._text.find("\n", self._start)
            if end < 0:
                if len(self._text) - self._start > _LONGEST_LINE:
                    self.line = number + 1
                    raise _DamagedError(f"a line is longer than {_LONGEST_LINE:,} characters")
                if self._fill():
                    continue
                end = len(self._text)
                if end == self._start:
                    return
            number += 1
            self.line = number
            line = self._text[self._start : end]
            self._start = min(end + 1, len(self._text))
            yield line

    def peek(self) -> str:
        """Return the next character that is not blank; nothing at the end. Raises _DamagedError."""
        blanks = 0
        while True:
            found = _NOT_BLANK.search(self._text, self._start)
            end = found.start() if found else len(self._text)
            self.line += self._text.count("\n", self._start, end)
            blanks += end - self._start
            self._start = end
            if found:
                return found[0]
            if blanks > _MOST_BLANKS:
                raise _DamagedError(f"more than {_MOST_BLANKS:,} blanks in a row")
            if not self._fill():
                return ""

    def skip(self) -> None:
        """Take one character."""
        self.line += self._text[self._start] == "\n"
        self._start += 1

    def value(self) -> object:
        """Take the next value. Raises _DamagedError."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._start)
            except (ValueError, RecursionError) as error:
                is_full = len(self._text) - self._start > _MOST_CHARACTERS
                if is_full or not _is_cut(error, len(self._text)) or not self._fill():
                    raise _DamagedError(str(error)) from error
                continue
            self.line += self._text.count("\n", self._start, end)
            self._start = end
            return value

    def _fill(self) -> bool:
        """Read on, at least as much as is held, so that a long value is not parsed too often."""
        held = self._text[self._start :]
        pieces, size = [held], 0
        for chunk in self._chunks:
            pieces.append(chunk.decode())
            size += len(chunk)
            if size >= len(held):
                break
        self._text, self._start = "".join(pieces), 0
        return size > 0
