from dataclasses import replace

import numpy as np
import pytest

from sbir_gate.engine.matching.confidence import Model, default_model
from sbir_gate.engine.matching.scoring import ScoredPairs
from sbir_gate.engine.matching.similarity import FEATURES, Pairs, Places
from sbir_gate.engine.matching.tokens import build_name_table
from sbir_gate.engine.matching.training import (
    HIDDEN_SHARE,
    LabelledPairs,
    best_of_query,
    label_pairs,
    subset,
    train,
)

NAMES = ["ACME LASER", "ACME LASERS", "BRIGHT OPTICS", "QORTEK"]
TABLE = build_name_table(NAMES, {}, 100)


def objects(texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def make_pairs(rows):
    """Return pairs of (query, left name, right name) rows in one place, with identifiers that contradict."""
    count = len(rows)
    places = Places(objects(["BOSTON"] * count), objects(["MA"] * count), objects(["02139"] * count))
    return Pairs(
        query=np.array([row[0] for row in rows], dtype=np.int64),
        left=np.array([NAMES.index(row[1]) for row in rows], dtype=np.int64),
        right=np.array([NAMES.index(row[2]) for row in rows], dtype=np.int64),
        left_places=places,
        right_places=places,
        shared_keys=np.arange(count, dtype=np.int64),
        name_frequency=np.ones(count, dtype=np.int64),
        uei_conflict=np.ones(count, dtype=bool),
        duns_conflict=np.ones(count, dtype=bool),
        is_cut=np.zeros(count, dtype=bool),
        form_conflict=np.zeros(count, dtype=bool),
    )


def label(rows, recipient_ids, truth, hidden_share=0):
    right = {query: frozenset(ids) for query, ids in truth.items()}
    pairs = make_pairs(rows)
    matrix = np.zeros((len(rows), len(FEATURES)))
    scored = ScoredPairs(pairs.query, pairs.query, objects(recipient_ids), pairs, TABLE, 100, matrix)
    return label_pairs(scored, right, hidden_share)


def test_a_subset_takes_the_same_pairs_of_every_column():
    pairs = make_pairs([(0, "ACME LASER", "QORTEK"), (1, "QORTEK", "ACME LASER"), (2, "QORTEK", "QORTEK")])
    kept = subset(pairs, np.array([True, False, True]))
    assert kept.query.tolist() == [0, 2]
    assert kept.left.tolist() == [0, 3]
    assert kept.shared_keys.tolist() == [0, 2]
    assert len(kept.right_places.state) == len(kept.is_cut) == len(kept.uei_conflict) == 2


def test_the_known_recipient_is_right_and_all_others_are_wrong():
    rows = [(0, "ACME LASER", "ACME LASERS"), (0, "ACME LASER", "BRIGHT OPTICS")]
    labelled = label(rows, ["R1", "R2"], {0: {"R1"}})
    assert labelled.labels.tolist() == [1.0, 0.0]
    assert labelled.matrix.shape == (2, len(FEATURES))


def test_queries_whose_recipient_is_not_known_teach_nothing():
    rows = [(0, "ACME LASER", "ACME LASERS"), (1, "ACME LASER", "BRIGHT OPTICS")]
    assert label(rows, ["R1", "R2"], {1: {"R2"}}).query.tolist() == [1]


def test_a_twin_of_the_right_one_is_neither_right_nor_wrong():
    rows = [(0, "ACME LASER", "ACME LASER"), (0, "ACME LASER", "ACME LASERS"), (0, "ACME LASER", "QORTEK")]
    labelled = label(rows, ["R1", "R2", "R3"], {0: {"R1"}})  # LASER and LASERS are one canonical word
    assert labelled.labels.tolist() == [1.0, 0.0]


def test_a_share_of_the_queries_learns_that_its_recipient_is_not_there():
    rows = [(query, "ACME LASER", name) for query in range(3) for name in ("ACME LASER", "QORTEK")]
    labelled = label(rows, ["R1", "R2"] * 3, {0: {"R1"}, 1: {"R1"}, 2: {"R1"}}, hidden_share=3)
    assert labelled.query.tolist() == [0, 1, 1, 2, 2]
    assert labelled.labels.tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]


def test_the_identifier_that_made_the_label_is_not_learned_from():
    labelled = label([(0, "ACME LASER", "QORTEK")], ["R2"], {0: {"R1"}})
    assert labelled.matrix[0, FEATURES.index("uei_conflict")] == 0
    assert labelled.matrix[0, FEATURES.index("duns_conflict")] == 0


def test_the_best_of_a_query_is_its_most_probable_pair():
    confidence, is_correct = best_of_query(
        np.array([0, 0, 1, 1, 2]), np.array([0.2, 0.9, 0.4, 0.3, 0.5]), np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    )
    assert confidence.tolist() == [0.9, 0.4, 0.5]
    assert is_correct.tolist() == [False, True, False]


def test_the_best_of_nothing_is_nothing():
    confidence, is_correct = best_of_query(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    assert (len(confidence), len(is_correct)) == (0, 0)


def simulated(queries, noise, seed=3):
    """Return labelled pairs, two per query, in which `token_sort` tells right from wrong but for `noise`."""
    draw = np.random.default_rng(seed)
    query = np.repeat(np.arange(queries), 2)
    labels = np.tile([1.0, 0.0], queries)
    matrix = np.zeros((2 * queries, len(FEATURES)))
    told = np.where(draw.random(2 * queries) < noise, 1 - labels, labels)
    matrix[:, FEATURES.index("token_sort")] = told + draw.normal(scale=0.05, size=2 * queries)
    return LabelledPairs(query, matrix, labels)


BLANK = Model("blank", (0.0,) * len(FEATURES), 0.0, ((0.98, 0.5),))


def test_a_trained_model_knows_what_the_labels_teach():
    labelled = simulated(400, noise=0.0)
    model = train(labelled, BLANK, 0.98)
    probabilities = model.probabilities(labelled.matrix)
    assert probabilities[labelled.labels > 0].min() > 0.85
    assert probabilities[labelled.labels == 0].max() < 0.15
    ((wanted, limit),) = model.limits
    assert wanted == 0.98
    assert 0 < limit < 0.99
    assert "400 labelled firms" in model.version
    assert "blank" in model.version


def test_labels_that_prove_no_precision_let_nothing_be_accepted():
    assert train(simulated(400, noise=0.3), BLANK, 0.98).limits == ((0.98, 1.0),)


def test_training_twice_gives_the_same_model():
    labelled = simulated(200, noise=0.05)
    assert train(labelled, default_model(), 0.9) == train(labelled, default_model(), 0.9)


def test_a_few_labels_leave_the_shipped_model_nearly_as_it_is():
    prior = default_model()
    model = train(simulated(4, noise=0.0), prior, 0.98)
    assert np.abs(np.array(model.weights) - np.array(prior.weights)).max() < 1.0


@pytest.mark.parametrize("queries", [1, HIDDEN_SHARE])
def test_labels_that_fall_into_one_fold_are_no_obstacle(queries):
    labelled = simulated(queries, noise=0.0)
    model = train(replace(labelled), default_model(), 0.98)
    assert model.limits == ((0.98, 1.0),)


def test_without_any_pair_the_prior_is_kept_and_nothing_accepted():
    empty = LabelledPairs(np.empty(0, dtype=np.int64), np.empty((0, len(FEATURES))), np.empty(0))
    model = train(empty, default_model(), 0.98)
    assert model.weights == pytest.approx(default_model().weights)
    assert model.limits == ((0.98, 1.0),)
