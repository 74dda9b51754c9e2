"""The truth of a fixture: for each award the right recipients, or "none exists"."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from io import BufferedReader, StringIO, TextIOWrapper
from pathlib import Path

from sbir_gate.csv_text import CsvRows, csv_cell
from sbir_gate.errors import InputError
from sbir_gate.files import near_miss, open_file
from sbir_gate.git_leftovers import find_leftover
from sbir_gate.model.labelling import AwardLabel, Certainty
from sbir_gate.model.records import IdentifierType

COLUMNS = ("award_id", "recipient_ids")
_LONGEST_ROW = 2**20


def read_truth(path: Path) -> Mapping[str, frozenset[str]]:
    """Read a CSV with the columns award_id and recipient_ids (several by blanks or ';', empty = none exists).

    Raises InputError naming file and line: missing, empty, not UTF-8, a column absent, a row of another
    length, an empty or doubled award_id, no rows.
    """
    return {row.award_id: frozenset(row.recipient_ids) for row in _read_rows(path)}


def read_labels(path: Path, *, may_be_empty: bool = False) -> Mapping[str, AwardLabel]:
    """Read a truth as `read_truth` does, with who or what decided each row, when, how certain, and the note.

    With `may_be_empty` it can have no rows: all its labels were undone.
    Raises InputError as `read_truth` does, and for a date, a certainty or identifiers that are not one.
    """
    return {
        row.award_id: AwardLabel(
            row.award_id,
            row.recipient_ids,
            row.cells.get("reviewer", ""),
            _date(path, row),
            _certainty(path, row),
            row.cells.get("note", ""),
            _identifiers(path, row),
        )
        for row in _read_rows(path, may_be_empty=may_be_empty)
    }


LABEL_COLUMNS = (*COLUMNS, "reviewer", "decided_on", "certainty", "note", "identifiers")


def label_text(labels: Iterable[AwardLabel]) -> str:
    """Return labels as the CSV that `read_labels` and `read_truth` read; no cell is a formula.

    Raises InputError for a label that is longer than they read.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LABEL_COLUMNS)
    for label in labels:
        start = text.tell()
        decided_on = label.decided_on.isoformat() if label.decided_on else ""
        writer.writerow(
            (
                label.award_id,
                " ".join(label.recipient_ids),
                csv_cell(label.reviewer),
                decided_on,
                label.certainty.value,
                csv_cell(label.note),
                "" if label.identifiers is IdentifierType.NEITHER else label.identifiers.value,
            )
        )
        if text.tell() - start > _LONGEST_ROW:
            problem = f"the label has more than {_LONGEST_ROW:,} characters"
            raise InputError(problem, "shorten its note", column=COLUMNS[0], value=label.award_id)
    return text.getvalue()


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a truth; `cells` has all of them by column."""

    line: int
    award_id: str
    recipient_ids: tuple[str, ...]
    cells: Mapping[str, str]


def _date(path: Path, row: _Row) -> date | None:
    text = row.cells.get("decided_on", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        problem, hint = "is not a date", "write it as 2026-01-31"
        raise InputError(problem, hint, path=path, line=row.line, column="decided_on", value=text) from error


def _certainty(path: Path, row: _Row) -> Certainty:
    text = row.cells.get("certainty", "")
    try:
        return Certainty(text or Certainty.CERTAIN)
    except ValueError as error:
        problem, hint = "is neither certain nor likely", "write one of the two"
        raise InputError(problem, hint, path=path, line=row.line, column="certainty", value=text) from error


# what the note means in files that were written without the column `identifiers`
_OLDER_NOTES = {
    "same UEI": IdentifierType.UEI_ONLY,
    "same DUNS": IdentifierType.DUNS_ONLY,
    "same UEI and DUNS": IdentifierType.BOTH,
}


def _identifiers(path: Path, row: _Row) -> IdentifierType:
    text = row.cells.get("identifiers")
    if text is None:
        return _OLDER_NOTES.get(row.cells.get("note", ""), IdentifierType.NEITHER)
    try:
        return IdentifierType(text or IdentifierType.NEITHER)
    except ValueError as error:
        problem, hint = "is none of uei-only, duns-only, both and neither", "write one of them, or nothing"
        raise InputError(problem, hint, path=path, line=row.line, column="identifiers", value=text) from error


@contextmanager
def _csv_of(path: Path) -> Iterator[CsvRows]:
    with TextIOWrapper(BufferedReader(open_file(path)), encoding="utf-8-sig", newline="") as file:
        yield CsvRows(file, _LONGEST_ROW)


def _read_rows(path: Path, *, may_be_empty: bool = False) -> list[_Row]:
    try:
        with _csv_of(path) as rows:
            found = list(_parsed(str(path), rows))
    except OSError as error:
        raise InputError(
            f"the truth cannot be read: {error.strerror}", near_miss(path) or "check the path", path=path
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"the truth is not UTF-8 ({error.reason})", "save it as UTF-8", path=path) from error
    if not found and not may_be_empty:
        raise InputError("the truth has no rows", "add the awards whose recipients are known", path=path)
    return found


def _parsed(name: str, reader: CsvRows) -> Iterator[_Row]:
    rows = _filled_rows(name, reader)
    header = [column.strip().casefold() for column in next(rows, [])]
    if not header:
        hint = "write the header award_id,recipient_ids and a row per award"
        raise InputError("the truth file is empty", hint, path=name)
    absent = [column for column in COLUMNS if column not in header]
    if absent:
        raise InputError(
            f"the truth lacks this column; it has {', '.join(header)[:200]!r}",
            "the header is award_id,recipient_ids",
            path=name,
            line=reader.line,
            column=absent[0],
        )
    double = next((column for column in header if header.count(column) > 1), None)
    if double is not None:
        problem, hint = "the truth has this column twice", "keep one of them"
        raise InputError(problem, hint, path=name, line=reader.line, column=double)
    id_place, recipients_place = map(header.index, COLUMNS)
    known: set[str] = set()
    for row in rows:
        line = reader.line
        if len(row) != len(header):
            problem = f"the row has {len(row)} cells, the header {len(header)}"
            raise InputError(problem, "fix the row", path=name, line=line)
        award_id = row[id_place].strip()
        if not award_id:
            hint = "name the award, or take the row out"
            raise InputError("is empty", hint, path=name, line=line, column=COLUMNS[0])
        if award_id in known:
            hint = "keep one row per award"
            raise InputError("is there twice", hint, path=name, line=line, column=COLUMNS[0], value=award_id)
        known.add(award_id)
        recipients = tuple(row[recipients_place].replace(";", " ").split())
        yield _Row(line, award_id, recipients, dict(zip(header, (cell.strip() for cell in row), strict=True)))


def _filled_rows(name: str, rows: CsvRows) -> Iterator[list[str]]:
    """Yield the rows that are not empty.

    Raises InputError with the line of what is not CSV, and of what git left in the place of a row.
    """
    try:
        for row in filter(None, rows):
            leftover = find_leftover(row[0].encode()) if row[0].startswith(("<", ">", "version ")) else None
            if leftover is not None:
                raise InputError(leftover.problem, leftover.hint, path=name, line=rows.line)
            yield row
    except csv.Error as error:
        hint = "write it as plain CSV, and quote a cell as a whole"
        raise InputError(f"the truth is not CSV ({error})", hint, path=name, line=rows.line) from error


def check_truth(
    path: Path,
    truth: Mapping[str, frozenset[str]],
    award_ids: Collection[str],
    recipient_ids: Collection[str],
) -> None:
    """Raise InputError if the truth names awards or recipients that are in neither of these collections.

    Such a truth is one of other files, or of other ids: rates against it would be of whatever is left.
    """
    lost_awards = [award_id for award_id in truth if award_id not in award_ids]
    lost_recipients = [
        (award_id, recipient_id)
        for award_id, right in truth.items()
        for recipient_id in sorted(right)
        if recipient_id not in recipient_ids
    ]
    if not lost_awards and not lost_recipients:
        return
    lines = _lines(path)
    faults = []
    if lost_awards:
        named = _examples((award_id, lines.get(award_id, 0)) for award_id in lost_awards)
        faults.append(f"{len(lost_awards):,} of {len(truth):,} awards are not in the fixture: {named}")
    if lost_recipients:
        named = _examples((recipient, lines.get(award, 0)) for award, recipient in lost_recipients)
        all_ids = sum(map(len, truth.values()))
        faults.append(f"{len(lost_recipients):,} of {all_ids:,} recipient ids are in no recipient: {named}")
    raise InputError(
        f"the truth is not that of the fixture: {'; '.join(faults)}",
        "correct these rows, or name the truth of these awards and recipients",
        path=path,
    )


def other_ids(truth: Mapping[str, frozenset[str]], named: Iterable[str]) -> str:
    """Return a warning if no recipient that the truth names is among those `named` by answers; else nothing.

    Such answers may all be wrong. More often the ids are those of two files, or of a file without ids.
    """
    right = {recipient_id for ids in truth.values() for recipient_id in ids}
    answered = set(named) - {""}
    if not right or not answered or not right.isdisjoint(answered):
        return ""
    return (
        f"no link and no candidate has one of the truth's recipient ids ({len(right):,}), "
        f"such as {min(right)[:80]!r} there and {min(answered)[:80]!r} in the answers: "
        "if these are ids of two files, precision and recall say nothing; "
        "write the truth with the ids of the recipients that the engine read"
    )


_EXAMPLES = 3


def _examples(found: Iterable[tuple[str, int]]) -> str:
    listed = list(found)
    shown = ", ".join(f"{id_[:80]!r} (line {line})" for id_, line in listed[:_EXAMPLES])
    return shown + (", ..." if len(listed) > _EXAMPLES else "")


def _lines(path: Path) -> Mapping[str, int]:
    """Return the line of each award in a truth that was read before."""
    with _csv_of(path) as rows:
        header = [column.strip().casefold() for column in next(rows, [])]
        place = header.index(COLUMNS[0])
        return {row[place].strip(): rows.line for row in rows if row}
