"""What an enricher wrote: reading the enriched file, strictly, and holding it against the awards."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sbir_gate.errors import EnricherError
from sbir_gate.model.matches import REQUIRED_ENRICHED_COLUMNS, Decision, DecisionKind, Method

OPTIONAL_COLUMNS = ("match_confidence", "match_decision", "match_candidates")
ID_COLUMNS = ("award_id", "recipient_id")
MAX_CANDIDATES = 5
MAX_LINE_BYTES = 16 * 2**20
_BATCH_ROWS = 20_000
# how other tools write "no recipient" when they turn a missing value into text
_MISSING = frozenset({"", "nan", "none", "null", "<na>", "n/a", "na"})
_HINT = "the enricher must write the columns of an enriched file (docs/metrics.md)"


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
    rows = _read_rows(path)
    return tuple(_decision(_Row(path.name, number, cells)) for number, cells in rows)


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


def _read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    connection = duckdb.connect(config={"threads": 1})
    try:
        table = _source(path)
        name = _literal_path(path)
        columns = _columns(path, connection, table, name)
        picked = ", ".join(_as_text(column, type_) for column, type_ in columns.values())
        connection.execute(f"SELECT {picked} FROM {table}", [name])  # noqa: S608 -- names come from the header, quoted; the path is bound
        number = 0
        while rows := connection.fetchmany(_BATCH_ROWS):
            for row in rows:
                number += 1
                yield number, dict(zip(columns, ("" if cell is None else cell for cell in row), strict=True))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0][:300]
        raise EnricherError(f"{path.name}: the enricher's output cannot be read: {reason}", _HINT) from error
    finally:
        connection.close()


def _source(path: Path) -> str:
    """Return the DuckDB table function for the file, by its first bytes."""
    try:
        if not path.exists():
            raise EnricherError(
                f"{path.name}: the enricher wrote no output", "write the enriched file to the {output} path"
            )
        if not path.is_file():
            raise EnricherError(f"{path.name}: the enricher's output is not a plain file", _HINT)
        with path.open("rb") as file:
            first = file.read(4)
    except OSError as error:
        raise EnricherError(
            f"{path.name}: the enricher's output cannot be read: {error.strerror}", _HINT
        ) from error
    if not first:
        raise EnricherError(f"{path.name}: the enricher's output is empty, it has not even a header", _HINT)
    if first == b"PAR1":
        return "read_parquet(?)"
    compression = "gzip" if first[:2] == b"\x1f\x8b" else "none"
    return (
        "read_csv(?, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"',"
        f" max_line_size = {MAX_LINE_BYTES}, compression = '{compression}', strict_mode = true)"
    )


def _literal_path(path: Path) -> str:
    """Return the path so that DuckDB takes none of its characters for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _columns(
    path: Path, connection: duckdb.DuckDBPyConnection, table: str, name: str
) -> dict[str, tuple[str, str]]:
    """Return column word -> (its spelling in the file, its type)."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}", [name]).fetchall()  # noqa: S608 -- only constants; the path is bound
    found = {str(row[0]).strip().casefold(): (str(row[0]), str(row[1])) for row in described}
    absent = [column for column in REQUIRED_ENRICHED_COLUMNS if column not in found]
    if absent:
        have = ", ".join(str(row[0]) for row in described[:20])
        raise EnricherError(
            f"{path.name}: the enricher's output lacks the column {absent[0]!r}; it has {have[:300]}", _HINT
        )
    for column in ID_COLUMNS:
        if found[column][1] in {"DOUBLE", "FLOAT"}:
            raise EnricherError(
                f"{path.name}: column {column!r} holds floating-point numbers: ids have lost their spelling",
                "write ids as text",
            )
    return {
        column: found[column] for column in (*REQUIRED_ENRICHED_COLUMNS, *OPTIONAL_COLUMNS) if column in found
    }


def _as_text(column: str, type_: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    is_nested = type_.endswith("[]") or type_.startswith(("STRUCT", "MAP"))
    return f"CAST(to_json({quoted}) AS VARCHAR)" if is_nested else f"CAST({quoted} AS VARCHAR)"


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as text, and where it stands."""

    file: str
    number: int
    cells: Mapping[str, str]

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
        return EnricherError(f"{self.file}: row {self.number}: {column} {value!r} {reason}", _HINT)


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
