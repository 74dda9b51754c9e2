"""How many distinct values there are: a sketch of their smallest hashes, which can be merged and saved.

The sketch of a set is its KEPT smallest distinct hashes (k minimum values). Of two sets it is the
smallest of both sketches together, so rows may come in any parts and any order. If hashes are spread
evenly over 0..1 and u is the k-th smallest, (k - 1) / u estimates the number of distinct values
without bias, with a relative standard error of about 1 / sqrt(k - 2): 3.1 % here, so 95 of 100
estimates are within 6.3 %. Below k values the count is exact, but for hashes of 64 bits that collide.
Source: Bar-Yossef et al., "Counting distinct elements in a data stream" (2002); Beyer et al., "On
synopses for distinct-value estimation under multiset operations" (2007).
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
import numpy.typing as npt

KEPT = 1024
Hashes = npt.NDArray[np.uint64]
_RANGE = 2.0**64


def no_hashes() -> Hashes:
    """Return the sketch of no values."""
    return np.empty(0, dtype=np.uint64)


def merged(sketch: Hashes, hashes: Hashes) -> Hashes:
    """Return the sketch of both: sorted, distinct, at most KEPT."""
    return np.union1d(sketch, hashes)[:KEPT].astype(np.uint64)


def distinct_count(sketch: Hashes) -> tuple[int, bool]:
    """Return the number of distinct values, and whether it is exact."""
    if len(sketch) < KEPT:
        return len(sketch), True
    return round((KEPT - 1) * _RANGE / (float(sketch[-1]) + 1.0)), False


def encoded(sketch: Hashes) -> str:
    """Return the sketch as text."""
    return base64.b64encode(sketch.astype("<u8").tobytes()).decode("ascii")


def decoded(text: str) -> Hashes:
    """Return the sketch that was encoded. Raises ValueError for any other text."""
    try:
        sketch = np.frombuffer(base64.b64decode(text, validate=True), dtype="<u8").astype(np.uint64)
    except binascii.Error as error:
        raise ValueError(f"no hashes: {error}") from error
    if len(sketch) > KEPT or not np.all(sketch[1:] > sketch[:-1]):
        raise ValueError("no hashes of a sketch: too many, or not in order")
    return sketch
