import math
from dataclasses import replace

import numpy as np
import pytest

from sbir_gate.gate.comparing.calibration import BETWEEN_MACHINES_LOG_SD
from sbir_gate.gate.comparing.known_noise import FEWEST_TO_NARROW, known_spread
from tests.factories import OTHER_MACHINE, make_run
from tests.factories_history import make_points

HEAD = make_run()
ASSUMED = BETWEEN_MACHINES_LOG_SD / math.sqrt(2)


def points_of(count, spread, speeds=0.0, seed=1, **changes):
    """Return wall times of unchanged code that scatter beyond what their calibrations explain."""
    random = np.random.default_rng(seed)
    speed = random.normal(0, speeds, count)
    points = make_points(np.exp(speed + random.normal(0, spread, count)), **changes)
    return tuple(
        replace(point, row=replace(point.row, calibration_seconds=0.1 * math.exp(own)))
        for point, own in zip(points, speed, strict=True)
    )


def elsewhere(spread, count=40, **changes):
    return known_spread(points_of(count, spread, **changes), HEAD, make_run(machine=OTHER_MACHINE))


def test_a_history_of_many_machines_says_what_calibration_leaves():
    assert elsewhere(0.15, speeds=0.22) == pytest.approx(0.15, rel=0.35)
    assert elsewhere(0.02, speeds=0.22) == pytest.approx(0.02, rel=0.35)


def test_one_steady_machine_knows_nothing_of_another():
    assert elsewhere(0.02, speeds=0.0) == ASSUMED


def test_a_short_history_may_widen_an_interval_and_not_narrow_it():
    few = FEWEST_TO_NARROW - 1
    assert elsewhere(0.02, count=few, speeds=0.22) == ASSUMED
    assert elsewhere(0.30, count=few, speeds=0.22) > 2 * ASSUMED


def test_on_one_machine_only_its_own_runs_tell_how_raw_times_scatter():
    here = points_of(30, 0.05)
    there = points_of(30, 0.9, machine=OTHER_MACHINE.fingerprint)
    assert known_spread((*here, *there), HEAD, make_run()) == pytest.approx(0.05, rel=0.35)
    assert known_spread(there, HEAD, make_run()) is None


def test_memory_scatters_alike_on_all_machines():
    points = make_points(
        np.exp(np.random.default_rng(1).normal(0, 0.1, 40)), metric="peak_rss_mib", unit="MiB"
    )
    assert known_spread(points, HEAD, make_run(machine=OTHER_MACHINE)) == pytest.approx(0.1, rel=0.35)


def test_without_enough_runs_or_calibrations_the_assumption_stands():
    assert known_spread((), HEAD, make_run()) is None
    assert elsewhere(0.1, count=4) is None
    untimed = make_points([1.0, 1.1] * 20, calibration_seconds=None)
    assert known_spread(untimed, HEAD, make_run(machine=OTHER_MACHINE)) is None
    damaged = make_points([1.0, 1.1] * 20, calibration_seconds=-0.1)
    assert known_spread(damaged, HEAD, make_run(machine=OTHER_MACHINE)) is None
