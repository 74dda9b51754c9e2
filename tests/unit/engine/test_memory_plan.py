import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.recipient_parts import (
    LONGEST_SECONDS,
    SMALLEST_CHUNK,
    ChunkCost,
    ChunkPlan,
    ChunkSizes,
    next_plan,
)

SIZES = ChunkSizes(first=10_000, largest=250_000)


def plan(chunk_size, growth=2, *, is_spilling=False):
    return ChunkPlan(chunk_size, is_spilling, growth)


@pytest.mark.parametrize(
    ("share", "before", "after"),
    [
        (0.100, plan(10_000, 25), plan(250_000, 25)),  # room
        (0.100, plan(2_000, 25), plan(50_000, 25)),
        (0.100, plan(250_000, 25), plan(250_000, 25)),  # not beyond
        (0.800, plan(50_000, 25), plan(50_000, 25)),  # not above 80%
        (0.801, plan(50_000, 25), plan(25_000)),
        (0.950, plan(32_000), plan(16_000)),  # not above 95%
        (0.951, plan(32_000), plan(16_000, is_spilling=True)),
        (5.000, plan(1_500, is_spilling=True), plan(1_000, is_spilling=True)),  # no smaller
        (5.000, plan(1_000, is_spilling=True), plan(1_000, is_spilling=True)),
        (0.600, plan(16_000, is_spilling=True), plan(16_000, is_spilling=True)),  # steady
        (0.499, plan(16_000), plan(32_000)),  # once halved, it grows with more care
        (0.499, plan(140_000, is_spilling=True), plan(250_000, is_spilling=True)),
    ],
)
def test_the_next_chunk_and_the_place_of_parts_follow_from_the_memory_in_use(share, before, after):
    cost = ChunkCost(share, seconds=0.01, rows=before.chunk_size)
    assert next_plan(before, cost, SIZES) == after


@pytest.mark.parametrize(
    ("before", "rows", "seconds", "size"),
    [
        (10_000, 10_000, 0.4, 250_000),
        (10_000, 10_000, 1.0, 10_000 * LONGEST_SECONDS),
        (10_000, 4_000, 1.0, 4_000 * LONGEST_SECONDS),  # what was left of a file, say
        (100_000, 100_000, 60.0, 100_000),  # it is not made smaller for that
        (10_000, 10_000, 60.0, 10_000),
        # what memory has made smaller than it was asked for is made larger however slow it is
        (400, 400, 60.0, 10_000),
    ],
)
def test_a_chunk_grows_no_longer_than_some_seconds(before, rows, seconds, size):
    assert next_plan(plan(before, 25), ChunkCost(0.1, seconds, rows), SIZES).chunk_size == size


def test_a_chunk_that_was_wanted_small_is_not_made_larger():
    sizes = ChunkSizes(10, 10)
    assert next_plan(ChunkPlan(10, is_spilling=False), ChunkCost(0.99, 0.1, 10), sizes) == plan(
        10, is_spilling=True
    )
    assert next_plan(ChunkPlan(10, is_spilling=False), ChunkCost(0.1, 0.1, 10), sizes).chunk_size == 10


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.floats(0, 5), st.floats(0, 100)), max_size=30),
)
def test_a_chunk_stays_between_the_smallest_and_the_largest_and_spilling_never_ends(first, more, costs):
    sizes = ChunkSizes(first, first + more)
    current = ChunkPlan(first, is_spilling=False)
    for share, seconds in costs:
        following = next_plan(current, ChunkCost(share, seconds, current.chunk_size), sizes)
        assert min(SMALLEST_CHUNK, first) <= following.chunk_size <= sizes.largest
        assert following.is_spilling >= current.is_spilling
        current = following
