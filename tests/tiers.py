"""Parameters of which the default suite takes a few; the slow suite takes the others too."""

from collections.abc import Iterator

import pytest


def tiered(*fast: object, slow: tuple[object, ...]) -> Iterator[object]:
    """Yield the values, those of `slow` with its mark."""
    yield from fast
    yield from (pytest.param(value, marks=pytest.mark.slow) for value in slow)
