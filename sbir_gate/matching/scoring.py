"""From the pairs in the database to features: fetches strings, counts words, calls `similarity`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from sbir_gate.matching.normalise import canonical_token
from sbir_gate.matching.similarity import (
    Floats,
    Integers,
    NameTable,
    Pairs,
    Places,
    build_name_table,
    features,
)
from sbir_gate.matching.vocabulary import BACKGROUND_NAMES, COMMON_WORDS

_CUT_LENGTHS = "(29, 30, 31, 39, 40, 41)"
_FREQUENCY_SAMPLE = 500_000


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


def score_pairs(connection: DuckDBPyConnection) -> ScoredPairs:
    """Return the features of all rows in `pairs`, in an order that depends on their content only."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE name_counts AS
        SELECT compact, greatest(
            count(DISTINCT uei),
            count(DISTINCT CASE WHEN state IS NOT NULL
                                THEN state || coalesce(zip5, city, '') END), 1) AS namesakes
        FROM recipients
        SEMI JOIN (SELECT r.compact FROM pairs JOIN recipients r USING (row_key)) wanted USING (compact)
        GROUP BY compact
    """)
    columns = connection.execute(f"""
        SELECT p.query_id, p.row_key, p.shared_keys, r.recipient_id,
               q.normal AS left_normal, coalesce(q.city, '') AS left_city,
               coalesce(q.state, '') AS left_state, coalesce(q.zip5, '') AS left_zip5,
               r.normal AS right_normal, coalesce(r.city, '') AS right_city,
               coalesce(r.state, '') AS right_state, coalesce(r.zip5, '') AS right_zip5,
               c.namesakes, len(r.name) IN {_CUT_LENGTHS} AS is_cut
        FROM pairs p JOIN queries q USING (query_id) JOIN recipients r USING (row_key)
        JOIN name_counts c ON c.compact = r.compact
        ORDER BY p.query_id, r.recipient_id, right_normal, right_state, right_city, right_zip5
    """).fetchnumpy()
    text = {name: np.asarray(columns[name], dtype=object) for name in columns}
    distinct = sorted({*text["left_normal"], *text["right_normal"]})
    number = {name: index for index, name in enumerate(distinct)}
    frequencies, total = _word_frequencies(connection)
    names = build_name_table(distinct, frequencies, total)
    pairs = Pairs(
        query=np.asarray(columns["query_id"], dtype=np.int64),
        left=np.array([number[name] for name in text["left_normal"]], dtype=np.int64),
        right=np.array([number[name] for name in text["right_normal"]], dtype=np.int64),
        left_places=Places(text["left_city"], text["left_state"], text["left_zip5"]),
        right_places=Places(text["right_city"], text["right_state"], text["right_zip5"]),
        shared_keys=np.asarray(columns["shared_keys"], dtype=np.int64),
        namesakes=np.asarray(columns["namesakes"], dtype=np.int64),
        is_cut=np.asarray(columns["is_cut"], dtype=np.bool_),
    )
    return ScoredPairs(
        query=pairs.query,
        row_key=np.asarray(columns["row_key"], dtype=np.int64),
        recipient_id=text["recipient_id"],
        pairs=pairs,
        names=names,
        names_counted=total,
        matrix=features(pairs, names, total),
    )


def _word_frequencies(connection: DuckDBPyConnection) -> tuple[dict[str, int], int]:
    """Return how many recipient names hold each canonical word, and of how many names.

    Above half a million names a sample by the hash of the name is counted: a word's weight is a
    logarithm, and the sample depends on content only. The counts start from the published names'.
    """
    row = connection.execute("SELECT count(*) FROM recipients").fetchone()
    modulus = max(1, (int(row[0]) if row else 0) // _FREQUENCY_SAMPLE)
    sample = f"SELECT normal FROM recipients WHERE hash(normal) % {modulus} = 0 AND NOT is_alias"
    counted = connection.execute(
        f"SELECT unnest(list_distinct(string_split(normal, ' '))) AS word, count(*) AS names"
        f" FROM ({sample}) GROUP BY word"
    ).fetchall()
    frequencies = dict(COMMON_WORDS)
    for word, names in counted:
        canonical = canonical_token(word)
        frequencies[canonical] = frequencies.get(canonical, 0) + names
    total = connection.execute(f"SELECT count(*) FROM ({sample})").fetchone()
    return frequencies, BACKGROUND_NAMES + (int(total[0]) if total else 0)
