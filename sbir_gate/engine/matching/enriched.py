"""The enriched file: every award in its order, with what was decided of its firm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.cascade import Matched
from sbir_gate.engine.matching.decisions import Candidate, FirmDecision
from sbir_gate.errors import OutputError, UsageError
from sbir_gate.files import output_target, place_output
from sbir_gate.model.matches import ENRICHED_COLUMNS, DecisionKind
from sbir_gate.sql_text import file_relation, identifier, literal

AWARD_ID = "award_id"
_FIRMS_AT_ONCE = 10_000
_AWARDS_AT_ONCE = 20_480  # a row group of the result
_JSON = json.JSONEncoder(ensure_ascii=False)
_FORMATS = {
    # small row groups: one is held in memory while it is written
    ".parquet": "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480",
    ".csv": "FORMAT csv, HEADER",
    ".csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
}


def check_output(path: Path) -> None:
    """Raise UsageError for a kind of file that cannot be written, OutputError for a missing folder."""
    _format_of(path)
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist", "make the folder first", path=path)
    if path.is_dir():
        raise OutputError("is a folder", "name a file", path=path)


def write_enriched(
    connection: DuckDBPyConnection, matched: Matched, columns: Sequence[str], path: Path, work_folder: Path
) -> None:
    """Write one row per award, in award order, to `path` (.parquet, .csv or .csv.gz), or not at all.

    A link is followed, a character device is written through (`place_output`).

    `columns` are the award's own, as `award_rows` spells them. Columns that the result brings itself
    (a file enriched before has them) are replaced. `work_folder` takes what is written on the way.
    Raises OutputError when the file cannot be written.
    """
    create_firm_decisions(connection, matched)
    copy_options = _format_of(path)
    partial = _partial(path, work_folder)
    # one thread writes: the bytes then depend on the rows alone
    threads = connection.execute("SELECT current_setting('threads')").fetchone()
    try:
        slices = _write_slices(connection, columns, work_folder)
        connection.execute("SET threads = 1")
        connection.execute(f"COPY (FROM {file_relation(slices)}) TO {literal(str(partial))} ({copy_options})")
        place_output(partial, path)
    except (duckdb.IOException, OSError) as error:
        raise _unwritable(path, error) from error
    finally:
        # on any failure or interrupt, no partial file stays
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        connection.execute(f"SET threads = {int(threads[0]) if threads else 1}")


def _partial(path: Path, work_folder: Path) -> Path:
    """Return where the file is written first: beside its target, but of a device in the work folder."""
    try:
        target = output_target(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    folder = work_folder if target.is_char_device() else target.parent
    return folder / f".{target.name}.partial"


def _unwritable(path: Path, error: Exception) -> OutputError:
    reason = (isinstance(error, OSError) and error.strerror) or _first_line(error)
    return OutputError(
        f"cannot be written ({reason})",
        "name a file in a folder that you may write to and that has room",
        path=path,
    )


def _write_slices(connection: DuckDBPyConnection, columns: Sequence[str], folder: Path) -> list[Path]:
    """Write the enriched awards to files in `folder`, a slice of their order each: no sort of them all."""
    last = connection.execute("SELECT max(position) FROM award_rows").fetchone()
    awards = int(last[0]) + 1 if last else 0
    slices = []
    for start in range(0, awards, _AWARDS_AT_ONCE):
        path = folder / f"enriched-{start:010d}.parquet"
        condition = f"position >= {start} AND position < {start + _AWARDS_AT_ONCE}"
        connection.execute(
            f"COPY ({_enriched_query(columns, condition)}) TO {literal(str(path))} "
            "(FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 10240)"
        )
        slices.append(path)
    return slices


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
        " match_score DOUBLE, match_confidence DOUBLE, match_decision VARCHAR, match_candidates VARCHAR)"
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
            decision.kind.value,
            _as_json(decision.candidates, names),
        )
        for decision in decisions
    ]
    connection.execute(
        """
        INSERT INTO firm_decisions
        SELECT d.firm_id, d.recipient_id, r.name, r.uei, r.duns, d.match_method, d.match_score,
               d.match_confidence, d.match_decision, d.match_candidates
        FROM (SELECT unnest($1::BIGINT[]) AS firm_id, unnest($2::BIGINT[]) AS row_key,
                     unnest($3::VARCHAR[]) AS recipient_id, unnest($4::VARCHAR[]) AS match_method,
                     unnest($5::DOUBLE[]) AS match_score, unnest($6::DOUBLE[]) AS match_confidence,
                     unnest($7::VARCHAR[]) AS match_decision, unnest($8::VARCHAR[]) AS match_candidates) d
        LEFT JOIN named_recipients r USING (row_key)
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )


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
    selected = [
        f"a.award_id AS {AWARD_ID}" if column.casefold() == AWARD_ID else f"r.{identifier(column)}"
        for column in own
    ]
    if not any(column.casefold() == AWARD_ID for column in own):
        selected.insert(0, f"a.award_id AS {AWARD_ID}")
    selected += [f"d.{name}" for name in ENRICHED_COLUMNS]
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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
