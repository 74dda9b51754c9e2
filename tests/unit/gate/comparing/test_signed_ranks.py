import math
import tracemalloc
from itertools import product
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing import signed_ranks
from sbir_gate.gate.comparing.signed_ranks import LEVEL, pseudo_median_interval

differences = st.lists(st.floats(-10, 10), min_size=2, max_size=12)


def test_the_pseudo_median_is_the_median_of_all_means_of_two():
    # the means of two of 1, 2, 6: 1, 1.5, 2, 3.5, 4, 6
    assert pseudo_median_interval([6.0, 1.0, 2.0]).value == pytest.approx(2.75)


def test_one_wild_pair_hardly_moves_the_pseudo_median():
    calm = [0.01, -0.02, 0.0, 0.02, -0.01, 0.01, 0.0]
    assert abs(pseudo_median_interval([*calm, 5.0]).value) < 0.02 < abs(mean([*calm, 5.0]))


def rejected_by_the_test(values, shift):
    """Say whether the exact signed-rank test, by all 2^n signs, rejects this shift at 1 - LEVEL."""
    moved = sorted((value - shift for value in values), key=abs)
    seen = sum(rank for rank, value in enumerate(moved, 1) if value > 0)
    sums = [
        sum(rank for rank, sign in enumerate(signs, 1) if sign)
        for signs in product((False, True), repeat=len(values))
    ]
    lower = sum(other <= seen for other in sums) / len(sums)
    upper = sum(other >= seen for other in sums) / len(sums)
    return min(lower, upper) <= (1 - LEVEL) / 2


@pytest.mark.parametrize("count", [7, 8, 9])
def test_from_seven_pairs_on_the_bounds_are_where_the_exact_test_begins_to_reject(count):
    random = Random(count)
    values = [random.gauss(0, 1) for _ in range(count)]
    found = pseudo_median_interval(values)
    for bound, outwards in ((found.low, -1e-9), (found.high, 1e-9)):
        assert rejected_by_the_test(values, bound + outwards)
        assert not rejected_by_the_test(values, bound - outwards)


def test_fewer_pairs_reach_beyond_what_was_seen_because_five_of_one_sign_prove_little():
    values = [0.10, 0.11, 0.12, 0.13, 0.14]
    found = pseudo_median_interval(values)
    assert found.low < min(values)
    assert found.high > max(values)
    # Student's t of four degrees of freedom at 0.99 is 3.747; the error is 0.01581 / sqrt(5)
    assert found.high - found.value == pytest.approx(3.747 * 0.0158114 / math.sqrt(5), rel=0.01)


@pytest.mark.parametrize("count", [5, 7, 14])
@pytest.mark.parametrize("shape", ["normal", "skewed", "outliers"])
def test_the_interval_holds_the_truth_as_often_as_it_says_whatever_the_noise(count, shape):
    random = Random(count)

    def noise():
        if shape == "skewed":
            return random.expovariate(8)
        return random.gauss(0, 0.08) + (shape == "outliers" and random.random() < 0.1) * random.random()

    found = [pseudo_median_interval([noise() - noise() for _ in range(count)]) for _ in range(1500)]
    assert sum(interval.covers(0.0) for interval in found) / len(found) >= 0.97


@given(differences)
def test_the_pseudo_median_lies_within_its_interval(values):
    found = pseudo_median_interval(values)
    assert found.low <= found.value <= found.high


@given(differences)
def test_turning_the_pairs_round_mirrors_the_interval(values):
    forth, back = pseudo_median_interval(values), pseudo_median_interval([-value for value in values])
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


@given(st.floats(-5, 5), st.integers(2, 30))
def test_pairs_that_all_say_the_same_leave_no_doubt(value, count):
    found = pseudo_median_interval([value] * count)
    assert (found.low, found.high) == pytest.approx((value, value))


def test_one_pair_says_nothing_of_its_noise():
    with pytest.raises(ValueError, match="at least 2"):
        pseudo_median_interval([0.1])


@pytest.mark.parametrize("count", [101, 110, 125])
@pytest.mark.parametrize("level", [0.9, LEVEL, 0.99])
def test_the_rank_of_many_pairs_is_that_of_the_exact_test(count, level):
    assert abs(signed_ranks.critical_rank(count, level) - signed_ranks.exact_rank(count, level)) <= 1


@pytest.mark.parametrize("kind", ["continuous", "rounded"])
def test_many_pairs_give_the_interval_that_all_means_of_two_would_give(monkeypatch, kind):
    random = Random(7)
    values = [random.gauss(0.01, 0.1) for _ in range(150)]
    values = [round(value, 2) for value in values] if kind == "rounded" else values
    found = pseudo_median_interval(values)
    ranks = {150: signed_ranks.critical_rank(150, LEVEL)}
    monkeypatch.setattr(signed_ranks, "MOST_LISTED", 150)
    monkeypatch.setattr(signed_ranks, "critical_rank", lambda count, _level: ranks[count])
    listed = pseudo_median_interval(values)
    assert (found.value, found.low, found.high) == pytest.approx((listed.value, listed.low, listed.high))
    assert found.low <= listed.low
    assert found.high >= listed.high


def test_ten_thousand_pairs_take_no_list_of_fifty_million_means():
    random = Random(8)
    values = [random.gauss(0.0, 0.1) for _ in range(10_000)]
    tracemalloc.start()
    found = pseudo_median_interval(values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 2**20
    # the interval of a mean of as many normal values, which the pseudo-median needs 3 / pi more of
    assert found.high - found.low == pytest.approx(
        2 * 2.326 * 0.1 * math.sqrt(math.pi / 3 / 10_000), rel=0.05
    )
