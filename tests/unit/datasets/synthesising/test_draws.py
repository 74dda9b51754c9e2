"""The draws are the same everywhere, and as likely as they say."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.synthesising.draws import Draws, Weighted

SEEDS = st.integers(0, 2**40)


def test_the_stream_is_pinned():
    draws = Draws(1, 2, 3)

    assert [draws.below(1000) for _ in range(5)] == [171, 308, 748, 443, 285]
    assert Draws(1, 2, 3).many_below(5, 1000).tolist() == [670, 111, 511, 356, 704]


def test_each_key_has_its_own_stream():
    streams = {tuple(Draws(*key).many_below(8, 1000)) for key in ((1, 1, 0), (1, 1, 1), (1, 2, 0), (2, 1, 0))}

    assert len(streams) == 4


@given(SEEDS, st.integers(1, 2**31), st.integers(0, 50))
def test_numbers_stay_below_the_limit(seed, limit, count):
    draws = Draws(seed)

    assert 0 <= draws.below(limit) < limit
    many = draws.many_below(count, limit)
    assert many.shape == (count,)
    assert ((many >= 0) & (many < limit)).all()


@given(SEEDS, st.integers(-50, 50), st.integers(0, 50))
def test_between_takes_both_ends(seed, low, width):
    assert low <= Draws(seed).between(low, low + width) <= low + width


@given(SEEDS, st.lists(st.integers(), max_size=40))
def test_a_shuffle_loses_and_adds_nothing(seed, items):
    assert sorted(Draws(seed).shuffled(items)) == sorted(items)


def test_weights_are_shares():
    table = Weighted.of((("often", 90), ("seldom", 10), ("never", 0)))
    draws = Draws(5)

    one_by_one = Counter(draws.weighted(table) for _ in range(5000))
    at_once = np.bincount(draws.many_indices(5000, table), minlength=3)

    assert 4300 < one_by_one["often"] < 4700
    assert 4300 < at_once[0] < 4700
    assert one_by_one["never"] == at_once[2] == 0


def test_zipf_weights_fall_with_the_rank():
    table = Weighted.zipf("abcde")
    weights = np.diff((0, *table.cumulative))

    assert list(weights) == sorted(weights, reverse=True)
    assert weights[0] == 200_000
    assert weights[4] == 111_111


def test_chances_are_shares():
    draws = Draws(9)

    assert 900 < sum(draws.chance(0.25) for _ in range(4000)) < 1100
    assert 900 < draws.many_chances(4000, 0.25).sum() < 1100
    assert not any(draws.chance(0.0) for _ in range(100))
    assert all(draws.chance(1.0) for _ in range(100))
