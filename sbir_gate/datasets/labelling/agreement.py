"""How far two reviewers agree: Cohen's kappa (Educational and Psychological Measurement 20 (1960) 37-46)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sbir_gate.model.labelling import Agreement, AwardLabel


def agreement(first: Mapping[str, AwardLabel], second: Mapping[str, AwardLabel]) -> Agreement:
    """Compare the labels of the awards that both have. Two labels agree if they name the same recipients."""
    both = [(first[award], second[award]) for award in first if award in second]
    disagreements = tuple(pair for pair in both if _answer(pair[0]) != _answer(pair[1]))
    agreed = len(both) - len(disagreements)
    return Agreement(len(both), agreed, _kappa(both, agreed), disagreements)


def _answer(label: AwardLabel) -> frozenset[str]:
    return frozenset(label.recipient_ids)


def _kappa(both: list[tuple[AwardLabel, AwardLabel]], agreed: int) -> float | None:
    """Return kappa over the answers 'a recipient' and 'none', and which recipient where both name one.

    Chance agreement is that of the two reviewers' shares of 'none': which of many recipients is named is not
    hit by chance. None without labels, or where both give one answer alone.
    """
    if not both:
        return None
    counts = [Counter(bool(label.recipient_ids) for label in side) for side in zip(*both, strict=True)]
    total = len(both)
    chance = sum(counts[0][answer] * counts[1][answer] for answer in (True, False)) / total**2
    return None if chance == 1 else (agreed / total - chance) / (1 - chance)
