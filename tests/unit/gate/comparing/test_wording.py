import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.wording import counted, distinct_texts, limits_text, number_text
from sbir_gate.model.finding import Severity
from tests.factories import make_limit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.7, "0.7"),
        (1.71234, "1.712"),
        (25_000.0, "25,000"),
        (9_999.6, "10,000"),
        (1e18, "1e+18"),
        (1.2e-6, "1.2e-06"),
    ],
)
def test_numbers_are_short(value, text):
    assert number_text(value) == text


def test_a_value_just_below_its_limit_does_not_read_like_the_limit():
    assert distinct_texts(0.699996, 0.7) == ("0.699996", "0.7")


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_numbers_that_differ_beyond_rounding_read_differently(first, second):
    texts = distinct_texts(first, second)
    if abs(first - second) > 1e-12 * max(abs(first), abs(second)):
        assert texts[0] != texts[1]


@pytest.mark.parametrize(("count", "text"), [(0, "0 awards"), (1, "1 award"), (1234, "1,234 awards")])
def test_counts_agree_with_their_noun(count, text):
    assert counted(count, "award") == text


def test_all_limits_of_a_metric_are_named():
    limit = make_limit("x", minimum=1.0, maximum=5.0, absolute_severity=Severity.WARN)
    assert limits_text(limit) == "warn 10 %, fail 25 %, minimum 1 (warn), maximum 5 (warn)"
