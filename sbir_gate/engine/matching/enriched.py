"""The enriched file: every award in its order, with what was decided of its firm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from json.encoder import encode_basestring
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from sbir_gate.engine.matching.cascade import Matched
from sbir_gate.engine.matching.decisions import Candidate, FirmDecision
from sbir_gate.errors import OutputError, UsageError
from sbir_gate.files import unwritable
from sbir_gate.model.matches import ENRICHED_COLUMNS, DecisionKind, Method
from sbir_gate.reading.awards import award_cells
from sbir_gate.reading.database import PARQUET_OPTIONS, count_rows, written_in_order
from sbir_gate.remote_paths import check_writable, is_remote

_FIRMS_AT_ONCE = 10_000
_NO_ROW = -1  # row keys are hashes without a sign
_FORMATS = {
    ".parquet": PARQUET_OPTIONS,
    ".csv": "FORMAT csv, HEADER",
    ".csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
}


def check_output(path: Path) -> None:
    """Raise UsageError for a kind of file that cannot be written, OutputError where none can be."""
    _format_of(path)
    if is_remote(path):
        try:
            check_writable(path)
        except OSError as error:
            raise unwritable(path, error) from error
        return
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist", "make the folder first", path=path)
    if path.is_dir():
        raise OutputError("is a folder", "name a file", path=path)


def write_enriched(
    connection: DuckDBPyConnection, matched: Matched, columns: Sequence[str], path: Path, work_folder: Path
) -> None:
    """Write one row per award, in award order, to `path` (.parquet, .csv or .csv.gz), or not at all.

    `columns` are the award's own, as `award_rows` spells them. Columns that the result brings itself
    (a file enriched before has them) are replaced. Raises OutputError when the file cannot be written.
    """
    create_firm_decisions(connection, matched)
    awards = count_rows(connection, "award_rows")
    query = partial(_enriched_query, columns)
    with written_in_order(connection, query, awards, path, work_folder, _format_of(path)):
        pass  # nothing is checked before it is placed


def create_firm_decisions(connection: DuckDBPyConnection, matched: Matched) -> None:
    """Create the table `firm_decisions`: firm_id and the columns of an enriched file."""
    names = _name_recipients(connection, matched)
    # what the decisions were made of is not needed any more, and makes room
    for table in ("pairs", "pair_recipients", "identified_recipients", "queries", "firm_queries"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(
        "CREATE OR REPLACE TABLE firm_decisions (firm_id BIGINT, recipient_id VARCHAR,"
        " recipient_name VARCHAR, recipient_uei VARCHAR, recipient_duns VARCHAR, match_method VARCHAR,"
        " match_score DOUBLE, match_confidence DOUBLE, match_place VARCHAR, match_decision VARCHAR,"
        " match_candidates VARCHAR)"
    )
    for start in range(0, len(matched.decisions), _FIRMS_AT_ONCE):
        _insert_decisions(connection, matched.decisions[start : start + _FIRMS_AT_ONCE], names)


def _insert_decisions(
    connection: DuckDBPyConnection, decisions: Sequence[FirmDecision], names: Mapping[int, str]
) -> None:
    bests = [decision.best for decision in decisions]
    decided = {
        "firm_id": np.array([decision.firm_id for decision in decisions]),
        "row_key": np.array([best.row_key if best else _NO_ROW for best in bests]),
        "recipient_id": _texts([best.recipient_id if best else None for best in bests]),
        "match_method": _texts([decision.method.value for decision in decisions]),
        "match_score": np.array([best.score if best else 0.0 for best in bests]),
        "match_confidence": np.array([round(best.confidence, 6) if best else 0.0 for best in bests]),
        "match_place": _texts(map(_place, bests)),
        "match_decision": _texts([decision.kind.value for decision in decisions]),
        "match_candidates": _texts([_as_json(decision.candidates, names) for decision in decisions]),
    }
    # arrays are read in a third of the time that parameters take
    connection.register("decided", decided)
    connection.execute("""
        INSERT INTO firm_decisions
        SELECT firm_id, recipient_id, r.name, r.uei, r.duns, match_method, match_score, match_confidence,
               match_place, match_decision, match_candidates
        FROM decided LEFT JOIN named_recipients r USING (row_key)
    """)
    connection.unregister("decided")


def _texts(values: Iterable[str | None]) -> NDArray[np.object_]:
    return np.array([*values], dtype=object)


def _place(found: Candidate | None) -> str | None:
    """Return what the place says of a match by name: an identifier is followed wherever it leads."""
    is_by_name = found is not None and found.method not in (Method.UEI_EXACT, Method.DUNS_EXACT)
    return found.place.value if found is not None and is_by_name else None


def count_links(connection: DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many awards have each decision."""
    rows = connection.execute(
        "SELECT match_decision, count(*) FROM award_firms JOIN firm_decisions USING (firm_id) GROUP BY ALL"
    ).fetchall()
    counted = dict(rows)
    return {kind.value: int(counted.get(kind.value, 0)) for kind in DecisionKind}


def _name_recipients(connection: DuckDBPyConnection, matched: Matched) -> dict[int, str]:
    """Create `named_recipients`: those that an enriched file names. Return their names by row key."""
    found = (each for decision in matched.decisions for each in (decision.best, *decision.candidates))
    keys = sorted({each.row_key for each in found if each is not None})
    named = " UNION ".join(
        f"SELECT row_key, name, uei, duns FROM {table} SEMI JOIN wanted USING (row_key)"
        for table in ("pair_recipients", "identified_recipients")
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE named_recipients AS "
        f"WITH wanted AS (SELECT unnest($1::BIGINT[]) AS row_key) {named}",
        [keys],
    )
    return dict(connection.execute("SELECT row_key, name FROM named_recipients").fetchall())


def _as_json(candidates: Sequence[Candidate], names: Mapping[int, str]) -> str:
    return f"[{', '.join(_candidate_json(found, names.get(found.row_key) or '') for found in candidates)}]"


def _candidate_json(found: Candidate, name: str) -> str:
    # an encoder of whole objects takes three times as long
    reason = f', "reason": {encode_basestring(found.reason)}' if found.reason else ""
    return (
        f'{{"recipient_id": {encode_basestring(found.recipient_id)}, '
        f'"recipient_name": {encode_basestring(name)}, '
        f'"match_method": {encode_basestring(found.method.value)}, '
        f'"match_score": {found.score}, "match_confidence": {round(found.confidence, 6)}{reason}}}'
    )


def _enriched_query(columns: Sequence[str], condition: str) -> str:
    brought = {name.casefold() for name in ENRICHED_COLUMNS}
    own = [column for column in columns if column.casefold() not in brought]
    selected = [*award_cells(own), *(f"d.{name}" for name in ENRICHED_COLUMNS)]
    return f"""
        SELECT {", ".join(selected)}
        FROM award_rows r JOIN award_firms a USING (position) JOIN firm_decisions d USING (firm_id)
        WHERE {condition} ORDER BY position
    """


def _format_of(path: Path) -> str:
    for suffix, options in _FORMATS.items():
        if path.name.lower().endswith(suffix):
            return options
    raise UsageError(
        "cannot tell the kind of file from its name", f"end it in {', '.join(_FORMATS)}", path=path
    )
