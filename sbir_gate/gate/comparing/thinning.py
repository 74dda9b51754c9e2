"""Fewer points of long series, without losing an extreme of any of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_NEWEST_SHARE = 4


def thinned(
    columns: Sequence[Sequence[float | None]], count: int, most: int, always: Collection[int] = ()
) -> tuple[int, ...]:
    """Return the places that are kept of `count`: all if they are at most `most`, in their order.

    Of more, the newest quarter of `most` stay; older places are cut into spans of equal length, and each span
    keeps its first place, and for every column the places of its lowest and highest value. `always` stays
    too. Spans grow until no more than `most` are kept; what must stay may exceed it.
    """
    if count <= most:
        return tuple(range(count))
    newest = count - most // _NEWEST_SHARE
    fixed = {*(place for place in always if 0 <= place < count), *range(newest, count)}
    length = 2
    while True:
        kept = fixed | {
            place
            for start in range(0, newest, length)
            for place in _of_span(columns, start, min(start + length, newest))
        }
        if len(kept) <= most or length >= newest:
            return tuple(sorted(kept))
        length *= 2


def _of_span(columns: Sequence[Sequence[float | None]], start: int, end: int) -> set[int]:
    kept = {start}
    for column in columns:
        known = [(value, place) for place in range(start, end) if (value := column[place]) is not None]
        if known:
            kept.add(min(known)[1])
            kept.add(max(known, key=lambda pair: (pair[0], -pair[1]))[1])
    return kept
