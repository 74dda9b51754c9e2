"""What an enricher wrote: reading the enriched file, strictly, and holding it against the awards."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import EnricherError
from sbir_gate.measuring.rows import HINT, Cells, read_rows
from sbir_gate.model.matches import Decision, DecisionKind, Method

MAX_CANDIDATES = 5
# how other tools write "no recipient" when they turn a missing value into text
_MISSING = frozenset({"", "nan", "none", "null", "<na>", "n/a", "na"})


@dataclass(frozen=True, slots=True)
class OutputFaults:
    """Award ids that the output has no row for, more than one row for, or that are no awards at all."""

    missing: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read_decisions(path: Path) -> tuple[Decision, ...]:
    """Read an enriched file (CSV, CSV.gz or Parquet, told apart by its first bytes), in file order.

    Doubled rows are kept. Without a `match_decision` column, a row with a recipient and a method other
    than none is a link. Raises EnricherError naming file, row (1 is the first below the header), column
    and value for anything that is not as an enriched file must be.
    """
    # closed at once when a row is at fault: its error keeps the rows, and they their file, alive
    with closing(read_rows(path)) as rows:
        return tuple(_decision(_Row(path.name, number, cells)) for number, cells in enumerate(rows, start=1))


def check_rows(decisions: Sequence[Decision], award_ids: Sequence[str]) -> OutputFaults:
    """Hold the output against the awards that went in; ids are sorted, each is named once."""
    rows = Counter(decision.award_id for decision in decisions)
    wanted = frozenset(award_ids)
    return OutputFaults(
        missing=tuple(sorted(wanted - rows.keys())),
        doubled=tuple(sorted(award_id for award_id, count in rows.items() if count > 1)),
        unknown=tuple(sorted(rows.keys() - wanted)),
    )


def decision_key(decision: Decision) -> tuple[str, str, str, str, float, float | None]:
    """Return what makes two decisions the same: scores and confidences count to a millionth."""
    confidence = None if decision.confidence is None else round(decision.confidence, 6)
    return (
        decision.award_id,
        decision.kind.value,
        decision.method,
        decision.recipient_id,
        round(decision.score, 6),
        confidence,
    )


def digest(decisions: Sequence[Decision]) -> str:
    """Return the SHA-256 over all decisions in the order of their award ids, whatever the row order."""
    keys = sorted(json.dumps(decision_key(decision)) for decision in decisions)
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as text, and where it stands."""

    file: str
    number: int
    cells: Cells

    def text(self, column: str) -> str:
        return self.cells.get(column, "").strip()

    def identifier(self, column: str) -> str:
        text = self.text(column)
        return "" if text.casefold() in _MISSING else text

    def number_within(self, column: str, highest: float) -> float | None:
        """Return a number in 0..highest, None for an empty cell."""
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError as error:
            raise self.fault(column, "is not a number") from error
        if not math.isfinite(value) or not 0 <= value <= highest:
            raise self.fault(column, f"is not within 0 to {highest:g}")
        return value

    def fault(self, column: str, reason: str) -> EnricherError:
        value = self.text(column)[:80]
        return EnricherError(f"{self.file}: row {self.number}: {column} {value!r} {reason}", HINT)


def _decision(row: _Row) -> Decision:
    award_id = row.text("award_id")
    if not award_id:
        raise row.fault("award_id", "is empty")
    recipient_id = row.identifier("recipient_id")
    method = row.text("match_method").casefold()
    if method in _MISSING:
        method = Method.NONE.value
    kind = _kind(row, recipient_id, method)
    score = row.number_within("match_score", 100)
    if score is None and kind is not DecisionKind.NONE:
        raise row.fault("match_score", "is empty")
    return Decision(
        award_id=award_id,
        kind=kind,
        method=method,
        recipient_id="" if kind is DecisionKind.NONE else recipient_id,
        score=score or 0.0,
        confidence=row.number_within("match_confidence", 1),
        candidate_ids=_candidate_ids(row),
    )


def _kind(row: _Row, recipient_id: str, method: str) -> DecisionKind:
    if "match_decision" not in row.cells:
        if not row.text("match_method") and recipient_id:
            raise row.fault("match_method", "is empty, yet there is a recipient_id")
        return DecisionKind.LINK if recipient_id and method != Method.NONE else DecisionKind.NONE
    try:
        kind = DecisionKind(row.text("match_decision").casefold())
    except ValueError as error:
        raise row.fault("match_decision", "is not link, candidate or none") from error
    if kind is DecisionKind.LINK and not recipient_id:
        raise row.fault("recipient_id", "names no recipient, yet match_decision is link")
    if kind is DecisionKind.LINK and method == Method.NONE:
        raise row.fault("match_method", "names no method, yet match_decision is link")
    return kind


def _candidate_ids(row: _Row) -> tuple[str, ...]:
    """Return the ids of a JSON list of ids, or of objects with a `recipient_id`."""
    text = row.text("match_candidates")
    if text.casefold() in _MISSING:
        return ()
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise row.fault("match_candidates", "is not JSON") from error
    if not isinstance(entries, list):
        raise row.fault("match_candidates", "is not a JSON list")
    ids = [entry.get("recipient_id") if isinstance(entry, dict) else entry for entry in entries]
    if not all(isinstance(id_, str | int) and not isinstance(id_, bool) for id_ in ids):
        raise row.fault("match_candidates", "has an entry without a recipient_id")
    return tuple(str(id_) for id_ in ids[:MAX_CANDIDATES])
