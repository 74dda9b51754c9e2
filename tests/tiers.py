"""Parameters of which the default suite takes a few; the slow suite takes the others too."""

from collections.abc import Iterable

import pytest


def tiered(*fast: object, slow: tuple[object, ...]) -> list[object]:
    """Return the values, those of `slow` with its mark."""
    return [*fast, *(pytest.param(value, marks=pytest.mark.slow) for value in slow)]


def first_fast(values: Iterable[object], count: int = 1) -> list[object]:
    """Return parameters, tuples for several arguments, those after the first ones with the mark `slow`."""
    parts = [value if isinstance(value, tuple) else (value,) for value in values]
    return [
        pytest.param(*each, marks=[pytest.mark.slow] if number >= count else [])
        for number, each in enumerate(parts)
    ]
