"""How often the gate cries wolf and how often it sleeps, on simulated repeats (docs/metrics.md)."""

import math
from collections import Counter
from dataclasses import replace
from random import Random

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import Policy
from tests.factories import MACHINE, NOISY, OTHER_MACHINE, make_limit, make_run, with_metric

POLICY = Policy((make_limit("wall_seconds"),))
TRIALS = 300


def severities(slowdown, noise, machine_noise=0.0):
    """Return the shares of the severities when head is so many times as slow as the reference.

    `noise` is the log standard deviation from repeat to repeat, `machine_noise` that between the two
    machines, which the calibration workload follows exactly.
    """
    random = Random(5)
    found = Counter()

    def measured(factor, machine):
        speed = math.exp(random.gauss(0, machine_noise))
        walls = [factor * speed * math.exp(random.gauss(0, noise)) for _ in range(5)]
        calibration = [0.1 * speed * math.exp(random.gauss(0, noise / 2)) for _ in range(6)]
        run = with_metric(make_run(metrics=()), "wall_seconds", walls, "s", NOISY)
        return replace(run, machine=machine, calibration_seconds=tuple(calibration))

    for _ in range(TRIALS):
        head = measured(slowdown, OTHER_MACHINE if machine_noise else MACHINE)
        found[compare_metrics(head, measured(1.0, MACHINE), POLICY).changes[0].severity] += 1
    return {severity: found[severity] / TRIALS for severity in Severity}


def test_unchanged_code_almost_never_fails():
    for noise in (0.03, 0.10, 0.20):
        assert severities(1.0, noise)[Severity.FAIL] <= 0.01


def test_code_40_percent_slower_is_caught_where_the_noise_allows():
    assert severities(1.4, 0.03)[Severity.FAIL] == 1.0
    found = severities(1.4, 0.10)
    assert found[Severity.FAIL] >= 0.55
    assert found[Severity.FAIL] + found[Severity.INCONCLUSIVE] >= 0.9


def test_machines_of_different_speed_neither_accuse_nor_excuse():
    assert severities(1.0, 0.03, machine_noise=0.22)[Severity.FAIL] == 0.0
    assert severities(1.4, 0.03, machine_noise=0.22)[Severity.FAIL] >= 0.95
