"""The awards of a Run as they are saved: in columns, with every text that repeats written once."""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypeVar, overload

from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.matches import Decision, DecisionKind, PlaceEvidence
from sbir_gate.model.sizes import awards_excess

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class AwardColumns:
    """Value i of each column is of award i; `firm`, `recipient` and `kind` are places in the tables.

    The tables: `firms` are names, `recipients` are id, name and UEI, and `kinds` are decision, method, label,
    phase, company size and identifier type. `places` is what the place says of
    each kind; empty if of none.
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
    places: tuple[PlaceEvidence | None, ...] = ()


_TABLES = {"firm": "firms", "recipient": "recipients", "kind": "kinds"}


def placed(values: Iterable[K]) -> tuple[tuple[K, ...], tuple[int, ...]]:
    """Return the distinct values in the order in which they first come, and the place of each value."""
    places: dict[K, int] = {}
    found = tuple(places.setdefault(value, len(places)) for value in values)
    return tuple(places), found


class AwardRecords(Sequence[AwardRecord]):
    """The awards of a Run over their columns: the records are made when they are first looked at."""

    def __init__(self, columns: AwardColumns) -> None:
        self.columns = columns

    @cached_property
    def _made(self) -> tuple[AwardRecord, ...]:
        with uncollected():
            return tuple(_records(self.columns))

    def __len__(self) -> int:
        """Return the number of awards."""
        return len(self.columns.award_id)

    @overload
    def __getitem__(self, at: int) -> AwardRecord: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[AwardRecord, ...]: ...

    def __getitem__(self, at: int | slice) -> AwardRecord | tuple[AwardRecord, ...]:
        """Return one record, or some."""
        return self._made[at]

    def __iter__(self) -> Iterator[AwardRecord]:
        """Return the records, one after the other."""
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        """Say whether the other has the same records, however it holds them."""
        return isinstance(other, Sequence) and len(self) == len(other) and self._made == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of the records."""
        return hash(self._made)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile.

    Hundreds of thousands of awards or pairs are made, and none is garbage: to walk them again and again takes
    half of the time of reading a Run, and a fifth of the engine's Python.
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
    if isinstance(awards, AwardRecords):
        return awards.columns
    decisions = [award.decision for award in awards]
    firms, firm = placed(award.firm_name for award in awards)
    recipients, recipient = placed(
        (award.decision.recipient_id, award.recipient_name, award.recipient_uei) for award in awards
    )
    kinds, kind = placed((_kind(award), award.decision.place) for award in awards)
    return AwardColumns(
        firms=firms,
        recipients=recipients,
        kinds=tuple(each for each, _ in kinds),
        award_id=tuple(decision.award_id for decision in decisions),
        firm=firm,
        recipient=recipient,
        kind=kind,
        score=tuple(decision.score for decision in decisions),
        confidence=tuple(decision.confidence for decision in decisions),
        candidate_ids=tuple(decision.candidate_ids for decision in decisions),
        places=said_places(place for _, place in kinds),
    )


def said_places(places: Iterable[PlaceEvidence | None]) -> tuple[PlaceEvidence | None, ...]:
    """Return what the places of the kinds say; nothing where none says anything."""
    found = tuple(places)
    return found if any(found) else ()


def awards_of(columns: AwardColumns) -> AwardRecords:
    """Return the awards that the columns hold. Raises ValueError for columns that do not fit one another."""
    fault = _fault(columns)
    if fault:
        raise ValueError(f"awards: {fault}")
    return AwardRecords(columns)


def _records(columns: AwardColumns) -> Iterator[AwardRecord]:
    firms, recipients, kinds = columns.firms, columns.recipients, columns.kinds
    places = columns.places or (None,) * len(kinds)
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
        decision = Decision(
            award_id, decided, method, recipient_id, score, confidence, candidate_ids, places[kind]
        )
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
    if columns.places and len(columns.places) != len(columns.kinds):
        return "places is not as long as kinds"
    for field in fields(columns):
        if field.name not in {*_TABLES.values(), "places"} and len(getattr(columns, field.name)) != count:
            return f"{field.name} is not as long as award_id"
    for name, table in _TABLES.items():
        places: tuple[int, ...] = getattr(columns, name)
        if places and not 0 <= min(places) <= max(places) < len(getattr(columns, table)):
            return f"{name} names a place that {table} does not have"
    return ""
