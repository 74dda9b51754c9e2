"""The decision on one firm: pure functions of its identifier matches and scored candidates."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sbir_gate.engine.matching.calibration import CONTRADICTING, RARE_ENOUGH, UNCONFIRMED
from sbir_gate.engine.matching.confidence import DUNS_CONFIDENCE, UEI_CONFIDENCE
from sbir_gate.engine.matching.exact import IdentifierMatch, Standing
from sbir_gate.engine.matching.normalise import differ_in_generation
from sbir_gate.engine.matching.scoring import ScoredPairs
from sbir_gate.engine.matching.similarity import FEATURES
from sbir_gate.engine.matching.strata import Acceptances, Basis, Stratum
from sbir_gate.engine.matching.tokens import Floats
from sbir_gate.model.matches import DecisionKind, Method, NoLinkReason, PlaceEvidence

UNCLAIMED_UEI_CONFIDENCE = 0.985
UNCLAIMED_DUNS_CONFIDENCE = 0.67
"""What is stated of an identifier whose names clearly disagree, if no other firm claims it.

In published records it was the same firm, renamed, in every pair of a UEI that was looked at, and in about
two of three of a DUNS, whatever the places said. docs/engine.md, "Identifier conflicts", has the figures.
"""

CONFLICT_CONFIDENCE = 0.3
"""What is stated of an identifier that another firm claims, or that is generic: an assumption."""

RULE_CONFIDENCE = 0.99
"""Minimum confidence of exact names that place or uniqueness confirms.

At least 0.988 of them were correct in every case: docs/performance/enrichment-benchmarks.md, "Exact names".
"""

IDENTIFIER_CONFLICT = "identifier-conflict"

UNCONFIRMED_CONFIDENCE = 0.5
"""The most that is stated of a pair whose names or identifiers keep it from being a link (`bars`).

Of 63 such candidates of which the model said 0.5 or more, 25 were right: docs/engine.md, "How it links".
"""

_DECISIVE = (
    *("same_compact", "alias", "same_zip5", "same_state", "state_conflict", "same_city", "shared_rarity"),
    *("contradiction", "unconfirmed_rest", "uei_conflict"),
)
_UNCONFIRMED = frozenset({NoLinkReason.ALIAS, NoLinkReason.OTHER_IDENTIFIER})


LEAST_CANDIDATE = 0.02
"""Confidence below which a recipient is not even kept for review."""

LEAST_KEPT = 0.01
"""Probability by the model below which a pair without an exact name decides nothing."""


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What decides about one candidate of the query `query_id`; `order` sorts the best first.

    `barrier` is why its name is not a link, however sure the model is; None where nothing bars it.
    Pairs come in the order of their content, so a stable sort leaves no tie to chance.
    """

    query_id: int
    row_key: int
    recipient_id: str
    entity: str
    method: Method
    score: float
    confidence: float
    same_zip5: bool
    same_state: bool
    state_conflict: bool
    same_city: bool
    name_frequency: int
    is_rare: bool
    barrier: NoLinkReason | None
    order: tuple[float | str, ...]

    @property
    def place(self) -> PlaceEvidence:
        """What the place says of the pair."""
        if self.same_zip5 or (self.same_city and self.same_state):
            return PlaceEvidence.CONFIRMS
        if self.same_state:
            return PlaceEvidence.SAME_STATE
        return PlaceEvidence.CONTRADICTS if self.state_conflict else PlaceEvidence.UNKNOWN


DecisivePairs = dict[int, tuple[PairFacts, ...]]
"""The pairs of each query that may decide something, in the order of their content."""

Stated = tuple[PairFacts, float]
"""A pair, and its calibrated confidence by the model."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Minimum confidence of a link, maximum name frequency for links by state, maximum candidates.

    `identifier_limit` is that of an identifier whose names disagree; `acceptances` are curve and limit of
    each stratum, and `acceptance_limit` holds where there is none.
    """

    acceptance_limit: float
    max_frequency_in_state: int
    max_candidates: int
    identifier_limit: float = 0.98
    acceptances: Acceptances = field(default_factory=dict)

    def confidence(self, pair: PairFacts, basis: Basis = Basis.MODEL) -> float:
        """Return the calibrated confidence of a pair."""
        found = self.acceptances.get(stratum_of(pair, basis))
        confidence = pair.confidence
        if found is not None:
            odds = confidence / max(1.0 - confidence, 1e-12)
            confidence = found.confidence(math.log(max(odds, 1e-12)))
        elif basis is Basis.RULE:
            confidence = max(confidence, RULE_CONFIDENCE)
        is_alias_only = pair.method is Method.ALIAS and pair.place is not PlaceEvidence.CONFIRMS
        is_unconfirmed = is_alias_only or pair.barrier in _UNCONFIRMED
        return min(confidence, UNCONFIRMED_CONFIDENCE) if is_unconfirmed else confidence

    def stated(self, pairs: Iterable[PairFacts]) -> list[Stated]:
        """Return the pairs in their order, each with its confidence by the model."""
        return [(pair, self.confidence(pair)) for pair in pairs]

    def limit(self, pair: PairFacts, basis: Basis = Basis.MODEL) -> float:
        """Return the least confidence with which a pair of this stratum is a link."""
        found = self.acceptances.get(stratum_of(pair, basis))
        if found is not None:
            return found.limit
        return 0.0 if basis is Basis.RULE else self.acceptance_limit


def stratum_of(pair: PairFacts, basis: Basis) -> Stratum:
    """Return the stratum of a link; an alias counts as a similar name, also where it is equal."""
    method = Method.NAME_FUZZY if pair.method is Method.ALIAS else pair.method
    return Stratum(method, pair.place, basis)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recipient kept for review; `reason` is empty or says why it is not a link."""

    row_key: int
    recipient_id: str
    entity: str
    method: Method
    score: float
    confidence: float
    reason: str = ""
    place: PlaceEvidence = PlaceEvidence.UNKNOWN


@dataclass(frozen=True, slots=True)
class FirmDecision:
    """What is decided of one firm; `candidates` are at most 5 distinct entities, best first."""

    firm_id: int
    kind: DecisionKind
    method: Method
    best: Candidate | None
    candidates: tuple[Candidate, ...]


def pair_facts(scored: ScoredPairs, confidences: Floats, least: float = 0.0) -> list[PairFacts]:
    """Return the facts of the scored pairs, in their order.

    Pairs below the confidence `least` without an exact name are left out: they decide nothing.
    """
    column = {name: scored.matrix[:, FEATURES.index(name)] for name in _DECISIVE}
    kept = np.flatnonzero((confidences >= least) | (column["same_compact"] > 0))
    value = {name: cells[kept].tolist() for name, cells in column.items()}
    similarity = (100.0 * scored.matrix[:, FEATURES.index("token_sort")]).round(4)[kept].tolist()
    states, zips = scored.pairs.right_places.state, scored.pairs.right_places.zip5
    facts = []
    for place, (index, confidence) in enumerate(zip(kept.tolist(), confidences[kept].tolist(), strict=True)):
        cell = {name: cells[place] for name, cells in value.items()}
        is_exact = cell["same_compact"] > 0
        recipient = str(scored.recipient_id[index])
        left = str(scored.names.normal[scored.pairs.left[index]])
        right = str(scored.names.normal[scored.pairs.right[index]])
        named = Method.NAME_EXACT if is_exact else Method.NAME_FUZZY
        facts.append(
            PairFacts(
                query_id=int(scored.query[index]),
                row_key=int(scored.row_key[index]),
                recipient_id=recipient,
                entity=str(scored.pairs.entity[index]),
                method=Method.ALIAS if cell["alias"] > 0 else named,
                score=100.0 if is_exact else similarity[place],
                confidence=confidence,
                same_zip5=cell["same_zip5"] > 0,
                same_state=cell["same_state"] > 0,
                state_conflict=cell["state_conflict"] > 0,
                same_city=cell["same_city"] > 0,
                name_frequency=int(scored.pairs.name_frequency[index]),
                barrier=_barrier(left, right, cell),
                is_rare=cell["shared_rarity"] >= RARE_ENOUGH,
                order=(-confidence, -similarity[place], recipient, *map(str, (states[index], zips[index]))),
            )
        )
    return facts


def _barrier(left: str, right: str, cell: Mapping[str, float]) -> NoLinkReason | None:
    if differ_in_generation(left, right):
        return NoLinkReason.OTHER_GENERATION
    has_other_words = cell["contradiction"] >= CONTRADICTING or cell["unconfirmed_rest"] >= UNCONFIRMED
    if has_other_words and not cell["same_compact"]:
        return NoLinkReason.OTHER_WORDS
    is_confirmed = cell["same_zip5"] > 0 or (cell["same_city"] > 0 and cell["same_state"] > 0)
    if cell["alias"] > 0 and not is_confirmed:
        return NoLinkReason.ALIAS
    is_placeless = not (is_confirmed or cell["same_state"] > 0 or cell["state_conflict"] > 0)
    return NoLinkReason.OTHER_IDENTIFIER if cell["uei_conflict"] > 0 and is_placeless else None


def links_by_name(pair: PairFacts, states_in_common: int, max_frequency_in_state: int) -> bool:
    """Say whether an exact name is a link by itself, whatever the model thinks.

    It is where the zip or the city agrees; where the state agrees, at most `max_frequency_in_state`
    recipients have the name and only one of them is in that state (`states_in_common`); or where the name is
    rare and unique, and no place contradicts it. Measured precision of these
    cases: docs/performance/enrichment-benchmarks.md.
    """
    if pair.method is not Method.NAME_EXACT or pair.barrier in _UNCONFIRMED:
        return False
    if pair.same_zip5 or (pair.same_city and pair.same_state):
        return True
    if pair.same_state:
        return pair.name_frequency <= max_frequency_in_state and states_in_common == 1
    return pair.name_frequency == 1 and not pair.state_conflict and pair.is_rare


def decide_firm(
    firm_id: int, identified: Sequence[IdentifierMatch], pairs: Sequence[PairFacts], rules: Rules
) -> FirmDecision:
    """Return the decision on a firm from its identifier matches and its pairs, each best first."""
    by_identifier = [_from_identifier(match) for match in identified]
    borne = {match.entity for match in identified if match.standing is Standing.UNCLAIMED}
    stated = rules.stated(pairs)
    by_name = [
        found
        for pair, confidence in stated
        if (found := _from_name(pair, confidence, rules, is_barred=bars(pair, borne))).confidence
        >= LEAST_CANDIDATE
        or pair.method is Method.NAME_EXACT
    ]
    if identified and identified[0].agrees:
        link: Candidate | None = by_identifier[0]
        candidates = [*by_identifier, *by_name]
    else:
        named, renamed = _linked_pair(stated, borne, rules), _renamed(identified, rules)
        link = renamed if named is None or (renamed and not _outdoes(named, renamed)) else named
        candidates = [*by_name, *by_identifier]
    if link is None:
        candidates = sorted([*by_identifier, *by_name], key=_surest_first)
    best = link or next(iter(candidates), None)
    if best is None:
        return FirmDecision(firm_id, DecisionKind.NONE, Method.NONE, None, ())
    kind = DecisionKind.LINK if link else DecisionKind.CANDIDATE
    return FirmDecision(
        firm_id, kind, best.method, best, _distinct([best, *candidates])[: rules.max_candidates]
    )


def _surest_first(found: Candidate) -> tuple[float, float, str]:
    return -found.confidence, -found.score, found.recipient_id


def _distinct(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the first candidate of each entity; an entity is known by the id of one of its rows."""
    seen: set[str] = set()
    distinct = []
    for candidate in candidates:
        ids = {candidate.entity, candidate.recipient_id}
        if not ids & seen:
            distinct.append(candidate)
        seen |= ids
    return tuple(distinct)


def bars(pair: PairFacts, borne: Collection[str]) -> bool:
    """Say whether the names of a pair keep it from being a link, however sure the model is.

    Other words and aliases do not where an identifier is the same (`borne`: the entities that bear one of
    the firm's): a firm that was renamed has other words too.
    """
    return pair.barrier is not None and not (
        pair.barrier is not NoLinkReason.OTHER_GENERATION and pair.entity in borne
    )


def best_answer(
    stated: Sequence[Stated], borne: Collection[str], rules: Rules
) -> tuple[PairFacts, Basis] | None:
    """Return the pair that is a link by name if it is sure enough, and what makes it one."""
    in_state = len(
        {pair.entity for pair, _ in stated if pair.method is Method.NAME_EXACT and pair.same_state}
    )
    by_sureness = [pair for pair, _ in sorted(stated, key=lambda each: -each[1])]
    for pair in by_sureness:
        if links_by_name(pair, in_state, rules.max_frequency_in_state):
            return pair, Basis.RULE
    free = [pair for pair in by_sureness if not bars(pair, borne)]
    if not free or _names_two(free, borne, rules):
        return None
    return free[0], Basis.MODEL


def _names_two(free: Sequence[PairFacts], borne: Collection[str], rules: Rules) -> bool:
    """Say whether one alias of the firm names the surest recipient, and another alias another one.

    `Foo (Bar) Inc` is neither Foo Inc nor Bar Inc, if both are there.
    """
    best = free[0]
    if best.method is not Method.ALIAS or best.entity in borne:
        return False
    return any(
        pair.query_id != best.query_id
        and pair.entity != best.entity
        and pair.method is Method.ALIAS
        and is_sure(pair, Basis.MODEL, rules)
        for pair in free
    )


def is_sure(pair: PairFacts, basis: Basis, rules: Rules) -> bool:
    """Say whether the best answer of a firm is a link."""
    return rules.confidence(pair, basis) >= rules.limit(pair, basis)


def _linked_pair(stated: Sequence[Stated], borne: Collection[str], rules: Rules) -> Candidate | None:
    best = best_answer(stated, borne, rules)
    if best is None or not is_sure(*best, rules):
        return None
    return _from_name(best[0], rules.confidence(*best), rules, best[1])


def _from_name(
    pair: PairFacts, confidence: float, rules: Rules, basis: Basis = Basis.MODEL, *, is_barred: bool = False
) -> Candidate:
    reason = pair.barrier.value if pair.barrier in _UNCONFIRMED else ""
    if pair.barrier is not None and is_barred and confidence >= rules.limit(pair, basis):
        reason = pair.barrier.value
    if is_barred:
        confidence = min(confidence, UNCONFIRMED_CONFIDENCE)
    row = pair.row_key, pair.recipient_id, pair.entity
    return Candidate(*row, pair.method, pair.score, confidence, reason, pair.place)


def _outdoes(named: Candidate, renamed: Candidate) -> bool:
    return named.place is PlaceEvidence.CONFIRMS and named.confidence > renamed.confidence


def _renamed(identified: Sequence[IdentifierMatch], rules: Rules) -> Candidate | None:
    """Return the link to a recipient under another name, by an identifier that no other firm claims."""
    unclaimed = (_from_identifier(match) for match in identified if match.standing is Standing.UNCLAIMED)
    best = max(unclaimed, key=lambda found: found.confidence, default=None)
    is_link = best is not None and best.confidence >= rules.identifier_limit
    return replace(best, reason="") if best is not None and is_link else None


def _from_identifier(match: IdentifierMatch) -> Candidate:
    row, method = (match.row_key, match.recipient_id, match.entity), match.method
    is_uei = method is Method.UEI_EXACT
    if match.agrees:
        return Candidate(*row, method, 100.0, UEI_CONFIDENCE if is_uei else DUNS_CONFIDENCE)
    unclaimed = UNCLAIMED_UEI_CONFIDENCE if is_uei else UNCLAIMED_DUNS_CONFIDENCE
    confidence = unclaimed if match.standing is Standing.UNCLAIMED else CONFLICT_CONFIDENCE
    return Candidate(*row, method, match.score, confidence, IDENTIFIER_CONFLICT)
