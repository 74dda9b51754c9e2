"""The awards of a Run as they are saved: in columns, with every text that repeats written once."""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.sizes import awards_excess

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class AwardColumns:
    """Value i of each column is of award i; `firm`, `recipient` and `kind` are places in the tables.

    The tables: `firms` are names, `recipients` are id, name and UEI, and `kinds` are decision, method, label,
    phase, company size and identifier type.
    """

    firms: tuple[str, ...]
    recipients: tuple[tuple[str, str, str], ...]
    kinds: tuple[tuple[DecisionKind, str, Label, str, str, str], ...]
    award_id: tuple[str, ...]
    firm: tuple[int, ...]
    recipient: tuple[int, ...]
    kind: tuple[int, ...]
    score: tuple[float, ...]
    confidence: tuple[float | None, ...]
    candidate_ids: tuple[tuple[str, ...], ...]


_TABLES = {"firm": "firms", "recipient": "recipients", "kind": "kinds"}


class _Table(Generic[K]):
    """The distinct values of a column, in the order in which they first come."""

    def __init__(self) -> None:
        self._places: dict[K, int] = {}

    def place(self, value: K) -> int:
        """Return the place of a value, a new one for a new value."""
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> tuple[K, ...]:
        """The values by their places."""
        return tuple(self._places)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile.

    Hundreds of thousands of awards are made, and none is garbage: to walk them again and again takes half of
    the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def columns_of(awards: Sequence[AwardRecord]) -> AwardColumns:
    """Return the awards in columns; `awards_of` reverses it."""
    firms, recipients = _Table[str](), _Table[tuple[str, str, str]]()
    kinds = _Table[tuple[DecisionKind, str, Label, str, str, str]]()
    decisions = [award.decision for award in awards]
    return AwardColumns(
        firm=tuple(firms.place(award.firm_name) for award in awards),
        recipient=tuple(
            recipients.place((award.decision.recipient_id, award.recipient_name, award.recipient_uei))
            for award in awards
        ),
        kind=tuple(kinds.place(_kind(award)) for award in awards),
        firms=firms.values,
        recipients=recipients.values,
        kinds=kinds.values,
        award_id=tuple(decision.award_id for decision in decisions),
        score=tuple(decision.score for decision in decisions),
        confidence=tuple(decision.confidence for decision in decisions),
        candidate_ids=tuple(decision.candidate_ids for decision in decisions),
    )


def awards_of(columns: AwardColumns) -> tuple[AwardRecord, ...]:
    """Return the awards that the columns hold. Raises ValueError for columns that do not fit one another."""
    fault = _fault(columns)
    if fault:
        raise ValueError(f"awards: {fault}")
    return tuple(_records(columns))


def _records(columns: AwardColumns) -> Iterator[AwardRecord]:
    firms, recipients, kinds = columns.firms, columns.recipients, columns.kinds
    for award_id, firm, recipient, kind, score, confidence, candidate_ids in zip(
        columns.award_id,
        columns.firm,
        columns.recipient,
        columns.kind,
        columns.score,
        columns.confidence,
        columns.candidate_ids,
        strict=True,
    ):
        decided, method, label, phase, company_size, identifier_type = kinds[kind]
        recipient_id, name, uei = recipients[recipient]
        decision = Decision(award_id, decided, method, recipient_id, score, confidence, candidate_ids)
        yield AwardRecord(decision, label, firms[firm], name, uei, phase, company_size, identifier_type)


def _kind(award: AwardRecord) -> tuple[DecisionKind, str, Label, str, str, str]:
    decision = award.decision
    return (
        decision.kind,
        decision.method,
        award.label,
        award.phase,
        award.company_size,
        award.identifier_type,
    )


def _fault(columns: AwardColumns) -> str:
    """Return why the columns are invalid, or an empty string."""
    count = len(columns.award_id)
    if excess := awards_excess(count):
        return excess
    for field in fields(columns):
        if field.name not in _TABLES.values() and len(getattr(columns, field.name)) != count:
            return f"{field.name} is not as long as award_id"
    for name, table in _TABLES.items():
        places: tuple[int, ...] = getattr(columns, name)
        if places and not 0 <= min(places) <= max(places) < len(getattr(columns, table)):
            return f"{name} names a place that {table} does not have"
    return ""
