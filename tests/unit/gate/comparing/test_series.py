import numpy as np
import pytest

from sbir_gate.gate.comparing.series import comparable_series, spread
from tests.factories import EXACT
from tests.factories_history import make_points


def series(values, **changes):
    return comparable_series(make_points(values, **changes))


def test_the_spread_is_the_noise_between_runs():
    generator = np.random.default_rng(1)
    estimates = [spread(series(np.exp(generator.normal(0, 0.1, 60)))) for _ in range(60)]
    assert np.mean(estimates) == pytest.approx(0.1, abs=0.01)


def test_a_few_changes_and_a_slow_trend_are_no_noise():
    generator = np.random.default_rng(1)
    logs = generator.normal(0, 0.05, 200) + np.linspace(0, 1, 200)
    logs[100:] += 1.0
    logs[50] += 3.0
    assert spread(series(np.exp(logs))) == pytest.approx(0.05, abs=0.012)


def test_too_few_runs_have_no_spread():
    assert spread(series([1.0, 1.1, 1.0, 1.1])) is None
    assert spread(series([1.0, 1.1, 1.0, 1.1, 1.0])) is not None
    assert spread(series([])) is None


def test_exact_metrics_and_values_without_a_logarithm_have_no_spread():
    assert spread(series([1.0, 2.0] * 5, kind=EXACT)) is None
    assert spread(series([0.0, 2.0] * 5)) is None


def test_times_of_different_machines_become_multiples_of_their_calibration():
    fast = make_points([1.0, 1.0, 1.0], machine="fast", calibration_seconds=0.1)
    slow = make_points([2.0, 2.0, 2.0], machine="slow", calibration_seconds=0.2)
    found = comparable_series((*fast, *slow))
    assert found.is_calibrated
    assert found.values == pytest.approx([1.5] * 6)


def test_rates_are_calibrated_the_other_way_round_and_memory_not_at_all():
    def of(metric):
        fast = make_points([4.0], metric, machine="fast", calibration_seconds=0.1)
        slow = make_points([2.0], metric, machine="slow", calibration_seconds=0.2)
        return comparable_series((*fast, *slow))

    assert of("records_per_second").values == pytest.approx([8 / 3, 8 / 3])
    assert of("peak_rss_mib").values == (4.0, 2.0)
    assert not of("peak_rss_mib").is_calibrated


def test_points_of_another_machine_without_a_calibration_are_left_out():
    timed = make_points([1.0, 1.0], machine="here")
    untimed = make_points([9.0], machine="there", calibration_seconds=None)
    found = comparable_series((*timed, *untimed))
    assert (found.left_out, found.values) == (1, (1.0, 1.0))


def test_where_jobs_differ_in_speed_the_calibrated_series_is_taken():
    generator = np.random.default_rng(1)
    speeds = np.exp(generator.normal(0, 0.2, 40))
    points = [
        point
        for speed in speeds
        for point in make_points([1.7 * speed], calibration_seconds=0.1 * float(speed))
    ]
    found = comparable_series(points)
    assert found.is_calibrated
    assert spread(found) == pytest.approx(0, abs=1e-9)


def test_on_a_quiet_machine_the_raw_series_is_taken():
    generator = np.random.default_rng(1)
    points = [
        point
        for timing in np.exp(generator.normal(0, 0.1, 40))
        for point in make_points([1.7], calibration_seconds=0.1 * float(timing))
    ]
    found = comparable_series(points)
    assert not found.is_calibrated
    assert set(found.values) == {1.7}
