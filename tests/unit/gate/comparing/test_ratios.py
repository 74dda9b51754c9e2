import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.ratios import Pair, exact_ratio, noisy_ratio
from tests.factories import EXACT, NOISY, OTHER_MACHINE, make_run


def ratio_of(pair, kind, head, reference):
    return exact_ratio(pair) if kind is EXACT else noisy_ratio(pair, head, reference)


values = st.lists(st.floats(-1000, 1000), min_size=1, max_size=8)


@given(values, values, st.sampled_from([EXACT, NOISY]), st.sampled_from(["wall_seconds", "x_mib"]))
def test_the_bounds_hold_the_ratio_and_the_delta_is_never_missing(head, reference, kind, name):
    other = make_run(machine=OTHER_MACHINE)
    ratio = ratio_of(Pair(name, head, reference), kind, make_run(), other)
    assert ratio.delta is not None
    assert (ratio.low is None) == (ratio.high is None)
    if ratio.value is not None and ratio.low is not None:
        assert ratio.low <= ratio.value * (1 + 1e-9) or ratio.value < 0
        assert ratio.high >= ratio.value * (1 - 1e-9) or ratio.value < 0


@given(st.lists(st.floats(0.01, 1000), min_size=2, max_size=8))
def test_a_metric_against_itself_is_never_significant(same):
    for kind in (EXACT, NOISY):
        assert not ratio_of(Pair("wall_seconds", same, same), kind, make_run(), make_run()).is_significant


def test_floats_that_differ_by_rounding_alone_are_equal():
    ratio = ratio_of(Pair("ratio", [0.1 + 0.2], [0.3]), EXACT, make_run(), make_run())
    assert ratio.delta == 0.0
    assert not ratio.is_significant


@pytest.mark.parametrize("kind", [EXACT, NOISY])
def test_a_reference_below_zero_has_no_ratio(kind):
    ratio = ratio_of(Pair("x_mib", [5.0, 5.0], [-1.0, -1.0]), kind, make_run(), make_run())
    assert (ratio.value, ratio.raw) == (None, None)
    assert ratio.delta == 6.0
    assert ratio.is_significant
