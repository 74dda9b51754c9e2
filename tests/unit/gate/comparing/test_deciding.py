import math

import pytest

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.deciding import blind_spots, is_failed_exactly, undecided
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Rule
from sbir_gate.model.verdict import Outcome, Policy
from tests.factories import (
    HIGHER,
    NOISY,
    make_limit,
    make_policy,
    make_run,
    scaled,
    with_lost_links,
    with_metric,
    without_metric,
)

CALM = (0.01, -0.01, 0.0, 0.02, -0.02)
WIDE = (0.10, -0.12, 0.08, 0.14, -0.15)
WALL = make_limit("wall_seconds")


def open_metrics(factor, noise, *limits, values=None):
    """Return what is undecided of pairs that differ by the factor and this noise."""
    heads = values or [factor * math.exp(value) for value in noise]
    head, reference = (
        with_metric(make_run(metrics=(), session="s"), "wall_seconds", side, "s", NOISY)
        for side in (heads, [1.0] * 5)
    )
    policy = Policy(limits or (WALL,))
    return undecided(compare_metrics(head, reference, policy).changes, policy)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.03, 1.17, 1.4, 3.0])
def test_on_a_quiet_machine_five_pairs_decide(factor):
    assert open_metrics(factor, CALM) == ()


@pytest.mark.parametrize("factor", [1.10, 1.25])
def test_what_lies_at_a_limit_stays_open(factor):
    assert open_metrics(factor, CALM) == ("wall_seconds",)


@pytest.mark.parametrize("factor", [1.0, 1.05, 1.2, 1.3])
def test_noise_leaves_it_open(factor):
    assert open_metrics(factor, WIDE) == ("wall_seconds",)


def test_a_rate_is_decided_the_other_way_round():
    rate = make_limit("wall_seconds", direction=HIGHER)
    assert open_metrics(2.0, WIDE, rate) == ()
    assert open_metrics(1.0, WIDE, rate) == ("wall_seconds",)
    assert open_metrics(0.6, CALM, rate) == ()


def test_without_a_warn_limit_only_the_fail_limit_matters():
    assert open_metrics(1.10, CALM, make_limit("wall_seconds", warn_percent=None)) == ()


def test_without_a_fail_limit_only_the_warn_limit_matters():
    limit = make_limit("wall_seconds", fail_percent=None)
    assert open_metrics(1.3, CALM, limit) == ()
    assert open_metrics(1.0, WIDE, limit) == ("wall_seconds",)


def test_what_is_too_small_to_count_is_decided():
    assert open_metrics(1.0, WIDE, make_limit("wall_seconds", smallest_change=5.0)) == ()


@pytest.mark.parametrize(
    "limit",
    [
        make_limit("wall_seconds", warn_percent=None, fail_percent=None, maximum=9.0),
        make_limit("gone_seconds"),
    ],
)
def test_metrics_that_noise_does_not_judge_are_decided(limit):
    assert open_metrics(1.0, WIDE, limit) == ()


def test_values_that_make_no_pairs_are_open():
    assert open_metrics(1.0, CALM, values=[1.0] * 4) == ("wall_seconds",)


def test_a_metric_that_was_not_judged_is_a_note_of_the_verdict():
    # measured apart: no failure could be shown or refuted, and nothing looks wrong
    head = with_metric(make_run(), "wall_seconds", (1.2, 2.2, 1.7, 2.5, 1.3))
    policy = Policy((WALL,))
    verdict = judge(head, make_run(), policy)
    assert verdict.outcome is Outcome.PASS
    (note,) = verdict.notes
    assert (note.rule, note.metric) == (Rule.BLIND_SPOT, "wall_seconds")
    assert note.facts["reach_percent"] > 25
    assert blind_spots(compare_metrics(make_run(), make_run(), policy).changes, policy) == ()


@pytest.mark.parametrize(
    ("head", "is_decided"),
    [
        (make_run(), False),
        (scaled(make_run(), "wall_seconds", 2.0), False),
        (with_lost_links(make_run(), 6), True),
        (with_lost_links(make_run(), 5), False),
        (with_metric(make_run(), "precision", [0.5]), True),
        (without_metric(make_run(), "wall_seconds"), True),
        (make_run(awards=()), True),
    ],
)
def test_what_is_exact_decides_a_failure_whatever_time_does(head, is_decided):
    assert is_failed_exactly(judge(head, make_run(), make_policy())) is is_decided


@pytest.mark.parametrize("pairs", [2, 3, 4])
def test_nothing_is_worked_out_from_fewer_than_five_pairs(pairs):
    head, reference = (
        with_metric(make_run(metrics=(), session="s"), "wall_seconds", values[:pairs], "s", NOISY)
        for values in ([1.0, 2.5, 0.9, 3.0], [1.0] * 4)
    )
    policy = Policy((WALL,))
    compared = compare_metrics(head, reference, policy)
    (change,), (finding,) = compared.changes, compared.findings
    assert (change.smallest_detectable, change.ratio_low, change.ratio_high) == (None, None, None)
    assert (finding.facts["doubt"], finding.facts["pairs"]) == ("few-pairs", pairs)
    assert "more_pairs" not in finding.facts
    assert blind_spots([change], policy) == ()
