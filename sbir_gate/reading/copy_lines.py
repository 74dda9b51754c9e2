"""A stream of COPY text cut into blocks of whole rows, up to its closing line and not a byte beyond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbir_gate.errors import InputError
from sbir_gate.reading.copy_text import find_end

MAX_BLOCK_BYTES = 32 * 1024 * 1024
_NEWLINE = b"\n"
_END = b"\\."


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
        raise InputError(
            "is cut short after this line: the closing line '\\.' is missing",
            "copy or download the dump again",
            path=origin,
            line=line - 1 + rest.count(_NEWLINE) or None,
        )
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
            raise InputError(
                "holds more data after the closing line '\\.'",
                "the dump is damaged: copy or download it again",
                path=origin,
                line=line,
            )
        following = next(stream, None)
        if following is None:
            return
        rest = following


def _too_long(origin: str, line: int, max_line_bytes: int) -> InputError:
    hint = "raise reading.max_record_mib if the table holds texts that long; else the dump is damaged"
    return InputError(f"is longer than {max_line_bytes:,} bytes", hint, path=origin, line=line)
