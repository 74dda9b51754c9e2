"""Why an award is linked, or is not: what the engine knew and weighed, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sbir_gate.model.matches import Decision, DecisionKind, NoLinkReason
from sbir_gate.model.verdict import LostBy

BASE, BASELINE = "base", "baseline"
"""What an explanation can be held against by name: the Run beside head, or the gate's baseline."""


class Basis(StrEnum):
    """What made the decision.

    identifier: both sides carry it and their names agree. exact-name: a rule for equal names in places that
    agree (or a rare, unique name). model: the confidence of the best candidate against the acceptance limit.
    nothing: there is no candidate.
    """

    IDENTIFIER = "identifier"
    EXACT_NAME = "exact-name"
    MODEL = "model"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Party:
    """A firm or a recipient as the engine sees it after cleaning; texts are empty where unknown."""

    name: str
    uei: str = ""
    duns: str = ""
    city: str = ""
    state: str = ""
    zip5: str = ""


@dataclass(frozen=True, slots=True)
class NameForm:
    """A name that is searched for: its normal form, the one without blanks and the one with words folded."""

    normal: str
    compact: str
    canonical: str
    is_alias: bool


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a feature adds to the log-odds of the pair being correct: `weight` x `value`."""

    feature: str
    value: float
    weight: float

    @property
    def log_odds(self) -> float:
        """The part of the sum."""
        return self.weight * self.value


@dataclass(frozen=True, slots=True)
class Weighing:
    """The model's opinion of a pair: intercept and contributions add up to the log-odds of `confidence`.

    `query` is the normal form of the firm's name that was compared. `name_frequency` counts the
    recipients that have the recipient's name.
    """

    query: str
    intercept: float
    contributions: tuple[Contribution, ...]
    confidence: float
    name_frequency: int

    @property
    def log_odds(self) -> float:
        """The sum of the intercept and all contributions."""
        return self.intercept + sum(part.log_odds for part in self.contributions)


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A piece of name and place that brought award and recipient together in the candidate search."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    """One recipient that was considered. `score` is 0..100, `confidence` is what the decision used, 0..1.

    Both are None where an engine does not state them. The confidence differs from the model's where an
    identifier or a rule states it. `weighing` is None where the names were not compared, because an
    identifier had decided before.
    """

    recipient_id: str
    party: Party
    method: str
    score: float | None
    confidence: float | None
    reason: str = ""
    shared_keys: tuple[SharedKey, ...] = ()
    weighing: Weighing | None = None


class Change(StrEnum):
    """A difference in the data that is tried on the best candidate."""

    SAME_ZIP = "same-zip"
    SAME_CITY = "same-city"
    SAME_STATE = "same-state"
    OTHER_STATE = "other-state"
    PLACE_UNKNOWN = "place-unknown"
    UNIQUE_NAME = "unique-name"
    SAME_UEI = "same-uei"


@dataclass(frozen=True, slots=True)
class Trial:
    """The decision, had the recipient `recipient_id` differed by `change`: computed, not guessed."""

    change: Change
    recipient_id: str
    kind: DecisionKind
    linked_id: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One award's decision with all that led to it. `candidates` are the best first.

    `names` is empty for a placeholder or an award without a name. `considered` counts the distinct recipients
    that shared a key and were scored. `trials` hold each change that was tried, whether or not it changes
    the decision. Of an enriched file alone (`is_stated`) only the decision and its candidates are known, and
    nothing of candidates where the engine does not write any (`names_candidates`).
    """

    award_id: str
    firm: Party
    names: tuple[NameForm, ...]
    decision: Decision
    basis: Basis
    candidates: tuple[ExplainedCandidate, ...]
    reason: NoLinkReason | None = None
    acceptance_limit: float = 0.0
    model: str = ""
    considered: int = 0
    trials: tuple[Trial, ...] = ()
    is_stated: bool = False
    names_candidates: bool = True


@dataclass(frozen=True, slots=True)
class DecisionShift:
    """What a Run decided of the award: `before` is None where the Run does not have it.

    `recipient_name` is of the recipient that it linked; `lost_by` is the stage that has lost that link since,
    None where the engine does not write its candidates.
    """

    run_started_at: datetime
    before: Decision | None
    recipient_name: str = ""
    lost_by: LostBy | None = None


@dataclass(frozen=True, slots=True)
class ExplainedAward:
    """An explanation, with what a Run decided of the award where one was named."""

    explanation: Explanation
    since: DecisionShift | None = None
