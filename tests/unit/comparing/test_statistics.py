import math
from fractions import Fraction
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.comparing.statistics import (
    Estimate,
    difference,
    estimate_log_median,
    estimate_median,
    interval,
    mcnemar_p_value,
    student_quantile,
)

timings = st.lists(st.floats(0.01, 1000), min_size=2, max_size=10)
counts = st.integers(0, 60)


def test_error_of_a_median_of_five_follows_price_and_bonett():
    # rank 1 of 5 stands for the tail 1/32, whose normal quantile is 1.8627
    estimate = estimate_median([5.0, 1.0, 3.0, 2.0, 4.0])
    assert estimate.value == 3.0
    assert estimate.error == pytest.approx(4.0 / (2 * 1.8627), rel=1e-4)
    assert estimate.freedom == 4


def test_error_of_ten_values_leaves_out_the_extremes():
    calm = estimate_median([float(value) for value in range(1, 11)])
    wild = estimate_median([*(float(value) for value in range(1, 10)), 1e9])
    assert wild.error == calm.error


def test_one_value_says_nothing_of_its_error():
    with pytest.raises(ValueError, match="at least 2"):
        estimate_median([1.0])


@given(timings)
def test_log_median_is_the_logarithm_of_the_median(values):
    assert estimate_log_median(values).value == pytest.approx(math.log(median(values)))


@given(timings, st.floats(0.1, 10))
def test_scaling_all_values_moves_the_log_median_and_not_its_error(values, factor):
    before = estimate_log_median(values)
    after = estimate_log_median([value * factor for value in values])
    assert after.value - before.value == pytest.approx(math.log(factor), abs=1e-9)
    assert after.error == pytest.approx(before.error, abs=1e-9)


@given(timings, timings)
def test_swapping_the_sides_mirrors_the_interval(first, second):
    one = interval(difference(estimate_log_median(first), estimate_log_median(second)))
    other = interval(difference(estimate_log_median(second), estimate_log_median(first)))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


@given(timings)
def test_a_sample_does_not_differ_from_itself(values):
    assert interval(difference(estimate_median(values), estimate_median(values))).covers(0.0)


@pytest.mark.parametrize("repeats", [3, 5, 10])
def test_interval_holds_the_true_ratio_at_least_as_often_as_it_says(repeats):
    random = Random(repeats)
    covered = 0
    for _ in range(500):
        sides = [
            estimate_log_median([math.exp(random.gauss(0, 0.1)) for _ in range(repeats)]) for _ in range(2)
        ]
        covered += interval(difference(*sides)).covers(0.0)
    assert 0.95 <= covered / 500 < 1


@pytest.mark.parametrize(
    ("freedom", "exact", "tolerance"), [(2, 4.3027, 0.04), (4, 2.7764, 0.003), (18, 2.1009, 1e-4)]
)
def test_student_quantile_is_near_the_tables(freedom, exact, tolerance):
    assert student_quantile(0.975, freedom) == pytest.approx(exact, rel=tolerance)


def test_an_interval_without_error_is_a_point():
    found = interval(Estimate(0.5, 0.0, 8))
    assert (found.low, found.high) == (0.5, 0.5)


@given(counts, counts)
def test_mcnemar_is_the_doubled_binomial_tail(worsened, improved):
    changed, smaller = worsened + improved, min(worsened, improved)
    tail = Fraction(sum(math.comb(changed, hits) for hits in range(smaller + 1)), 2**changed)
    assert mcnemar_p_value(worsened, improved) == pytest.approx(float(min(Fraction(1), 2 * tail)))


@given(counts, counts)
def test_mcnemar_does_not_care_for_the_direction(worsened, improved):
    assert mcnemar_p_value(worsened, improved) == mcnemar_p_value(improved, worsened)


def test_mcnemar_of_no_change_is_one():
    assert mcnemar_p_value(0, 0) == 1.0


def test_mcnemar_bears_hundreds_of_thousands_of_records():
    assert mcnemar_p_value(110_000, 110_000) == 1.0
    assert mcnemar_p_value(200_000, 10) == 0.0
    assert mcnemar_p_value(110_000, 109_000) == pytest.approx(0.0328, abs=1e-4)


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(ValueError, match="negative"):
        mcnemar_p_value(-1, 3)
