"""Random choices that come out the same on every machine.

They use only the raw output of PCG64, which numpy promises to keep from version to version (it
makes no such promise for the methods of its Generator), and whole-number arithmetic.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

_BUFFER = 4096
_LOW_BITS = 32
_ZIPF_SCALE = 1_000_000
_ZIPF_OFFSET = 4


@dataclass(frozen=True, slots=True)
class Weighted(Generic[T]):
    """Items that are drawn in proportion to whole-number weights; the sum stays below 2**32."""

    items: tuple[T, ...]
    cumulative: tuple[int, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[T, int]]) -> Weighted[T]:
        """Return the table of (item, weight) pairs."""
        items: list[T] = []
        cumulative: list[int] = []
        total = 0
        for item, weight in pairs:
            total += weight
            items.append(item)
            cumulative.append(total)
        return cls(tuple(items), tuple(cumulative))

    @classmethod
    def zipf(cls, items: Sequence[T]) -> Weighted[T]:
        """Return a table whose weights fall as 1 / (rank + 4), the Zipf-Mandelbrot law for words."""
        return cls.of(
            (item, _ZIPF_SCALE // (rank + _ZIPF_OFFSET)) for rank, item in enumerate(items, start=1)
        )


class Draws:
    """A stream of random choices; `key` (seed, purpose, batch number) decides all of them."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))
        self._buffer: list[int] = []

    def below(self, limit: int) -> int:
        """Return a whole number in [0, limit)."""
        if not self._buffer:
            self._buffer = (self._bits.random_raw(_BUFFER) >> _LOW_BITS).tolist()
        return (self._buffer.pop() * limit) >> _LOW_BITS

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        """Return True in `share` (0..1) of the calls."""
        return self.below(_ZIPF_SCALE) < share * _ZIPF_SCALE

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items, all equally likely."""
        return items[self.below(len(items))]

    def weighted(self, table: Weighted[T]) -> T:
        """Return one item of the table."""
        return table.items[bisect_right(table.cumulative, self.below(table.cumulative[-1]))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in random order."""
        return [items[index] for index in self.order(len(items))]

    def many_below(self, count: int, limit: int) -> NDArray[np.int64]:
        """Return `count` whole numbers in [0, limit), shape (count,)."""
        high = self._bits.random_raw(count) >> np.uint64(_LOW_BITS)
        return ((high * np.uint64(limit)) >> np.uint64(_LOW_BITS)).astype(np.int64)

    def many_chances(self, count: int, share: float) -> NDArray[np.bool_]:
        """Return `count` truth values, True in `share` (0..1) of them."""
        return self.many_below(count, _ZIPF_SCALE) < share * _ZIPF_SCALE

    def many_indices(self, count: int, table: Weighted[T]) -> NDArray[np.int64]:
        """Return `count` positions of items of the table, shape (count,)."""
        picks = self.many_below(count, table.cumulative[-1])
        return np.searchsorted(np.asarray(table.cumulative), picks, side="right")

    def order(self, count: int) -> list[int]:
        """Return the numbers 0 to count - 1 in random order."""
        order: list[int] = np.argsort(self._bits.random_raw(count), kind="stable").tolist()
        return order
