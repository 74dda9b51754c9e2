import math
from fractions import Fraction
from random import Random
from statistics import NormalDist, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.model.proportion import Proportion
from sbir_gate.model.run import Metric, MetricKind
from sbir_gate.model.statistics import (
    Estimate,
    difference,
    estimate_log_median,
    estimate_median,
    interval,
    mcnemar_p_value,
    metric_interval,
    student_quantile,
)
from tests.factories import EXACT, NOISY

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


# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: degrees of freedom, then the quantiles
STUDENT_LEVELS = (0.9, 0.95, 0.975, 0.99, 0.995, 0.9995)
STUDENT_TABLE = """
1 3.078 6.314 12.706 31.821 63.657 636.619
2 1.886 2.920 4.303 6.965 9.925 31.599
3 1.638 2.353 3.182 4.541 5.841 12.924
4 1.533 2.132 2.776 3.747 4.604 8.610
5 1.476 2.015 2.571 3.365 4.032 6.869
6 1.440 1.943 2.447 3.143 3.707 5.959
7 1.415 1.895 2.365 2.998 3.499 5.408
8 1.397 1.860 2.306 2.896 3.355 5.041
9 1.383 1.833 2.262 2.821 3.250 4.781
10 1.372 1.812 2.228 2.764 3.169 4.587
11 1.363 1.796 2.201 2.718 3.106 4.437
12 1.356 1.782 2.179 2.681 3.055 4.318
13 1.350 1.771 2.160 2.650 3.012 4.221
14 1.345 1.761 2.145 2.624 2.977 4.140
15 1.341 1.753 2.131 2.602 2.947 4.073
16 1.337 1.746 2.120 2.583 2.921 4.015
17 1.333 1.740 2.110 2.567 2.898 3.965
18 1.330 1.734 2.101 2.552 2.878 3.922
19 1.328 1.729 2.093 2.539 2.861 3.883
20 1.325 1.725 2.086 2.528 2.845 3.850
21 1.323 1.721 2.080 2.518 2.831 3.819
22 1.321 1.717 2.074 2.508 2.819 3.792
23 1.319 1.714 2.069 2.500 2.807 3.768
24 1.318 1.711 2.064 2.492 2.797 3.745
25 1.316 1.708 2.060 2.485 2.787 3.725
26 1.315 1.706 2.056 2.479 2.779 3.707
27 1.314 1.703 2.052 2.473 2.771 3.690
28 1.313 1.701 2.048 2.467 2.763 3.674
29 1.311 1.699 2.045 2.462 2.756 3.659
30 1.310 1.697 2.042 2.457 2.750 3.646
40 1.303 1.684 2.021 2.423 2.704 3.551
60 1.296 1.671 2.000 2.390 2.660 3.460
120 1.289 1.658 1.980 2.358 2.617 3.373
"""


@pytest.mark.parametrize("row", STUDENT_TABLE.strip().splitlines(), ids=lambda row: row.split()[0])
def test_student_quantile_is_that_of_the_table(row):
    freedom, *quantiles = row.split()
    for level, quantile in zip(STUDENT_LEVELS, quantiles, strict=True):
        assert student_quantile(level, int(freedom)) == pytest.approx(float(quantile), abs=0.000501)


@given(st.floats(0.001, 0.999), st.integers(1, 500))
def test_student_quantile_is_odd_about_the_middle(level, freedom):
    assert student_quantile(level, freedom) == pytest.approx(-student_quantile(1 - level, freedom), abs=1e-8)


def test_student_quantile_of_many_degrees_of_freedom_is_the_normal_one():
    assert student_quantile(0.975, 20_000) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-4)


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


@given(timings)
def test_the_interval_of_a_noisy_metric_is_that_of_its_median_as_the_verdict_takes_it(values):
    low, high = metric_interval(Metric("wall_seconds", "s", NOISY, tuple(values)))
    found = interval(estimate_log_median(values))
    assert (low, high) == (math.exp(found.low), math.exp(found.high))
    assert low <= median(values) * (1 + 1e-9)
    assert high >= median(values) * (1 - 1e-9)


def test_a_noisy_metric_about_zero_has_an_interval_without_logarithms():
    low, high = metric_interval(Metric("memory_delta_mib", "MiB", NOISY, (-1.0, 0.0, 2.0)))
    assert low < 0 < high


@given(st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_interval_of_a_rate_is_wilsons(counted):
    part, whole = counted
    found = Proportion.of(part, whole)
    assert metric_interval(Metric("match_rate", "ratio", EXACT, (part / whole,), whole=whole)) == (
        found.low,
        found.high,
    )


@pytest.mark.parametrize(
    "metric",
    [
        Metric("wall_seconds", "s", NOISY, ()),
        Metric("wall_seconds", "s", NOISY, (1.0,)),
        Metric("wall_seconds", "s", NOISY, (1e-300, 1e300)),
        Metric("first_run_seconds", "s", MetricKind.ONCE, (1.0, 2.0)),
        Metric("f1", "ratio", EXACT, (0.9,)),
        Metric("match_rate", "ratio", EXACT, (1.5,), whole=10),
        Metric("match_rate", "ratio", EXACT, (), whole=10),
    ],
)
def test_what_has_no_interval_has_none(metric):
    assert metric_interval(metric) is None
