"""Labelled pairs from the data itself: what the identifiers linked teaches the name model.

A labelled query is a firm whose recipient is known by UEI or DUNS. For a third of them the known
recipient is hidden, as if the table did not have it, so that the model learns to say "none" too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbir_gate.engine.matching.confidence import PRIOR_STRENGTH, Model, acceptance_limit, fit
from sbir_gate.engine.matching.scoring import ScoredPairs
from sbir_gate.engine.matching.similarity import Pairs, Places, features
from sbir_gate.engine.matching.tokens import Floats

HIDDEN_SHARE = 3
"""One labelled query in this many has its recipient hidden."""


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Pairs of labelled queries with 1 for the correct recipient and 0 for all others."""

    query: NDArray[np.int64]
    matrix: Floats
    labels: Floats


def subset(pairs: Pairs, keep: NDArray[np.bool_]) -> Pairs:
    """Return the pairs where `keep` is true."""
    left, right = pairs.left_places, pairs.right_places
    return replace(
        pairs,
        query=pairs.query[keep],
        left=pairs.left[keep],
        right=pairs.right[keep],
        left_places=Places(left.city[keep], left.state[keep], left.zip5[keep]),
        right_places=Places(right.city[keep], right.state[keep], right.zip5[keep]),
        shared_keys=pairs.shared_keys[keep],
        name_frequency=pairs.name_frequency[keep],
        uei_conflict=pairs.uei_conflict[keep],
        duns_conflict=pairs.duns_conflict[keep],
        is_cut=pairs.is_cut[keep],
        form_conflict=pairs.form_conflict[keep],
    )


def label_pairs(
    scored: ScoredPairs, truth: Mapping[int, frozenset[str]], hidden_share: int = HIDDEN_SHARE
) -> LabelledPairs:
    """Return the labelled pairs of the queries in `truth` (query -> correct recipient ids).

    A recipient with the correct one's name but not its identifier may be the same firm listed twice: such
    pairs are left out, because they are neither correct nor wrong.
    """
    pairs, names = scored.pairs, scored.names
    queries, recipients = pairs.query.tolist(), scored.recipient_id
    right_names = names.sorted_canonical[pairs.right]
    known = np.array([query in truth for query in queries], dtype=np.bool_)
    is_correct = np.array(
        [recipient in truth.get(query, ()) for query, recipient in zip(queries, recipients, strict=True)],
        dtype=np.bool_,
    )
    keys = list(zip(queries, right_names, strict=True))
    correct_names = {key for key, is_of_truth in zip(keys, is_correct, strict=True) if is_of_truth}
    is_twin = np.array([key in correct_names for key in keys], dtype=np.bool_)
    is_hidden = (pairs.query % hidden_share == 0) if hidden_share else np.zeros(len(known), dtype=np.bool_)
    keep = known & np.where(is_hidden, ~is_correct & ~is_twin, is_correct | ~is_twin)
    kept = subset(pairs, keep)
    # the identifier made the label: what it says of the other candidates must not be learned from
    silent = np.zeros(len(kept.query), dtype=np.bool_)
    kept = replace(kept, uei_conflict=silent, duns_conflict=silent)
    return LabelledPairs(
        kept.query, features(kept, names, scored.names_counted), is_correct[keep].astype(np.float64)
    )


def joined(examples: Sequence[LabelledPairs]) -> LabelledPairs:
    """Return the pairs of all, of which there is one at least, in their order."""
    return LabelledPairs(
        np.concatenate([part.query for part in examples]),
        np.concatenate([part.matrix for part in examples]),
        np.concatenate([part.labels for part in examples]),
    )


def train(labelled: LabelledPairs, prior: Model, min_precision: float) -> Model:
    """Return the prior model drawn to the labelled pairs, with the acceptance limit they prove.

    The limit is measured out of fold: half of the queries fit, the other half measures, both ways. It
    may be below the shipped one, for labels from identifiers are easier than the names left over.
    """
    everything = _fit(labelled, np.ones(len(labelled.labels), dtype=np.bool_), prior)
    fold = labelled.query // HIDDEN_SHARE % 2
    out_of_fold = np.zeros(len(labelled.labels))
    for half in (0, 1):
        chosen = fold == half
        weights, intercept = _fit(labelled, ~chosen, prior, everything)
        out_of_fold[chosen] = Model("", tuple(weights), intercept, ()).probabilities(labelled.matrix[chosen])
    confidence, is_correct = best_of_query(labelled.query, out_of_fold, labelled.labels)
    limit = acceptance_limit(confidence, is_correct, min_precision)
    weights, intercept = everything
    return Model(
        version=f"self-trained on {len(np.unique(labelled.query))} labelled firms over {prior.version}",
        weights=tuple(float(weight) for weight in weights),
        intercept=intercept,
        limits=((min_precision, limit),),
    )


def best_of_query(
    query: NDArray[np.int64], confidence: Floats, labels: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the confidence of each query's best pair and whether it is right."""
    order = np.lexsort((-labels, -confidence, query))
    first = np.r_[True, np.diff(query[order]) != 0] if len(order) else np.zeros(0, dtype=np.bool_)
    best = order[first]
    return confidence[best], labels[best] > 0


def _fit(
    labelled: LabelledPairs,
    chosen: NDArray[np.bool_],
    prior: Model,
    start: tuple[Floats, float] | None = None,
) -> tuple[Floats, float]:
    count = int(chosen.sum())
    return fit(labelled.matrix[chosen], labelled.labels[chosen], np.ones(count), prior, PRIOR_STRENGTH, start)
