"""An award of a Run: what was decided of it, whether that is correct, and who is linked with whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.model.matches import Decision


class Label(StrEnum):
    """What the truth says of a decision. Correct is a right link, or no link where no recipient exists."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNLABELLED = "unlabelled"


@dataclass(frozen=True, slots=True)
class AwardRecord:
    """One award of a Run; texts are empty where they are not known.

    `recipient_name` and `recipient_uei` are of the linked recipient. Without a truth each is unlabelled.
    """

    decision: Decision
    label: Label = Label.UNLABELLED
    firm_name: str = ""
    recipient_name: str = ""
    recipient_uei: str = ""
    phase: str = ""
    company_size: str = ""
    identifier_type: str = ""

    @property
    def award_id(self) -> str:
        """The id of the award."""
        return self.decision.award_id

    @property
    def link(self) -> str:
        """The linked recipient, empty for none: a candidate is not a link."""
        return self.decision.link
