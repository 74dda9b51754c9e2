"""Labelled pairs from the data itself: what the identifiers linked teaches the name model.

A labelled query is a firm whose recipient is known by UEI or DUNS. For a third of them the known
recipient is hidden, as if the table did not have it, so that the model learns to say "none" too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbir_gate.engine.matching.calibration import AskedPairs, HardLabels, is_barred, stratum_numbers
from sbir_gate.engine.matching.confidence import PRIOR_STRENGTH, Model, fit
from sbir_gate.engine.matching.scoring import ScoredPairs
from sbir_gate.engine.matching.similarity import FEATURES, Pairs, Places, without_identifiers
from sbir_gate.engine.matching.tokens import Floats

HIDDEN_SHARE = 3
"""One labelled query in this many has its recipient hidden."""


_OTHER_PLACE = ("state_conflict", "city_conflict", "zip_conflict", "same_zip3")
_CONFLICTS = [FEATURES.index(name) for name in _OTHER_PLACE]


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Pairs of labelled queries with 1 for the correct recipient and 0 for all others."""

    query: NDArray[np.int64]
    matrix: Floats
    labels: Floats


@dataclass(frozen=True, slots=True)
class LabelledQueries:
    """The pairs of labelled queries with their recipient in the table (`shown`), and without it."""

    shown: LabelledPairs
    hidden: LabelledPairs


def subset(pairs: Pairs, keep: NDArray[np.bool_]) -> Pairs:
    """Return the pairs where `keep` is true."""
    left, right = pairs.left_places, pairs.right_places
    return replace(
        pairs,
        query=pairs.query[keep],
        left=pairs.left[keep],
        right=pairs.right[keep],
        entity=pairs.entity[keep],
        left_places=Places(left.city[keep], left.state[keep], left.zip5[keep]),
        right_places=Places(right.city[keep], right.state[keep], right.zip5[keep]),
        shared_keys=pairs.shared_keys[keep],
        name_frequency=pairs.name_frequency[keep],
        uei_conflict=pairs.uei_conflict[keep],
        duns_conflict=pairs.duns_conflict[keep],
        is_cut=pairs.is_cut[keep],
        form_conflict=pairs.form_conflict[keep],
        is_alias=pairs.is_alias[keep],
    )


def label_pairs(scored: ScoredPairs, truth: Mapping[int, frozenset[str]]) -> LabelledQueries:
    """Return the pairs of the queries in `truth` (query -> correct entities), asked both ways.

    A recipient with the correct one's name but not its identifier may be the same firm listed twice: such
    pairs are left out, because they are neither correct nor wrong; unless its identifiers or its place
    contradict the query's. Then it is another firm of that name.
    """
    pairs, names = scored.pairs, scored.names
    queries = pairs.query.tolist()
    right_names = names.sorted_canonical[pairs.right]
    known = np.array([query in truth for query in queries], dtype=np.bool_)
    is_correct = np.array(
        [entity in truth.get(query, ()) for query, entity in zip(queries, pairs.entity, strict=True)],
        dtype=np.bool_,
    )
    keys = list(zip(queries, right_names, strict=True))
    correct_names = {key for key, is_of_truth in zip(keys, is_correct, strict=True) if is_of_truth}
    has_name = np.array([key in correct_names for key in keys], dtype=np.bool_)
    is_elsewhere = scored.matrix[:, _CONFLICTS].any(axis=1)
    is_twin = has_name & ~(pairs.uei_conflict | pairs.duns_conflict | is_elsewhere)

    def asked(keep: NDArray[np.bool_]) -> LabelledPairs:
        kept = subset(pairs, keep)
        # the identifier made the label: what it says of the other candidates must not be learned from
        matrix = without_identifiers(scored.matrix[keep], kept, names)
        return LabelledPairs(kept.query, matrix, is_correct[keep].astype(np.float64))

    shown, hidden = asked(known & (is_correct | ~is_twin)), asked(known & ~is_correct & ~is_twin)
    return LabelledQueries(shown, hidden)


def joined(examples: Sequence[LabelledQueries]) -> LabelledQueries:
    """Return the queries of all, of which there is one at least, in their order."""
    return LabelledQueries(
        _joined([part.shown for part in examples]), _joined([part.hidden for part in examples])
    )


def _joined(examples: Sequence[LabelledPairs]) -> LabelledPairs:
    return LabelledPairs(
        np.concatenate([part.query for part in examples]),
        np.concatenate([part.matrix for part in examples]),
        np.concatenate([part.labels for part in examples]),
    )


def train(
    labelled: LabelledQueries, queries: int, prior: Model, max_frequency_in_state: int
) -> tuple[Model, HardLabels]:
    """Return the prior model drawn to the pairs of `queries` labelled queries, and what they say of it.

    That is measured out of fold: half of the queries fit, the other half is asked, both ways.
    """
    example = _mixed(labelled)
    everything = _fit(example, np.ones(len(example.labels), dtype=np.bool_), prior)
    halves = [_fit(example, _fold(example.query) != half, prior, everything) for half in (0, 1)]
    models = [Model("", tuple(weights), intercept, ()) for weights, intercept in halves]
    weights, intercept = everything
    model = replace(
        prior,
        version=f"self-trained on {queries} labelled firms over {prior.version}",
        weights=tuple(float(weight) for weight in weights),
        intercept=intercept,
    )
    asked = [_asked(pairs, models, max_frequency_in_state) for pairs in (labelled.shown, labelled.hidden)]
    return model, HardLabels(asked[0], asked[1], queries)


def ask(labelled: LabelledQueries, queries: int, model: Model, max_frequency_in_state: int) -> HardLabels:
    """Return what the pairs of `queries` labelled queries, none of which fitted the model, say of it."""
    asked = [
        _asked(pairs, [model, model], max_frequency_in_state) for pairs in (labelled.shown, labelled.hidden)
    ]
    return HardLabels(asked[0], asked[1], queries)


def _mixed(labelled: LabelledQueries) -> LabelledPairs:
    """Return the pairs to learn from: a share of the queries without their recipient."""
    shown, hidden = labelled.shown, labelled.hidden
    keep, take = shown.query % HIDDEN_SHARE != 0, hidden.query % HIDDEN_SHARE == 0
    return _joined(
        [
            LabelledPairs(shown.query[keep], shown.matrix[keep], shown.labels[keep]),
            LabelledPairs(hidden.query[take], hidden.matrix[take], hidden.labels[take]),
        ]
    )


def _fold(query: NDArray[np.int64]) -> NDArray[np.int64]:
    fold: NDArray[np.int64] = query // HIDDEN_SHARE % 2
    return fold


def _asked(pairs: LabelledPairs, models: Sequence[Model], max_frequency_in_state: int) -> AskedPairs:
    """Return the pairs with what the model says of each that was fitted without its query."""
    keep = ~is_barred(pairs.matrix)
    pairs = LabelledPairs(pairs.query[keep], pairs.matrix[keep], pairs.labels[keep])
    fold = _fold(pairs.query)
    by_model = [model.log_odds(pairs.matrix) for model in models]
    return AskedPairs(
        pairs.query,
        np.where(fold == 0, by_model[0], by_model[1]),
        stratum_numbers(pairs.query, pairs.matrix, max_frequency_in_state),
        pairs.labels > 0,
    )


def _fit(
    labelled: LabelledPairs,
    chosen: NDArray[np.bool_],
    prior: Model,
    start: tuple[Floats, float] | None = None,
) -> tuple[Floats, float]:
    count = int(chosen.sum())
    return fit(labelled.matrix[chosen], labelled.labels[chosen], np.ones(count), prior, PRIOR_STRENGTH, start)
