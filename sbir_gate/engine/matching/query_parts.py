"""A part of the queries: the unit of work of matching by name, from its pairs to what decides.

`decisive_pairs` is a pure function of the rows of a part's pairs (`scoring.fetch_pairs`: arrays and texts, no
connection) and of what holds for all parts (`Scoring`). A part is worked on wherever there is a core: on
threads of this process (`score_here`; rapidfuzz, numpy and DuckDB let others work meanwhile), or by others
(`ScoreParts`). A query is whole in its part, and what is found of it depends on no other query: the results
of parts are joined by `joined`, in any order and grouping, a part done twice included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from threadpoolctl import threadpool_limits

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


ScoreParts = Callable[[DuckDBPyConnection, Scoring, Iterable[str]], Iterator[tuple[str, DecisivePairs]]]
"""Whoever works on parts, given as conditions on `query_id`: each with its decisive pairs, in any order."""


def one_blas_thread() -> threadpool_limits:
    """Return the context of whatever computes confidences.

    Several threads would add up in an order of their own, and wait for one another longer than they add.
    """
    return threadpool_limits(limits=1, user_api="blas")


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


def score_here(
    connection: DuckDBPyConnection, scoring: Scoring, conditions: Iterable[str]
) -> Iterator[tuple[str, DecisivePairs]]:
    """Work on the parts on threads of this process, as many at a time as the database has."""
    threads = _threads(connection)
    running: deque[tuple[str, Future[DecisivePairs]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="sbir-gate-queries") as pool:
        for condition in conditions:
            if len(running) == threads:
                done, future = running.popleft()
                yield done, future.result()
            # fetched by this thread: only it can be interrupted where the time is over
            rows = fetch_pairs(connection, condition)
            running.append((condition, pool.submit(decisive_pairs, rows, scoring)))
        for done, future in running:
            yield done, future.result()


def score_queries(
    connection: DuckDBPyConnection,
    scoring: Scoring,
    advanced: Callable[[], None] = lambda: None,
    queries_at_once: int = QUERIES_AT_ONCE,
    checkpoints: MatchingCheckpoints | None = None,
    score: ScoreParts = score_here,
) -> DecisivePairs:
    """Return the decisive pairs of all queries in `pairs`.

    A finished part is kept in the `checkpoints`; one that is there is not done again.
    """
    size = max(queries_at_once // _threads(connection), 1)
    parts: list[DecisivePairs] = []
    missing: dict[str, int] = {}
    for number, condition in enumerate(query_ranges(connection, size)):
        found = checkpoints.part(size, number) if checkpoints is not None else None
        if found is None:
            missing[condition] = number
            continue
        parts.append(found)
        advanced()
    for condition, found in score(connection, scoring, missing):
        parts.append(found)
        if checkpoints is not None:
            checkpoints.keep_part(size, missing[condition], found)
        advanced()
    return joined(parts)


def _threads(connection: DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT current_setting('threads')").fetchall()[0][0])
