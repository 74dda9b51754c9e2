"""The first run: seen where a cache hides what it cost, and never blamed for what noise explains."""

import random
from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.run import Metric, MetricKind
from sbir_gate.model.samples import Sample
from sbir_gate.model.verdict import MetricLimit, Outcome, Policy
from tests.factories import DIGEST, LOWER, OTHER_MACHINE, make_run
from tests.findings import row_of

NAME = "first_run_seconds"
LIMIT = MetricLimit(NAME, "s", LOWER, MetricKind.ONCE, None, None, 10, 25, 0.5, is_required=False)
STEADY = (1.0, 1.01, 0.99, 1.02, 1.0)


def sample(wall, waits=(0.0, 0.0)):
    cpu_wait, io_wait = waits
    cpu = max(wall - (cpu_wait or 0.0) - (io_wait or 0.0), 0.01)
    return Sample(wall, cpu, 210.0, 150.0, 0.1, DIGEST, cpu_wait_seconds=cpu_wait, io_wait_seconds=io_wait)


def run(first, later=STEADY, waits=(0.0, 0.0), **changes):
    """Return a Run whose warm-up took `first` seconds."""
    changes = {"session": "s", "first_run": sample(first, waits)} | changes
    samples = tuple(map(sample, later))
    if changes["first_run"] is None:
        samples = (sample(first, waits), *samples)
    metrics = (Metric(NAME, "s", MetricKind.ONCE, (first,)),)
    return make_run(metrics=metrics, samples=samples, **changes)


def row(head, reference, limit=LIMIT):
    return row_of(compare_metrics(head, reference, Policy((limit,))), limit.name)


def test_what_fills_a_cache_fails_though_later_runs_are_faster():
    change = row(run(3.0, later=(0.1, 0.11, 0.1, 0.1)), run(1.0))
    assert change.severity is Severity.FAIL
    assert change.text == "First run time rose 200% (1.00 → 3.00 s, later runs 0.100 s; limit: +25%)"
    assert (change.head, change.reference, change.ratio) == (3.0, 1.0, 3.0)


def test_a_cache_that_costs_no_more_than_before_is_a_warning():
    change = row(run(3.0, later=(0.1, 0.11, 0.1, 0.1)), run(3.0, later=(3.0, 3.01, 2.99, 3.0)))
    assert change.severity is Severity.WARN
    finding = change.finding
    assert (finding.rule, finding.measured, finding.facts["later"]) == (Rule.RESULTS_KEPT, 3.0, 0.1)


def test_a_first_run_that_the_base_needs_too_is_no_change():
    assert row(run(3.0, later=(0.1, 0.11)), run(3.0, later=(0.1, 0.1))).severity is Severity.OK
    assert row(run(1.0, later=(0.1, 0.11)), run(3.0, later=(0.1, 0.1))).severity is Severity.OK


def test_code_that_is_slower_in_every_run_is_the_matter_of_the_other_times():
    assert row(run(1.5, later=(1.5, 1.52, 1.49)), run(1.0)).severity is Severity.OK


def test_what_the_kernel_saw_as_waiting_excuses():
    assert row(run(3.0, waits=(0.5, 1.6)), run(1.0)).severity is Severity.OK
    assert row(run(3.0, waits=(0.1, 0.2)), run(1.0)).severity is Severity.FAIL


def test_a_machine_that_is_busy_all_the_time_accuses_nobody_of_a_first_run():
    # nearly all of every run was waiting: the same commit, measured twice, once failed so
    waiting = tuple(replace(sample(wall, (0.95 * wall, 0.0)), cpu_seconds=wall / 5) for wall in STEADY)
    first = replace(sample(3.0, (2.9, 0.0)), cpu_seconds=0.21)
    busy = replace(run(3.0), first_run=first, samples=waiting)
    base = replace(busy, first_run=replace(first, wall_seconds=1.0), metrics=run(1.0).metrics)
    assert row(busy, base).severity is Severity.OK
    # but what it computed first, and never again, is no waiting
    computed = replace(busy, first_run=replace(first, cpu_seconds=2.9))
    assert row(computed, base).severity is Severity.FAIL


def test_where_waiting_is_not_known_only_a_warm_up_side_by_side_can_fail():
    unknown = (None, None)
    assert row(run(3.0, waits=unknown), run(1.0)).severity is Severity.FAIL
    assert row(run(9.0, waits=unknown, session=""), run(1.0, session="")).severity is Severity.WARN
    assert row(run(3.0, waits=unknown, first_run=None), run(1.0, first_run=None)).severity is Severity.WARN


def test_a_new_environment_that_compiles_what_it_imports_fails_nobody():
    # measured apart: the baseline's environment had been used before
    assert row(run(1.6, session=""), run(1.0, session="")).severity is Severity.OK
    assert row(run(3.4, session=""), run(1.0, session="")).severity is Severity.OK
    assert row(run(3.6, session=""), run(1.0, session="")).severity is Severity.FAIL


def test_without_warm_ups_it_is_the_first_repeat_and_the_later_ones_are_the_rest():
    assert row(run(3.0, first_run=None), run(1.0, first_run=None)).severity is Severity.FAIL
    assert row(run(3.0, later=(), first_run=None), run(1.0, first_run=None)).severity is Severity.OK


def test_a_short_first_run_is_never_held_against_anybody():
    assert row(run(0.4, later=(0.01, 0.011, 0.01)), run(0.01, later=(0.01, 0.011))).severity is Severity.OK


def test_between_machines_it_is_judged_by_the_calibration_workload():
    slow = {"machine": OTHER_MACHINE, "calibration_seconds": (0.3, 0.301, 0.3), "session": ""}
    assert row(run(3.0, later=(3.0, 3.1, 3.0), **slow), run(1.0, session="")).severity is Severity.OK
    change = row(run(12.0, later=(0.3, 0.31, 0.3), **slow), run(1.0, session=""))
    assert (change.severity, change.is_calibrated) == (Severity.FAIL, True)
    uncalibrated = slow | {"calibration_seconds": ()}
    assert row(run(12.0, **uncalibrated), run(1.0, session="")).severity is Severity.OK


def test_a_baseline_that_lacks_it_is_not_judged():
    head = run(3.0, session="")
    old = replace(run(1.0, session=""), metrics=(), first_run=None)
    assert row(head, old).severity is Severity.OK
    assert judge(run(1.0), None, Policy((LIMIT,))).outcome is Outcome.NO_BASELINE


def test_a_limit_that_is_switched_off_judges_nothing():
    limit = replace(LIMIT, warn_percent=None, fail_percent=None)
    assert row(run(30.0), run(1.0), limit).severity is Severity.OK


@pytest.mark.parametrize("noise", [0.05, 0.3, 0.8])
def test_unchanged_code_does_not_fail_by_noise(noise):
    """First and later runs of the same code: even where single runs are thrice as long, few ever fail."""
    chance = random.Random(1)
    failed = 0
    for _ in range(500):
        heads, bases = ([chance.lognormvariate(0.7, noise) for _ in range(6)] for _ in range(2))
        change = row(run(heads[0], later=heads[1:]), run(bases[0], later=bases[1:]))
        failed += change.severity is Severity.FAIL
    assert failed <= 2
