"""What Dagster shows of a table and of a source under its own names: rows, columns, where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import duckdb

from sbir_gate.errors import InputError
from sbir_gate.orchestration.facts import Metadata
from sbir_gate.reading.database import count_rows
from sbir_gate.reading.files import FileKind, resolve_files
from sbir_gate.sql_text import file_relation

_COLUMNS: Mapping[str, str] = {
    "award_id": "Id of the award: its own, or derived from its cells.",
    "recipient_id": "Id of the recipient that the award is linked to.",
    "recipient_name": "Name of that recipient.",
    "recipient_uei": "Unique Entity Identifier of that recipient.",
    "recipient_duns": "DUNS numbers of that recipient.",
    "match_method": "Method of the link: uei-exact, duns-exact, name-exact, name-fuzzy, alias or none.",
    "match_score": "Similarity of the names, 0 to 100.",
    "match_confidence": "Probability that the link is correct, 0 to 1.",
    "match_place": "What the place says of a match by name: confirms, same-state, unknown or contradicts.",
    "match_decision": "link, candidate (for manual review) or none.",
    "match_candidates": "JSON: at most five candidates.",
}
ROW_COUNT = "dagster/row_count"
RECIPIENT_COLUMNS = tuple(name for name in _COLUMNS if name.startswith("recipient_"))
_KINDS = {FileKind.PARQUET: "parquet", FileKind.DUMP: "postgres", FileKind.TEXT: "csv"}


def table_facts(path: Path) -> Metadata:
    """Return rows, columns and address of a Parquet file."""
    relation = file_relation([path])
    with duckdb.connect() as connection:
        columns = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
        rows = count_rows(connection, relation)
    schema = dg.TableSchema(
        [dg.TableColumn(name, kind, _COLUMNS.get(name)) for name, kind, *_ in columns],
    )
    return {
        ROW_COUNT: dg.MetadataValue.int(rows),
        "dagster/column_schema": dg.MetadataValue.table_schema(schema),
        **uri_facts(path),
    }


def uri_facts(path: Path) -> Metadata:
    """Return the address of a file as Dagster links to it."""
    return {"dagster/uri": dg.MetadataValue.url(path.absolute().as_uri())}


def column_lineage(path: Path, source: dg.AssetKey, added: Mapping[str, dg.AssetKey]) -> Metadata:
    """Return from which asset each column of a Parquet file comes: of `source`, if it is not `added`."""
    with duckdb.connect() as connection:
        columns = connection.execute(f"DESCRIBE FROM {file_relation([path])}").fetchall()
    lineage = {
        name: [dg.TableColumnDep(added.get(name, source), name)]
        for name, *_ in columns
        if name in added or not name.startswith("match_")
    }
    return {"dagster/column_lineage": dg.MetadataValue.column_lineage(dg.TableColumnLineage(lineage))}


def kinds_of(source: Path) -> set[str]:
    """Return what the files of a source are, as Dagster's kinds; nothing where they are not there yet."""
    try:
        return {_KINDS[file.kind] for file in resolve_files(str(source))}
    except InputError:
        return set()
