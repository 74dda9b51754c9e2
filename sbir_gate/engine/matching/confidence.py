"""Calibrated confidence: a small logistic model from features to the probability of being right.

The model is fitted on pairs that identifiers linked in the same data, drawn towards the shipped
default (a Gaussian prior around its weights), so that few labels change it little and many change it
as they should. Newton's method (iteratively reweighted least squares) with a ridge penalty: see
Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 4.4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from sbir_gate.engine.matching.similarity import FEATURES
from sbir_gate.errors import ToolError

Floats = NDArray[np.float64]

UEI_CONFIDENCE = 0.998
DUNS_CONFIDENCE = 0.995
"""What is stated of identifier matches whose names agree: a caution, not a fit.

On synthesised data all of 5,573 links by UEI and 4,110 by DUNS were right; real DUNS are shared more.
"""

PRIOR_STRENGTH = 3.0
_MAX_STEPS = 50

# features as models of older versions call them
_FORMER_NAMES = {
    "coined": "rare_token",
    "coined_elsewhere": "rare_token_elsewhere",
    "namesakes": "name_frequency",
    "rivals": "runner_ups",
    "same_first_word": "same_first_token",
}


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over FEATURES, standardised by nothing: features are about 0..1 already.

    `limits` gives, for wanted precisions in rising order, the least confidence that reached it on
    the data that the model was made on.
    """

    version: str
    weights: tuple[float, ...]
    intercept: float
    limits: tuple[tuple[float, float], ...]

    def probabilities(self, matrix: Floats) -> Floats:
        """Return the probability, per row of a (pairs x FEATURES) matrix, that the pair is right."""
        return _sigmoid(self.log_odds(matrix))

    def log_odds(self, matrix: Floats) -> Floats:
        """Return the logarithm of the odds that the pair is right, per row of a matrix."""
        # a product of matrices is summed in an order that depends on how many rows there are
        found: Floats = np.full(len(matrix), self.intercept)
        for weight, column in zip(self.weights, matrix.T, strict=True):
            found += weight * column
        return found


def default_model() -> Model:
    """Return the model that is shipped with the package."""
    return parse_model(files("sbir_gate.engine.matching").joinpath("default_model.json").read_text("utf-8"))


def parse_model(text: str) -> Model:
    """Return the model of a JSON text that `model_document` wrote.

    A feature that the model was trained without has the weight 0. Raises ToolError for a feature that is not
    one of FEATURES.
    """
    stored = json.loads(text)
    names = [_FORMER_NAMES.get(name, name) for name in stored["features"]]
    weights = dict(zip(names, stored["weights"], strict=True))
    unknown = sorted(weights.keys() - {*FEATURES})
    if unknown:
        hint = "train it again: see 'The shipped model' in 'sbir-gate help engine'"
        raise ToolError(f"the stored model has features that this program lacks: {', '.join(unknown)}", hint)
    return Model(
        version=stored["version"],
        weights=tuple(weights.get(name, 0.0) for name in FEATURES),
        intercept=stored["intercept"],
        limits=tuple((pair[0], pair[1]) for pair in stored["limits"]),
    )


def fit(
    matrix: Floats,
    labels: Floats,
    weights: Floats,
    prior: Model | None,
    strength: float,
    start: tuple[Floats, float] | None = None,
) -> tuple[Floats, float]:
    """Return the weights and the intercept of the logistic model with the greatest posterior.

    `matrix` is pairs x features, `labels` 0 or 1, `weights` the weight of each pair; the prior is
    normal around the prior model's weights (around 0 without one) with precision `strength`. The
    intercept is not drawn. `start` is where the search begins, the prior when left out:
    the nearer, the quicker.
    """
    design = np.column_stack([matrix, np.ones(len(matrix))])
    centre = np.zeros(design.shape[1])
    if prior is not None:
        centre[:-1] = prior.weights
        centre[-1] = prior.intercept
    penalty = np.full(design.shape[1], strength)
    penalty[-1] = 1e-3

    def loss(beta: Floats, scores: Floats) -> float:
        likelihood = weights @ (labels * scores - np.logaddexp(0.0, scores))
        return float(0.5 * penalty @ (beta - centre) ** 2 - likelihood)

    beta = centre.copy() if start is None else np.append(start[0], start[1])
    scores = design @ beta
    lost = loss(beta, scores)
    for _ in range(_MAX_STEPS):
        probability = _sigmoid(scores)
        gradient = design.T @ (weights * (labels - probability)) - penalty * (beta - centre)
        curvature = weights * probability * (1 - probability)
        hessian = (design * curvature[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        # a full step may overshoot where the labels are nearly separable
        while (after := loss(beta + step, scores_after := design @ (beta + step))) > lost + 1e-9:
            step /= 2.0
            if np.abs(step).max() < 1e-8:
                break
        beta, scores, lost = beta + step, scores_after, after
        if np.abs(step).max() < 1e-8:
            break
    rounded: Floats = np.round(beta, 9).astype(np.float64)
    return rounded[:-1], float(rounded[-1])


def acceptance_limit(confidences: Floats, is_correct: NDArray[np.bool_], min_precision: float) -> float:
    """Return the least confidence at which the accepted share right is at least `min_precision`.

    `confidences` and `is_correct` are those of the best candidate of each labelled query. With one
    wrong answer added to those accepted (a pessimist's count, so that a short list of right answers
    proves little), the result is 1.0 if no limit reaches the precision.
    """
    order = np.argsort(-confidences, kind="stable")
    right = np.cumsum(is_correct[order])
    accepted = np.arange(1, len(order) + 1)
    # equal confidences are accepted together: only the last of them can be a limit
    is_last = np.diff(confidences[order], append=-1.0) != 0
    reached = np.flatnonzero(is_last & (right / (accepted + 1) >= min_precision))
    if not len(reached):
        return 1.0
    return float(np.round(confidences[order][reached[-1]], 6))


def interpolated_limit(limits: tuple[tuple[float, float], ...], min_precision: float) -> float:
    """Return the acceptance limit of a stored model for a wanted precision, between its knots."""
    wanted = np.array([knot[0] for knot in limits])
    limit = np.array([knot[1] for knot in limits])
    return float(np.interp(min_precision, wanted, limit))


def _sigmoid(values: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(values, -40.0, 40.0)))
    return result


def model_document(model: Model, made_on: Mapping[str, str]) -> str:
    """Return the JSON text that `parse_model` reads; `made_on` says on which data it was made."""
    document = {
        "version": model.version,
        "made_on": dict(made_on),
        "features": list(FEATURES),
        "weights": [round(weight, 6) for weight in model.weights],
        "intercept": round(model.intercept, 6),
        "limits": [list(knot) for knot in model.limits],
    }
    return json.dumps(document, indent=2) + "\n"
