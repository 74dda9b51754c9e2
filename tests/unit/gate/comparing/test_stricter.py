from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.stricter import stricter_policy, stricter_waivers, tightened
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit, Policy
from sbir_gate.model.waiver import Waiver

LIMIT = MetricLimit("wall_seconds", "s", Direction.LOWER_IS_BETTER, MetricKind.NOISY)
WAIVER = Waiver("match_rate", 10, "a start", "ana", date(2026, 6, 30), "7", "waivers.yaml:2")

bounds = st.none() | st.floats(0, 100)
limits = st.builds(
    MetricLimit,
    name=st.sampled_from(["wall_seconds", "links/uei-exact", "links/*"]),
    unit=st.just("s"),
    direction=st.just(Direction.LOWER_IS_BETTER),
    kind=st.just(MetricKind.NOISY),
    minimum=bounds,
    maximum=bounds,
    warn_percent=bounds,
    fail_percent=bounds,
)
policies = st.builds(
    Policy,
    limits=st.lists(limits, unique_by=lambda limit: limit.name).map(tuple),
    max_lost=st.integers(0, 50),
    significance=st.floats(0.01, 0.5),
)


def merged(base, target):
    """Return what is left of two limits on one metric."""
    (limit,) = stricter_policy(Policy((replace(LIMIT, **base),)), Policy((replace(LIMIT, **target),))).limits
    return limit


@pytest.mark.parametrize(
    ("base", "target", "key", "value"),
    [
        ({"maximum": 9}, {"maximum": 5}, "maximum", 5),
        ({"maximum": 5}, {"maximum": 9}, "maximum", 5),
        ({"minimum": 0.9}, {"minimum": 0.95}, "minimum", 0.95),
        ({"fail_percent": 25}, {}, "fail_percent", 25),
        ({}, {"fail_percent": 25}, "fail_percent", 25),
        ({"warn_percent": 5}, {"warn_percent": 0}, "warn_percent", 0),
        ({"smallest_change": 3}, {"smallest_change": 1}, "smallest_change", 1),
    ],
)
def test_of_each_limit_the_tighter_one_counts(base, target, key, value):
    assert getattr(merged(base, target), key) == value


def test_a_limit_that_fails_counts_before_one_that_warns():
    mild = {"maximum": 1, "absolute_severity": Severity.WARN}
    found = merged(mild, {"maximum": 5})
    assert (found.maximum, found.absolute_severity) == (5, Severity.FAIL)
    found = merged(mild, {})
    assert (found.maximum, found.absolute_severity) == (1, Severity.WARN)


def test_limits_of_different_quantities_are_not_mixed():
    other = replace(LIMIT, unit="ms", maximum=1)
    assert stricter_policy(Policy((LIMIT,)), Policy((other,))).limits == (LIMIT,)


def test_a_metric_that_only_the_target_limits_need_not_be_there():
    (added,) = stricter_policy(Policy(()), Policy((replace(LIMIT, maximum=5),))).limits
    assert (added.maximum, added.is_required) == (5, False)


def test_a_limit_on_one_method_does_not_replace_a_stricter_one_on_all():
    every = replace(LIMIT, name="links/*", fail_percent=10)
    one = replace(LIMIT, name="links/uei-exact", fail_percent=50)
    found = stricter_policy(Policy((every,)), Policy((one,)))
    assert found.limit_of("links/uei-exact").fail_percent == 10


def test_what_the_target_judges_again_is_judged():
    found = stricter_policy(Policy((), unjudged=("recall", "precision")), Policy((), unjudged=("recall",)))
    assert found.unjudged == ("recall",)


def test_a_waiver_counts_as_far_as_both_have_it():
    shorter = replace(WAIVER, limit=20, expires=date(2026, 3, 1))
    (kept,) = stricter_waivers([WAIVER], [shorter])
    assert (kept.limit, kept.expires, kept.origin) == (10, date(2026, 3, 1), WAIVER.origin)
    assert stricter_waivers([WAIVER], []) == ()
    assert stricter_waivers([], [WAIVER]) == ()


def test_what_was_tightened_is_named():
    base = Policy((replace(LIMIT, maximum=9),), max_lost=5)
    after = stricter_policy(base, Policy((replace(LIMIT, maximum=5),), max_lost=2))
    assert tightened(base, after, [WAIVER], []) == [
        "wall_seconds",
        "gate.max_lost",
        "waiver for match_rate",
    ]
    assert tightened(base, base, [WAIVER], [WAIVER]) == []


@given(policies, policies)
def test_no_limit_is_ever_milder_than_that_of_either(base, target):
    found = stricter_policy(base, target)
    assert found.max_lost <= min(base.max_lost, target.max_lost)
    for policy in (base, target):
        for metric in ("wall_seconds", "links/uei-exact", "links/other"):
            limit = policy.limit_of(metric)
            if limit is not None:
                left = found.limit_of(metric)
                assert _is_at_most(left.maximum, limit.maximum)
                assert _is_at_most(left.fail_percent, limit.fail_percent)
                assert limit.minimum is None or left.minimum >= limit.minimum


@given(policies)
def test_a_policy_is_no_stricter_than_itself(policy):
    assert stricter_policy(policy, policy) == policy


def _is_at_most(left, limit):
    return limit is None or (left is not None and left <= limit)
