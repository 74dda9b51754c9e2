"""What an enricher wrote: reading the enriched file, strictly, and holding it against the awards."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic_core import from_json

from sbir_gate.errors import EnricherError
from sbir_gate.gate.measuring.rows import HINT, Cells, read_rows
from sbir_gate.model.by_award import ByAward
from sbir_gate.model.explanation import ExplainedCandidate, Party
from sbir_gate.model.matches import Decision, DecisionKind, Method, PlaceEvidence

MAX_CANDIDATES = 5
# far more than any engine has; each becomes a metric
MAX_METHODS = 200
LONGEST_METHOD = 80
LONGEST_ID = 500
# answers that are kept at hand while rows are read: a full file of awards has some 35,000 firms
_MOST_ANSWERS = 50_000
# how other tools write "no recipient" when they turn a missing value into text
_MISSING = frozenset({"", "nan", "none", "null", "<na>", "n/a", "na"})
_LONGEST_MISSING = max(map(len, _MISSING))
# by so much arithmetic with floating-point numbers may leave the range: 100.00000000000001 is 100
_ROUNDING = 1e-9
# `float` would also take digits of any script, and underscores between them
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?(?:inf|nan)", re.IGNORECASE)
_KINDS = {kind.value: kind for kind in DecisionKind}
_PLACES = {place.value: place for place in PlaceEvidence}


@dataclass(frozen=True, slots=True)
class OutputFaults:
    """Award ids that the output has no row for, more than one row for, or that are not in the awards."""

    missing: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def most_rows(awards: int) -> int:
    """Return how many rows of an output are read for `awards` awards: each needs one row."""
    return 2 * awards + 1000


def read_decisions(
    path: Path, award_ids: Sequence[str] | None = None, most: int | None = None
) -> ByAward[Decision]:
    """Read an enriched file (CSV, CSV.gz or Parquet, distinguished by its first bytes), in file order.

    Doubled rows are kept; far more rows than there are awards (`most_rows`; without `award_ids` more than
    `most`, if that is given), and more than MAX_METHODS methods, are an error. Without a
    `match_decision` column, a row with a recipient and a method other than none is a link. Ids are kept
    unchanged, with surrounding blanks; methods and decisions are read without those, in lower case. Raises
    EnricherError naming file, row (1 is the first below the header), column and value for anything that is
    not as an enriched file must be.
    """
    limit = most if award_ids is None else most_rows(len(award_ids))
    reader = _Reader(path.name)
    # closed at once when a row is at fault: its error keeps the rows, and they their file, alive
    with closing(read_rows(path)) as rows:
        for number, cells in enumerate(islice(rows, limit), start=1):
            reader.take(number, cells)
            reader.check_methods(number)
        found = reader.decisions()
        if limit is not None and next(rows, None) is not None:
            raise (
                _surplus(path.name, found, award_ids)
                if award_ids is not None
                else EnricherError(
                    f"there are more than {limit:,} rows, the most that are read",
                    "write one row per award",
                    path=path.name,
                )
            )
        return found


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that could be read of an output, in spite of its faults.

    `faults` has one error for each column and kind of fault, of the first row that has it, with the number of
    rows. `skipped` are the award ids of those rows: their decisions cannot be read.
    """

    decisions: ByAward[Decision]
    faults: tuple[tuple[EnricherError, int], ...]
    skipped: tuple[str, ...]


NOTHING_READ = Inspection(ByAward((), (), ()), (), ())
"""Of an output that has no columns to read."""


def inspect_output(path: Path, award_ids: Sequence[str]) -> Inspection:
    """Read an enriched file as `read_decisions` does, but past rows that are at fault."""
    reader = _Reader(path.name)
    skipped: list[str] = []
    errors: dict[tuple[str, str], EnricherError] = {}
    rows_at_fault: Counter[tuple[str, str]] = Counter()

    def note(error: EnricherError) -> None:
        kind = (error.fault.column, error.fault.problem)
        errors.setdefault(kind, error)
        rows_at_fault[kind] += 1

    try:
        with closing(read_rows(path)) as rows:
            for number, cells in enumerate(islice(rows, most_rows(len(award_ids))), start=1):
                try:
                    reader.take(number, cells)
                except EnricherError as error:
                    skipped.append(cells.award_id)
                    note(error)
            reader.check_methods()
            if next(rows, None) is not None:
                note(_surplus(path.name, reader.decisions(), award_ids))
    except EnricherError as error:
        note(error)
    faults = tuple((error, rows_at_fault[kind]) for kind, error in errors.items())
    return Inspection(reader.decisions(), faults, tuple(skipped))


def find_decision(path: Path, award_id: str) -> tuple[Decision, tuple[ExplainedCandidate, ...]] | None:
    """Return an award's decision in an enriched file, with its candidates as far as they are described.

    None where the file has no row for it. Raises EnricherError as `read_decisions` does, for the rows so far.
    """
    with closing(read_rows(path)) as rows:
        for number, cells in enumerate(rows, start=1):
            if cells.award_id == award_id:
                reader = _Reader(path.name)
                reader.take(number, cells)
                return reader.decisions()[0], tuple(_described(_entries(_known(cells.match_candidates))))
    return None


def _described(entries: Sequence[object]) -> Iterator[ExplainedCandidate]:
    for entry in entries[:MAX_CANDIDATES]:
        given = entry if isinstance(entry, dict) else {"recipient_id": entry}
        score, confidence = given.get("match_score"), given.get("match_confidence")
        yield ExplainedCandidate(
            recipient_id=str(given["recipient_id"]),
            party=Party(str(given.get("recipient_name") or "")),
            method=str(given.get("match_method") or ""),
            score=score if isinstance(score, int | float) else None,
            confidence=confidence if isinstance(confidence, int | float) else None,
            reason=str(given.get("reason") or ""),
        )


def _surplus(file: str, decisions: ByAward[Decision], award_ids: Sequence[str]) -> EnricherError:
    """Return the error of an output with more rows than these, and what is wrong with these."""
    known = frozenset(award_ids)
    unknown = sum(award_id not in known for award_id in decisions.award_ids)
    doubled = len(decisions) - unknown - len(known.intersection(decisions.award_ids))
    return EnricherError(
        f"the enriched file has more than {len(decisions):,} rows for {len(known):,} awards; of"
        f" these rows {unknown:,} are of unknown awards and {doubled:,} repeat an award",
        "write one row per award",
        path=file,
    )


def check_rows(decisions: Sequence[Decision], award_ids: Sequence[str]) -> OutputFaults:
    """Hold the output against the awards that went in; ids are sorted, each is named once."""
    answered, wanted = ByAward.of(decisions).award_ids, frozenset(award_ids)
    given = frozenset(answered)
    doubled = Counter(answered) if len(given) < len(answered) else {}
    return OutputFaults(
        missing=tuple(sorted(wanted - given)),
        doubled=tuple(sorted(award_id for award_id, count in doubled.items() if count > 1)),
        unknown=tuple(sorted(given - wanted)),
    )


_Answer = tuple[str, str, str, float, float | None]


def decision_key(decision: Decision) -> tuple[str, str, str, str, float, float | None]:
    """Return what makes two decisions the same: scores and confidences count to a millionth."""
    return decision.award_id, *_answer_key(_answer(decision))


def _answer(decision: Decision) -> _Answer:
    """Return what awards of one firm have in common."""
    return decision.kind, decision.method, decision.recipient_id, decision.score, decision.confidence


def _answer_key(answer: _Answer) -> _Answer:
    kind, method, recipient_id, score, confidence = answer
    rounded = None if confidence is None else round(confidence, 6)
    return str(kind), method, recipient_id, round(score, 6), rounded


def digest(decisions: Sequence[Decision]) -> str:
    """Return the SHA-256 over all decisions in the order of their award ids, whatever the row order."""
    answered, encode = ByAward.of(decisions), json.JSONEncoder().encode
    # a line is the JSON list of the key: the award, and the rest of the list
    rests = [encode(_answer_key(_answer(decision)))[1:] for decision in answered.distinct]
    lines = [
        f"[{encode(award_id)}, {rests[place]}"
        for award_id, place in zip(answered.award_ids, answered.places, strict=True)
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


class _CellError(ValueError):
    """A cell is not as it must be: its column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


class _Reader:
    """Takes the rows of an enriched file, one after the other; those of one answer are read once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._award_ids: list[str] = []
        self._answers: list[Decision] = []
        self._places: list[int] = []
        self._place_of: dict[tuple[str | None, ...], int] = {}
        self._methods: set[str] = set()

    def take(self, number: int, cells: Cells) -> None:
        """Take a row, the `number`th. Raises EnricherError for one that is at fault."""
        try:
            _check_award_id(cells.award_id)
            answer = cells[1:]
            place = self._place_of.get(answer)
            if place is None:
                place = self._add(_decision(cells))
                if len(self._place_of) < _MOST_ANSWERS:
                    self._place_of[answer] = place
        except _CellError as fault:
            value = getattr(cells, fault.column)
            raise EnricherError(
                str(fault), HINT, path=self._file, row=number, column=fault.column, value=value
            ) from fault
        self._award_ids.append(cells.award_id)
        self._places.append(place)

    def decisions(self) -> ByAward[Decision]:
        """Return the decisions of the rows up to now, in their order."""
        return ByAward(tuple(self._award_ids), tuple(self._answers), tuple(self._places))

    def check_methods(self, row: int | None = None) -> None:
        """Raise EnricherError where there are too many methods: with this row, or in all."""
        if len(self._methods) > MAX_METHODS:
            raise EnricherError(
                f"exceeds {MAX_METHODS} methods",
                "name the ways in which links are made, not single links",
                path=self._file,
                row=row,
                column="match_method",
                value=None if row is None else self._answers[-1].method,
            )

    def _add(self, decision: Decision) -> int:
        self._methods.add(decision.method)
        self._answers.append(decision)
        return len(self._answers) - 1


def _check_award_id(award_id: str) -> None:
    if not award_id.strip():
        raise _CellError("award_id", "is empty")
    _check_length("award_id", award_id, LONGEST_ID)


def _check_length(column: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise _CellError(column, f"is longer than {longest} characters")


def _decision(cells: Cells) -> Decision:
    recipient_id = _known(cells.recipient_id)
    _check_length("recipient_id", recipient_id, LONGEST_ID)
    _check_length("match_method", cells.match_method, LONGEST_METHOD)
    method = _known(cells.match_method).strip().casefold() or Method.NONE.value
    kind = _kind(cells, recipient_id, method)
    score = _number_within(cells.match_score, 100, "match_score")
    if score is None and kind is not DecisionKind.NONE:
        raise _CellError("match_score", "is empty")
    return Decision(
        award_id=cells.award_id,
        kind=kind,
        method=method,
        recipient_id="" if kind is DecisionKind.NONE else recipient_id,
        score=score or 0.0,
        confidence=_number_within(cells.match_confidence, 1, "match_confidence"),
        candidate_ids=_candidate_ids(_known(cells.match_candidates)),
        place=_place(_known(cells.match_place)),
    )


def _place(cell: str) -> PlaceEvidence | None:
    text = cell.strip().casefold()
    if text and text not in _PLACES:
        raise _CellError("match_place", f"is none of {', '.join(_PLACES)}")
    return _PLACES.get(text)


def _known(cell: str | None) -> str:
    """Return the cell as it is, empty for blanks and words that say that there is none."""
    text = (cell or "").strip()
    # no such word is longer than these
    is_missing = len(text) <= _LONGEST_MISSING and text.casefold() in _MISSING
    return "" if is_missing or cell is None else cell


def _number_within(cell: str | None, highest: float, column: str) -> float | None:
    """Return a number in 0..highest, None for an empty cell."""
    text = (cell or "").strip(" \t\r\n")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise _CellError(column, "is not a number in plain digits, such as 87.5")
    value = float(text)
    if not math.isfinite(value) or not -_ROUNDING * highest <= value <= highest * (1 + _ROUNDING):
        raise _CellError(column, f"is not within 0 to {highest:g}")
    return min(max(value, 0.0), highest)


def _kind(cells: Cells, recipient_id: str, method: str) -> DecisionKind:
    if cells.match_decision is None:
        if not cells.match_method.strip() and recipient_id:
            raise _CellError("match_method", "is empty, yet there is a recipient_id")
        return DecisionKind.LINK if recipient_id and method != Method.NONE else DecisionKind.NONE
    kind = _KINDS.get(cells.match_decision.strip().casefold())
    if kind is None:
        raise _CellError("match_decision", "is not link, candidate or none")
    if kind is DecisionKind.LINK and not recipient_id:
        raise _CellError("recipient_id", "names no recipient, yet match_decision is link")
    if kind is DecisionKind.LINK and method == Method.NONE:
        raise _CellError("match_method", "names no method, yet match_decision is link")
    return kind


def _candidate_ids(text: str) -> tuple[str, ...]:
    """Return the ids of a JSON list of ids, or of objects with a `recipient_id`; none of empty text."""
    entries = _entries(text)
    ids = [entry.get("recipient_id") if isinstance(entry, dict) else entry for entry in entries]
    if not all(isinstance(id_, str | int) and not isinstance(id_, bool) for id_ in ids):
        raise _CellError("match_candidates", "has an entry without a recipient_id")
    return tuple(map(str, ids[:MAX_CANDIDATES]))


def _entries(text: str) -> Sequence[object]:
    if not text:
        return ()
    try:
        entries = from_json(text)
    except ValueError as error:
        raise _CellError("match_candidates", "is not JSON") from error
    if not isinstance(entries, list):
        raise _CellError("match_candidates", "is not a JSON list")
    return entries
