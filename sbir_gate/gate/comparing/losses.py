"""Where links were lost: the stage that lost each one, and how the changes fall on the segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sbir_gate.model.matches import Decision
from sbir_gate.model.verdict import AwardChange, LostBy, SliceChanges


def lost_by(recipient_id: str, decision: Decision) -> LostBy | None:
    """Return the stage in which head lost the recipient that an award was linked to before.

    None if there was none or if head links it still. An enricher names the
    candidates that it keeps, best first; one that it found and kept no longer counts as lost by blocking.
    """
    if not recipient_id or decision.link == recipient_id:
        return None
    named = [decision.recipient_id] if decision.recipient_id else []
    named += [candidate for candidate in decision.candidate_ids if candidate != decision.recipient_id]
    if recipient_id not in named:
        return LostBy.BLOCKING
    return LostBy.ACCEPTANCE if named[0] == recipient_id else LostBy.SCORING


def slices_of(
    lost: Sequence[AwardChange], gained: Sequence[AwardChange], relinked: Sequence[AwardChange]
) -> tuple[SliceChanges, ...]:
    """Return the counts of changes in each slice of each dimension that has any, most lost first."""
    found = []
    for dimension, value_of in _DIMENSIONS:
        counts = [_counted(changes, value_of) for changes in (lost, gained, relinked)]
        values = sorted(
            {value for counted in counts for value in counted},
            key=lambda value: (-counts[0][value], -counts[2][value], value),
        )
        found += [
            SliceChanges(dimension, value, counts[0][value], counts[1][value], counts[2][value])
            for value in values
        ]
    return tuple(found)


def _counted(changes: Iterable[AwardChange], value_of: Callable[[AwardChange], str]) -> Counter[str]:
    return Counter(value for change in changes if (value := value_of(change)))


def _method(change: AwardChange) -> str:
    """Return the method that made the link: the one that is lost or left, else the one that is new."""
    return change.before_method if change.before_recipient_id else change.after_method


_DIMENSIONS: tuple[tuple[str, Callable[[AwardChange], str]], ...] = (
    ("method", _method),
    ("lost by", lambda change: change.lost_by or ""),
    ("phase", lambda change: change.phase),
    ("company size", lambda change: change.company_size),
    ("identifier type", lambda change: change.identifier_type),
)
