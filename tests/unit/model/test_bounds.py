from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.bounds import is_amount, number_fault, run_fault
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.fixture_edits import FixtureEdits
from sbir_gate.model.verdict import verdict_fault
from tests.factories import make_policy, make_run, with_metric
from tests.factories_history import make_entry


def test_what_was_measured_has_no_fault():
    assert number_fault(make_run()) == ""
    assert number_fault(make_entry()) == ""


@pytest.mark.parametrize("value", [0, 1e-9, 1, 2**53])
def test_sizes_that_are_measured_are_amounts(value):
    assert is_amount(value)


@pytest.mark.parametrize("value", [-1, 5e-324, 1e308, 2**63, float("nan"), float("inf")])
def test_absurd_numbers_are_none(value):
    assert not is_amount(value)


def test_a_difference_of_sizes_may_be_negative_and_a_time_not():
    assert number_fault(with_metric(make_run(), "memory_delta_mib", [-3.0], unit="MiB")) == ""
    fault = number_fault(with_metric(make_run(), "wall_seconds", [2.0, -3.0]))
    assert fault == "metrics: 'wall_seconds' is -3 s, which cannot be measured"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"calibration_seconds": (0.1, 1e308)}, "calibration_seconds.1: 1e+308 s"),
        ({"calibration_seconds": (0.0,)}, "calibration_seconds.0: 0 s"),
        ({"samples": (replace(make_run().samples[0], wall_seconds=5e-324),)}, "samples.0.wall_seconds"),
        ({"samples": (replace(make_run().samples[0], counters={"scanned": -1}),)}, "samples.0.scanned"),
        ({"quality": replace(make_run().quality, links=2**63)}, "quality.links: 9223372036854775808"),
        ({"started_at": "0001-01-01T00:00:00+00:00"}, "started_at: "),
        ({"started_at": "9999-12-31T23:59:59.999999+00:00"}, "started_at: 9999-12-31: a Run cannot"),
        # no store of 64 bits could take them
        ({"source": replace(make_run().source, pull_request=10**40)}, "source.pull_request: 1000"),
        ({"source": replace(make_run().source, pull_request=-1)}, "source.pull_request: -1"),
        ({"definitions": 10**40}, "definitions: 1000"),
        ({"metrics": (replace(make_run().metrics[0], version=10**40),)}, "metrics.0.version: 1000"),
        ({"metrics": (replace(make_run().metrics[0], whole=10**40),)}, "metrics.0.whole: 1000"),
    ],
)
def test_the_place_of_a_number_that_cannot_be_is_named(change, fault):
    assert number_fault(make_run(**change)).startswith(fault)


@pytest.mark.parametrize(
    ("rule", "facts", "fault"),
    [
        (Rule.FIXTURE_EDIT_UNJUDGED, {"obstacle": "it broke"}, ""),
        (
            Rule.FIXTURE_EDIT_UNJUDGED,
            {"obstacle": 3},
            "a finding of the rule fixture-edit-unjudged has ",
        ),
        (Rule.KNOWN_NOISE, {"obstacle": 3}, "fixture_edits.obstacle is a finding of the rule known-noise"),
    ],
)
def test_what_a_fixture_edit_was_not_judged_for_is_checked_like_every_finding(rule, facts, fault):
    edits = FixtureEdits("b" * 40, obstacle=Finding(rule, Severity.FAIL, facts=facts))
    run = make_run(fixture_edits=edits)
    verdict = replace(judge(make_run(), None, make_policy()), fixture_edits=edits)
    for found in (run_fault(run), verdict_fault(verdict)):
        assert found.startswith(fault)
        assert bool(found) is bool(fault)
