import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.table_profile import KEPT, decoded, distinct_count, encoded, merged, no_hashes

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=50).map(
    lambda values: np.array(values, dtype=np.uint64)
)


def evenly(count, seed):
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64, endpoint=False)


@given(HASHES, HASHES, HASHES)
def test_merging_does_not_depend_on_order_or_repetition(a, b, c):
    first, second, third = (merged(no_hashes(), part) for part in (a, b, c))
    left = merged(merged(first, second), third)
    assert np.array_equal(left, merged(third, merged(second, merged(first, first))))
    assert distinct_count(left) == (len({*a.tolist(), *b.tolist(), *c.tolist()}), True)


def test_up_to_the_number_of_kept_hashes_the_count_is_exact_and_beyond_an_estimate():
    hashes = evenly(KEPT, 1)
    assert distinct_count(merged(no_hashes(), hashes[:-1])) == (KEPT - 1, True)
    assert not distinct_count(merged(no_hashes(), hashes))[1]


@pytest.mark.slow
def test_the_error_is_what_it_is_said_to_be():
    errors = []
    for seed in range(60):
        sketch = no_hashes()
        for part in np.array_split(evenly(100_000, seed), 7):
            sketch = merged(sketch, part)
        errors.append(distinct_count(sketch)[0] / 100_000 - 1)
    assert abs(np.mean(errors)) < 0.015  # four times its own standard error: without bias
    assert 0.02 < np.std(errors) < 0.045  # 1 / sqrt(1022) is 0.031
    assert np.mean(np.abs(errors) < 0.063) >= 0.85


@given(HASHES)
def test_a_sketch_comes_back_from_its_text(hashes):
    sketch = merged(no_hashes(), hashes)
    assert np.array_equal(decoded(encoded(sketch)), sketch)


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        base64.b64encode(b"1234567").decode(),
        base64.b64encode(np.array([2, 1], dtype="<u8").tobytes()).decode(),
        base64.b64encode(np.array([1, 1], dtype="<u8").tobytes()).decode(),
        base64.b64encode(np.arange(KEPT + 1, dtype="<u8").tobytes()).decode(),
    ],
)
def test_any_other_text_is_refused(text):
    with pytest.raises(ValueError, match=r"hashes|buffer"):
        decoded(text)
