from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.ratios import Pair, exact_ratio, noisy_ratio, undisturbed
from tests.factories import EXACT, NOISY, OTHER_MACHINE, WALL_SECONDS, make_run


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


SLOWER = tuple(1.4 * wall for wall in WALL_SECONDS)


def run_that_waited(walls, seconds):
    samples = tuple(
        replace(sample, wall_seconds=wall, cpu_wait_seconds=seconds)
        for sample, wall in zip(make_run().samples, walls, strict=True)
    )
    return make_run(samples=samples)


def ratio(head_wait, reference_wait=0.0):
    head, reference = run_that_waited(SLOWER, head_wait), run_that_waited(WALL_SECONDS, reference_wait)
    return noisy_ratio(Pair("wall_seconds", SLOWER, WALL_SECONDS), head, reference)


def test_forty_percent_slower_without_waiting_is_significant():
    assert ratio(0.0).is_significant


def test_a_slow_down_that_waiting_explains_is_not_significant():
    found = ratio(0.4 * 1.7)
    assert not found.is_significant
    assert found.value == pytest.approx(1.4, rel=0.01), "the estimate itself stays as it was measured"


def test_waiting_that_explains_a_part_leaves_the_rest_significant():
    found = ratio(0.1)
    assert found.is_significant
    assert found.low < ratio(0.0).low


def test_waiting_on_both_sides_cancels_out():
    assert ratio(0.28, 0.2).low == pytest.approx(ratio(0.0).low, rel=0.01)


@pytest.mark.parametrize("name", ["cpu_seconds", "peak_rss_mib", "match_rate"])
def test_only_wall_times_are_excused(name):
    run = run_that_waited(WALL_SECONDS, 0.5)
    assert undisturbed(name, WALL_SECONDS, run) is None


def test_a_rate_rises_where_a_time_falls():
    run = run_that_waited((2.0,) * 5, 1.0)
    assert undisturbed("wall_seconds", (2.0,) * 5, run) == (1.0,) * 5
    assert undisturbed("records_per_second", (10.0,) * 5, run) == (20.0,) * 5
    assert undisturbed("stage_seconds/candidates", (1.0,) * 5, run) == (0.5,) * 5


def test_without_a_record_of_waiting_nothing_is_excused():
    assert undisturbed("wall_seconds", WALL_SECONDS, run_that_waited(WALL_SECONDS, None)) is None


def test_waiting_longer_than_the_run_itself_leaves_a_little():
    """Several tasks may wait at once, on a machine with many processors; time never turns negative."""
    run = run_that_waited(WALL_SECONDS, 1000.0)
    assert all(value > 0 for value in undisturbed("wall_seconds", WALL_SECONDS, run))
