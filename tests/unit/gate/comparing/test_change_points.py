"""Change points, by simulation: docs/history.md quotes these rates from runs with more trials."""

import sys

import numpy as np
import pytest

from sbir_gate.errors import ExitStatus, UsageError
from sbir_gate.gate.comparing.change_points import change_points, check_extra, exact_change_points
from tests.tiers import first_fast

NOISE = 0.03
TRIALS = 200


def normal(generator, count):
    return generator.normal(0, NOISE, count)


def heavy_tailed(generator, count):
    return generator.standard_t(4, count) * NOISE / np.sqrt(2)


def with_outliers(generator, count):
    noise = generator.normal(0, NOISE, count)
    disturbed = generator.random(count) < 0.1
    return noise + disturbed * np.abs(generator.normal(0, 5 * NOISE, count))


def skewed(generator, count):
    return (generator.exponential(1, count) - 1) * NOISE


def found_in(levels, noise, seed):
    generator = np.random.default_rng(seed)
    return change_points(np.exp(np.asarray(levels) + noise(generator, len(levels))).tolist())


def ramp(before, steps, after, runs_per_step=1, percent=3.0):
    """Return the logarithms of a series that rises by so many steps, some runs apart."""
    step = np.log(1 + percent / 100)
    rising = [(1 + number // runs_per_step) * step for number in range(steps * runs_per_step)]
    return [0.0] * before + rising + [rising[-1]] * after


# nothing happened


@pytest.mark.parametrize("noise", [normal, heavy_tailed, with_outliers, skewed])
@pytest.mark.parametrize("count", [20, 50, 200])
def test_a_series_without_a_change_rarely_raises_an_alarm(noise, count):
    alarms = sum(bool(found_in([0.0] * count, noise, seed)) for seed in range(TRIALS))
    # of 2,000 trials: at most 0.6 % with normal noise, at most 2 % with any
    assert alarms <= (0.02 if noise is normal else 0.04) * TRIALS


def test_few_points_and_equal_points_have_no_change():
    assert change_points([1.0, 2.0, 3.0]) == ()
    assert change_points([]) == ()
    assert change_points([1.7] * 50) == ()


def test_one_disturbed_run_is_no_change():
    levels = [0.0] * 60
    levels[30] = 1.0
    assert sum(bool(found_in(levels, normal, seed)) for seed in range(TRIALS)) <= 0.01 * TRIALS


# something happened


@pytest.mark.parametrize(("before", "after"), first_fast([(30, 30), (30, 10), (100, 100)]))
def test_ten_times_three_percent_is_found_with_the_run_where_it_began(before, after):
    total, began, ranges, ramps = 0, [], 0, 0
    for seed in range(TRIALS):
        changes = found_in(ramp(before, 10, after), normal, seed)
        total += bool(changes)
        first = changes[0]
        began.append(first.start - before)
        ranges += first.earliest <= before <= first.latest
        ramps += first.is_ramp
        assert changes[-1].after / first.before == pytest.approx(1.03**10, rel=0.08)
    assert total == TRIALS
    assert ramps >= 0.88 * TRIALS
    assert np.median(began) == 0
    assert np.percentile(np.abs(began), 90) <= 2
    assert ranges >= 0.9 * TRIALS


def test_ten_times_three_percent_is_found_with_its_last_step():
    assert all(found_in(ramp(30, 10, 0), normal, seed) for seed in range(TRIALS))


def test_a_slow_ramp_with_runs_between_its_steps_is_one_ramp():
    found = [found_in(ramp(30, 10, 30, runs_per_step=10), normal, seed) for seed in range(50)]
    assert all(len(changes) == 1 and changes[0].is_ramp for changes in found)
    assert np.median([changes[0].start for changes in found]) == pytest.approx(30, abs=6)


def test_a_step_is_a_step_at_its_place():
    levels = [0.0] * 30 + [np.log(1.1)] * 30
    found = [found_in(levels, normal, seed) for seed in range(TRIALS)]
    assert sum(len(changes) == 1 and not changes[0].is_ramp for changes in found) >= 0.96 * TRIALS
    assert sum(changes[0].earliest <= 30 <= changes[0].latest for changes in found) >= 0.95 * TRIALS
    assert np.mean([changes[0].ratio for changes in found]) == pytest.approx(1.1, abs=0.01)


def test_a_ramp_and_a_step_in_the_same_direction_are_both_named():
    levels = [0.0] * 100 + ramp(0, 10, 0, runs_per_step=5, percent=2.0) + [0.2] * 200 + [0.35] * 100
    found = [found_in(levels, normal, seed) for seed in range(20)]
    assert sum([change.is_ramp for change in changes] == [True, False] for changes in found) >= 18


def test_both_ends_of_a_ramp_are_in_their_ranges():
    found = [found_in(ramp(100, 20, 100, percent=1.0), normal, seed) for seed in range(50)]
    ends = [(each.earliest_end, each.end, each.latest_end) for (each,) in found]
    assert sum(earliest <= 119 <= latest for earliest, _, latest in ends) >= 45
    assert all(earliest <= end <= latest < 220 for earliest, end, latest in ends)


def test_a_fall_is_found_like_a_rise():
    levels = [0.0] * 30 + [np.log(0.8)] * 30
    (change,) = found_in(levels, normal, 1)
    assert change.ratio == pytest.approx(0.8, abs=0.02)


def test_two_steps_the_same_way_far_apart_stay_two():
    levels = [0.0] * 40 + [0.15] * 40 + [0.3] * 40
    found = [found_in(levels, normal, seed) for seed in range(50)]
    assert sum([change.is_ramp for change in changes] == [False, False] for changes in found) >= 48


def test_up_and_down_again_are_two_changes():
    levels = [0.0] * 30 + [0.2] * 30 + [0.0] * 30
    changes = found_in(levels, normal, 1)
    assert [change.ratio > 1 for change in changes] == [True, False]


def test_the_same_series_has_the_same_changes_in_another_unit():
    generator = np.random.default_rng(1)
    values = np.exp(np.asarray(ramp(30, 10, 10)) + normal(generator, 50))
    seconds, milliseconds = (change_points((values * unit).tolist()) for unit in (1, 1000))
    assert [(change.start, change.end) for change in seconds] == [
        (change.start, change.end) for change in milliseconds
    ]


def test_thousands_of_runs_are_looked_through():
    (change,) = found_in([0.0] * 2500 + [0.1] * 2500, normal, 1)
    assert change.start == pytest.approx(2500, abs=5)
    (slide,) = found_in(np.clip(np.arange(5000) - 2000, 0, 500) * 0.0004, normal, 1)
    assert (slide.start, slide.end) == pytest.approx((2000, 2500), abs=60)


# exact metrics and the extra


def test_every_change_of_an_exact_metric_is_one():
    first, second = exact_change_points([0.0, 5.0, 5.0, 4.0])
    assert (first.start, first.before, first.after, first.ratio) == (1, 0.0, 5.0, None)
    assert (second.start, second.ratio, second.is_ramp) == (3, 0.8, False)
    assert exact_change_points([]) == ()


def test_without_the_extra_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ruptures", None)  # as if it were not installed
    with pytest.raises(UsageError, match="not installed") as caught:
        check_extra()
    assert caught.value.exit_status is ExitStatus.WRONG_INPUT
    assert "pip install ruptures" in caught.value.hint
