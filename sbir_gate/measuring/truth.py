"""The truth of a fixture: for each award the right recipients, or "none exists"."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.files import open_file

COLUMNS = ("award_id", "recipient_ids")


def read_truth(path: Path) -> Mapping[str, frozenset[str]]:
    """Read a CSV with the columns award_id and recipient_ids (several by blanks or ';', empty = none exists).

    Raises InputError naming file and line: missing, empty, not UTF-8, a column absent, a row of another
    length, an empty or doubled award_id, no rows.
    """
    try:
        with TextIOWrapper(BufferedReader(open_file(path)), encoding="utf-8-sig", newline="") as file:
            return _parsed(path.name, file)
    except OSError as error:
        raise InputError(
            f"{path}: the truth cannot be read: {error.strerror}", "check fixture.truth"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: the truth is not UTF-8 ({error.reason})", "save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise InputError(f"{path.name}: the truth is not CSV ({error})", "write it as plain CSV") from error


def _parsed(name: str, lines: Iterable[str]) -> Mapping[str, frozenset[str]]:
    rows = csv.reader(lines, strict=True)
    header = [column.strip().casefold() for column in next(filter(None, rows), [])]
    absent = [column for column in COLUMNS if column not in header]
    if absent:
        raise InputError(
            f"{name}: line 1: the truth lacks the column {absent[0]!r}; it has {', '.join(header)[:200]!r}",
            "the header is award_id,recipient_ids",
        )
    id_place, recipients_place = map(header.index, COLUMNS)
    truth: dict[str, frozenset[str]] = {}
    for row in filter(None, rows):
        if len(row) != len(header):
            raise _fault(
                name, rows.line_num, f"the row has not the {len(header)} cells of the header", "mend the row"
            )
        award_id = row[id_place].strip()
        if not award_id:
            raise _fault(name, rows.line_num, "award_id is empty", "name the award, or take the row out")
        if award_id in truth:
            raise _fault(
                name, rows.line_num, f"award_id {award_id[:80]!r} stands twice", "keep one row per award"
            )
        truth[award_id] = frozenset(row[recipients_place].replace(";", " ").split())
    if not truth:
        raise InputError(f"{name}: the truth has no rows", "add the awards whose recipients are known")
    return truth


def _fault(name: str, line: int, reason: str, cure: str) -> InputError:
    return InputError(f"{name}: line {line}: {reason}", cure)
