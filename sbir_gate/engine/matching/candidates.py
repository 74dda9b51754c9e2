"""Candidates by many cheap, rare keys, joined in DuckDB: the few pairs that are worth scoring.

Two names that share no key are never compared. A key is a 64-bit hash of a piece of the name, alone
where the piece is rare, with a piece of the address where it is not. Keys shared by too many firms or pairs
are not selective and are dropped; this is counted over all recipients before any
pair is made, so it does not depend on chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.parts import ALL_AT_ONCE, Batches, LocalBatches, drop_repeats, gather_rows
from sbir_gate.reading.database import count_rows
from sbir_gate.sql_text import literal


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

# a name that makes more pairs is crowded: each query meets some recipients in each of these places, not all
_MOST_SAME_NAME = 100_000
_PLACES: tuple[tuple[str, ...], ...] = (
    ("city", "state", "zip5"),
    ("zip5",),
    ("city", "state"),
    ("state",),
    (),
)

_WHOLE_NAME = 4
"""What an equal name adds to the similarity: more than all else together."""

# under other names than its own, a query's pairs are scored if they are so near to the best of them and share
# every third key of the most; the best two whatever they share, for the model asks how near the runner-up is.
# Half of the pairs are left, and one link in a thousand is lost (docs/performance)
_FARTHEST_BEHIND = 0.5
_ONE_KEY_IN = 3
_RUNNERS_UP = 2


def _if(condition: str, value: float) -> str:
    # bare numbers are decimals, which take longer to add up
    return f"CASE WHEN {condition} THEN {value}::DOUBLE ELSE 0::DOUBLE END"


_SIMILARITY = f"""(
    2 * jaro_winkler_similarity(q.compact, r.compact)
    + 0.1::DOUBLE * least(shared_keys, 10)
    + {_if("q.compact = r.compact", _WHOLE_NAME)}
    + {_if("q.state = r.state", 0.15)}
    + {_if("q.city = r.city", 0.15)}
    + {_if("q.zip5 = r.zip5", 0.3)}
)::FLOAT"""
"""SQL for how alike a query `q` and a recipient `r` are, quickly seen.

The weights were chosen by how often the correct recipient is among the best (docs/performance).
"""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What makes a key: SQL for its `parts`, in rows that meet `condition`; `number` keeps kinds apart.

    `needed` are the columns behind the parts that may be unknown.
    """

    number: int
    kind: str
    parts: tuple[str, ...]
    condition: str = ""
    needed: tuple[str, ...] = ()


_ZIP3 = "left(zip5, 3)"
_NAME = _Piece(10, "name", ("compact",))
_NAME_PIECES = (
    _Piece(1, "start-in-zip3", ("left(compact, 4)", _ZIP3), "len(compact) >= 4", ("zip5",)),
    _Piece(2, "end-in-zip3", ("right(compact, 4)", _ZIP3), "len(compact) >= 4", ("zip5",)),
    _Piece(3, "initial-in-zip", ("left(compact, 1)", "zip5"), needed=("zip5",)),
    _Piece(4, "first-7", ("left(compact, 7)",), "len(compact) >= 7"),
    _Piece(5, "last-7", ("right(compact, 7)",), "len(compact) >= 7"),
    _NAME,
)
_TOKEN_PIECES = (
    _Piece(6, "token", ("token",), "len(token) >= 5", ("token",)),
    _Piece(7, "token-in-state", ("token", "state"), "len(token) >= 4", ("token", "state")),
    _Piece(8, "stem-in-state", ("left(token, 5)", "state"), "len(token) >= 5", ("token", "state")),
    _Piece(9, "token-pair", ("token", "neighbour"), needed=("token", "neighbour")),
)


def _key(piece: _Piece) -> str:
    """Return SQL for the key of a piece, its parts in any order, NULL where one of them is unknown.

    Hashes are joined by XOR: that costs no text, and the order of the parts does not matter.
    """
    joined = f"hash({piece.parts[0]})"
    for part in piece.parts[1:]:
        joined = f"xor({joined}, hash({part}))"
    key = f"xor({joined}, {piece.number * 0x9E3779B97F4A7C15 % 2**64}::UBIGINT)"
    condition = _condition(piece)
    return f"CASE WHEN {condition} THEN {key} END" if condition else key


def _condition(piece: _Piece) -> str:
    # hash(NULL) is a number, and all unknown parts would meet in it. The columns are asked, not the parts
    # made of them, which DuckDB would work out once more
    known = [f"{column} IS NOT NULL" for column in piece.needed]
    return " AND ".join([piece.condition, *known] if piece.condition else known)


_NAME_KEY = _key(_NAME)


def _pieces_query(table: str, identity: str, column: Callable[[_Piece], str], alias: str) -> str:
    """Return SQL for `identity` and a column made of each piece of each row of `table`."""
    of_name = ", ".join(map(column, _NAME_PIECES))
    of_token = ", ".join(map(column, _TOKEN_PIECES))
    named = f"FROM {table} WHERE compact <> ''"
    return f"""
        SELECT {identity}, unnest([{of_name}]) AS {alias} {named}
        UNION ALL
        SELECT {identity}, unnest([{of_token}]) AS {alias} FROM (
            SELECT {identity}, state, unnest(tokens) AS token, unnest(tokens[2:]) AS neighbour
            FROM (SELECT {identity}, state, string_split(normal, ' ') AS tokens {named})
        )
    """


def keys_query(table: str, identity: str) -> str:
    """Return SQL for `identity` and each key of each row of a table with normal, compact, state, zip5.

    A key that a row has twice may come twice, and NULL for what is unknown.
    """
    return _pieces_query(table, identity, _key, "key")


def named_keys_query(table: str, identity: str) -> str:
    """Return SQL for `identity` and each key of a few rows, as a struct of its kind and its text."""

    def named(piece: _Piece) -> str:
        text = f"concat_ws(' ', {', '.join(piece.parts)})"
        found = f"{{'kind': {literal(piece.kind)}, 'text': {text}}}"
        return f"CASE WHEN {_condition(piece) or 'true'} THEN {found} END"

    return _pieces_query(table, identity, named, "named_key")


def create_pairs(
    connection: DuckDBPyConnection,
    options: BlockingOptions,
    batches: Batches = ALL_AT_ONCE,
    advanced: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Create `pairs` (query_id, row_key, shared_keys) from `queries` and the recipients in `batches`.

    Pairs of equal compact names are always among them, however common the name is; of a crowded name as many
    as are scored, those in the nearest places. Returns the work done, as counters. `advanced` is called after
    each batch.
    """
    _find_keys(connection, options, batches, advanced)
    _pair_crowded_names(connection, options.pairs_per_query, batches)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE shared AS
        SELECT query_id, row_key, least(count(*) FILTER (is_selective), 1000)::USMALLINT AS shared_keys
        FROM (
            SELECT query_id, row_key, is_selective
            FROM query_keys JOIN open_keys USING (key) JOIN recipient_keys USING (key)
            UNION ALL SELECT query_id, row_key, false FROM same_name_pairs
        )
        GROUP BY query_id, row_key
    """)
    for table in ("query_keys", "open_keys", "recipient_keys", "same_name_pairs"):
        connection.execute(f"DROP TABLE {table}")
    advanced()
    _rank_pairs(connection, options.pairs_per_query, batches, advanced)
    counters = {
        "candidates_generated": count_rows(connection, "shared WHERE shared_keys > 0"),
        "pairs_scored": count_rows(connection, "pairs"),
    }
    connection.execute("DROP TABLE shared")
    return counters


def _find_keys(
    connection: DuckDBPyConnection,
    options: BlockingOptions,
    batches: Batches,
    advanced: Callable[[], None],
) -> None:
    """Create `query_keys`, `open_keys` and `recipient_keys`: who has which keys that are not too common.

    A key that has met too many recipients stays dropped, so later batches need not look for it: what is kept
    is bounded by the queries' keys, not by the recipients.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE query_keys AS
        SELECT DISTINCT query_id::INTEGER AS query_id, key
        FROM ({keys_query("queries", "query_id")}) WHERE key IS NOT NULL
    """)
    # the key of a name is used however common it is, but then it is not selective
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE open_keys AS
        SELECT * FROM (
            SELECT key, count(*) AS queries, key IN (SELECT {_NAME_KEY} FROM queries) AS is_name,
                   count(*) <= {options.max_firms_per_key} AS is_selective
            FROM query_keys GROUP BY key
        ) WHERE is_selective OR is_name
    """)
    connection.execute("CREATE OR REPLACE TEMP TABLE recipient_keys (row_key BIGINT, key UBIGINT)")
    merged = _merge_keys(connection, options.max_pairs_per_key)
    # to sort out what need not be sent takes as long as to find the keys: here nothing is sent
    is_local = isinstance(batches, LocalBatches)
    keys_of = _open_keys if is_local else partial(_some_keys, options.max_pairs_per_key)
    for rows in batches.select(keys_of, ("open_keys",)):
        connection.execute(f"INSERT INTO recipient_keys {rows}")
        if count_rows(connection, "recipient_keys") - merged >= max(_LEAST_TO_MERGE, merged):
            merged = _merge_keys(connection, options.max_pairs_per_key)
        advanced()
    _merge_keys(connection, options.max_pairs_per_key)


def _open_keys(batch: str) -> str:
    """Return SQL for the open keys of a batch, some of them twice."""
    return f"SELECT row_key, key FROM ({keys_query(batch, 'row_key')}) SEMI JOIN open_keys USING (key)"


def _some_keys(max_pairs_per_key: int, batch: str) -> str:
    """Return SQL for the open keys of a batch; of one with too many recipients, enough rows to close it."""
    return f"""
        SELECT row_key, key FROM (
            SELECT DISTINCT row_key, key, queries, is_name
            FROM ({keys_query(batch, "row_key")}) JOIN open_keys USING (key)
        )
        QUALIFY is_name OR queries * row_number() OVER (PARTITION BY key ORDER BY row_key)
                           <= {max_pairs_per_key} + queries
    """


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


def _pair_crowded_names(connection: DuckDBPyConnection, pairs_per_query: int, batches: Batches) -> None:
    """Take crowded names out of `recipient_keys`, and create `same_name_pairs` (query_id, row_key) of them.

    Of the recipients in one place the first by the hash of their content are taken: as many as would be
    scored, and the same ones whatever the batches.
    """
    connection.execute(f"""
        CREATE OR REPLACE TABLE same_name_pairs (query_id INTEGER, row_key BIGINT);
        CREATE OR REPLACE TEMP TABLE crowded AS
        SELECT row_key, key FROM recipient_keys SEMI JOIN (
            SELECT key FROM open_keys JOIN recipient_keys USING (key)
            WHERE is_name AND NOT is_selective
            GROUP BY key HAVING any_value(queries) * count(*) > {_MOST_SAME_NAME}
        ) USING (key)
    """)
    if count_rows(connection, "crowded"):
        connection.execute("DELETE FROM recipient_keys WHERE key IN (SELECT key FROM crowded)")
        groups = [", ".join(("key", *place)) for place in _PLACES]
        first = [
            f"row_number() OVER (PARTITION BY {group} ORDER BY row_key) <= {pairs_per_query}"
            for group in groups
        ]
        placed = "(SELECT DISTINCT row_key, city, state, zip5 FROM {}) JOIN crowded USING (row_key)"
        gather_rows(
            connection,
            "same_name_rows",
            lambda batch: f"FROM {placed.format(batch)} QUALIFY {' OR '.join(first)}",
            batches,
            ("crowded",),
        )
        drop_repeats(connection, "same_name_rows")
        for group, is_first in zip(groups, first, strict=True):
            connection.execute(f"""
                INSERT INTO same_name_pairs
                SELECT query_id, row_key FROM (SELECT *, {_NAME_KEY} AS key FROM queries)
                JOIN (SELECT row_key, {group} FROM same_name_rows QUALIFY {is_first}) USING ({group})
            """)
        connection.execute("DROP TABLE same_name_rows")
        drop_repeats(connection, "same_name_pairs")
    connection.execute("DROP TABLE crowded")


def _rank_pairs(
    connection: DuckDBPyConnection,
    pairs_per_query: int,
    batches: Batches,
    advanced: Callable[[], None],
) -> None:
    """Create `pairs`: the most similar of `shared` for each query, ties by the hash of their content.

    Names equal in compact form come first: those in the same place, then the rest. Of what comes after them
    only the promising is kept.
    """
    best_first = "ORDER BY similarity DESC, shared_keys DESC, row_key"
    is_best = f"row_number() OVER (PARTITION BY query_id {best_first}) <= {pairs_per_query}"
    is_equal = f"similarity >= {_WHOLE_NAME}"
    # an equal name in another place does not speak against a similar one in the right place
    is_promising = (
        f"{is_equal}"
        f" OR row_number() OVER (PARTITION BY query_id, {is_equal} {best_first}) <= {_RUNNERS_UP}"
        f" OR (shared_keys * {_ONE_KEY_IN} >= max(shared_keys) OVER (PARTITION BY query_id)"
        f" AND similarity + {_FARTHEST_BEHIND} >= max(similarity) OVER (PARTITION BY query_id, {is_equal}))"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE compared"
        " (query_id INTEGER, row_key BIGINT, shared_keys USMALLINT, similarity FLOAT)"
    )

    # the best of all are among the best of each batch: fewer rows to send, but more memory here. They are
    # compared as they are kept, or what is a tie in one order would be none in the other
    best_alone = "" if isinstance(batches, LocalBatches) else f"QUALIFY {is_best}"

    def best_of(batch: str) -> str:
        return f"""
            SELECT query_id, row_key, shared_keys, {_SIMILARITY} AS similarity
            FROM shared
            JOIN (SELECT DISTINCT row_key, compact, city, state, zip5
                  FROM {batch} SEMI JOIN shared USING (row_key)) r USING (row_key)
            JOIN queries q USING (query_id)
            {best_alone}
        """

    for rows in batches.select(best_of, ("shared", "queries")):
        connection.execute(f"INSERT INTO compared {rows}")
        advanced()
    # one part of the queries at a time: sorting is what takes memory
    connection.execute("CREATE OR REPLACE TABLE pairs (query_id BIGINT, row_key BIGINT, shared_keys BIGINT)")
    for remainder in range(_RANKING_STEPS):
        connection.execute(f"""
            INSERT INTO pairs SELECT query_id, row_key, shared_keys FROM (
                FROM (SELECT DISTINCT * FROM compared WHERE query_id % {_RANKING_STEPS} = {remainder})
                QUALIFY {is_best}
            ) QUALIFY {is_promising}
        """)
        advanced()
    connection.execute("DROP TABLE compared")
