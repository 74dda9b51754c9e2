"""Records of awards by the hundred thousand: what many have in common is held, and looked at, once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Generic, TypeVar, overload

from sbir_gate.model.matches import Decision
from sbir_gate.model.records import AwardProfile

T = TypeVar("T", Decision, AwardProfile)
_Rest = tuple[Hashable, ...]


class ByAward(Sequence[T], Generic[T]):
    """A sequence of records whose first field is the award: of a firm's awards only that differs.

    Record i is the one of `distinct[places[i]]`, for the award `award_ids[i]`; the award of a distinct record
    is one of those that have it. Records are made when they are asked for.
    """

    __slots__ = ("award_ids", "distinct", "places")

    award_ids: Sequence[str]
    distinct: Sequence[T]
    places: Sequence[int]

    def __init__(self, award_ids: Sequence[str], distinct: Sequence[T], places: Sequence[int]) -> None:
        self.award_ids = award_ids
        self.distinct = distinct
        self.places = places

    @classmethod
    def of(cls, records: Sequence[T]) -> ByAward[T]:
        """Return the records by what they have in common; those that are held so stay as they are."""
        if isinstance(records, ByAward):
            return records
        rest_of = _rest_of(records)
        firsts: dict[_Rest, T] = {}
        place_of: dict[_Rest, int] = {}
        places = []
        for record in records:
            rest = rest_of(record)
            places.append(place_of.setdefault(rest, len(place_of)))
            firsts.setdefault(rest, record)
        return cls([record.award_id for record in records], tuple(firsts.values()), places)

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.award_ids)

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> ByAward[T]: ...

    def __getitem__(self, at: int | slice) -> T | ByAward[T]:
        """Return one record, or those of a slice."""
        if isinstance(at, slice):
            return ByAward(self.award_ids[at], self.distinct, self.places[at])
        found: T = replace(self.distinct[self.places[at]], award_id=self.award_ids[at])
        return found

    def __iter__(self) -> Iterator[T]:
        """Make the records, one after the other."""
        makes: list[Callable[..., T]] = list(map(type, self.distinct))
        rests = list(map(_rest_of(self.distinct), self.distinct))
        for award_id, place in zip(self.award_ids, self.places, strict=True):
            yield makes[place](award_id, *rests[place])

    def __eq__(self, other: object) -> bool:
        """Say whether the other has the same records, however it holds them."""
        return isinstance(other, Sequence) and len(self) == len(other) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of the records."""
        return hash(tuple(self))


def _rest_of(records: Iterable[T]) -> Callable[[T], _Rest]:
    """Return what gives all fields of such a record but its award."""
    first = next(iter(records), None)
    return attrgetter(*(field.name for field in fields(first)[1:])) if first is not None else lambda _: ()
