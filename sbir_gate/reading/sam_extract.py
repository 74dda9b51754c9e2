"""SAM.gov's entity extracts: pipe-separated text without a header, between a BOF and an EOF line.

The version follows from the layout. Version 2 (public: 142 cells) starts with the UEI, then a DUNS that is
blank since 2022; version 1 (120 cells) starts with the DUNS and its suffix. Names and order are those of the
SAM Master Extract Mapping that GSA publishes, up to the country; what follows is numbered. In the sensitive
extracts the same columns come first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sbir_gate.errors import InputError

_ADDRESS = (
    "SAM EXTRACT CODE|PURPOSE OF REGISTRATION|INITIAL REGISTRATION DATE|REGISTRATION EXPIRATION DATE|"
    "LAST UPDATE DATE|ACTIVATION DATE|LEGAL BUSINESS NAME|DBA NAME|ENTITY DIVISION NAME|"
    "ENTITY DIVISION NUMBER|PHYSICAL ADDRESS LINE 1|PHYSICAL ADDRESS LINE 2|PHYSICAL ADDRESS CITY|"
    "PHYSICAL ADDRESS PROVINCE OR STATE|PHYSICAL ADDRESS ZIP/POSTAL CODE|PHYSICAL ADDRESS ZIP CODE +4|"
    "PHYSICAL ADDRESS COUNTRY CODE"
)
_VERSION_2 = (
    "UNIQUE ENTITY ID (SAM)|UNIQUE ENTITY ID (DUNS)|ENTITY EFT INDICATOR|CAGE CODE|DODAAC|" + _ADDRESS
).split("|")
_VERSION_1 = ("DUNS|DUNS SUFFIX|CAGE CODE|DODAAC|" + _ADDRESS).split("|")
_UEI = re.compile(rb"[A-HJ-NP-Z1-9][A-HJ-NP-Z0-9]{11}")
_DUNS = re.compile(rb"[0-9]{9}")
_BEGIN, _END = b"BOF ", b"EOF "


def is_extract(first_line: bytes) -> bool:
    """Say whether a file that starts with this line is an extract, with its BOF line or without it."""
    return first_line.startswith(_BEGIN) or _columns(first_line) is not None


def sam_table(chunks: Iterable[bytes], origin: str) -> Iterator[bytes]:
    """Yield an extract as pipe-separated text with a header: in place of the BOF line, or before the first.

    Raises InputError for an unknown layout, and for an extract with a BOF line whose EOF line is missing.
    """
    has_begin = is_open = False
    columns: list[str] | None = None
    for lines in _whole_lines(chunks):
        taken = []
        for line in lines:
            if not has_begin and columns is None and line.startswith(_BEGIN):
                has_begin = is_open = True
                continue
            if line.startswith(_END):
                is_open = False
                continue
            if columns is None:
                columns = _columns(line)
                if columns is None:
                    raise _unknown(line, origin)
                taken.append("|".join(columns).encode())
            taken.append(_quoted(line))
        if taken:
            yield b"\n".join(taken) + b"\n"
    if is_open:
        hint = "download the extract again: it is cut short"
        raise InputError("the EOF line of the SAM extract is missing", hint, path=origin)


def _columns(line: bytes) -> list[str] | None:
    """Return the names of the columns of the layout that a record has; None if it has none."""
    cells = line.rstrip(b"\r\n").split(b"|")
    named = _VERSION_2 if _UEI.fullmatch(cells[0]) else _VERSION_1 if _DUNS.fullmatch(cells[0]) else None
    if named is None or len(cells) <= len(named):
        return None
    rest = (f"SAM COLUMN {number}" for number in range(len(named) + 1, len(cells) + 1))
    return [*named, *rest]


def _quoted(line: bytes) -> bytes:
    """Return a record with its quotes as characters: an extract quotes nothing."""
    if b'"' not in line:
        return line
    return b"|".join(
        b'"' + cell.replace(b'"', b'""') + b'"' if b'"' in cell else cell for cell in line.split(b"|")
    )


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield lines
    if rest:
        yield [rest]


def _unknown(line: bytes, origin: str) -> InputError:
    return InputError(
        "starts like a SAM extract, but its records have no known layout",
        "the first cell of a record is the UEI (version 2) or the DUNS (version 1)",
        path=origin,
        value=line[:80].decode("utf-8", "replace"),
    )
