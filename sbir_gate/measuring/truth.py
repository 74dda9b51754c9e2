"""The truth of a fixture: for each award the right recipients, or "none exists"."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from sbir_gate.errors import InputError

COLUMNS = ("award_id", "recipient_ids")


def read_truth(path: Path) -> Mapping[str, frozenset[str]]:
    """Read a CSV with the columns award_id and recipient_ids (several by blanks or ';', empty = none exists).

    Raises InputError naming file and line: missing, empty, not UTF-8, a column absent, a row of another
    length, an empty or doubled award_id, no rows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parsed(path.name, csv.DictReader(file, strict=True))
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


def _parsed(name: str, rows: csv.DictReader[str]) -> Mapping[str, frozenset[str]]:
    header = [column.strip().casefold() for column in rows.fieldnames or ()]
    absent = [column for column in COLUMNS if column not in header]
    if absent:
        raise InputError(
            f"{name}: line 1: the truth lacks the column {absent[0]!r}; it has {', '.join(header)[:200]!r}",
            "the header is award_id,recipient_ids",
        )
    rows.fieldnames = header
    truth: dict[str, frozenset[str]] = {}
    for row in rows:
        place = f"{name}: line {rows.line_num}"
        # DictReader keeps surplus cells under None, and None for cells that are not there
        if None in row or None in row.values():
            raise InputError(
                f"{place}: the row has not the {len(header)} cells of the header", "mend the row"
            )
        award_id = row["award_id"].strip()
        if not award_id:
            raise InputError(f"{place}: award_id is empty", "name the award, or take the row out")
        if award_id in truth:
            raise InputError(f"{place}: award_id {award_id[:80]!r} stands twice", "keep one row per award")
        truth[award_id] = frozenset(re.split(r"[\s;]+", row["recipient_ids"])) - {""}
    if not truth:
        raise InputError(f"{name}: the truth has no rows", "add the awards whose recipients are known")
    return truth
