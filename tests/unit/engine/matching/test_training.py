from dataclasses import replace

import numpy as np
import pytest

from sbir_gate.engine.matching.calibration import AbsentShare, calibrate
from sbir_gate.engine.matching.confidence import Model, default_model
from sbir_gate.engine.matching.scoring import ScoredPairs
from sbir_gate.engine.matching.similarity import FEATURES, Pairs, Places
from sbir_gate.engine.matching.strata import STRATA
from sbir_gate.engine.matching.tokens import build_name_table
from sbir_gate.engine.matching.training import (
    HIDDEN_SHARE,
    LabelledPairs,
    LabelledQueries,
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


def is_other(row):
    return row[3:] == (True,)


def make_pairs(rows):
    """Return pairs of (query, left name, right name, do identifiers contradict) rows in one place."""
    count = len(rows)
    places = Places(objects(["BOSTON"] * count), objects(["MA"] * count), objects(["02139"] * count))
    return Pairs(
        query=np.array([row[0] for row in rows], dtype=np.int64),
        left=np.array([NAMES.index(row[1]) for row in rows], dtype=np.int64),
        right=np.array([NAMES.index(row[2]) for row in rows], dtype=np.int64),
        entity=objects([f"E{number}" for number in range(count)]),
        left_places=places,
        right_places=places,
        shared_keys=np.arange(count, dtype=np.int64),
        name_frequency=np.ones(count, dtype=np.int64),
        uei_conflict=np.array([is_other(row) for row in rows], dtype=bool),
        duns_conflict=np.array([is_other(row) for row in rows], dtype=bool),
        is_cut=np.zeros(count, dtype=bool),
        form_conflict=np.zeros(count, dtype=bool),
        is_alias=np.zeros(count, dtype=bool),
    )


def label(rows, recipient_ids, truth, form="shown"):
    right = {query: frozenset(ids) for query, ids in truth.items()}
    pairs = replace(make_pairs(rows), entity=objects(recipient_ids))
    matrix = np.zeros((len(rows), len(FEATURES)))
    scored = ScoredPairs(pairs.query, pairs.query, objects(recipient_ids), pairs, TABLE, 100, matrix)
    return getattr(label_pairs(scored, right), form)


def test_a_subset_takes_the_same_pairs_of_every_column():
    pairs = make_pairs([(0, "ACME LASER", "QORTEK"), (1, "QORTEK", "ACME LASER"), (2, "QORTEK", "QORTEK")])
    kept = subset(pairs, np.array([True, False, True]))
    assert kept.query.tolist() == [0, 2]
    assert kept.left.tolist() == [0, 3]
    assert kept.shared_keys.tolist() == [0, 2]
    assert len(kept.right_places.state) == len(kept.entity) == len(kept.is_cut) == len(kept.uei_conflict) == 2


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


def test_another_firm_of_the_right_name_is_wrong():
    rows = [(0, "ACME LASER", "ACME LASER"), (0, "ACME LASER", "ACME LASERS", True)]
    assert label(rows, ["R1", "R2"], {0: {"R1"}}).labels.tolist() == [1.0, 0.0]
    assert label(rows, ["R1", "R2"], {0: {"R1"}}, "hidden").labels.tolist() == [0.0]


def test_each_query_is_asked_without_its_recipient_too():
    rows = [(query, "ACME LASER", name) for query in range(2) for name in ("ACME LASER", "QORTEK")]
    labelled = label(rows, ["R1", "R2"] * 2, {0: {"R1"}, 1: {"R1"}}, "hidden")
    assert labelled.query.tolist() == [0, 1]
    assert labelled.labels.tolist() == [0.0, 0.0]


def test_the_identifier_that_made_the_label_is_not_learned_from():
    labelled = label([(0, "ACME LASER", "QORTEK", True)], ["R2"], {0: {"R1"}})
    assert labelled.matrix[0, FEATURES.index("uei_conflict")] == 0
    assert labelled.matrix[0, FEATURES.index("duns_conflict")] == 0


def simulated(queries, noise, seed=3):
    """Return labelled pairs, two per query, in which `token_sort` tells right from wrong but for `noise`."""
    draw = np.random.default_rng(seed)
    query = np.repeat(np.arange(queries), 2)
    labels = np.tile([1.0, 0.0], queries)
    matrix = np.zeros((2 * queries, len(FEATURES)))
    told = np.where(draw.random(2 * queries) < noise, 1 - labels, labels)
    matrix[:, FEATURES.index("token_sort")] = told + draw.normal(scale=0.05, size=2 * queries)
    shown = LabelledPairs(query, matrix, labels)
    is_wrong = labels == 0
    return LabelledQueries(shown, LabelledPairs(query[is_wrong], matrix[is_wrong], labels[is_wrong]))


BLANK = Model("blank", (0.0,) * len(FEATURES), 0.0, ((0.98, 0.5),))
LIKELY = AbsentShare(0.1, 0.2)
LARGE = dict.fromkeys(range(len(STRATA)), 1_000)


def learned(labelled, queries, prior=BLANK):
    """Return the trained model and the highest limit of a stratum that has labels."""
    model, labels = train(labelled, queries, prior, 3)
    acceptances = calibrate(labels, LIKELY, LARGE, 0.8, 0.98)
    strata = {STRATA[number] for number in labels.shown.stratum.tolist()}
    return model, max((acceptances[stratum].limit for stratum in strata), default=None)


def test_a_trained_model_knows_what_the_labels_teach():
    labelled = simulated(400, noise=0.0)
    model, limit = learned(labelled, 400)
    probabilities = model.probabilities(labelled.shown.matrix)
    assert probabilities[labelled.shown.labels > 0].min() > 0.85
    assert probabilities[labelled.shown.labels == 0].max() < 0.15
    assert 0 < limit < 0.99
    assert "400 labelled firms" in model.version
    assert "blank" in model.version


def test_labels_that_prove_no_precision_let_nothing_be_accepted():
    assert learned(simulated(400, noise=0.3), 400)[1] == 1.0


def test_training_twice_gives_the_same_model():
    labelled = simulated(200, noise=0.05)
    first, second = train(labelled, 200, default_model(), 3), train(labelled, 200, default_model(), 3)
    assert first[0] == second[0]
    assert np.array_equal(first[1].shown.log_odds, second[1].shown.log_odds)


def test_a_few_labels_leave_the_shipped_model_nearly_as_it_is():
    prior = default_model()
    model, _ = learned(simulated(4, noise=0.0), 4, prior)
    assert np.abs(np.array(model.weights) - np.array(prior.weights)).max() < 1.0


@pytest.mark.parametrize("queries", [1, HIDDEN_SHARE])
def test_labels_that_fall_into_one_fold_are_no_obstacle(queries):
    model, _ = learned(simulated(queries, noise=0.0), queries, default_model())
    assert np.isfinite(model.weights).all()


def test_without_any_pair_the_prior_is_kept_and_nothing_accepted():
    empty = LabelledPairs(np.empty(0, dtype=np.int64), np.empty((0, len(FEATURES))), np.empty(0))
    model, labels = train(LabelledQueries(empty, empty), 0, default_model(), 3)
    assert model.weights == pytest.approx(default_model().weights)
    assert {each.limit for each in calibrate(labels, LIKELY, LARGE, 0.8, 0.98).values()} == {1.0}
