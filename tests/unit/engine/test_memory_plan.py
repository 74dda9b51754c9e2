import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.recipient_parts import SMALLEST_CHUNK, MemoryPlan, next_plan

WANTED = 64_000


@pytest.mark.parametrize(
    ("used_mib", "before", "after"),
    [
        (100, MemoryPlan(64_000, is_spilling=False), MemoryPlan(64_000, is_spilling=False)),  # room
        (799, MemoryPlan(64_000, is_spilling=False), MemoryPlan(64_000, is_spilling=False)),
        (800, MemoryPlan(64_000, is_spilling=False), MemoryPlan(64_000, is_spilling=False)),  # not above 80 %
        (801, MemoryPlan(64_000, is_spilling=False), MemoryPlan(32_000, is_spilling=False)),
        (950, MemoryPlan(32_000, is_spilling=False), MemoryPlan(16_000, is_spilling=False)),  # not above 95 %
        (951, MemoryPlan(32_000, is_spilling=False), MemoryPlan(16_000, is_spilling=True)),
        (5_000, MemoryPlan(1_500, is_spilling=True), MemoryPlan(1_000, is_spilling=True)),  # no smaller
        (5_000, MemoryPlan(1_000, is_spilling=True), MemoryPlan(1_000, is_spilling=True)),
        (600, MemoryPlan(16_000, is_spilling=True), MemoryPlan(16_000, is_spilling=True)),  # steady
        (499, MemoryPlan(16_000, is_spilling=False), MemoryPlan(32_000, is_spilling=False)),  # grows again
        (499, MemoryPlan(40_000, is_spilling=True), MemoryPlan(64_000, is_spilling=True)),  # not beyond
    ],
)
def test_the_next_chunk_and_the_place_of_parts_follow_from_the_memory_in_use(used_mib, before, after):
    assert next_plan(before, used_mib, 1_000, WANTED) == after


def test_a_chunk_that_was_wanted_small_is_not_made_larger():
    plan = next_plan(MemoryPlan(10, is_spilling=False), 990, 1_000, 10)
    assert plan == MemoryPlan(10, is_spilling=True)


@given(
    st.integers(1, 10**6),
    st.lists(st.floats(0, 5_000), max_size=30),
)
def test_a_chunk_stays_between_the_smallest_and_the_wanted_and_spilling_never_ends(wanted, sizes):
    plan = MemoryPlan(wanted, is_spilling=False)
    for used_mib in sizes:
        following = next_plan(plan, used_mib, 1_000, wanted)
        assert min(SMALLEST_CHUNK, wanted) <= following.chunk_size <= wanted
        assert following.is_spilling >= plan.is_spilling
        plan = following
