import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.trend import FEWEST_POINTS, trend

SERIES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=FEWEST_POINTS, max_size=30)


def test_few_points_have_no_trend():
    assert trend([1.0, 2.0, 3.0]) is None


def test_a_straight_line_has_its_slope():
    assert trend([1.0, 3.0, 5.0, 7.0, 9.0]).slope == 2.0


def test_one_outlier_does_not_bend_it():
    assert trend([1.0, 2.0, 3.0, 99.0, 5.0, 6.0, 7.0]).slope == 1.0


def test_equal_values_have_none():
    found = trend([5.0] * 10)
    assert (found.slope, found.p_value) == (0.0, 1.0)


def test_the_p_value_is_that_of_the_worked_example():
    # ten values, nine rises: S = 45, variance 125, z = 44 / sqrt(125)
    assert trend(list(map(float, range(10)))).p_value == pytest.approx(8.3e-5, rel=0.01)
    # two ties of two: S = 13, variance (6*5*17 - 2*2*1*9) / 18 = 26.33, z = 12 / 5.13
    assert trend([1.0, 1.0, 2.0, 2.0, 3.0, 4.0]).p_value == pytest.approx(0.01937, rel=0.01)


def test_noise_without_a_trend_is_rarely_called_one():
    generator = np.random.default_rng(1)
    p_values = [trend(generator.normal(0, 1, 200).tolist()).p_value for _ in range(400)]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_ten_times_three_percent_is_a_trend():
    generator = np.random.default_rng(1)
    ramp = np.arange(10) * np.log(1.03)
    p_values = [trend((ramp + generator.normal(0, 0.03, 10)).tolist()).p_value for _ in range(200)]
    assert np.mean(np.array(p_values) < 0.01) > 0.95


def test_the_slope_of_thousands_of_runs_is_that_of_an_even_choice():
    assert trend([0.001 * number for number in range(5000)]).slope == pytest.approx(0.001)


@given(SERIES)
def test_a_series_turned_round_has_the_opposite_trend(values):
    forward, backward = trend(values), trend(values[::-1])
    assert forward.slope == pytest.approx(-backward.slope)
    assert forward.p_value == pytest.approx(backward.p_value)


@given(SERIES)
def test_a_p_value_is_a_probability(values):
    assert 0 <= trend(values).p_value <= 1
