"""Candidates by many cheap, rare keys, joined in DuckDB: the few pairs that are worth scoring.

Two names that share no key are never compared. A key is a 64-bit hash of a piece of the name, alone
where the piece is rare, with a piece of the address where it is not. Keys shared by too many firms or pairs
are not selective and are dropped; this is counted over all recipients before any
pair is made, so it does not depend on chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from sbir_gate.reading.database import count_rows


@dataclass(frozen=True, slots=True)
class BlockingOptions:
    """Bounds on the pairs that blocking makes.

    A key lives while at most `max_firms_per_key` queries share it and queries x recipients is at
    most `max_pairs_per_key`; the best `pairs_per_query` pairs of each query are scored.
    """

    max_firms_per_key: int
    max_pairs_per_key: int
    pairs_per_query: int


# a merge sorts all keys kept so far: it waits until as many new ones have come, and at least this many
_LEAST_TO_MERGE = 1_000_000
_RANKING_STEPS = 4

# kinds of pieces, kept apart by a number of their own
_START, _END, _INITIAL, _HEAD, _TAIL, _TOKEN, _TOKEN_IN_STATE, _STEM_IN_STATE, _NEIGHBOURS, _NAME = range(
    1, 11
)


def _key(kind: int, *pieces: str) -> str:
    """Return SQL for the key of some pieces in any order, NULL where one of them is unknown.

    Hashes are joined by XOR: that costs no text, and the order of the pieces does not matter.
    """
    # hash(NULL) is a number, and all unknown pieces would meet in it
    known = " AND ".join(f"{piece} IS NOT NULL" for piece in pieces)
    joined = f"hash({pieces[0]})"
    for piece in pieces[1:]:
        joined = f"xor({joined}, hash({piece}))"
    return f"CASE WHEN {known} THEN xor({joined}, {kind * 0x9E3779B97F4A7C15 % 2**64}::UBIGINT) END"


_NAME_KEY = _key(_NAME, "compact")


def keys_query(table: str, identity: str) -> str:
    """Return SQL for `identity` and each key of each row of a table with normal, compact, state, zip5.

    A key that a row has twice may come twice, and NULL for what is unknown.
    """
    zip3 = "left(zip5, 3)"
    of_name = [
        f"CASE WHEN len(compact) >= 4 THEN {_key(_START, 'left(compact, 4)', zip3)} END",
        f"CASE WHEN len(compact) >= 4 THEN {_key(_END, 'right(compact, 4)', zip3)} END",
        _key(_INITIAL, "left(compact, 1)", "zip5"),
        f"CASE WHEN len(compact) >= 7 THEN {_key(_HEAD, 'left(compact, 7)')} END",
        f"CASE WHEN len(compact) >= 7 THEN {_key(_TAIL, 'right(compact, 7)')} END",
        _NAME_KEY,
    ]
    of_token = [
        f"CASE WHEN len(token) >= 5 THEN {_key(_TOKEN, 'token')} END",
        f"CASE WHEN len(token) >= 4 THEN {_key(_TOKEN_IN_STATE, 'token', 'state')} END",
        f"CASE WHEN len(token) >= 5 THEN {_key(_STEM_IN_STATE, 'left(token, 5)', 'state')} END",
        _key(_NEIGHBOURS, "token", "neighbour"),
    ]
    named = f"FROM {table} WHERE compact <> ''"
    return f"""
        SELECT {identity}, unnest([{", ".join(of_name)}]) AS key {named}
        UNION ALL
        SELECT {identity}, unnest([{", ".join(of_token)}]) AS key FROM (
            SELECT {identity}, state, unnest(tokens) AS token, unnest(tokens[2:]) AS neighbour
            FROM (SELECT {identity}, state, string_split(normal, ' ') AS tokens {named})
        )
    """


def create_pairs(
    connection: DuckDBPyConnection, options: BlockingOptions, batches: Sequence[str] = ("recipients",)
) -> dict[str, int]:
    """Create `pairs` (query_id, row_key, shared_keys) from `queries` and the recipients in `batches`.

    Pairs of equal compact names are always among them, however common the name is. Returns the
    work done, as counters.

    A key that has met too many recipients stays dropped, so later batches need not look for it: what is kept
    is bounded by the queries' keys, not by the recipients.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE query_keys AS
        SELECT DISTINCT query_id, key FROM ({keys_query("queries", "query_id")}) WHERE key IS NOT NULL
    """)
    # the key of a whole name is used however common it is, but then it is not selective
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE open_keys AS
        SELECT key, count(*) AS queries, key IN (SELECT {_NAME_KEY} FROM queries) AS is_name,
               count(*) <= {options.max_firms_per_key} AS is_selective
        FROM query_keys GROUP BY key
    """)
    connection.execute("CREATE OR REPLACE TEMP TABLE recipient_keys (row_key BIGINT, key UBIGINT)")
    merged = _merge_keys(connection, options.max_pairs_per_key)
    for batch in batches:
        connection.execute(f"""
            INSERT INTO recipient_keys
            SELECT row_key, key FROM ({keys_query(batch, "row_key")}) SEMI JOIN open_keys USING (key)
        """)
        if count_rows(connection, "recipient_keys") - merged >= max(_LEAST_TO_MERGE, merged):
            merged = _merge_keys(connection, options.max_pairs_per_key)
    _merge_keys(connection, options.max_pairs_per_key)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE shared AS
        SELECT query_id, row_key, count(*) FILTER (is_selective) AS shared_keys
        FROM query_keys JOIN open_keys USING (key) JOIN recipient_keys USING (key)
        GROUP BY query_id, row_key
    """)
    for table in ("query_keys", "open_keys", "recipient_keys"):
        connection.execute(f"DROP TABLE {table}")
    _rank_pairs(connection, options.pairs_per_query, batches)
    counters = {
        "candidates_generated": count_rows(connection, "shared WHERE shared_keys > 0"),
        "pairs_scored": count_rows(connection, "pairs"),
    }
    connection.execute("DROP TABLE shared")
    return counters


def _merge_keys(connection: DuckDBPyConnection, max_pairs_per_key: int) -> int:
    """Drop keys that stand twice on a row, and close the keys that are dead; return how many are kept."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE recipient_keys AS
        SELECT DISTINCT row_key, key FROM recipient_keys SEMI JOIN open_keys USING (key)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE open_keys AS
        SELECT * FROM (
            SELECT key, queries, is_name,
                   is_selective AND queries * coalesce(recipients, 0) <= {max_pairs_per_key} AS is_selective
            FROM open_keys
            LEFT JOIN (SELECT key, count(*) AS recipients FROM recipient_keys GROUP BY key) USING (key)
        ) WHERE is_selective OR is_name
    """)
    return count_rows(connection, "recipient_keys")


def _rank_pairs(connection: DuckDBPyConnection, pairs_per_query: int, batches: Sequence[str]) -> None:
    """Create `pairs`: the most similar of `shared` for each query, ties by the hash of their content.

    Names equal in compact form come first: those in the same place, then the rest. The weights of the
    similarity were chosen by how often the correct recipient is among the best (docs/performance).
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE compared"
        " (query_id BIGINT, row_key BIGINT, shared_keys BIGINT, similarity DOUBLE)"
    )
    for batch in batches:
        connection.execute(f"""
            INSERT INTO compared
            SELECT query_id, row_key, shared_keys,
                   2 * jaro_winkler_similarity(q.compact, r.compact)
                   + 0.1 * least(shared_keys, 10)
                   + CASE WHEN q.compact = r.compact THEN 4 ELSE 0 END
                   + CASE WHEN q.state = r.state THEN 0.15 ELSE 0 END
                   + CASE WHEN q.city = r.city THEN 0.15 ELSE 0 END
                   + CASE WHEN q.zip5 = r.zip5 THEN 0.3 ELSE 0 END
            FROM shared
            JOIN (SELECT DISTINCT row_key, compact, city, state, zip5
                  FROM {batch} SEMI JOIN shared USING (row_key)) r USING (row_key)
            JOIN queries q USING (query_id)
        """)
    # one part of the queries at a time: sorting is what takes memory
    connection.execute("CREATE OR REPLACE TABLE pairs (query_id BIGINT, row_key BIGINT, shared_keys BIGINT)")
    for remainder in range(_RANKING_STEPS):
        connection.execute(f"""
            INSERT INTO pairs SELECT query_id, row_key, shared_keys
            FROM (SELECT DISTINCT * FROM compared WHERE query_id % {_RANKING_STEPS} = {remainder})
            QUALIFY row_number() OVER (
                PARTITION BY query_id ORDER BY similarity DESC, shared_keys DESC, row_key
            ) <= {pairs_per_query}
        """)
    connection.execute("DROP TABLE compared")
