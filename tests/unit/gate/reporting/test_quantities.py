from dataclasses import replace

import pytest

from sbir_gate.gate.reporting.quantities import (
    bar,
    difference,
    judged_difference,
    quantity,
    rate,
    relative_change,
)
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import Change
from tests.factories import LOWER, NOISY

CHANGE = Change(
    "x", "s", NOISY, LOWER, 2.8, 2.0, 0.8, 1.4, 1.3, 1.5, 1.4, is_significant=True, severity=Severity.FAIL
)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "-"),
        (1.71234, "s", "1.712 s"),
        (25_000.0, "count", "25,000"),
        (1234.56, "MiB", "1,234.6 MiB"),
        (0.7, "ratio", "0.7000"),
        (23.529, "1/s", "23.53/s"),
        (0.0, "count", "0"),
        (1e-7, "s", "1e-07 s"),
        (1e20, "", "1e+20"),
    ],
)
def test_a_value_carries_its_unit(value, unit, text):
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("delta", "unit", "text"),
    [
        (None, "s", "-"),
        (0.0, "s", "0"),
        (0.8, "s", "+0.8 s"),
        (-12.0, "count", "-12"),
        (-0.04, "ratio", "-4.00 pp"),
    ],
)
def test_a_difference_is_signed_and_that_of_shares_is_in_percentage_points(delta, unit, text):
    assert difference(delta, unit) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "+40.0 % [+30.0 %, +50.0 %]"),
        ({"ratio_low": 1.4, "ratio_high": 1.4}, "+40.0 %"),
        ({"is_significant": False}, "~"),
        ({"raw_ratio": 1.1}, "+40.0 % [+30.0 %, +50.0 %] (raw +10.0 %)"),
        ({"head": None}, "gone"),
        ({"head": None, "reference": None}, "-"),
        ({"reference": None}, "-"),
        ({"ratio": None, "reference": 0.0}, "from 0"),
        ({"ratio": None, "reference": -1.0}, "from below 0"),
    ],
)
def test_a_change_is_in_percent_of_the_reference(changes, text):
    assert relative_change(replace(CHANGE, **changes)) == text


def test_a_rate_that_is_not_known_is_no_zero():
    assert rate(None) == "-"
    assert rate(0.0) == "0.000"


@pytest.mark.parametrize(("share", "filled"), [(0.0, 0), (0.5, 10), (1.0, 20), (-1.0, 0), (9.0, 20)])
def test_a_bar_is_always_of_one_length(share, filled):
    assert bar(share) == "█" * filled + "░" * (20 - filled)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "+0.8 s"),
        ({"delta": 0.6}, "+0.6 s by its pairs"),
        ({"delta": -0.1, "is_significant": False}, "-0.1 s by its pairs"),
        ({"delta": 0.0}, "0"),
        ({"delta": None, "reference": None}, "-"),
        ({"is_calibrated": True, "ratio": 1.02, "delta": 0.04}, "\N{MULTIPLICATION SIGN} 1.02 calibrated"),
    ],
)
def test_a_row_never_contradicts_itself(changes, text):
    assert judged_difference(replace(CHANGE, **changes), "s") == text
