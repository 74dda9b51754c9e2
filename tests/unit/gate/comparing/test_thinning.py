from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.thinning import thinned

VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def columns_of(draw):
    count = draw(st.integers(0, 300))
    columns = draw(st.lists(st.lists(VALUES, min_size=count, max_size=count), max_size=4))
    return columns, count


@given(columns_of(), st.integers(4, 60), st.sets(st.integers(-5, 320), max_size=5))
def test_no_extreme_of_any_column_is_lost_nor_what_must_stay(drawn, most, always):
    columns, count = drawn
    kept = thinned(columns, count, most, always)
    assert list(kept) == sorted(set(kept))
    assert all(place in kept for place in always if 0 <= place < count)
    for column in columns:
        known = [value for value in column if value is not None]
        shown = [column[place] for place in kept if column[place] is not None]
        if known:
            assert (min(shown), max(shown)) == (min(known), max(known))


def test_few_points_are_all_kept():
    assert thinned([[1.0, 2.0, 3.0]], 3, 3) == (0, 1, 2)


def test_of_many_the_newest_stay_and_the_older_ones_keep_their_spikes():
    column = [1.0] * 1000
    column[337] = 9.0
    column[501] = 0.5
    kept = thinned([column], 1000, 100, {700})
    assert len(kept) <= 100
    assert {0, 337, 501, 700, *range(975, 1000)} <= set(kept)
