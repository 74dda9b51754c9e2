"""Strata of links by name: the method, what the place says, and whether the rule or the model links.

A model that is right on the whole may be wrong in one stratum: an exact name in another state is the right
firm far less often than its similarity suggests. So each stratum has a curve from the model's log-odds to a
confidence (Platt 1999), and a limit from which the accepted links are as precise as required.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from sbir_gate.model.matches import Method, PlaceEvidence

LARGEST_LOG_ODDS = 12.0
CONFIDENT = 0.5
"""Probability by the model from which it is confident to have found a recipient."""


class Basis(StrEnum):
    """What makes a link by name: the rule for exact names, or the model."""

    RULE = "rule"
    MODEL = "model"


class Stratum(NamedTuple):
    """A kind of link by name."""

    method: Method
    place: PlaceEvidence
    basis: Basis = Basis.MODEL


STRATA: tuple[Stratum, ...] = (
    *(Stratum(Method.NAME_EXACT, place, Basis.RULE) for place in PlaceEvidence),
    *(Stratum(method, place) for method in (Method.NAME_EXACT, Method.NAME_FUZZY) for place in PlaceEvidence),
)


class Acceptance(NamedTuple):
    """Of one stratum: confidence = sigmoid(offset + slope x log-odds), and the least confidence of a link."""

    offset: float
    slope: float
    limit: float

    def confidence(self, log_odds: float) -> float:
        """Return the calibrated confidence of a pair with these log-odds by the model."""
        value = self.offset + self.slope * max(-LARGEST_LOG_ODDS, min(LARGEST_LOG_ODDS, log_odds))
        return round(1.0 / (1.0 + math.exp(-max(-LARGEST_LOG_ODDS, min(LARGEST_LOG_ODDS, value)))), 9)


Acceptances = Mapping[Stratum, Acceptance]
