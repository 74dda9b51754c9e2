# ruff: noqa: S608 -- the SQL is built from this package's expressions and from column numbers
"""The fields of a raw row: each from one column or several, and what is remarkable about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import duckdb

from sbir_gate.model.chunks import Observation, Remark
from sbir_gate.reading import cleaning
from sbir_gate.reading.layout import DUNS, IDENTIFIERS, NAME, UEI, Fields
from sbir_gate.reading.loading import RAW_TABLE

MOST_EXAMPLES = 3
_EXAMPLE_CHARACTERS = 80
NOTHING = "CAST(NULL AS VARCHAR)"

Cleaner = Callable[[str], str]
CLEANERS: Mapping[str, Cleaner] = {
    NAME: cleaning.name_text,
    UEI: cleaning.uei,
    DUNS: cleaning.duns,
    "city": cleaning.city,
    "state": cleaning.state,
    "zip": cleaning.zip5,
    "agency": cleaning.label,
    "program": cleaning.label,
    "year": cleaning.year,
}
"""Fields whose columns are compared and joined by their clean values; those of others by their text."""


def raw_cell(fields: Fields, field: str) -> str:
    """SQL: the text of a field: of its first column that has any."""
    cells = [f"c{index}" for index in fields.get(field, ())]
    if len(cells) < 2:
        return cells[0] if cells else NOTHING
    return f"coalesce({', '.join(map(cleaning.own_id, cells))})"


def clean_cell(fields: Fields, field: str) -> str:
    """SQL: the clean value of a field: of its first column that holds one."""
    cells = [CLEANERS[field](f"c{index}") for index in fields.get(field, ())] or [CLEANERS[field](NOTHING)]
    return cells[0] if len(cells) == 1 else f"coalesce({', '.join(cells)})"


def name_cells(fields: Fields) -> str:
    """SQL: the text of all columns of the name."""
    cells = [f"c{index}" for index in fields.get(NAME, ())]
    return f"concat_ws(' ', {', '.join(cells)})" if len(cells) > 1 else raw_cell(fields, NAME)


def observe_columns(connection: duckdb.DuckDBPyConnection, fields: Fields) -> Iterator[Observation]:
    """Yield what the columns of fields that have several hold, in the block that RAW_TABLE has now."""
    for field, indexes in fields.items():
        if len(indexes) < 2:
            continue
        cleaner = CLEANERS.get(field, cleaning.own_id)
        values = [cleaner(f"c{index}") for index in indexes]
        listed = f"[{', '.join(values)}]"
        keys = "list_transform(v, lambda it: regexp_replace(upper(it), '[[:punct:][:space:]]+', '', 'g'))"
        shown = f"array_to_string(v, ' / ')[:{_EXAMPLE_CHARACTERS}]"
        filled, contradicted, examples = connection.execute(
            f"SELECT count(*) FILTER (v[1] IS NULL AND len(list_distinct(v)) > 0), "
            f"count(*) FILTER (is_contradicted), "
            f"arg_min({shown}, place, {MOST_EXAMPLES}) FILTER (is_contradicted) "
            f"FROM (SELECT *, len(list_distinct({keys})) > 1 AS is_contradicted "
            f"FROM (SELECT rowid AS place, {listed} AS v FROM {RAW_TABLE}))"
        ).fetchall()[0]
        if filled:
            yield Observation(Remark.FILLED, field, filled)
        if contradicted:
            yield Observation(Remark.CONTRADICTED, field, contradicted, tuple(examples))


def unused_cells(fields: Fields) -> list[str]:
    """SQL: as `uei_text` and `duns_text` the identifiers of a row that are not used, NULL where they are.

    The row has its cells, the clean `uei` and `duns`, and `is_generic` where its name is a placeholder.
    """
    texts = {field: raw_cell(fields, field) for field in IDENTIFIERS if field in fields}
    return [
        f"CASE WHEN ({field} IS NULL OR is_generic) AND regexp_matches({text}, '[[:alnum:]]') "
        f"THEN {text} END AS {field}_text"
        for field, text in texts.items()
    ]


def observe_identifiers(
    connection: duckdb.DuckDBPyConnection, fields: Fields, rows: str
) -> Iterator[Observation]:
    """Yield the identifiers of a block that are not used, by reason.

    `rows` is SQL for its rows with the clean values `uei` and `duns`, `place`, and `unused_cells`. The
    examples of a reason are the first that differ.
    """
    for field in IDENTIFIERS:
        if field not in fields:
            continue
        text = f"{field}_text"
        found = connection.execute(
            f"SELECT reason, sum(count)::BIGINT, arg_min(shown, place, {MOST_EXAMPLES}) FROM ("
            f"SELECT {cleaning.unused_reason(text, field)} AS reason, min(place) AS place, "
            f"{text}[:{_EXAMPLE_CHARACTERS}] AS shown, count(*) AS count "
            f"FROM ({rows}) WHERE {text} IS NOT NULL GROUP BY ALL"
            ") GROUP BY reason ORDER BY reason"
        ).fetchall()
        for reason, count, examples in found:
            yield Observation(Remark(reason), field, count, tuple(examples))


def merged(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return one observation for each remark and field, the counts added, the first examples kept."""
    counts: dict[tuple[Remark, str], int] = {}
    examples: dict[tuple[Remark, str], dict[str, None]] = {}
    for seen in observations:
        key = seen.remark, seen.field
        counts[key] = counts.get(key, 0) + seen.count
        examples.setdefault(key, {}).update(dict.fromkeys(seen.examples))
    return tuple(
        Observation(remark, field, count, tuple(examples[remark, field])[:MOST_EXAMPLES])
        for (remark, field), count in counts.items()
    )


def count_of(observations: Sequence[Observation], *remarks: Remark) -> int:
    """Return how many rows or cells have one of these remarks."""
    return sum(seen.count for seen in observations if seen.remark in remarks)
