"""From the pairs in the database to features: fetches strings, counts words, calls `similarity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from sbir_gate.matching.normalise import canonical_token
from sbir_gate.matching.parts import content_order
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
               q.uei <> r.uei AS uei_conflict,
               NOT list_has_any(string_split(q.duns, ' '), string_split(r.duns, ' ')) AS duns_conflict,
               c.namesakes, len(r.name) IN {_CUT_LENGTHS} AS is_cut
        FROM pairs p JOIN queries q USING (query_id) JOIN recipients r USING (row_key)
        JOIN name_counts c ON c.compact = r.compact
        ORDER BY p.query_id, {content_order("r")}
    """).fetchnumpy()
    text = {name: np.asarray(columns[name], dtype=object) for name in columns}
    distinct = sorted({*text["left_normal"], *text["right_normal"]})
    number = {name: index for index, name in enumerate(distinct)}
    frequencies, total = _word_frequencies(connection, distinct)
    names = build_name_table(distinct, frequencies, total)
    pairs = Pairs(
        query=np.asarray(columns["query_id"], dtype=np.int64),
        left=np.array([number[name] for name in text["left_normal"]], dtype=np.int64),
        right=np.array([number[name] for name in text["right_normal"]], dtype=np.int64),
        left_places=Places(text["left_city"], text["left_state"], text["left_zip5"]),
        right_places=Places(text["right_city"], text["right_state"], text["right_zip5"]),
        shared_keys=np.asarray(columns["shared_keys"], dtype=np.int64),
        namesakes=np.asarray(columns["namesakes"], dtype=np.int64),
        uei_conflict=_flags(np.ma.asarray(columns["uei_conflict"])),
        duns_conflict=_flags(np.ma.asarray(columns["duns_conflict"])),
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


def _flags(column: np.ma.MaskedArray[tuple[int, ...], np.dtype[np.bool_]]) -> NDArray[np.bool_]:
    """Return the column with False where the database had NULL."""
    return np.asarray(np.ma.filled(column, False), dtype=np.bool_)


def _word_frequencies(connection: DuckDBPyConnection, names: Sequence[str]) -> tuple[dict[str, float], int]:
    """Return how many recipient names hold each canonical word of `names`, and of how many names.

    The counts start from the published names', so that a small table knows its common words too.
    """
    wanted = sorted({word for name in names for word in name.split()})
    counted = connection.execute(
        """
        SELECT word, count(*) FROM (
            SELECT unnest(list_distinct(string_split(normal, ' '))) AS word FROM recipients WHERE NOT is_alias
        ) SEMI JOIN (SELECT unnest($1::VARCHAR[]) AS word) USING (word)
        GROUP BY word
        """,
        [wanted],
    ).fetchall()
    frequencies = dict(COMMON_WORDS)
    for word, holders in counted:
        canonical = canonical_token(word)
        frequencies[canonical] = frequencies.get(canonical, 0) + holders
    total = connection.execute("SELECT count(*) FROM recipients WHERE NOT is_alias").fetchone()
    return frequencies, BACKGROUND_NAMES + (int(total[0]) if total else 0)
