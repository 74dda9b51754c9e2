"""A part of the queries: the unit of work of matching by name, from its pairs to what decides.

`decisive_pairs` is a pure function of the rows of a part's pairs (`scoring.fetch_pairs`: arrays and texts, no
connection) and of what holds for all parts (`Scoring`). Both can be pickled, so a part is worked on wherever
there is a core; here on the threads of this process, for rapidfuzz, numpy and DuckDB let others work
meanwhile. A query is whole in its part, and what is found of it depends on no other query: the results of
parts are joined by `joined`, in any order and grouping, a part done twice included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.checkpoints import MatchingCheckpoints
from sbir_gate.engine.matching.confidence import Model
from sbir_gate.engine.matching.decisions import DecisivePairs, PairFacts, pair_facts
from sbir_gate.engine.matching.scoring import (
    QUERIES_AT_ONCE,
    PairRows,
    TokenCounts,
    fetch_pairs,
    query_ranges,
    score_rows,
)
from sbir_gate.model.matches import Method


@dataclass(frozen=True, slots=True)
class Scoring:
    """What holds for all parts; pairs below the confidence `least` without an exact name are left out."""

    counts: TokenCounts
    model: Model
    methods: tuple[Method, ...]
    least: float


def decisive_pairs(rows: PairRows, scoring: Scoring) -> DecisivePairs:
    """Return the pairs of a part's queries that may decide something, by the allowed methods."""
    scored = score_rows(rows, scoring.counts)
    confidences = np.round(scoring.model.probabilities(scored.matrix), 9)
    by_query: dict[int, tuple[PairFacts, ...]] = {}
    for fact in pair_facts(scored, confidences, scoring.least):
        if fact.method in scoring.methods:
            by_query[fact.query_id] = (*by_query.get(fact.query_id, ()), fact)
    return by_query


def joined(parts: Iterable[DecisivePairs]) -> DecisivePairs:
    """Return the pairs of all parts."""
    return {query: facts for part in parts for query, facts in part.items()}


def score_queries(
    connection: DuckDBPyConnection,
    scoring: Scoring,
    advanced: Callable[[], None] = lambda: None,
    queries_at_once: int = QUERIES_AT_ONCE,
    checkpoints: MatchingCheckpoints | None = None,
) -> DecisivePairs:
    """Return the decisive pairs of all queries, as many parts at a time as the database has threads.

    A finished part is kept in the `checkpoints`; one that is there is not done again.
    """
    threads = int(connection.execute("SELECT current_setting('threads')").fetchall()[0][0])
    size = max(queries_at_once // threads, 1)
    parts: list[DecisivePairs] = []
    running: deque[tuple[int, Future[DecisivePairs]]] = deque()

    def take() -> None:
        number, future = running.popleft()
        parts.append(future.result())
        if checkpoints is not None:
            checkpoints.keep_part(size, number, parts[-1])
        advanced()

    with ThreadPoolExecutor(threads, thread_name_prefix="sbir-gate-queries") as pool:
        for number, condition in enumerate(query_ranges(connection, size)):
            found = checkpoints.part(size, number) if checkpoints is not None else None
            if found is not None:
                parts.append(found)
                advanced()
                continue
            if len(running) == threads:
                take()
            # fetched by this thread: only it can be interrupted where the time is over
            running.append((number, pool.submit(decisive_pairs, fetch_pairs(connection, condition), scoring)))
        while running:
            take()
    return joined(parts)
