"""Labels made by people: which awards were drawn for them, and what each reviewer decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sbir_gate.model.records import IdentifierType

# far more than anyone writes; what is longer was pasted by mistake
_LONGEST_REVIEWER = 200
_LONGEST_NOTE = 2_000
_LONGEST_ID = 500
_MOST_RECIPIENTS = 100


class Certainty(StrEnum):
    """How certain a reviewer is."""

    CERTAIN = "certain"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class DrawnAward:
    """An award of the sample. `probability` is the one with which it was drawn, in (0, 1].

    `linked_id` is the recipient that the engine links, empty for none.
    """

    award_id: str
    stratum: str
    probability: float
    linked_id: str


@dataclass(frozen=True, slots=True)
class LabelSample:
    """The awards drawn for labels, of `awards` in all; `strata` are the sizes of all strata by name."""

    seed: int
    awards: int
    strata: tuple[tuple[str, int], ...]
    drawn: tuple[DrawnAward, ...]


@dataclass(frozen=True, slots=True)
class AwardLabel:
    """What was decided of an award: the correct recipients, or that there is none.

    `decided_on` is None, and `reviewer` empty, where the file does not say. `identifiers` are those
    that it was decided by, if no person did.
    """

    award_id: str
    recipient_ids: tuple[str, ...]
    reviewer: str = ""
    decided_on: date | None = None
    certainty: Certainty = Certainty.CERTAIN
    note: str = ""
    identifiers: IdentifierType = IdentifierType.NEITHER

    @property
    def is_by_identifier(self) -> bool:
        """Whether identifiers gave it, and no person confirmed it."""
        has_identifiers = self.identifiers is not IdentifierType.NEITHER
        return has_identifiers and not self.reviewer and self.decided_on is None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate of all awards, estimated from a sample, with its 95% interval; None where nothing was drawn."""

    rate: float | None
    low: float | None
    high: float | None
    labelled: int


@dataclass(frozen=True, slots=True)
class QualityEstimate:
    """Precision and recall of the whole run; `missing` are drawn awards without a label."""

    precision: Estimate
    recall: Estimate
    labelled: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree on what both labelled; `kappa` is None where it is not defined."""

    both: int
    agreed: int
    kappa: float | None
    disagreements: tuple[tuple[AwardLabel, AwardLabel], ...]


def label_fault(label: AwardLabel) -> str:
    """Say why a label that a person makes cannot be kept in a truth; empty for nothing."""
    texts = [("the reviewer", label.reviewer, _LONGEST_REVIEWER), ("the note", label.note, _LONGEST_NOTE)]
    texts += [("a recipient id", id_, _LONGEST_ID) for id_ in label.recipient_ids]
    for name, text, longest in texts:
        if len(text) > longest:
            return f"{name} has {len(text):,} characters, and may have {longest:,}"
    if len(label.recipient_ids) > _MOST_RECIPIENTS:
        return f"there are {len(label.recipient_ids):,} recipient ids, and may be {_MOST_RECIPIENTS:,}"
    # a truth has several of them in one cell
    unfit = [id_ for id_ in label.recipient_ids if ";" in id_ or id_.split() != [id_]]
    return f"a recipient id is empty, or has a blank or ';': {unfit[0]!r}" if unfit else ""


def sample_fault(sample: LabelSample) -> str:
    """Say what cannot be true of a sample; empty for nothing."""
    sizes = dict(sample.strata)
    for award in sample.drawn:
        if not 0 < award.probability <= 1:
            return f"award {award.award_id!r} was drawn with the probability {award.probability}"
        if award.stratum not in sizes:
            return f"award {award.award_id!r} is of the stratum {award.stratum!r}, which has no size"
    for name, size in sizes.items():
        if size < sum(award.stratum == name for award in sample.drawn):
            return f"more awards of the stratum {name!r} were drawn than it has"
    return ""
