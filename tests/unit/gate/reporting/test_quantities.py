from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.quantities import (
    bar,
    change_text,
    counted,
    difference,
    percent_text,
    plain_quantity,
    quantities,
    quantity,
    rate,
)
from sbir_gate.model.finding import LimitKind, Severity
from sbir_gate.model.verdict import Change, Limit
from tests.factories import LOWER, NOISY

MINUS = "\N{MINUS SIGN}"
CHANGE = Change(
    "x", "s", NOISY, LOWER, 2.8, 2.0, 0.8, 1.4, 1.3, 1.5, 1.4, is_significant=True, severity=Severity.FAIL
)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "-"),
        (1.7, "s", "1.70 s"),
        (15.1234, "s", "15.1 s"),
        (0.0423, "s", "42.3 ms"),
        (25_000.0, "count", "25,000"),
        (1234.56, "MiB", "1,235 MiB"),
        (0.7, "ratio", "0.700"),
        (23.529, "1/s", "23.5/s"),
        (0.0, "count", "0"),
        (-3.0, "count", f"{MINUS}3"),
        (0.0, "s", "0 s"),
    ],
)
def test_a_value_has_its_unit_and_three_digits(value, unit, text):
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("reference", "head", "unit", "text"),
    [
        (9.78, 15.1, "s", "9.78 → 15.1 s"),
        (0.04, 0.2, "s", "0.0400 → 0.200 s"),
        (0.04, 0.05, "s", "40.0 → 50.0 ms"),
        (273.0, 0.0, "count", "273 → 0"),
        (0.8790, 0.8792, "ratio", "0.8790 → 0.8792"),
        (None, 5.0, "count", "- → 5"),
        (None, None, "s", "-"),
    ],
)
def test_two_values_share_a_unit_and_can_be_told_apart(reference, head, unit, text):
    assert quantities(reference, head, unit) == text


@pytest.mark.parametrize(
    ("delta", "unit", "text"),
    [
        (None, "s", "-"),
        (0.0, "s", "0"),
        (0.8, "s", "+0.800 s"),
        (-12.0, "count", f"{MINUS}12"),
        (-0.04, "ratio", f"{MINUS}4 pp"),
        (-0.0070, "ratio", f"{MINUS}0.7 pp"),
    ],
)
def test_a_difference_is_signed_and_that_of_shares_is_in_percentage_points(delta, unit, text):
    assert difference(delta, unit) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "+40% [+30, +50]"),
        ({"ratio_low": 1.4, "ratio_high": 1.4}, "+40%"),
        ({"ratio": 1.374, "ratio_low": None}, "+37.4%"),
        ({"ratio": 3.5, "ratio_low": 3.0, "ratio_high": 4.0}, "+250% [+200, +300]"),
        ({"ratio": 0.988, "ratio_low": 0.96, "ratio_high": 1.016}, f"{MINUS}1.2% [{MINUS}4, +1.6]"),
        ({"is_significant": False}, "~"),
        ({"head": None}, "gone"),
        ({"head": None, "reference": None}, "-"),
        ({"reference": None}, "-"),
        ({"ratio": None, "reference": 0.0}, "from 0"),
        ({"ratio": None, "reference": -1.0}, "from below 0"),
        ({"ratio": 1.00004, "ratio_low": None}, "~"),
    ],
)
def test_a_change_is_in_percent_of_the_reference(changes, text):
    assert change_text(replace(CHANGE, **changes)) == text


def test_a_change_that_decides_is_printed_however_small_it_is():
    small = replace(CHANGE, ratio=0.99996, ratio_low=None)
    assert change_text(small, is_shown=True) == f"{MINUS}0.004%"
    assert change_text(replace(small, ratio=1.0), is_shown=True) == "±0%"


def test_a_change_just_beyond_its_limit_does_not_read_like_the_limit():
    broken = (Limit(LimitKind.FAIL, 25.0),)
    change = replace(CHANGE, ratio=1.2503, ratio_low=None, broken=broken)
    assert change_text(change) == "+25.03%"
    assert percent_text(25.03, 25.0) == "25.03%"
    assert quantity(0.699996, "ratio", 0.7) == "0.699996"
    assert quantities(0.75, 0.699996, "ratio", 0.7) == "0.750000 → 0.699996"


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_values_that_differ_beyond_rounding_read_differently(first, second):
    if abs(first - second) > 1e-11 * max(abs(first), abs(second)):
        before, after = quantities(first, second, "count").split(" → ")
        assert before != after
        assert quantity(first, "count", second) != quantity(second, "count", first)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(500.0, "MiB", "500 MiB"), (0.5, "s", "0.5 s"), (0.7, "ratio", "0.700"), (0.0, "count", "0")],
)
def test_a_limit_has_no_digits_that_add_nothing(value, unit, text):
    assert plain_quantity(value, unit) == text


def test_percentages_and_counts_have_separators():
    assert percent_text(24.7) == "24.7%"
    assert percent_text(25.0) == "25%"
    assert percent_text(1250.4) == "1,250%"
    assert counted(1, "award") == "1 award"
    assert counted(1000, "award") == "1,000 awards"
    assert counted(2, "more repeat a side", "more repeats a side") == "2 more repeats a side"


@given(st.floats(-1e14, 1e14), st.sampled_from(["s", "count", "ratio", "MiB", "1/s"]))
def test_every_finite_value_can_be_printed_on_one_line(value, unit):
    text = quantity(value, unit)
    assert "e" not in text.removesuffix(" s")
    assert "\n" not in text
    assert quantities(value, value, unit).count("→") == 1


def test_a_rate_that_is_not_known_is_no_zero():
    assert rate(None) == "-"
    assert rate(0.0) == "0.000"


@pytest.mark.parametrize(("share", "filled"), [(0.0, 0), (0.5, 10), (1.0, 20), (-1.0, 0), (9.0, 20)])
def test_a_bar_is_always_of_one_length(share, filled):
    assert bar(share) == "█" * filled + "░" * (20 - filled)
