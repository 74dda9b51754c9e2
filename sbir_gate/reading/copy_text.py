r"""PostgreSQL's COPY text: the escapes of a cell, the columns of a statement, and what is wrong with a row.

In a row as COPY writes it, a raw tab is always a delimiter and a raw newline always the end: inside a
cell both are escaped, as is every backslash. NULL is a whole cell of `\N`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sbir_gate.errors import Fault

UNESCAPE_FUNCTION = "sbir_gate_unescape_copy"

_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.)|$)", re.DOTALL)
_NAMED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_NAME = r'(?:"(?:[^"]|"")+"|[^\s"(),.;]+)'
_COPY = re.compile(
    rf"COPY (?:{_NAME}\.)?{_NAME} +(?:\((?P<columns>{_NAME}(?:, {_NAME})*)\) )?(?P<oids>WITH OIDS )?"
    r"FROM stdin;\s*"
)
_END = b"\\."


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
