"""The kinds of the awards, kept compactly: each combination once, and a number per decision."""

from __future__ import annotations

from collections.abc import Sequence

from sbir_gate.model.matches import Decision
from sbir_gate.model.records import AwardProfile
from sbir_gate.model.run import AwardKind


def award_kinds(
    decisions: Sequence[Decision], profiles: Sequence[AwardProfile]
) -> tuple[tuple[AwardKind, ...], tuple[int, ...]]:
    """Return the kinds in the order in which they first come, and for each decision the index of its kind.

    It is -1 for an award that is not in the profiles.
    """
    kind_of = {
        profile.award_id: (profile.phase.value, profile.company_size.value, profile.identifier_type.value)
        for profile in profiles
    }
    numbers: dict[tuple[str, str, str], int] = {}
    indexes = []
    for decision in decisions:
        kind = kind_of.get(decision.award_id)
        indexes.append(-1 if kind is None else numbers.setdefault(kind, len(numbers)))
    return tuple(AwardKind(*kind) for kind in numbers), tuple(indexes)
