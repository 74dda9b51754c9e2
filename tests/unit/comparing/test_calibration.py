import math
from dataclasses import replace

import pytest

from sbir_gate.comparing.calibration import (
    BETWEEN_MACHINES_LOG_SD,
    is_same_machine,
    machine_effect,
    time_exponent,
    unexplained_log_sd,
)
from tests.factories import CALIBRATION_SECONDS, MACHINE, OTHER_MACHINE, make_run

SLOWER = tuple(seconds * 2 for seconds in CALIBRATION_SECONDS)


@pytest.mark.parametrize(
    ("name", "exponent"),
    [
        ("wall_seconds", 1),
        ("seconds_per_record", 1),
        ("stage_seconds/name-fuzzy", 1),
        ("records_per_second", -1),
        ("peak_rss_mib", 0),
        ("match_rate", 0),
        ("second_opinions", 0),
    ],
)
def test_the_name_says_whether_a_metric_scales_with_machine_time(name, exponent):
    assert time_exponent(name) == exponent


def test_another_python_is_another_machine():
    other = make_run(machine=replace(MACHINE, python_version="3.12.1"))
    assert is_same_machine(make_run(), make_run())
    assert not is_same_machine(other, make_run())


def test_a_slower_machine_stretches_times_and_shrinks_rates():
    head = make_run(calibration_seconds=SLOWER)
    assert machine_effect("wall_seconds", head, make_run()).value == pytest.approx(math.log(2))
    assert machine_effect("records_per_second", head, make_run()).value == pytest.approx(-math.log(2))


def test_without_a_history_what_calibration_leaves_is_assumed_between_machines_only():
    other = make_run(machine=OTHER_MACHINE)
    assert unexplained_log_sd(other, make_run(), None) == BETWEEN_MACHINES_LOG_SD
    assert unexplained_log_sd(make_run(), make_run(), None) == 0.0


@pytest.mark.parametrize("machine", [MACHINE, OTHER_MACHINE])
def test_what_the_history_measured_takes_the_place_of_the_assumption(machine):
    assert unexplained_log_sd(make_run(machine=machine), make_run(), 0.05) == pytest.approx(0.05 * 2**0.5)


@pytest.mark.parametrize("timings", [(), (0.1,), (0.1, 0.0), (0.1, float("nan")), (0.1, float("inf"))])
def test_unusable_timings_give_no_effect(timings):
    assert machine_effect("wall_seconds", make_run(calibration_seconds=timings), make_run()) is None
    assert machine_effect("wall_seconds", make_run(), make_run(calibration_seconds=timings)) is None
