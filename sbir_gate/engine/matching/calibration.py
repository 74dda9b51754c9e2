"""The curve and the limit of each stratum, from queries whose recipient is known.

Each is asked twice: with its recipient in the table, and without it. The two answers weigh as often as
queries have a recipient, and have none, which is estimated from the queries without a label. Recipients that
have the right one's name but are not it stay in the table: where names are frequent, the labels show it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbir_gate.engine.matching.confidence import Model, fit
from sbir_gate.engine.matching.similarity import FEATURES
from sbir_gate.engine.matching.strata import LARGEST_LOG_ODDS, STRATA, Acceptance, Acceptances, Basis, Stratum
from sbir_gate.engine.matching.tokens import Floats, Integers
from sbir_gate.model.matches import Method, PlaceEvidence
from sbir_gate.model.proportion import Proportion, score_interval

# A unique name is a link by itself only if its tokens are rare together: their weight
# reaches this share of the largest possible weight of one token.
RARE_ENOUGH = 0.45 / 3.0

# Weight (0..1) from which a token that the other name lacks names another firm: where each name has one,
# or where no place confirms. SERVICES weighs 0.31, TECHNOLOGIES 0.35, SYSTEMS 0.41, LABS 0.54, OPTICS 0.74.
CONTRADICTING = 0.4
UNCONFIRMED = 0.5

_LIKELY = 0.5
MANY_LINKS = 200
"""Links from which a stratum must be as precise as required by itself."""

_SHRINKAGE = 2.0
_PSEUDO_LINKS = 10.0
_FEWEST_ABSENT, _MOST_ABSENT = 0.02, 0.95
_STANDARD_ERRORS = 1.645  # one-sided, 95%
_PLACES = tuple(PlaceEvidence)

Curves = Mapping[int, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class AskedPairs:
    """Pairs of labelled queries: log-odds by the model, number of their stratum, whether they are right."""

    query: Integers
    log_odds: Floats
    stratum: Integers
    is_correct: NDArray[np.bool_]


class HardLabels(NamedTuple):
    """The pairs of `queries` labelled queries with their recipient in the table (`shown`), and without it."""

    shown: AskedPairs
    hidden: AskedPairs
    queries: int


class MeasuredLinks(NamedTuple):
    """Links that labelled queries have, and the share of them that is correct, with its 95% interval."""

    links: int
    rate: float
    low: float
    high: float


class AbsentShare(NamedTuple):
    """The estimated share of queries without a recipient, and the largest that the data allows (95%)."""

    estimate: float
    high: float


def stratum_numbers(query: Integers, matrix: Floats, max_frequency_in_state: int) -> Integers:
    """Return the place in STRATA of each pair of a feature matrix; `links_by_name` is the rule."""
    column = {name: matrix[:, FEATURES.index(name)] for name in _DECISIVE}
    is_exact, same_state = (column["same_compact"] > 0) & (column["alias"] == 0), column["same_state"] > 0
    elsewhere = column["state_conflict"] > 0
    confirms = _confirms(matrix)
    place = np.select(
        [confirms, same_state, elsewhere],
        [_PLACES.index(PlaceEvidence.CONFIRMS), 1, _PLACES.index(PlaceEvidence.CONTRADICTS)],
        _PLACES.index(PlaceEvidence.UNKNOWN),
    )
    frequency = np.rint(np.exp(3.0 * column["name_frequency"]))
    groups = np.unique(query, return_inverse=True)[1] if len(query) else query
    in_state = np.bincount(groups, weights=is_exact & same_state)[groups] if len(query) else column["margin"]
    is_unique = ~elsewhere & (frequency == 1) & (column["shared_rarity"] >= RARE_ENOUGH)
    in_one_state = (frequency <= max_frequency_in_state) & (in_state == 1)
    is_rule = is_exact & (confirms | np.where(same_state, in_one_state, is_unique))
    kind = np.where(is_rule, 0, np.where(is_exact, 1, 2))
    numbers: Integers = (kind * len(_PLACES) + place).astype(np.int64)
    return numbers


_DECISIVE = (
    *("same_compact", "alias", "same_state", "state_conflict"),
    *("shared_rarity", "name_frequency", "margin"),
)


def _confirms(matrix: Floats) -> NDArray[np.bool_]:
    same_zip5, same_city, same_state = (
        matrix[:, FEATURES.index(name)] > 0 for name in ("same_zip5", "same_city", "same_state")
    )
    confirms: NDArray[np.bool_] = same_zip5 | (same_city & same_state)
    return confirms


def is_barred(matrix: Floats) -> NDArray[np.bool_]:
    """Say which pairs never link, whatever the model thinks: other words, or an unconfirmed alias.

    Words that are only glued or split count as the same.
    """
    is_alias = matrix[:, FEATURES.index("alias")] > 0
    contradiction = matrix[:, FEATURES.index("contradiction")]
    rest = matrix[:, FEATURES.index("unconfirmed_rest")]
    has_other_words = (contradiction >= CONTRADICTING) | (rest >= UNCONFIRMED)
    is_glued = matrix[:, FEATURES.index("same_compact")] > 0
    barred: NDArray[np.bool_] = (has_other_words & ~is_glued) | (is_alias & ~_confirms(matrix))
    return barred


def best_pairs(pairs: AskedPairs, curves: Curves) -> AskedPairs:
    """Return the pair of each query that would be chosen: one that the rule links, else the most certain."""
    sureness = _calibrated(pairs, curves)
    is_rule = pairs.stratum < len(_PLACES)
    order = np.lexsort((-pairs.log_odds, -sureness, ~is_rule, pairs.query))
    is_first = np.r_[True, np.diff(pairs.query[order]) != 0] if len(order) else np.zeros(0, dtype=np.bool_)
    best = order[is_first]
    return AskedPairs(pairs.query[best], pairs.log_odds[best], pairs.stratum[best], pairs.is_correct[best])


def absent_share(labels: HardLabels, found: int, asked: int) -> AbsentShare:
    """Return how many of `asked` queries have no recipient, of which the model is confident of `found`.

    The confident answers are a mixture of those with the recipient in the table and those without it; the
    labels show the rate of each. Solved for the share of the mixture.
    """
    shown, hidden = _confident(labels.shown, labels.queries), _confident(labels.hidden, labels.queries)
    if asked == 0 or shown - hidden < 0.05:
        return AbsentShare(1 / 3, 1 / 2)
    seen = found / asked
    estimate = (shown - seen) / (shown - hidden)
    variance = seen * (1 - seen) / asked + shown * (1 - shown) / max(labels.queries, 1)
    high = estimate + _STANDARD_ERRORS * float(np.sqrt(variance)) / (shown - hidden)
    bounded = [round(min(max(share, _FEWEST_ABSENT), _MOST_ABSENT), 6) for share in (estimate, high)]
    return AbsentShare(*bounded)


def keeps_promise(
    labels: HardLabels, absent: AbsentShare, links: Mapping[int, int], limit: float, min_precision: float
) -> bool:
    """Say whether the labels find the links of one `limit` for the model (0..1) as precise as required.

    They must be in each stratum of `MANY_LINKS` by `links` (the number of a stratum -> its links), and all
    together.
    """
    answers, weights = _weighed(labels, absent.high, {})
    confidence = _calibrated(answers, {})
    accepted = (answers.stratum < len(_PLACES)) | (confidence >= limit)
    groups = [accepted & (answers.stratum == number) for number in _large_strata(links)]
    return all(
        _precisions(confidence[group], answers.is_correct[group], weights[group])[-1:].min(initial=1.0)
        >= min_precision
        for group in (accepted, *groups)
    )


def calibrate(
    labels: HardLabels, absent: AbsentShare, links: Mapping[int, int], least: float, min_precision: float
) -> Acceptances:
    """Return the acceptance of each stratum for the required precision (0..1).

    The curves hold at the estimated share of absent recipients, the limits at the largest likely one. A
    stratum of `MANY_LINKS` by `links` (the number of a stratum -> its links) has a limit of its own, for no
    link is more likely wrong than right. The others have too few labels for that: together they have one, not
    below `least`, from which all links are as precise as required; where the place contradicts, each
    is. A similar name is not surer than an equal one: where the rule links none of these, it is none either.
    """
    curves = _fitted(labels, absent.estimate, {})
    curves = _fitted(labels, absent.estimate, curves)
    answers, weights = _weighed(labels, absent.high, curves)
    confidence = _calibrated(answers, curves)
    large = _large_strata(links)
    limits = {}
    accepted = ~np.isin(answers.stratum, large)
    for number in large:
        own = answers.stratum == number
        reached = stratum_limit(confidence[own], answers.is_correct[own], weights[own], min_precision)
        limits[number] = max(reached, _LIKELY)
        accepted |= own & (confidence >= limits[number])
    together = stratum_limit(
        confidence[accepted], answers.is_correct[accepted], weights[accepted], min_precision
    )
    by_default = [
        max(together, least, min_precision)
        if stratum.place is PlaceEvidence.CONTRADICTS
        else max(together, least)
        for stratum in STRATA
    ]
    found = {
        STRATA[number]: Acceptance(offset, slope, limits.get(number, by_default[number]))
        for number, (offset, slope) in curves.items()
    }
    for number, stratum in enumerate(STRATA):
        rule = found[Stratum(Method.NAME_EXACT, stratum.place, Basis.RULE)]
        if stratum.method is Method.NAME_FUZZY and number not in limits and rule.limit >= 1.0:
            found[stratum] = rule
    return found


def hidden_links(labels: HardLabels, acceptances: Acceptances, limit: float) -> Proportion:
    """Return how many of the labelled queries are linked falsely when their recipient is not in the table.

    A stratum without an acceptance links what the rule chooses, and by the model from `limit` up.
    """
    return Proportion.of(len(_linked(labels.hidden, acceptances, limit).query), labels.queries)


def measured_links(
    labels: HardLabels, absent: float, acceptances: Acceptances, limit: float
) -> dict[tuple[Method, PlaceEvidence], MeasuredLinks]:
    """Return what the labels say of the links of each method and place, aliases as similar names.

    Answers with the recipient in the table and without it weigh as `absent`, the share of queries that have
    none, says; the interval is that of as many answers as these weights are worth (Kish 1965).
    """
    kinds: dict[tuple[Method, PlaceEvidence], list[tuple[float, bool]]] = defaultdict(list)
    for pairs, weight in ((labels.shown, 1.0 - absent), (labels.hidden, absent)):
        linked = _linked(pairs, acceptances, limit)
        for number, is_correct in zip(linked.stratum.tolist(), linked.is_correct.tolist(), strict=True):
            stratum = STRATA[number]
            kinds[stratum.method, stratum.place].append((weight, is_correct))
    found = {}
    for kind, answers in kinds.items():
        total = math.fsum(weight for weight, _ in answers)
        rate = math.fsum(weight for weight, is_correct in answers if is_correct) / total
        worth = total**2 / math.fsum(weight**2 for weight, _ in answers)
        found[kind] = MeasuredLinks(len(answers), rate, *score_interval(rate, worth))
    return found


def _linked(pairs: AskedPairs, acceptances: Acceptances, limit: float) -> AskedPairs:
    """Return the answers that are links."""
    curves = {STRATA.index(stratum): (each.offset, each.slope) for stratum, each in acceptances.items()}
    answers = best_pairs(pairs, curves)
    default = [0.0 if stratum.basis is Basis.RULE else limit for stratum in STRATA]
    limits = [
        acceptances[stratum].limit if stratum in acceptances else default[number]
        for number, stratum in enumerate(STRATA)
    ]
    linked = _calibrated(answers, curves) >= np.array(limits)[answers.stratum]
    return AskedPairs(
        answers.query[linked], answers.log_odds[linked], answers.stratum[linked], answers.is_correct[linked]
    )


def _large_strata(links: Mapping[int, int]) -> list[int]:
    return [number for number in range(len(STRATA)) if links.get(number, 0) >= MANY_LINKS]


def stratum_limit(
    confidence: Floats, is_correct: NDArray[np.bool_], weights: Floats, min_precision: float
) -> float:
    """Return the least confidence from which a stratum is as precise as required; 1.0 if none is.

    A few links that are as precise as they state are added: a short list of right answers proves little.
    """
    order = np.argsort(-confidence, kind="stable")
    is_last = np.diff(confidence[order], append=-1.0) != 0
    precision = _precisions(confidence, is_correct, weights)
    reached = np.flatnonzero(is_last & (precision >= min_precision))
    if len(reached):
        return float(np.floor(confidence[order][reached[-1]] * 1e6) / 1e6)
    return 1.0


def _precisions(confidence: Floats, is_correct: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the precision of the 1, 2, ... most confident answers, in that order."""
    order = np.argsort(-confidence, kind="stable")
    accepted = np.cumsum(weights[order])
    right = np.cumsum((weights * is_correct)[order])
    stated = np.cumsum((weights * confidence)[order]) / np.maximum(accepted, 1e-12)
    precisions: Floats = (right + _PSEUDO_LINKS * stated) / (accepted + _PSEUDO_LINKS)
    return precisions


def _fitted(labels: HardLabels, absent: float, curves: Curves) -> Curves:
    """Return the curve of each stratum, fitted on the pairs that `curves` choose.

    Small strata are drawn towards the curve of the whole, and that to what the model says.
    """
    answers, weights = _weighed(labels, absent, curves)
    is_of = np.column_stack([answers.stratum == number for number in range(len(STRATA))]).astype(np.float64)
    log_odds = np.clip(answers.log_odds, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    design = np.column_stack([log_odds, is_of, is_of * log_odds[:, None]])
    prior = Model("", (1.0, *(0.0 for _ in range(design.shape[1] - 1))), 0.0, ())
    found, intercept = fit(design, answers.is_correct.astype(np.float64), weights, prior, _SHRINKAGE)
    offsets, slopes = found[1 : len(STRATA) + 1], found[len(STRATA) + 1 :]
    return {
        number: (
            round(float(intercept + offsets[number]), 6),
            round(max(float(found[0] + slopes[number]), 0.05), 6),
        )
        for number in range(len(STRATA))
    }


def _weighed(labels: HardLabels, absent: float, curves: Curves) -> tuple[AskedPairs, Floats]:
    """Return the answers of all labelled queries, asked both ways, and the weight of each."""
    shown, hidden = best_pairs(labels.shown, curves), best_pairs(labels.hidden, curves)
    weights = np.r_[np.full(len(shown.query), 1 - absent), np.full(len(hidden.query), absent)]
    return (
        AskedPairs(
            np.r_[shown.query, hidden.query],
            np.r_[shown.log_odds, hidden.log_odds],
            np.r_[shown.stratum, hidden.stratum],
            np.r_[shown.is_correct, hidden.is_correct],
        ),
        weights,
    )


def _calibrated(pairs: AskedPairs, curves: Curves) -> Floats:
    offset = np.array([curves.get(number, (0.0, 1.0))[0] for number in range(len(STRATA))])[pairs.stratum]
    slope = np.array([curves.get(number, (0.0, 1.0))[1] for number in range(len(STRATA))])[pairs.stratum]
    value = offset + slope * np.clip(pairs.log_odds, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    result: Floats = np.round(1.0 / (1.0 + np.exp(-np.clip(value, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS))), 9)
    return result


def _confident(pairs: AskedPairs, queries: int) -> float:
    return len(np.unique(pairs.query[pairs.log_odds >= 0])) / max(queries, 1)
