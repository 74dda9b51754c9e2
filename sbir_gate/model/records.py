"""What is read: the words for awards, recipients and rows that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """SBIR/STTR phase of an award."""

    ONE = "I"
    TWO = "II"
    THREE = "III"
    OTHER = "other"


class CompanySize(StrEnum):
    """Firm size by its number of employees: micro < 10, small < 50, medium < 250, else large."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    UNKNOWN = "unknown"


class IdentifierType(StrEnum):
    """Which valid identifiers an award carries."""

    BOTH = "both"
    UEI_ONLY = "uei-only"
    DUNS_ONLY = "duns-only"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that could not be read.

    `line` is 1-based and counts the header; `column` is empty when the whole row is at fault;
    `value` is cut to 200 characters.
    """

    file: str
    line: int
    column: str
    value: str
    reason: str

    @property
    def text(self) -> str:
        """Where the row is, as far as that is known, and why it could not be read."""
        return f"{self.file}:{self.line}: {self.reason}" if self.file else self.reason


@dataclass(frozen=True, slots=True)
class AwardProfile:
    """What the quality report needs to know of an award: its id, its firm and its strata.

    Texts are empty where they are not known; of several DUNS numbers one blank is between them.
    `is_placeholder` says that the cell of the name holds text that names no one.
    """

    award_id: str
    firm_name: str
    phase: Phase
    company_size: CompanySize
    identifier_type: IdentifierType
    agency: str = ""
    program: str = ""
    year: str = ""
    state: str = ""
    uei: str = ""
    duns: str = ""
    is_placeholder: bool = False


@dataclass(frozen=True, slots=True)
class LinkedRecipient:
    """A recipient that awards are linked to; name and UEI are empty where the table has none."""

    recipient_id: str
    name: str = ""
    uei: str = ""


@dataclass(frozen=True, slots=True)
class AwardTable:
    """What is known of a table of awards that were read and written down.

    `awards`, `distinct_ids`, `named`, `identified` (a UEI or a DUNS) and `complete` (either of these) are
    counted in the table itself, `rejects` are the rows of the source that are not in it. `repeated_ids` are
    the ids that the source bears more than once; in the table each row has its own.
    """

    awards: int
    rejects: int
    distinct_ids: int
    repeated_ids: int
    named: int
    identified: int
    complete: int
    reject_examples: tuple[str, ...] = ()
