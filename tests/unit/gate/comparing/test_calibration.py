import math
from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.calibration import (
    BETWEEN_MACHINES_LOG_SD,
    is_processor_time,
    is_same_machine,
    machine_effect,
    time_exponent,
    unexplained_log_sd,
)
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Severity
from tests.factories import (
    CALIBRATION_SECONDS,
    MACHINE,
    NOISY,
    OTHER_MACHINE,
    make_limit,
    make_policy,
    make_run,
    with_metric,
)

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
    assert unexplained_log_sd("wall_seconds", other, make_run(), None) == BETWEEN_MACHINES_LOG_SD
    assert unexplained_log_sd("wall_seconds", make_run(), make_run(), None) == 0.0


@pytest.mark.parametrize("machine", [MACHINE, OTHER_MACHINE])
def test_what_the_history_measured_takes_the_place_of_the_assumption(machine):
    assert unexplained_log_sd("wall_seconds", make_run(machine=machine), make_run(), 0.05) == pytest.approx(
        0.05 * 2**0.5
    )


@pytest.mark.parametrize("timings", [(), (0.1,), (0.1, 0.0), (0.1, float("nan")), (0.1, float("inf"))])
def test_unusable_timings_give_no_effect(timings):
    assert machine_effect("wall_seconds", make_run(calibration_seconds=timings), make_run()) is None
    assert machine_effect("wall_seconds", make_run(), make_run(calibration_seconds=timings)) is None


@pytest.mark.parametrize(
    ("name", "is_one"), [("cpu_seconds", True), ("stage_cpu_seconds/a", True), ("wall_seconds", False)]
)
def test_processor_time_is_known_by_its_name(name, is_one):
    assert is_processor_time(name) is is_one


BUSY = tuple(6 * seconds for seconds in CALIBRATION_SECONDS)


def times_of(cpu_seconds, **changes):
    run = make_run(**changes)
    return with_metric(
        run, "cpu_seconds", [cpu_seconds * factor for factor in (1, 1.01, 0.99, 1.0, 1.02)], "s", NOISY
    )


CPU_POLICY = make_policy(limits=(make_limit("cpu_seconds"),))


@pytest.mark.parametrize("machine", [MACHINE, OTHER_MACHINE])
def test_processor_time_of_unchanged_code_passes_though_the_reference_was_measured_on_a_busy_machine(machine):
    """The workload waited for a processor there; calibrated by its wall time the code seemed 501 % slower."""
    head = times_of(1.7, machine=machine)
    busy = times_of(1.7, calibration_seconds=BUSY)
    change = judge(head, busy, CPU_POLICY).changes[0]
    assert change.severity is Severity.OK
    assert change.ratio == pytest.approx(1.0)


@pytest.mark.parametrize("machine", [MACHINE, OTHER_MACHINE])
def test_more_processor_time_on_a_busy_machine_is_more(machine):
    """Calibrated by wall time, 40 % more was shown as 73 % less."""
    head = times_of(1.7 * 1.4, machine=machine, calibration_seconds=BUSY)
    change = judge(head, times_of(1.7), CPU_POLICY).changes[0]
    assert change.ratio == pytest.approx(1.4)
    assert change.severity in {Severity.FAIL, Severity.INCONCLUSIVE}


def test_processor_time_is_calibrated_by_the_processor_time_of_the_workload():
    slow = tuple(2 * seconds for seconds in CALIBRATION_SECONDS)
    head = times_of(3.4, machine=OTHER_MACHINE, calibration_cpu_seconds=slow)
    change = judge(head, times_of(1.7), CPU_POLICY).changes[0]
    assert (change.ratio, change.raw_ratio) == (pytest.approx(1.0), pytest.approx(2.0))


def test_processor_time_without_the_workloads_own_cannot_fail_between_machines():
    head = times_of(3.4, machine=OTHER_MACHINE)
    change = judge(head, times_of(1.7, calibration_cpu_seconds=()), CPU_POLICY).changes[0]
    assert change.severity is Severity.INCONCLUSIVE
