import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.confidence import (
    Model,
    acceptance_limit,
    default_model,
    fit,
    interpolated_limit,
    model_document,
    parse_model,
)
from sbir_gate.engine.matching.similarity import FEATURES
from sbir_gate.errors import ToolError

WEIGHTS = np.array([2.0, -1.5, 0.5])
INTERCEPT = -0.7
PRIOR = Model("prior", (5.0, 5.0, 5.0), 3.0, ())


def simulated(rows, seed=5):
    draw = np.random.default_rng(seed)
    matrix = draw.normal(size=(rows, 3))
    probability = 1 / (1 + np.exp(-(matrix @ WEIGHTS + INTERCEPT)))
    return matrix, (draw.random(rows) < probability).astype(float)


def test_the_weights_that_made_the_labels_are_recovered():
    matrix, labels = simulated(20_000)
    weights, intercept = fit(matrix, labels, np.ones(20_000), None, 0.001)
    assert weights == pytest.approx(WEIGHTS, abs=0.12)
    assert intercept == pytest.approx(INTERCEPT, abs=0.12)


def test_a_fit_is_where_the_penalised_gradient_vanishes():
    matrix, labels = simulated(200)
    weights, intercept = fit(matrix, labels, np.ones(200), PRIOR, 3.0)
    residual = labels - 1 / (1 + np.exp(-(matrix @ weights + intercept)))
    assert matrix.T @ residual - 3.0 * (weights - np.array(PRIOR.weights)) == pytest.approx(0, abs=1e-6)


def test_the_prior_holds_where_labels_are_few_and_yields_where_they_are_many():
    def distance(rows):
        matrix, labels = simulated(rows)
        weights, _ = fit(matrix, labels, np.ones(rows), PRIOR, 3.0)
        return float(np.linalg.norm(weights - np.array(PRIOR.weights)))

    few, some, many = distance(3), distance(100), distance(10_000)
    assert few < some < many
    assert few < 1.0
    assert many == pytest.approx(np.linalg.norm(WEIGHTS - 5.0), abs=0.3)


def test_without_any_label_the_prior_is_kept():
    weights, intercept = fit(np.empty((0, 3)), np.empty(0), np.empty(0), PRIOR, 3.0)
    assert weights == pytest.approx(PRIOR.weights)
    assert intercept == pytest.approx(PRIOR.intercept)


def test_a_pair_of_weight_two_counts_like_two_pairs():
    matrix, labels = simulated(60)
    doubled = fit(np.vstack([matrix, matrix]), np.r_[labels, labels], np.ones(120), PRIOR, 1.0)
    weighted = fit(matrix, labels, np.full(60, 2.0), PRIOR, 1.0)
    assert weighted[0] == pytest.approx(doubled[0], abs=1e-6)


def test_labels_that_separate_perfectly_give_finite_weights():
    matrix = np.array([[-1.0, 0, 0], [1.0, 0, 0]])
    weights, intercept = fit(matrix, np.array([0.0, 1.0]), np.ones(2), None, 0.01)
    assert np.isfinite([*weights, intercept]).all()


def test_probabilities_stay_within_0_and_1_for_any_feature():
    model = Model("", (1.0,), 0.0, ())
    probabilities = model.probabilities(np.array([[-1e9], [0.0], [1e9]]))
    assert probabilities[1] == 0.5
    assert 0 < probabilities[0] < 1e-12
    assert 1 - 1e-12 < probabilities[2] <= 1


@pytest.mark.parametrize(
    ("confidences", "is_correct", "min_precision", "expected"),
    [
        ([0.9, 0.8, 0.7], [True, True, True], 0.75, 0.7),  # 3 of 3 and the pessimist's one: 3/4
        ([0.9, 0.8, 0.7], [True, True, True], 0.76, 1.0),
        ([0.9, 0.8, 0.7, 0.6], [True, True, True, False], 0.75, 0.7),
        ([0.9, 0.8, 0.7, 0.6], [True, False, True, True], 0.60, 0.6),  # 3 of 4 and one: 3/5
        ([0.9], [False], 0.5, 1.0),
        ([], [], 0.5, 1.0),
    ],
)
def test_the_limit_is_the_least_confidence_that_keeps_the_precision(
    confidences, is_correct, min_precision, expected
):
    limit = acceptance_limit(np.array(confidences), np.array(is_correct, dtype=bool), min_precision)
    assert limit == expected


def test_equal_confidences_are_accepted_together_or_not_at_all():
    confidences, is_correct = np.array([0.9] * 30 + [0.5] * 5), np.array([True] * 30 + [False] * 5)
    assert acceptance_limit(confidences, is_correct, 0.85) == 0.9  # with 4 of the 5 it would be 30/35
    assert acceptance_limit(confidences, is_correct, 0.83) == 0.5


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60),
    low=st.floats(0.05, 0.95),
    high=st.floats(0.05, 0.95),
)
def test_a_limit_proves_its_precision_and_rises_with_it(pairs, low, high):
    low, high = sorted([low, high])
    confidences = np.array([confidence / 4 for confidence, _ in pairs])
    is_correct = np.array([right for _, right in pairs], dtype=bool)
    lower, higher = (acceptance_limit(confidences, is_correct, wanted) for wanted in (low, high))
    assert lower <= higher
    accepted = confidences >= lower
    if lower < 1.0:
        assert is_correct[accepted].sum() / (accepted.sum() + 1) >= low


def test_a_stored_limit_is_taken_between_its_knots_and_held_beyond_them():
    limits = ((0.9, 0.2), (0.98, 0.6), (0.99, 0.9))
    assert interpolated_limit(limits, 0.94) == pytest.approx(0.4)
    assert interpolated_limit(limits, 0.98) == 0.6
    assert interpolated_limit(limits, 0.5) == 0.2
    assert interpolated_limit(limits, 0.999) == 0.9


def test_the_shipped_model_loads_and_is_for_the_features_of_this_program():
    model = default_model()
    assert len(model.weights) == len(FEATURES)
    assert model.version
    wanted, limits = zip(*model.limits, strict=True)
    assert list(wanted) == sorted(wanted)
    assert list(limits) == sorted(limits)
    assert all(0 < limit < 1 for limit in limits)


def test_a_model_comes_back_as_it_was_written():
    model = replace(default_model(), version="7")
    assert parse_model(model_document(model, {"data": "made up"})) == model


def test_a_model_with_a_feature_that_the_program_lacks_is_refused():
    document = json.loads(model_document(default_model(), {}))
    document["features"][0] = "phase_of_the_moon"
    with pytest.raises(ToolError, match="phase_of_the_moon"):
        parse_model(json.dumps(document))


def test_a_feature_that_the_model_was_trained_without_weighs_nothing():
    model, document = default_model(), json.loads(model_document(default_model(), {}))
    del document["features"][3], document["weights"][3]
    weights = (*model.weights[:3], 0.0, *model.weights[4:])
    assert parse_model(json.dumps(document)) == replace(model, weights=weights)


def test_a_model_with_the_former_names_of_features_is_read():
    model = default_model()
    text = model_document(model, {})
    for former, name in (("coined", "rare_token"), ("namesakes", "name_frequency"), ("rivals", "runner_ups")):
        text = text.replace(f'"{name}"', f'"{former}"')
    assert '"namesakes"' in text
    assert parse_model(text) == model
