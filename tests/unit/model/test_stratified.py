"""The rate of all awards, estimated from a stratified sample."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.model.proportion import score_interval
from sbir_gate.model.stratified import StratumSample, estimated_rate


def all_of(size, hits):
    return StratumSample(size, size, size, hits)


@st.composite
def samples(draw):
    size = draw(st.integers(1, 10_000))
    drawn = draw(st.integers(0, min(size, 300)))
    counted = draw(st.integers(0, drawn))
    return StratumSample(size, drawn, counted, draw(st.integers(0, counted)))


def test_each_award_counts_as_many_as_it_was_drawn_for():
    found = estimated_rate([StratumSample(900, 10, 10, 10), StratumSample(100, 10, 10, 0)])
    assert found.rate == pytest.approx(0.9)


def test_the_variance_is_that_of_the_textbook():
    # Cochran 5.10: v = sum W^2 (1 - f) p q / (n - 1)
    strata = [StratumSample(600, 30, 30, 20), StratumSample(400, 40, 40, 10)]
    rate = 0.6 * 20 / 30 + 0.4 * 10 / 40
    variance = 0.6**2 * 0.95 * (2 / 3 * 1 / 3) / 29 + 0.4**2 * 0.9 * (1 / 4 * 3 / 4) / 39
    found = estimated_rate(strata)
    assert found.rate == pytest.approx(rate)
    # it is less than what the weights alone allow, so those decide
    kish = 1000**2 / (20**2 * 30 * 0.95 + 10**2 * 40 * 0.9)
    assert found.effective == pytest.approx(min(kish, rate * (1 - rate) / variance))
    assert (found.low, found.high) == score_interval(found.rate, found.effective)


def test_without_a_draw_nothing_is_left_to_chance():
    found = estimated_rate([all_of(10, 9), all_of(3, 0)])
    assert (found.rate, found.low, found.high) == pytest.approx((9 / 13,) * 3)
    assert math.isinf(found.effective)


def test_tiny_strata_that_agree_do_not_promise_too_much():
    # two awards of each of ten strata are linked: their variance is 0, their weights are not
    found = estimated_rate([StratumSample(100, 2, 2, 2)] * 10)
    assert found.rate == found.high == 1.0
    assert found.low == pytest.approx(score_interval(1.0, 20 / 0.98)[0])


def test_one_award_of_a_stratum_shows_no_dispersion_and_takes_that_of_all():
    alone = estimated_rate([StratumSample(500, 50, 50, 25), StratumSample(500, 1, 1, 1)])
    assert alone.high - alone.low > 0.5


def test_nothing_drawn_gives_no_rate():
    assert estimated_rate([]) is None
    assert estimated_rate([StratumSample(5, 0, 0, 0), StratumSample(5, 2, 0, 0)]) is None


@given(st.lists(samples(), max_size=12))
def test_a_rate_lies_within_its_interval(strata):
    found = estimated_rate(strata)
    if found is None:
        assert not any(each.counted for each in strata)
        return
    assert 0 <= found.low <= found.rate <= found.high <= 1
    assert found.effective >= 1
    hits = [each.hits / each.counted for each in strata if each.counted]
    assert min(hits) - 1e-9 <= found.rate <= max(hits) + 1e-9
    turned = estimated_rate(strata[::-1])
    assert turned.rate == pytest.approx(found.rate)
    assert turned.low == pytest.approx(found.low)


@given(st.integers(1, 200), st.integers(0, 200))
def test_one_stratum_of_a_large_population_is_a_simple_sample(drawn, hits):
    hits = min(hits, drawn)
    found = estimated_rate([StratumSample(10**9, drawn, drawn, hits)])
    low, high = score_interval(hits / drawn, drawn)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("rates", [(0.6, 1.0), (0.97, 1.0), (0.0, 1.0), (0.9, 0.9)])
def test_the_intervals_hold_the_true_rate(rates):
    """At least 93% of 95% intervals hold it, with 40 strata of which many are tiny."""
    held, trials = 0, 2_000
    for seed in range(trials // 20):
        draw = random.Random(seed)
        sizes = [max(1, int(2_000 * draw.random() ** 4)) for _ in range(40)]
        hits = [
            sum(draw.random() < rate for _ in range(size))
            for size in sizes
            for rate in [draw.uniform(*rates)]
        ]
        total = sum(sizes)
        drawn = [min(size, max(2, round(300 * size / total))) for size in sizes]
        for _ in range(20):
            strata = [
                StratumSample(size, count, count, without_return(draw, size, hit, count))
                for size, hit, count in zip(sizes, hits, drawn, strict=True)
            ]
            found = estimated_rate(strata)
            held += found.low <= sum(hits) / total <= found.high
    assert held >= 0.93 * trials, held


def without_return(draw, size, hits, count):
    """Return how many hits are among `count` of `size` awards, drawn without replacement."""
    found = 0
    for place in range(count):
        found += draw.random() < (hits - found) / (size - place)
    return found
