"""What matching decides about an award."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

COMPARED_CHARACTERS = 300
"""Characters of a name that are compared.

Two texts take as long to compare as the product of their lengths: without a limit, one cell could hold up
a run.
"""


class Method(StrEnum):
    """How an award was matched."""

    UEI_EXACT = "uei-exact"
    DUNS_EXACT = "duns-exact"
    NAME_EXACT = "name-exact"
    NAME_FUZZY = "name-fuzzy"
    ALIAS = "alias"
    NONE = "none"


class PlaceEvidence(StrEnum):
    """What the place says of a pair.

    CONFIRMS: the zip, or city and state agree. SAME_STATE: only the state does. CONTRADICTS: the states
    differ. UNKNOWN: one side has no place to compare.
    """

    CONFIRMS = "confirms"
    SAME_STATE = "same-state"
    UNKNOWN = "unknown"
    CONTRADICTS = "contradicts"


class DecisionKind(StrEnum):
    """A link counts in the match rate; a candidate is kept for review and never counts."""

    LINK = "link"
    CANDIDATE = "candidate"
    NONE = "none"


class NoLinkReason(StrEnum):
    """The likeliest reason why an award has no link; `reporting.no_link` says what each means.

    From `not-reported` on it is the engine's output that gives none: it has no candidates at all, or no row
    for the award.
    """

    IDENTIFIER_CONFLICT = "identifier-conflict"
    NAME_FREQUENCY = "name-frequency"
    OTHER_GENERATION = "other-generation"
    OTHER_WORDS = "other-words"
    ALIAS = "alias"
    OTHER_IDENTIFIER = "other-identifier"
    BELOW_LIMIT = "below-limit"
    NO_CANDIDATE = "no-candidate"
    PLACEHOLDER = "placeholder"
    UNREADABLE = "unreadable"
    NOT_REPORTED = "not-reported"
    NO_ROW = "no-row"


ENRICHED_COLUMNS = (
    "recipient_id",
    "recipient_name",
    "recipient_uei",
    "recipient_duns",
    "match_method",
    "match_score",
    "match_confidence",
    "match_place",
    "match_decision",
    "match_candidates",
)
REQUIRED_ENRICHED_COLUMNS = ("award_id", "recipient_id", "match_method", "match_score")


@dataclass(frozen=True, slots=True)
class Decision:
    """What an enricher said of one award.

    `recipient_id` is empty for `none`. `score` is 0..100. `confidence` is 0..1, or None when an
    outside enricher gives none. `candidate_ids` are the recipients that it considered (at most
    5), best first; the linked one may be among them. `place` is what the place says, None where an identifier
    decided, or where it is not said.
    """

    award_id: str
    kind: DecisionKind
    method: str
    recipient_id: str
    score: float
    confidence: float | None = None
    candidate_ids: tuple[str, ...] = ()
    place: PlaceEvidence | None = None

    @property
    def link(self) -> str:
        """The linked recipient, empty for none: a candidate is not a link."""
        return self.recipient_id if self.kind is DecisionKind.LINK else ""


def names_candidates(decisions: Iterable[Decision]) -> bool:
    """Say whether the engine reports the recipients that it considered, or nothing but its links."""
    return any(decision.candidate_ids or decision.kind is DecisionKind.CANDIDATE for decision in decisions)
