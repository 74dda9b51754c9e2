"""From the pairs in the database to features: fetches strings, counts tokens, calls `similarity`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from sbir_gate.engine.matching.aliases import NAMES_PATTERN
from sbir_gate.engine.matching.entities import ENTITY_COLUMNS, find_entities, join_entities
from sbir_gate.engine.matching.normalise import BACKGROUND_NAMES, COMMON_TOKENS, canonical_token, legal_form
from sbir_gate.engine.matching.parts import ALL_AT_ONCE, Batches, content_order, drop_repeats, gather_rows
from sbir_gate.engine.matching.similarity import Pairs, Places, features
from sbir_gate.engine.matching.tokens import Floats, Integers, NameTable, build_name_table
from sbir_gate.reading.database import count_rows
from sbir_gate.sql_text import literal

_CUT_LENGTHS = "(29, 30, 31, 39, 40, 41)"
_TEXT_COLUMNS = (
    "recipient_id",
    "entity",
    *(f"{side}_{column}" for side in ("left", "right") for column in ("normal", "city", "state", "zip5")),
)
QUERIES_AT_ONCE = 3_000
_TOKEN_SAMPLE = 500_000
_NAMED_ROWS_AT_ONCE = 500_000

PairRows = Mapping[str, NDArray[Any]]
"""Columns of pairs as they are in the database: numbers, flags (masked where unknown) and texts."""


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Pairs sorted by (query, recipient), with their features; one entry per pair in every array."""

    query: Integers
    row_key: Integers
    recipient_id: NDArray[np.object_]
    pairs: Pairs
    names: NameTable
    names_counted: int
    matrix: Floats


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """How many of `names` recipient names hold each canonical token; absent tokens are in none."""

    frequencies: Mapping[str, float]
    names: int


def prepare_scoring(connection: DuckDBPyConnection, batches: Batches = ALL_AT_ONCE) -> TokenCounts:
    """Create `pair_recipients`, the recipients that `pairs` name, and count the tokens of their names.

    Each is there once, with its entity (`join_entities`), its `place` in the order of content and its
    `name_frequency`: how many distinct recipients of all `batches` have its compact name.
    """
    gather_rows(
        connection,
        "pair_rows",
        lambda batch: f"SELECT * FROM {batch} SEMI JOIN pairs USING (row_key)",
        batches,
        ("pairs",),
    )
    drop_repeats(connection, "pair_rows")
    find_entities(connection, "pair_rows", batches)
    join_entities(connection)
    _count_name_frequency(connection, batches)
    connection.execute(f"""
        CREATE OR REPLACE TABLE pair_recipients AS
        SELECT r.*, {ENTITY_COLUMNS}, name_frequency,
               row_number() OVER (ORDER BY {content_order("r")}) AS place
        FROM pair_rows r JOIN name_counts ON name_hash = hash(r.compact) LEFT JOIN entities USING (uei);
        DROP TABLE pair_rows;
        DROP TABLE entities;
        DROP TABLE entity_rows;
        DROP TABLE name_counts
    """)
    return _count_tokens(connection, batches)


def score_pairs(connection: DuckDBPyConnection, counts: TokenCounts, condition: str = "true") -> ScoredPairs:
    """Return the features of the rows in `pairs` under an SQL condition on `query_id`.

    Their order depends on their content only, and the features of a query on no other query.
    """
    return score_rows(fetch_pairs(connection, condition), counts)


def fetch_pairs(connection: DuckDBPyConnection, condition: str = "true") -> PairRows:
    """Return what `score_rows` needs of the rows in `pairs` under an SQL condition on `query_id`."""
    columns = connection.execute(f"""
        SELECT query_id, p.row_key, p.shared_keys, r.recipient_id, r.entity,
               r.normal AS right_normal, coalesce(r.city, '') AS right_city,
               coalesce(r.state, '') AS right_state, coalesce(r.zip5, '') AS right_zip5,
               q.uei <> r.uei AS uei_conflict,
               NOT list_has_any(string_split(q.duns, ' '), string_split(r.entity_duns, ' ')) AS duns_conflict,
               r.name_frequency, len(r.name) IN {_CUT_LENGTHS} AS is_cut,
               q.form <> CASE WHEN NOT regexp_matches(r.name, {literal(NAMES_PATTERN)})
                              THEN {legal_form("r.name")} END AS form_conflict,
               q.is_alias OR r.is_alias AS is_alias
        FROM (FROM pairs WHERE {condition}) p
        JOIN queries q USING (query_id) JOIN pair_recipients r USING (row_key)
        ORDER BY query_id, r.place
    """).fetchnumpy()
    # the texts of a query are there once, not with each of its pairs
    queries = connection.execute(f"""
        SELECT query_id AS number, normal AS left_normal, coalesce(city, '') AS left_city,
               coalesce(state, '') AS left_state, coalesce(zip5, '') AS left_zip5
        FROM queries WHERE {condition} ORDER BY query_id
    """).fetchnumpy()
    place = np.searchsorted(queries.pop("number"), columns["query_id"])
    columns |= {name: np.asarray(column)[place] for name, column in queries.items()}
    return {name: np.ma.asarray(column) for name, column in columns.items()}


def score_rows(columns: PairRows, counts: TokenCounts) -> ScoredPairs:
    """Return the features of the pairs that `fetch_pairs` gave: a pure function."""
    text = {name: np.asarray(columns[name], dtype=object) for name in _TEXT_COLUMNS}
    distinct = sorted({*text["left_normal"], *text["right_normal"]})
    number = {name: index for index, name in enumerate(distinct)}
    names = build_name_table(distinct, counts.frequencies, counts.names)
    pairs = Pairs(
        query=np.asarray(columns["query_id"], dtype=np.int64),
        left=np.array([number[name] for name in text["left_normal"]], dtype=np.int64),
        right=np.array([number[name] for name in text["right_normal"]], dtype=np.int64),
        entity=text["entity"],
        left_places=Places(text["left_city"], text["left_state"], text["left_zip5"]),
        right_places=Places(text["right_city"], text["right_state"], text["right_zip5"]),
        shared_keys=np.asarray(columns["shared_keys"], dtype=np.int64),
        name_frequency=np.asarray(columns["name_frequency"], dtype=np.int64),
        uei_conflict=_flags(np.ma.asarray(columns["uei_conflict"])),
        duns_conflict=_flags(np.ma.asarray(columns["duns_conflict"])),
        is_cut=np.asarray(columns["is_cut"], dtype=np.bool_),
        form_conflict=_flags(np.ma.asarray(columns["form_conflict"])),
        is_alias=np.asarray(columns["is_alias"], dtype=np.bool_),
    )
    return ScoredPairs(
        query=pairs.query,
        row_key=np.asarray(columns["row_key"], dtype=np.int64),
        recipient_id=text["recipient_id"],
        pairs=pairs,
        names=names,
        names_counted=counts.names,
        matrix=features(pairs, names, counts.names),
    )


def query_ranges(connection: DuckDBPyConnection, size: int = QUERIES_AT_ONCE) -> list[str]:
    """Return conditions on `query_id` that cut `pairs` into ranges small enough to score at once."""
    [(least, last)] = connection.execute("SELECT min(query_id), max(query_id) FROM pairs").fetchall()
    if last is None:
        return []
    return [f"query_id BETWEEN {first} AND {first + size - 1}" for first in range(least, last + 1, size)]


def _flags(column: np.ma.MaskedArray[tuple[int, ...], np.dtype[np.bool_]]) -> NDArray[np.bool_]:
    """Return the column with False where the database had NULL."""
    return np.asarray(np.ma.filled(column, False), dtype=np.bool_)


def _count_name_frequency(connection: DuckDBPyConnection, batches: Batches) -> None:
    """Create `name_counts`: the hash of each compact name in `pair_rows`, and how many have the name."""
    # looked up and counted by their hashes: numbers are quicker to tell apart than texts
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE pair_names AS SELECT DISTINCT hash(compact) AS name FROM pair_rows"
    )
    gather_rows(
        connection,
        "named_rows",
        lambda batch: (
            "SELECT hash(compact) AS name, CASE WHEN uei IS NOT NULL THEN hash(uei) END AS uei,"
            " CASE WHEN state IS NOT NULL THEN hash(state || coalesce(zip5, city, '')) END AS address"
            f" FROM {batch} WHERE hash(compact) IN (FROM pair_names)"
        ),
        batches,
        ("pair_names",),
    )
    connection.execute("CREATE OR REPLACE TABLE name_counts (name_hash UBIGINT, name_frequency BIGINT)")
    # a common name has more bearers the larger the table is: some names at a time
    steps = 1 + count_rows(connection, "named_rows") // _NAMED_ROWS_AT_ONCE
    for step in range(steps):
        connection.execute(f"""
            INSERT INTO name_counts
            WITH bearers AS (FROM named_rows WHERE name % {steps} = {step}),
            -- a firm of several addresses is one bearer, and those of its addresses are not others
            addressed AS (
                SELECT name, address, min(uei) AS uei FROM bearers WHERE address IS NOT NULL GROUP BY ALL
            )
            SELECT b.name, greatest(count(DISTINCT b.uei), any_value(a.bearers), 1)
            FROM bearers b LEFT JOIN (
                SELECT name, count(DISTINCT coalesce(uei, address)) AS bearers FROM addressed GROUP BY name
            ) a USING (name) GROUP BY b.name
        """)
    connection.execute("DROP TABLE named_rows; DROP TABLE pair_names")


def _count_tokens(connection: DuckDBPyConnection, batches: Batches) -> TokenCounts:
    """Count the tokens of the names in pairs among all recipient names; aliases do not count.

    Of a large table only a sample of the rows by their hash is counted: whether a token is in 10 or 11 of a
    million names changes nothing. The counts start from those of the published names, so that common tokens
    are known for small tables too.
    """
    size = sum(
        connection.execute(rows).fetchall()[0][0]
        for rows in batches.select(lambda batch: f"SELECT count(*) AS rows FROM {batch}")
    )
    share = 1
    while size > share * _TOKEN_SAMPLE:
        share *= 2
    gather_rows(
        connection,
        "counted_names",
        lambda batch: (
            f"SELECT row_key, normal FROM {batch}"
            f" WHERE NOT is_alias AND row_key % {share} = 0 AND normal IS NOT NULL"
        ),
        batches,
    )
    drop_repeats(connection, "counted_names")
    counted = connection.execute("""
        WITH wanted AS (
            SELECT DISTINCT unnest(string_split(normal, ' ')) AS token
            FROM (SELECT normal FROM queries UNION ALL SELECT normal FROM pair_recipients)
        )
        SELECT token, count(*) FROM (
            SELECT unnest(list_distinct(string_split(normal, ' '))) AS token FROM counted_names
        ) SEMI JOIN wanted USING (token)
        GROUP BY token
    """).fetchall()
    frequencies = dict(COMMON_TOKENS)
    for token, holders in counted:
        canonical = canonical_token(token)
        frequencies[canonical] = frequencies.get(canonical, 0) + share * holders
    total = count_rows(connection, "counted_names")
    connection.execute("DROP TABLE counted_names")
    return TokenCounts(frequencies, BACKGROUND_NAMES + share * total)
