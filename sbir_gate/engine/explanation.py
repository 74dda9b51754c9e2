# ruff: noqa: S608 -- the SQL is built from this package's expressions and from numbers
"""Why an award is linked, or is not: the engine run on the whole data, and its reasons for a few awards.

Nothing is decided in another way: decisions, scores and rules are those of `enrich`. What would have to
differ is tried by giving the features, the model and the rules changed data.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from sbir_gate.engine.linking import Linked, LinkRequest, link_files, matching_options
from sbir_gate.engine.matching.candidates import named_keys_query
from sbir_gate.engine.matching.decisions import (
    Candidate,
    FirmDecision,
    PairFacts,
    decide_firm,
    links_by_name,
    pair_facts,
)
from sbir_gate.engine.matching.exact import IdentifierMatch, find_identifier_matches, match_by_names
from sbir_gate.engine.matching.normalise import canonical_tokens
from sbir_gate.engine.matching.scoring import ScoredPairs, score_pairs
from sbir_gate.engine.matching.similarity import FEATURES, Places, features
from sbir_gate.engine.matching.training import subset
from sbir_gate.engine.tracking import no_progress
from sbir_gate.model.explanation import (
    Basis,
    Change,
    Contribution,
    ExplainedCandidate,
    Explanation,
    NameForm,
    Party,
    SharedKey,
    Trial,
    Weighing,
)
from sbir_gate.model.matches import Decision, DecisionKind, Method, NoLinkReason
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.progress import Progress
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.schema import Settings

_BY_IDENTIFIER = (Method.UEI_EXACT, Method.DUNS_EXACT)
# no city, state or ZIP code of anyone
_ELSEWHERE = ("ELSEWHERE", "ZZ", "00000")
_PARTY = ", ".join(f"coalesce({column}, '')" for column in ("name", "uei", "duns", "city", "state", "zip5"))


@dataclass(frozen=True, slots=True)
class DecidedAward:
    """The decision on one award, and what kind of award it is."""

    decision: Decision
    phase: str
    identifier_type: str


Choice = Callable[[Sequence[DecidedAward]], Sequence[str]]
"""Chooses the ids of the awards to explain among all that were decided."""


def explain(
    awards: str,
    recipients: str,
    chosen: Sequence[str] | Choice,
    settings: Settings | None = None,
    progress: Progress = no_progress,
    index_folder: Path | None = None,
) -> tuple[Explanation, ...]:
    """Return why each of the chosen awards is linked, or is not, in the order of their ids.

    Links all awards on the way, since words, names and labels are counted over all of them. Without
    `settings` those of the current folder and environment apply. An index of all recipients is written to
    `index_folder` where it is named. Raises InputError for an unknown award, and what `enrich` raises.
    """
    settings = settings or load_settings(None, os.environ).settings
    needed = () if callable(chosen) else tuple(chosen)
    request = LinkRequest(awards, recipients, index_folder=index_folder, needed_awards=needed)
    with link_files(request, settings, PerformanceMonitor(), progress) as linked:
        award_ids = chosen(_decided(linked)) if callable(chosen) else chosen
        firms = [_firm_of(linked.connection, award) for award in award_ids]
        cases = {case.firm_id: case for case in _cases(linked, sorted({*firms}), settings)}
        return tuple(
            _explanation(linked, award, cases[firm]) for award, firm in zip(award_ids, firms, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Case:
    """A firm with all that its decision follows from; `facts` are its scored pairs, the best first."""

    firm_id: int
    decision: FirmDecision
    names: tuple[NameForm, ...]
    party: Party
    identified: tuple[IdentifierMatch, ...]
    scored: ScoredPairs | None
    facts: tuple[PairFacts, ...]
    methods: frozenset[Method]


def _decided(linked: Linked) -> list[DecidedAward]:
    """Return all awards in the order of their file."""
    rows = linked.connection.execute(
        "SELECT award_id, firm_id, coalesce(phase, ''), coalesce(identifier_type, '')"
        " FROM award_firms JOIN awards USING (position, award_id) ORDER BY position"
    ).fetchall()
    return [
        DecidedAward(_decision(award_id, linked.matched.decisions[firm]), phase, identifier_type)
        for award_id, firm, phase, identifier_type in rows
    ]


def _decision(award_id: str, decision: FirmDecision) -> Decision:
    best = decision.best
    return Decision(
        award_id,
        decision.kind,
        decision.method.value,
        best.recipient_id if best else "",
        best.score if best else 0.0,
        best.confidence if best else 0.0,
        tuple(found.recipient_id for found in decision.candidates),
    )


def _firm_of(connection: DuckDBPyConnection, award_id: str) -> int:
    query = "SELECT firm_id FROM award_firms WHERE award_id = $1"
    (firm,) = connection.execute(query, [award_id]).fetchall()[0]
    return int(firm)


def _cases(linked: Linked, firms: Sequence[int], settings: Settings) -> Iterator[_Case]:
    connection, matched = linked.connection, linked.matched
    methods = frozenset(matching_options(settings).methods)
    identified = [
        match
        for method in _BY_IDENTIFIER
        if method in methods
        for match in find_identifier_matches(connection, method)
        if match.firm_id in firms
    ]
    identified.sort(key=lambda match: not match.agrees)
    for firm in firms:
        party = connection.execute(f"SELECT {_PARTY} FROM firms WHERE firm_id = {firm}").fetchone() or ("",)
        names = connection.execute(
            f"SELECT normal, compact, is_alias FROM firm_names WHERE firm_id = {firm} AND normal <> ''"
            " ORDER BY is_alias, normal"
        ).fetchall()
        queries = connection.execute(f"SELECT query_id FROM firm_queries WHERE firm_id = {firm}").fetchall()
        scored = None
        facts: tuple[PairFacts, ...] = ()
        if queries:
            wanted = ", ".join(str(row[0]) for row in queries)
            scored = score_pairs(connection, matched.counts, f"query_id IN ({wanted})")
            facts = _facts(linked, scored, methods)
        yield _Case(
            firm,
            matched.decisions[firm],
            tuple(
                NameForm(normal, compact, " ".join(canonical_tokens(normal)), is_alias)
                for normal, compact, is_alias in names
            ),
            Party(*party),
            tuple(match for match in identified if match.firm_id == firm),
            scored,
            facts,
            methods,
        )


def _facts(linked: Linked, scored: ScoredPairs, methods: frozenset[Method]) -> tuple[PairFacts, ...]:
    confidences = np.round(linked.matched.model.probabilities(scored.matrix), 9)
    facts = (fact for fact in pair_facts(scored, confidences) if fact.method in methods)
    return tuple(sorted(facts, key=lambda fact: fact.order))


def _explanation(linked: Linked, award_id: str, case: _Case) -> Explanation:
    decision = case.decision
    return Explanation(
        award_id=award_id,
        firm=case.party,
        names=case.names,
        decision=_decision(award_id, decision),
        basis=_basis(case, linked.matched.rules.max_frequency_in_state),
        candidates=tuple(_candidate(linked, case, found) for found in decision.candidates),
        reason=_reason(linked, award_id, case),
        acceptance_limit=_limit(linked, case),
        model=linked.matched.model.version,
        considered=len({fact.entity for fact in case.facts}),
        trials=tuple(_trials(linked, case)),
    )


def _basis(case: _Case, max_frequency_in_state: int) -> Basis:
    decision = case.decision
    if decision.best is None:
        return Basis.NOTHING
    if decision.kind is DecisionKind.LINK:
        if decision.method in _BY_IDENTIFIER:
            return Basis.IDENTIFIER
        exact = [fact for fact in case.facts if fact.method is Method.NAME_EXACT]
        in_state = len({fact.entity for fact in exact if fact.same_state})
        if any(links_by_name(fact, in_state, max_frequency_in_state) for fact in exact):
            return Basis.EXACT_NAME
    return Basis.MODEL


def _reason(linked: Linked, award_id: str, case: _Case) -> NoLinkReason | None:
    """Return the likeliest reason for no link; None for a link."""
    best = case.decision.best
    if case.decision.kind is DecisionKind.LINK:
        return None
    if best is None:
        return _reason_of_none(linked, award_id, case)
    if best.reason:
        return NoLinkReason(best.reason)
    fact = _fact_of(case, best)
    if fact is not None and fact.method is Method.NAME_EXACT and fact.name_frequency > 1:
        return NoLinkReason.NAME_FREQUENCY
    return NoLinkReason.BELOW_LIMIT


def _limit(linked: Linked, case: _Case) -> float:
    """Return the least confidence of a link in the stratum of the best candidate."""
    fact, rules = _fact_of(case, case.decision.best), linked.matched.rules
    return rules.limit(fact) if fact else rules.acceptance_limit


def _reason_of_none(linked: Linked, award_id: str, case: _Case) -> NoLinkReason:
    if case.names or case.party.uei or case.party.duns:
        return NoLinkReason.NO_CANDIDATE
    named = "SELECT 1 FROM awards WHERE award_id = $1 AND is_placeholder"
    is_placeholder = linked.connection.execute(named, [award_id]).fetchone() is not None
    return NoLinkReason.PLACEHOLDER if is_placeholder else NoLinkReason.UNREADABLE


def _fact_of(case: _Case, candidate: Candidate | None) -> PairFacts | None:
    """Return the pair that made a candidate, else the best of its recipient; None if none was compared."""
    made = (candidate.recipient_id, candidate.row_key, candidate.method) if candidate else ("",)
    own = (fact for fact in case.facts if fact.recipient_id == made[0])
    return max(own, key=lambda fact: (fact.recipient_id, fact.row_key, fact.method) == made, default=None)


def _row_of(scored: ScoredPairs, fact: PairFacts) -> int:
    return int(np.flatnonzero((scored.query == fact.query_id) & (scored.row_key == fact.row_key))[0])


def _candidate(linked: Linked, case: _Case, candidate: Candidate) -> ExplainedCandidate:
    connection = linked.connection
    fact = _fact_of(case, candidate)
    table = "identified_recipients" if fact is None else "pair_recipients"
    key = candidate.row_key if fact is None else fact.row_key
    party = connection.execute(f"SELECT {_PARTY} FROM {table} WHERE row_key = {key}").fetchone() or ("",)
    return ExplainedCandidate(
        candidate.recipient_id,
        Party(*party),
        candidate.method.value,
        candidate.score,
        candidate.confidence,
        candidate.reason,
        _shared_keys(connection, fact) if fact else (),
        _weighing(linked, case.scored, fact) if fact and case.scored else None,
    )


def _shared_keys(connection: DuckDBPyConnection, fact: PairFacts) -> tuple[SharedKey, ...]:
    own = named_keys_query(f"(FROM queries WHERE query_id = {fact.query_id})", "query_id")
    other = named_keys_query(f"(FROM pair_recipients WHERE row_key = {fact.row_key})", "row_key")
    rows = connection.execute(f"""
        SELECT DISTINCT named_key.kind AS kind, named_key.text AS text
        FROM ({own}) SEMI JOIN ({other}) USING (named_key) WHERE named_key IS NOT NULL ORDER BY ALL
    """).fetchall()
    return tuple(SharedKey(kind, text) for kind, text in rows)


def _weighing(linked: Linked, scored: ScoredPairs, fact: PairFacts) -> Weighing:
    model, row = linked.matched.model, _row_of(scored, fact)
    return Weighing(
        query=str(scored.names.normal[scored.pairs.left[row]]),
        intercept=model.intercept,
        contributions=tuple(
            Contribution(name, float(value), weight)
            for name, value, weight in zip(FEATURES, scored.matrix[row], model.weights, strict=True)
        ),
        confidence=fact.confidence,
        name_frequency=fact.name_frequency,
    )


def _trials(linked: Linked, case: _Case) -> Iterator[Trial]:
    """Decide again with one difference in the best recipient whose name was compared."""
    scored = case.scored
    if scored is None or not case.facts:
        return
    fact = _fact_of(case, case.decision.best) or case.facts[0]
    row = _row_of(scored, fact)
    for change, changed in _changes(scored, row):
        decision = decide_firm(
            case.firm_id, case.identified, _facts(linked, changed, case.methods), linked.matched.rules
        )
        yield _trial(change, fact, decision)
    match = _matched_by_uei(linked.connection, case, fact)
    if match is not None:
        yield _trial(
            Change.SAME_UEI,
            fact,
            decide_firm(case.firm_id, [match, *case.identified], case.facts, linked.matched.rules),
        )


def _trial(change: Change, fact: PairFacts, decision: FirmDecision) -> Trial:
    best, is_link = decision.best, decision.kind is DecisionKind.LINK
    linked, confidence = (best.recipient_id if is_link else "", best.confidence) if best else ("", 0.0)
    return Trial(change, fact.recipient_id, decision.kind, linked, confidence)


def _changes(scored: ScoredPairs, row: int) -> Iterator[tuple[Change, ScoredPairs]]:
    """Give the scored pairs with each change that can be made to the recipient of a row."""
    pairs = scored.pairs
    left = tuple(str(column[row]) for column in _columns(pairs.left_places))
    right = tuple(str(column[row]) for column in _columns(pairs.right_places))
    city, state, zip5 = left
    places = {
        Change.SAME_ZIP: left if zip5 else None,
        Change.SAME_CITY: (city, state, "") if city and state else None,
        Change.SAME_STATE: ("", state, "") if state else None,
        Change.OTHER_STATE: tuple(there if here else "" for here, there in zip(left, _ELSEWHERE, strict=True))
        if state
        else None,
        Change.PLACE_UNKNOWN: ("", "", ""),
    }
    for change, place in places.items():
        if place is not None and place != right:
            yield change, _rescored(scored, row, place)
    if pairs.name_frequency[row] > 1:
        has_name = scored.names.compact[pairs.right] == scored.names.compact[pairs.right[row]]
        yield Change.UNIQUE_NAME, _without(scored, row, has_name)


def _columns(places: Places) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    return places.city, places.state, places.zip5


def _rescored(scored: ScoredPairs, row: int, place: tuple[str, ...]) -> ScoredPairs:
    """Return the pairs with the recipient of a row, in all its pairs, at another place."""
    is_recipient = scored.row_key == scored.row_key[row]
    moved = [
        np.where(is_recipient, value, column)
        for value, column in zip(place, _columns(scored.pairs.right_places), strict=True)
    ]
    pairs = replace(scored.pairs, right_places=Places(*moved))
    return replace(scored, pairs=pairs, matrix=features(pairs, scored.names, scored.names_counted))


def _without(scored: ScoredPairs, row: int, has_name: NDArray[np.bool_]) -> ScoredPairs:
    """Return the pairs in which the recipient is the only one that has its name."""
    keep = ~has_name | (scored.pairs.entity == scored.pairs.entity[row])
    pairs = subset(scored.pairs, keep)
    pairs = replace(pairs, name_frequency=np.where(has_name[keep], 1, pairs.name_frequency))
    return ScoredPairs(
        scored.query[keep],
        scored.row_key[keep],
        scored.recipient_id[keep],
        pairs,
        scored.names,
        scored.names_counted,
        features(pairs, scored.names, scored.names_counted),
    )


def _matched_by_uei(connection: DuckDBPyConnection, case: _Case, fact: PairFacts) -> IdentifierMatch | None:
    """Return the match that the recipient's UEI on the award would make; None where it has none."""
    row = connection.execute(
        f"SELECT uei, normal FROM pair_recipients WHERE row_key = {fact.row_key}"
    ).fetchone()
    if row is None or not row[0] or row[0] == case.party.uei or Method.UEI_EXACT not in case.methods:
        return None
    names = [name.normal for name in case.names]
    recipient = fact.row_key, fact.recipient_id, fact.entity
    return match_by_names(case.firm_id, Method.UEI_EXACT, recipient, names, row[1])
