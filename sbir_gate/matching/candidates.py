"""Candidates by many cheap, rare keys, joined in DuckDB: the few pairs that are worth scoring.

Two names that share no key are never compared. A key is a 64-bit hash of a piece of the name, alone
where the piece is rare, with a piece of the address where it is not. Keys that too many firms or
too many pairs share tell nothing and are dropped; this is counted over all recipients before any
pair is made, so it does not depend on chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from sbir_gate.matching.parts import content_order


@dataclass(frozen=True, slots=True)
class BlockingOptions:
    """Bounds on the pairs that blocking makes.

    A key lives while at most `max_firms_per_key` queries share it and queries x recipients is at
    most `max_pairs_per_key`; the best `pairs_per_query` pairs of each query are scored.
    """

    max_firms_per_key: int = 60
    max_pairs_per_key: int = 600
    pairs_per_query: int = 12


_WORDS = "string_split(normal, ' ')"


def pieces_expression() -> str:
    """Return the SQL list of texts (VARCHAR) that a row with normal, compact, state, zip5 is found by.

    The first letter of each keeps different kinds apart. One with an unknown piece is NULL and is
    dropped by `_exploded`, which hashes the rest to keys.
    """
    zip3 = "left(zip5, 3)"
    long_enough = "len(compact) >= 4"
    long_words = f"list_filter({_WORDS}, lambda w: len(w) >= 5)"
    neighbours = f"list_zip({_WORDS}[:-2], {_WORDS}[2:])"
    single = [
        f"CASE WHEN {long_enough} THEN 'a' || left(compact, 4) || {zip3} END",
        f"CASE WHEN {long_enough} THEN 'b' || right(compact, 4) || {zip3} END",
        "'c' || left(compact, 1) || zip5",
        "CASE WHEN len(compact) >= 7 THEN 'd' || left(compact, 7) END",
        "CASE WHEN len(compact) >= 7 THEN 'e' || right(compact, 7) END",
        f"'f' || array_to_string(list_sort({_WORDS}), ' ')",
        "'g' || compact",
    ]
    lists = [
        f"[{', '.join(single)}]",
        f"list_transform(list_filter({_WORDS}, lambda w: len(w) >= 4), lambda w: 'h' || w || state)",
        f"list_transform({long_words}, lambda w: 'i' || w)",
        f"list_transform({long_words}, lambda w: 'j' || left(w, 5) || state)",
        f"list_transform({neighbours}, lambda p: 'k' || least(p[1], p[2]) || greatest(p[1], p[2]))",
    ]
    joined = lists[0]
    for more in lists[1:]:
        joined = f"list_concat({joined}, {more})"
    return joined


def _exploded(table: str, identity: str) -> str:
    """Return SQL for a row per key of each row of `table`; a key that a row has twice comes twice."""
    # NULL must go before it is hashed: hash(NULL) is a number, and all unknown pieces would meet in it
    return (
        f"SELECT {identity}, hash(piece) AS key FROM"
        f" (SELECT {identity}, unnest({pieces_expression()}) AS piece FROM {table} WHERE compact <> '')"
        " WHERE piece IS NOT NULL"
    )


def create_pairs(connection: DuckDBPyConnection, options: BlockingOptions) -> dict[str, int]:
    """Create `pairs` (query_id, row_key, shared_keys) from `queries` and `recipients`.

    Pairs of equal compact names are always among them, however common the name is. Returns the
    work done, as counters.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE query_keys AS
        SELECT DISTINCT query_id, key FROM ({_exploded("queries", "query_id")})
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE known_keys AS
        SELECT key, count(*) AS queries FROM query_keys GROUP BY key
        HAVING count(*) <= {options.max_firms_per_key}
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE recipient_keys AS
        SELECT DISTINCT row_key, key
        FROM ({_exploded("recipients", "row_key")}) SEMI JOIN known_keys USING (key)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE live_keys AS
        SELECT key FROM known_keys JOIN
            (SELECT key, count(*) AS recipients FROM recipient_keys GROUP BY key) USING (key)
        WHERE queries * recipients <= {options.max_pairs_per_key}
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE shared AS
        SELECT query_id, row_key, count(*) AS shared_keys
        FROM query_keys SEMI JOIN live_keys USING (key)
        JOIN recipient_keys USING (key)
        GROUP BY query_id, row_key
    """)
    connection.execute(_ranked_pairs(options.pairs_per_query))
    counters = {
        "candidates_generated": _count(connection, "shared"),
        "pairs_scored": _count(connection, "pairs"),
    }
    for table in ("query_keys", "known_keys", "recipient_keys", "live_keys", "shared"):
        connection.execute(f"DROP TABLE {table}")
    return counters


def _ranked_pairs(pairs_per_query: int) -> str:
    """Return SQL that keeps the most similar pairs of each query, ties by content.

    Names equal in compact form come first: those in the same place, then the rest.
    """
    return f"""
        CREATE OR REPLACE TABLE pairs AS
        WITH found AS (
            SELECT query_id, row_key, max(shared_keys) AS shared_keys
            FROM (
                SELECT query_id, row_key, 0 AS shared_keys FROM queries JOIN recipients USING (compact)
                UNION ALL
                SELECT query_id, row_key, shared_keys FROM shared
            ) GROUP BY query_id, row_key
        ), likened AS (
            SELECT f.*, r.* EXCLUDE (row_key),
                   jaro_winkler_similarity(q.compact, r.compact)
                   + 1 - levenshtein(q.compact, r.compact) / greatest(len(q.compact), len(r.compact))
                   + CASE WHEN q.compact = r.compact THEN 4 ELSE 0 END
                   + CASE WHEN q.state = r.state THEN 0.15 ELSE 0 END
                   + CASE WHEN q.city = r.city THEN 0.15 ELSE 0 END
                   + CASE WHEN q.zip5 = r.zip5 THEN 0.3 ELSE 0 END AS likeness
            FROM found f JOIN queries q USING (query_id) JOIN recipients r USING (row_key)
        )
        SELECT query_id, row_key, shared_keys FROM likened
        QUALIFY row_number() OVER (
            PARTITION BY query_id
            ORDER BY likeness DESC, shared_keys DESC, {content_order("likened")}
        ) <= {pairs_per_query}
    """


def _count(connection: DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
