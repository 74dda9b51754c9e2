"""Labels that identifiers give: an award and a recipient that share a UEI or DUNS, and whose names agree.

Anything in doubt gets no label: a person decides it. An identifier that several firms share does not count,
nor does one whose names clearly differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sbir_gate.model.labelling import AwardLabel
from sbir_gate.model.records import IdentifierType

# Jaro-Winkler similarity of two names without blanks and punctuation; below it they are of two firms, or of
# one that was renamed
LEAST_SIMILARITY = 0.8
# by whether a UEI, and whether a DUNS, is the same
_IDENTIFIERS = {
    (True, False): IdentifierType.UEI_ONLY,
    (False, True): IdentifierType.DUNS_ONLY,
    (True, True): IdentifierType.BOTH,
}


@dataclass(frozen=True, slots=True)
class IdentifierMatch:
    """An award and a recipient that share an identifier (`UEI` or `DUNS`).

    `award_uei` and `recipient_uei` are empty where unknown. `similarity` is that of their names, 0..1.
    """

    award_id: str
    recipient_id: str
    identifier: str
    award_uei: str
    recipient_uei: str
    similarity: float


def identifier_labels(matches: Iterable[IdentifierMatch]) -> Mapping[str, AwardLabel]:
    """Return the labels of the awards whose identifiers leave no doubt, by award."""
    by_award: dict[str, list[IdentifierMatch]] = defaultdict(list)
    for match in matches:
        by_award[match.award_id].append(match)
    labels = (_label(award_id, found) for award_id, found in by_award.items())
    return {label.award_id: label for label in labels if label is not None}


def _label(award_id: str, found: Iterable[IdentifierMatch]) -> AwardLabel | None:
    by_identifier: dict[str, list[IdentifierMatch]] = defaultdict(list)
    for match in found:
        by_identifier[match.identifier].append(match)
    for group in by_identifier.values():
        if max(match.similarity for match in group) < LEAST_SIMILARITY:
            return None  # the firm of this identifier has another name
    if any(_contradicts(match) for match in by_identifier["DUNS"]):
        return None
    ids = sorted({match.recipient_id for group in by_identifier.values() for match in group})
    if any(not id_ or len(id_.split()) != 1 or ";" in id_ for id_ in ids):
        return None  # a truth separates ids by blanks
    identifiers = _IDENTIFIERS[bool(by_identifier["UEI"]), bool(by_identifier["DUNS"])]
    return AwardLabel(award_id, tuple(ids), identifiers=identifiers)


def _contradicts(match: IdentifierMatch) -> bool:
    """Say whether the recipient of a DUNS has another UEI than the award."""
    return bool(match.award_uei and match.recipient_uei and match.award_uei != match.recipient_uei)
