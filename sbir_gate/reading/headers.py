"""The header of delimited text: where it is, and whether it has a name for every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbir_gate.errors import InputError
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.reading.blocks import BlockCutter
from sbir_gate.reading.layout import looks_like_header

_MOST_RECORDS = 20
_LOOKED_AT = 5
ROW_NAMES = "row_names"


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and what stands between cells.

    `findings` say what had to be done for it; `hint` is the fix if its rows cannot be read.
    """

    columns: list[str]
    delimiter: bytes
    findings: tuple[Diagnosis, ...] = ()
    hint: str = ""


def take_header(cutter: BlockCutter, file: str, *, is_searched: bool) -> Header:
    """Take the header, and what is above it if `is_searched`.

    Raises InputError where the first record is not a header, and a later one is.
    """
    cells, delimiter = cutter.header()
    skipped = 0
    later = [] if not cells or looks_like_header(cells) else _headers_below(cutter)
    if later and not is_searched:
        raise InputError(
            f"the first line is not the header, but line {later[0]} is",
            "set reading.find_header to true (--set reading.find_header=true), or remove the lines above it",
            path=file,
            line=1,
            value=", ".join(cells)[:80],
        )
    while later and not looks_like_header(cells):
        skipped += 1
        cells, delimiter = cutter.header()
    findings = []
    if skipped:
        findings.append(Diagnosis(Gravity.NOTE, Flaw.READING_LINES_SKIPPED, file, {"count": skipped}))
    columns = [cell.strip() for cell in cells]
    rows = [row for _, row in cutter.ahead(_LOOKED_AT, delimiter)]
    hint = ""
    if len(columns) > 1 and rows and _are_longer(rows, len(columns)):
        if [row[0].strip() for row in rows] == [str(number) for number in range(1, len(rows) + 1)]:
            columns.insert(0, ROW_NAMES)
            findings.append(Diagnosis(Gravity.WARNING, Flaw.READING_HEADER_SHORT, file, {"name": ROW_NAMES}))
        else:
            hint = "the rows have one cell more than the header: add the name that it lacks"
    return Header(columns, delimiter, tuple(findings), hint)


def _are_longer(rows: Sequence[Sequence[str]], columns: int) -> bool:
    """Say whether all rows have one cell more, and not just an empty one at the end."""
    return all(len(row) == columns + 1 for row in rows) and any(row[-1].strip() for row in rows)


def _headers_below(cutter: BlockCutter) -> list[int]:
    """Return the lines of the next records that look like a header, with any delimiter."""
    found = {
        line
        for delimiter in (b",", b"\t", b";", b"|")
        for line, cells in cutter.ahead(_MOST_RECORDS, delimiter)
        if looks_like_header(cells) and len(cells) > 1
    }
    return sorted(found)
