"""The cascade: identifiers, exact names, then the model; one decision per firm."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.calibration import (
    AbsentShare,
    HardLabels,
    MeasuredLinks,
    absent_share,
    calibrate,
    hidden_links,
    keeps_promise,
    measured_links,
)
from sbir_gate.engine.matching.candidates import BlockingOptions, create_pairs
from sbir_gate.engine.matching.checkpoints import MatchingCheckpoints, Prepared
from sbir_gate.engine.matching.confidence import Model, default_model, interpolated_limit
from sbir_gate.engine.matching.decisions import (
    LEAST_KEPT,
    DecisivePairs,
    FirmDecision,
    PairFacts,
    Rules,
    best_answer,
    decide_firm,
    is_sure,
    stratum_of,
)
from sbir_gate.engine.matching.exact import (
    IdentifierMatch,
    create_identified_recipients,
    find_identifier_matches,
)
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.parts import ALL_AT_ONCE, Batches
from sbir_gate.engine.matching.query_parts import (
    ScoreParts,
    Scoring,
    one_blas_thread,
    score_here,
    score_queries,
)
from sbir_gate.engine.matching.scoring import TokenCounts, prepare_scoring, query_ranges, score_pairs
from sbir_gate.engine.matching.strata import CONFIDENT, STRATA, Basis
from sbir_gate.engine.matching.training import ask, joined, label_pairs, train
from sbir_gate.model.matches import DecisionKind, Method, PlaceEvidence

_LEAST_CHECKING_LABELS, _CHECKING_LABELS = 100, 200
"""Labelled firms from which the shipped limits are checked, and the sample of them that is asked."""

LEAST_QUERIES_KEPT = 3_000
"""Queries from which checkpoints are made: fewer are matched again sooner than they are kept."""

StageTimer = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """Which methods matching may use and how certain it must be.

    `min_precision` (0..1) is the required share of correct links; the acceptance limit
    follows from it unless `acceptance_limit` (0..1) sets it outright. With at least
    `min_training_labels` firms linked by identifier, a sample of at most `max_training_labels` of
    them trains the model. An exact name in the same state is linked by itself while at most
    `max_frequency_in_state` recipients bear it.
    """

    methods: tuple[Method, ...]
    min_precision: float
    acceptance_limit: float | None
    max_candidates: int
    max_frequency_in_state: int
    min_training_labels: int
    max_training_labels: int
    blocking: BlockingOptions


@dataclass(frozen=True, slots=True)
class Matched:
    """The decisions, one per firm (sorted by `firm_id`), what they follow from, and the engine's metrics."""

    decisions: tuple[FirmDecision, ...]
    rules: Rules
    model: Model
    counts: TokenCounts
    counters: Mapping[str, int]
    notes: Mapping[str, str]


def match_firms(
    connection: DuckDBPyConnection,
    options: MatchingOptions,
    stage: StageTimer,
    batches: Batches = ALL_AT_ONCE,
    advanced: Callable[[], None] = lambda: None,
    checkpoints: MatchingCheckpoints | None = None,
    score: ScoreParts = score_here,
) -> Matched:
    """Decide for every firm of the table `awards` against `recipients`, of which `batches` are the pieces.

    `advanced` is called after each part of a stage that may take long. What `checkpoints` hold is not done
    again. `score` works on the parts of the queries.

    Leaves the tables `firms`, `award_firms`, `identified_recipients` and `pair_recipients` behind for
    whoever writes the result.
    """
    with one_blas_thread():
        return _match_firms(connection, options, stage, batches, advanced, checkpoints, score)


def _match_firms(
    connection: DuckDBPyConnection,
    options: MatchingOptions,
    stage: StageTimer,
    batches: Batches,
    advanced: Callable[[], None],
    checkpoints: MatchingCheckpoints | None,
    score: ScoreParts,
) -> Matched:
    with stage("firms"):
        firms = create_firms(connection)
    with stage("identifiers"):
        matches = _identifier_matches(connection, options.methods, batches)
    linked = {firm: found[0] for firm, found in matches.items() if found[0].agrees}
    with stage("candidates"):
        trains = len(linked) >= options.min_training_labels
        labelled = _labelled_firms(connection, sorted(linked), options)
        wanted = [firm for firm in range(firms) if firm not in linked]
        connection.execute(
            "CREATE OR REPLACE TABLE query_firms AS SELECT unnest($1::BIGINT[]) AS firm_id",
            [[*wanted, *labelled]],
        )
        queries = create_queries(connection, "query_firms")
        if queries < LEAST_QUERIES_KEPT:
            checkpoints = None
        kept = checkpoints.prepared(connection) if checkpoints is not None else None
        counters = kept.counters if kept else create_pairs(connection, options.blocking, batches, advanced)
    with stage("words"):
        counts = kept.counts if kept else prepare_scoring(connection, batches)
        if checkpoints is not None and kept is None:
            checkpoints.keep(connection, Prepared(counters, counts))
    with stage("training"):
        model, labels = _model(connection, counts, matches, labelled, options, trains)
    with stage("similarity"):
        limit = options.acceptance_limit
        least = LEAST_KEPT if limit is None else min(limit, LEAST_KEPT)
        scoring = Scoring(counts, model, options.methods, least)
        by_query = score_queries(connection, scoring, advanced, checkpoints=checkpoints, score=score)
    with stage("decisions"):
        by_firm = _pairs_by_firm(connection, by_query)
        rules, absent = _rules(model, labels, trains, [by_firm.get(firm, []) for firm in wanted], options)
        decisions = tuple(
            decide_firm(firm, matches.get(firm, []), by_firm.get(firm, []), rules) for firm in range(firms)
        )
    counters = {"firms": firms, "queries": queries, **counters}
    notes = {"model": model.version, **_limit_notes(rules), "labelled_firms": str(len(labelled))}
    measured = {}
    if labels is not None and absent is not None:
        notes |= _absent_notes(labels, absent, rules)
        measured = measured_links(labels, absent.estimate, rules.acceptances, rules.acceptance_limit)
    return Matched(decisions, rules, model, counts, counters, {**notes, **_strata_notes(decisions, measured)})


def _limit_notes(rules: Rules) -> dict[str, str]:
    own_limits = {acceptance.limit for acceptance in rules.acceptances.values()}
    limits = sorted(own_limits or {rules.acceptance_limit})
    text = f"{limits[0]:.3f} to {limits[-1]:.3f}" if len(limits) > 1 else f"{limits[0]:.6f}"
    return {"acceptance_limit": text}


def _absent_notes(labels: HardLabels, absent: AbsentShare, rules: Rules) -> dict[str, str]:
    false = hidden_links(labels, rules.acceptances, rules.acceptance_limit)
    return {
        "absent_share": f"{absent.estimate:.3f}, at most {absent.high:.3f}",
        "linked_when_hidden": f"{false.part:,} of {false.whole:,}, {false.low:.4f} to {false.high:.4f}",
    }


def _strata_notes(
    decisions: Sequence[FirmDecision], measured: Mapping[tuple[Method, PlaceEvidence], MeasuredLinks]
) -> dict[str, str]:
    """Return the links by name of each method and place, counted in firms, and how precise they are.

    That is what they state, and what labelled firms show.
    """
    stated: dict[tuple[Method, PlaceEvidence], list[float]] = defaultdict(list)
    for decision in decisions:
        if decision.kind is DecisionKind.LINK and decision.best is not None:
            stated[decision.method, decision.best.place].append(decision.best.confidence)
    notes = {}
    for (method, place), found in sorted(stated.items()):
        if method in (Method.UEI_EXACT, Method.DUNS_EXACT):
            continue
        note = f"{len(found):,}, stated precision {math.fsum(found) / len(found):.4f}"
        if seen := measured.get((method, place)):
            interval = f"{seen.low:.4f} to {seen.high:.4f}"
            answers = "1 answer" if seen.links == 1 else f"{seen.links:,} answers"
            note += f", measured {seen.rate:.4f} ({interval}; {answers} of labelled firms)"
        notes[f"links_{method}_{place}"] = note
    return notes


def _identifier_matches(
    connection: DuckDBPyConnection, methods: Sequence[Method], batches: Batches
) -> dict[int, list[IdentifierMatch]]:
    """Return each firm's matches, those that agree first, UEI before DUNS."""
    by_firm: dict[int, list[IdentifierMatch]] = defaultdict(list)
    create_identified_recipients(connection, batches)
    for method in (Method.UEI_EXACT, Method.DUNS_EXACT):
        if method in methods:
            for match in find_identifier_matches(connection, method):
                by_firm[match.firm_id].append(match)
    for found in by_firm.values():
        found.sort(key=lambda match: not match.agrees)
    return dict(by_firm)


def _labelled_firms(connection: DuckDBPyConnection, linked: list[int], options: MatchingOptions) -> list[int]:
    """Return the firms to learn from: a sample by the hash of what they are called and where.

    Where they are too few for that, they check the shipped model; where they are fewer still, there is none.
    """
    most = options.max_training_labels
    if len(linked) < options.min_training_labels:
        most = _CHECKING_LABELS if len(linked) >= _LEAST_CHECKING_LABELS else 0
    rows = connection.execute(
        """
        SELECT firm_id FROM firms JOIN (SELECT unnest($1::BIGINT[]) AS firm_id) USING (firm_id)
        WHERE name IS NOT NULL
        ORDER BY md5(concat_ws('|', name, uei, duns, city, state, zip5)), firm_id LIMIT $2
        """,
        [linked, most],
    ).fetchall()
    return sorted(row[0] for row in rows)


def _model(
    connection: DuckDBPyConnection,
    counts: TokenCounts,
    matches: Mapping[int, Sequence[IdentifierMatch]],
    labelled: Sequence[int],
    options: MatchingOptions,
    trains: bool,
) -> tuple[Model, HardLabels | None]:
    """Return the shipped model, drawn to the labelled firms if it `trains`, and what they say of it."""
    model = default_model()
    if not labelled:
        return model, None
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE labelled_queries AS SELECT firm_id, query_id FROM firm_queries"
        " SEMI JOIN (SELECT unnest($1::BIGINT[]) AS firm_id) USING (firm_id)",
        [labelled],
    )
    truth: dict[int, frozenset[str]] = {}
    for firm, query in connection.execute("FROM labelled_queries").fetchall():
        right = frozenset(match.entity for match in matches[firm] if match.agrees)
        truth[query] = truth.get(query, frozenset()) | right
    known = "query_id IN (SELECT query_id FROM labelled_queries)"
    examples = [
        label_pairs(score_pairs(connection, counts, f"{some} AND {known}"), truth)
        for some in query_ranges(connection)
    ]
    if not trains:
        return model, ask(joined(examples), len(truth), model, options.max_frequency_in_state)
    return train(joined(examples), len(truth), model, options.max_frequency_in_state)


def _rules(
    model: Model,
    labels: HardLabels | None,
    trains: bool,
    unlabelled: Sequence[Sequence[PairFacts]],
    options: MatchingOptions,
) -> tuple[Rules, AbsentShare | None]:
    """Return confidence and limit of each stratum, from the labels of this data where there are any.

    Labels that did not train the model replace the shipped limit only where they find it too low.
    `unlabelled` are the pairs of each firm that no identifier links.
    """
    limit = interpolated_limit(model.limits, options.min_precision)
    if options.acceptance_limit is not None:
        limit = options.acceptance_limit
    required = options.min_precision if options.acceptance_limit is None else options.acceptance_limit
    rules = Rules(limit, options.max_frequency_in_state, options.max_candidates, required)
    if labels is None:
        return rules, None
    found = sum(any(pair.confidence >= CONFIDENT for pair in pairs) for pairs in unlabelled)
    absent = absent_share(labels, found, len(unlabelled))
    links = _links_per_stratum(unlabelled, rules)
    if not trains and keeps_promise(labels, absent, links, limit, options.min_precision):
        return rules, absent
    acceptances = calibrate(labels, absent, links, limit, options.min_precision)
    if options.acceptance_limit is not None:
        acceptances = {
            stratum: each._replace(limit=limit if stratum.basis is Basis.MODEL else 0.0)
            for stratum, each in acceptances.items()
        }
    return replace(rules, acceptances=acceptances), absent


def _links_per_stratum(unlabelled: Sequence[Sequence[PairFacts]], rules: Rules) -> Counter[int]:
    """Return the links of each stratum, by its number, that the rules make of the pairs of each firm."""
    answers = filter(None, (best_answer(rules.stated(pairs), (), rules) for pairs in unlabelled))
    return Counter(
        STRATA.index(stratum_of(pair, basis)) for pair, basis in answers if is_sure(pair, basis, rules)
    )


def _pairs_by_firm(connection: DuckDBPyConnection, by_query: DecisivePairs) -> dict[int, list[PairFacts]]:
    """Return each firm's candidates, those of all its names together, the most probable first."""
    by_firm: dict[int, list[PairFacts]] = defaultdict(list)
    rows = connection.execute("SELECT firm_id, query_id FROM firm_queries ORDER BY ALL").fetchall()
    for firm, query in rows:
        by_firm[firm].extend(by_query.get(query, ()))
    for found in by_firm.values():
        found.sort(key=lambda fact: fact.order)
    return dict(by_firm)
