import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.ratios import Ratio
from sbir_gate.gate.comparing.sensitivity import (
    limit_log,
    more_repeats,
    smallest_detectable,
    warn_guard,
    worsening_of,
)
from tests.factories import HIGHER, LOWER, make_limit

LIMIT = make_limit("x")


def ratio(value, low, high, **changes):
    return Ratio(value, low, high, value, 0.0, 0.0, is_significant=False, repeats=5, **changes)


def test_a_regression_is_seen_from_the_distance_of_the_nearer_bound():
    assert smallest_detectable(ratio(1.2, 1.0, 1.5), LOWER) == pytest.approx(0.2)
    assert smallest_detectable(ratio(0.8, 0.5, 1.0), HIGHER) == pytest.approx(0.2)


def test_noise_of_the_same_code_raises_what_can_be_seen():
    assert smallest_detectable(ratio(1.0, 0.99, 1.01, noise_floor_log=math.log(1.3)), LOWER) == pytest.approx(
        0.3
    )


@pytest.mark.parametrize("found", [ratio(None, None, None), ratio(1.0, None, None), ratio(0.5, -1.0, 2.0)])
def test_without_a_lower_bound_nothing_is_promised(found):
    assert smallest_detectable(found, LOWER) is None


def test_worse_is_above_zero_in_either_direction():
    assert worsening_of(ratio(2.0, 1.0, 4.0), LOWER).value == pytest.approx(math.log(2))
    found = worsening_of(ratio(0.5, 0.25, 1.0), HIGHER)
    assert (found.near, found.value, found.far) == pytest.approx((0, math.log(2), math.log(4)))


def test_nothing_falls_by_more_than_all():
    assert limit_log(100, HIGHER) == math.inf
    assert limit_log(100, LOWER) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("changes", "guard"),
    [
        ({}, 0.10),
        ({"warn_percent": None}, 0.0),
        ({"warn_percent": 80.0}, 0.25),
        ({"fail_percent": None}, 0.10),
    ],
)
def test_a_failure_must_exclude_the_warn_limit_but_never_more_than_the_fail_limit(changes, guard):
    assert warn_guard(make_limit("x", **changes)) == pytest.approx(math.log1p(guard))


class TestMoreRepeats:
    def test_half_the_width_takes_four_times_the_repeats(self):
        # the estimate is no change, and the interval twice as wide as the limit is far
        found = ratio(1.0, 1.25**-2, 1.25**2)
        assert more_repeats(found, LIMIT) == 15

    def test_a_breach_needs_its_interval_above_the_warn_limit(self):
        found = ratio(1.21 * 1.1, 1.1, 1.6)
        assert more_repeats(found, LIMIT) == 1
        assert more_repeats(found, make_limit("x", warn_percent=20.0)) > 1

    def test_at_the_limit_itself_no_number_tells(self):
        assert more_repeats(ratio(1.25, 1.0, 1.6), LIMIT) is None
        assert more_repeats(ratio(1.2499, 1.0, 1.6), LIMIT) is None

    def test_what_repeats_do_not_narrow_can_make_them_useless(self):
        assert more_repeats(ratio(1.0, 0.6, 1.7, fixed_log=0.1), LIMIT) > more_repeats(
            ratio(1.0, 0.6, 1.7), LIMIT
        )
        assert more_repeats(ratio(1.0, 0.6, 1.7, fixed_log=0.3), LIMIT) is None

    @pytest.mark.parametrize("found", [ratio(None, None, None), ratio(0.95, -1.0, 2.0)])
    def test_without_an_interval_there_is_no_advice(self, found):
        assert more_repeats(found, make_limit("x", direction=HIGHER)) is None

    @given(st.floats(1.0, 1.2), st.floats(1.3, 3.0))
    def test_noisier_pairs_never_take_fewer(self, value, spread):
        quiet = more_repeats(ratio(value, value / spread, value * spread), LIMIT)
        loud = more_repeats(ratio(value, value / spread**2, value * spread**2), LIMIT)
        assert loud is None or (quiet is not None and loud >= quiet)
