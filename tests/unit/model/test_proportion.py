import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.model.proportion import Proportion


def test_the_interval_of_wilsons_formula():
    # by hand: (0.5 + 1.9600^2 / 20 -+ 1.9600 * sqrt(0.25 / 10 + 1.9600^2 / 400)) / (1 + 1.9600^2 / 10)
    share = Proportion.of(5, 10)
    assert (share.rate, share.low, share.high) == (
        0.5,
        pytest.approx(0.2366, abs=1e-4),
        pytest.approx(0.7634, abs=1e-4),
    )


@pytest.mark.parametrize(("part", "rate", "low", "high"), [(0, 0.0, 0.0, 0.2775), (10, 1.0, 0.7225, 1.0)])
def test_none_and_all_have_an_interval(part, rate, low, high):
    share = Proportion.of(part, 10)
    assert share.rate == rate
    assert (share.low, share.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_nothing_to_count_has_no_rate():
    assert Proportion.of(0, 0) == Proportion(0, 0, None, None, None)


@given(st.integers(0, 10**9).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_rate_lies_within_its_interval(counts):
    share = Proportion.of(*counts)
    assert share.is_sound
    if share.whole:
        assert 0 <= share.low <= share.rate <= share.high <= 1


@pytest.mark.parametrize("counts", [(-1, 3), (4, 3)])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="not a proportion"):
        Proportion.of(*counts)


@pytest.mark.parametrize(
    "share",
    [
        Proportion(3, 4, 0.5, 0.1, 0.9),
        Proportion(4, 3, 4 / 3, 0.1, 2.0),
        Proportion(3, 4, 0.75, 0.8, 0.9),
        Proportion(3, 4, None, None, None),
        Proportion(0, 0, 0.0, 0.0, 0.0),
    ],
)
def test_a_saved_proportion_that_contradicts_itself_is_noticed(share):
    assert not share.is_sound
