"""The enriched file: every award in its order, with what was decided of its firm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.cascade import Matched
from sbir_gate.engine.matching.decisions import Candidate, FirmDecision
from sbir_gate.errors import OutputError, UsageError
from sbir_gate.files import unwritable
from sbir_gate.model.matches import ENRICHED_COLUMNS, DecisionKind, Method
from sbir_gate.reading.awards import award_cells
from sbir_gate.reading.database import PARQUET_OPTIONS, count_rows, written_in_order
from sbir_gate.remote_paths import check_writable, is_remote

_FIRMS_AT_ONCE = 10_000
_JSON = json.JSONEncoder(ensure_ascii=False)
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
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE named_recipients AS
        SELECT row_key, name, uei, duns FROM pair_recipients
        UNION SELECT row_key, name, uei, duns FROM identified_recipients
    """)
    # what the decisions were made of is not needed any more, and makes room
    for table in ("pairs", "pair_recipients", "identified_recipients", "queries", "firm_queries"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    names = _recipient_names(connection, matched)
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
    rows = [
        (
            decision.firm_id,
            decision.best.row_key if decision.best else None,
            decision.best.recipient_id if decision.best else None,
            decision.method.value,
            decision.best.score if decision.best else 0.0,
            round(decision.best.confidence, 6) if decision.best else 0.0,
            _place(decision.best),
            decision.kind.value,
            _as_json(decision.candidates, names),
        )
        for decision in decisions
    ]
    connection.execute(
        """
        INSERT INTO firm_decisions
        SELECT d.firm_id, d.recipient_id, r.name, r.uei, r.duns, d.match_method, d.match_score,
               d.match_confidence, d.match_place, d.match_decision, d.match_candidates
        FROM (SELECT unnest($1::BIGINT[]) AS firm_id, unnest($2::BIGINT[]) AS row_key,
                     unnest($3::VARCHAR[]) AS recipient_id, unnest($4::VARCHAR[]) AS match_method,
                     unnest($5::DOUBLE[]) AS match_score, unnest($6::DOUBLE[]) AS match_confidence,
                     unnest($7::VARCHAR[]) AS match_place, unnest($8::VARCHAR[]) AS match_decision,
                     unnest($9::VARCHAR[]) AS match_candidates) d
        LEFT JOIN named_recipients r USING (row_key)
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )


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


def _recipient_names(connection: DuckDBPyConnection, matched: Matched) -> dict[int, str]:
    keys = sorted({found.row_key for decision in matched.decisions for found in decision.candidates})
    rows = connection.execute(
        "SELECT row_key, name FROM named_recipients"
        " SEMI JOIN (SELECT unnest($1::BIGINT[]) AS row_key) USING (row_key)",
        [keys],
    ).fetchall()
    return dict(rows)


def _as_json(candidates: Sequence[Candidate], names: Mapping[int, str]) -> str:
    return _JSON.encode(
        [
            {
                "recipient_id": found.recipient_id,
                "recipient_name": names.get(found.row_key) or "",
                "match_method": found.method.value,
                "match_score": found.score,
                "match_confidence": round(found.confidence, 6),
                **({"reason": found.reason} if found.reason else {}),
            }
            for found in candidates
        ]
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
