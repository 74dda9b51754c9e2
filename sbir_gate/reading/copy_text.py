r"""PostgreSQL's COPY text: cells, columns, faults of a row, and a stream of it cut into blocks of whole rows.

In a row as COPY writes it, a raw tab is always a delimiter and a raw newline always the end: inside a
cell both are escaped, as is every backslash. NULL is a whole cell of `\N`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbir_gate.errors import Fault, InputError

UNESCAPE_FUNCTION = "sbir_gate_unescape_copy"

_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.)|$)", re.DOTALL)
_NAMED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_NAME = r'(?:"(?:[^"]|"")+"|[^\s"(),.;]+)'
_COPY = re.compile(
    rf"COPY (?:{_NAME}\.)?{_NAME} +(?:\((?P<columns>{_NAME}(?:, {_NAME})*)\) )?(?P<oids>WITH OIDS )?"
    r"FROM stdin;\s*"
)
_END = b"\\."
_NEWLINE = b"\n"
MAX_BLOCK_BYTES = 32 * 1024 * 1024


def unescape(text: str) -> str:
    r"""Return the value of a cell of COPY text that is not NULL.

    As PostgreSQL reads it: `\b \f \n \r \t \v`, one to three octal digits and `\x` with one or two
    hexadecimal digits (both give a byte), and a backslash before anything else gives that.

    Raises ValueError where PostgreSQL would refuse: a backslash at the end, a zero byte, bytes that are not
    UTF-8.
    """
    if "\\" not in text:
        return text
    content = _ESCAPE.sub(_meant, text.encode("utf-8"))
    if b"\0" in content:
        raise ValueError("an escape means a zero byte, which text cannot hold")
    return content.decode("utf-8")


def _meant(match: re.Match[bytes]) -> bytes:
    hexadecimal, octal, other = match.groups()
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if other is None:
        raise ValueError("a cell ends with a lone backslash")
    return _NAMED.get(other, other)


def statement_columns(statement: str) -> tuple[str, ...]:
    """Return the columns that `COPY schema.table (a, "b c", ...) FROM stdin;` names, without their quotes.

    Raises ValueError for any other statement; a table without columns has none.
    """
    match = _COPY.fullmatch(statement)
    if match is None:
        raise ValueError(f"no COPY statement as pg_dump writes it: {statement.strip()[:80]!r}")
    if match["oids"]:
        raise ValueError("rows WITH OIDS, which PostgreSQL itself no longer reads")
    names = re.findall(_NAME, match["columns"] or "")
    return tuple(name[1:-1].replace('""', '"') if name.startswith('"') else name for name in names)


def row_fault(line: bytes, columns: Sequence[str]) -> Fault | None:
    """Return what is wrong with one row (without its newline) of these columns, None if nothing is."""
    cells = line.split(b"\t")
    if len(cells) != len(columns):
        return Fault(f"has {len(cells):,} cells instead of {len(columns):,}")
    for column, cell in zip(columns, cells, strict=True):
        value = cell.decode("utf-8", "replace")
        if b"\r" in cell:
            return Fault("holds a raw carriage return, which COPY never writes", column=column, value=value)
        if b"\0" in cell:
            return Fault("holds a zero byte, which no text holds", column=column, value=value)
        try:
            unescape(cell.decode("utf-8"))
        except UnicodeDecodeError as error:
            return Fault(f"is not UTF-8 at its byte {error.start + 1:,}", column=column, value=value)
        except ValueError as error:
            return Fault(str(error), column=column, value=value)
    return None


def find_end(text: bytes) -> int:
    r"""Return where the closing line `\.` starts in a text of whole lines; -1 if nowhere."""
    if text.startswith(_END + b"\n"):
        return 0
    found = text.find(b"\n" + _END + b"\n")
    return found + 1 if found >= 0 else -1


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole rows as COPY wrote them, each with its newline; `first_line` is the 1-based line of the first."""

    first_line: int
    lines: int
    text: bytes


def line_blocks(
    chunks: Iterable[bytes], origin: str, lines_per_block: int, max_line_bytes: int, first_line: int = 1
) -> Iterator[LineBlock]:
    r"""Yield the rows in blocks of `lines_per_block`, or fewer where they are very long.

    `chunks` start at the row `first_line` and are read to their end, so that damage after the rows
    shows too. The texts of all blocks together are the text up to the closing line, byte for byte.
    `origin` names the member in errors. A table without rows gives no block.

    Raises InputError for text without the closing `\.`, for anything but empty lines after it, and for
    a row longer than `max_line_bytes`.
    """
    pieces: list[bytes] = []
    lines = size = 0
    line = first_line
    stream = iter(chunks)
    for chunk in stream:
        pieces.append(chunk)
        lines += chunk.count(_NEWLINE)
        size += len(chunk)
        if (lines < lines_per_block and size < MAX_BLOCK_BYTES) or not lines:
            if not lines and size > max_line_bytes:
                raise _too_long(origin, line, max_line_bytes)
            continue
        text = b"".join(pieces)
        for block, is_last in _cut(text, line, lines_per_block):
            line += block.lines
            size -= len(block.text)
            if block.lines:
                yield block
            if is_last:
                _check_rest(text[len(text) - size :], stream, origin, line)
                return
        pieces = [text[len(text) - size :]] if size else []
        lines = pieces[0].count(_NEWLINE) if pieces else 0
    yield from _last(b"".join(pieces), origin, line)


def line_ends(text: bytes) -> NDArray[np.intp]:
    """Return the positions behind the newlines of a text."""
    return np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _NEWLINE[0]) + 1


def _cut(text: bytes, line: int, lines_per_block: int) -> Iterator[tuple[LineBlock, bool]]:
    """Yield the blocks in the text, and whether the closing line follows; a rest without newline stays."""
    ends = line_ends(text)
    start = taken = 0
    while taken < len(ends):
        lines = min(lines_per_block, len(ends) - taken)
        if taken and lines < lines_per_block:
            return  # not full: more of it may come with the next chunk
        stop = int(ends[taken + lines - 1])
        part = text[start:stop]
        end = find_end(part)
        if end >= 0:
            part = part[:end]
            yield LineBlock(line, part.count(_NEWLINE), part), True
            return
        yield LineBlock(line, lines, part), False
        start, line, taken = stop, line + lines, taken + lines


def _last(rest: bytes, origin: str, line: int) -> Iterator[LineBlock]:
    """Yield the block in what is left at the end of the stream, which must hold the closing line."""
    text = rest if rest.endswith(_NEWLINE) else rest + _NEWLINE
    end = find_end(text)
    if end < 0:
        problem = "is cut short after this line: the closing line '\\.' is missing"
        hint = "copy or download the dump again"
        raise InputError(problem, hint, path=origin, line=line - 1 + rest.count(_NEWLINE) or None)
    rows = text[:end]
    lines = rows.count(_NEWLINE)
    if lines:
        yield LineBlock(line, lines, rows)
    _check_rest(text[end:], iter(()), origin, line + lines)


def _check_rest(rest: bytes, stream: Iterator[bytes], origin: str, line: int) -> None:
    """Raise InputError for anything but empty lines after the closing line, with which `rest` starts."""
    rest = rest[len(_END) :]
    while True:
        if rest.strip(_NEWLINE):
            hint = "the dump is damaged: copy or download it again"
            raise InputError("holds more data after the closing line '\\.'", hint, path=origin, line=line)
        following = next(stream, None)
        if following is None:
            return
        rest = following


def _too_long(origin: str, line: int, max_line_bytes: int) -> InputError:
    hint = "raise reading.max_record_mib if the table holds texts that long; else the dump is damaged"
    return InputError(f"is longer than {max_line_bytes:,} bytes", hint, path=origin, line=line)
