from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.feasibility import (
    baseline_faults,
    limit_faults,
    noise_faults,
    pairs_fault,
    repeats_fault,
)
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.diagnosis import Gravity
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import MetricLimit, Outcome, Policy
from tests.factories import (
    EXACT,
    HIGHER,
    LOWER,
    MACHINE,
    OTHER_MACHINE,
    make_limit,
    make_policy,
    make_run,
    scaled,
    with_metric,
    without_metric,
)
from tests.findings import cure, problem

NOISE = (1.2, 2.9, 1.9, 3.1, 2.3)


def place_of(key):
    return f"gate.yaml:{len(key)}"


def words(found):
    return [f"{diagnosis.gravity}: {problem(diagnosis)}" for diagnosis in found]


def of_limit(**fields):
    usual = {"unit": "ratio", "direction": HIGHER, "kind": EXACT, "fail_percent": 5.0}
    return words(limit_faults(Policy((MetricLimit("m", **(usual | fields)),)), place_of))


class TestLimits:
    def test_usual_limits_are_sound(self):
        assert words(limit_faults(make_policy(), place_of)) == []

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"warn_percent": 9.0}, "error: gate.metrics.m.warn_percent: is above fail_percent"),
            ({"warn_percent": 5.0}, "warning: gate.metrics.m.warn_percent: is the same as fail_percent"),
            ({"minimum": 0.0}, "error: gate.metrics.m.minimum: 0 has no effect: the metric is never below 0"),
            (
                {"minimum": 0.0, "unit": "count"},
                "error: gate.metrics.m.minimum: 0 has no effect: the metric is never below 0",
            ),
            ({"maximum": 1.0}, "error: gate.metrics.m.maximum: 1 has no effect: a ratio is never above 1"),
            ({"minimum": 70.0}, "error: gate.metrics.m.minimum: 70 always fails: no ratio is above 1"),
            ({"fail_percent": 100.0}, "error: gate.metrics.m.fail_percent: 100 can never be exceeded"),
            (
                {"fail_percent": None},
                "warning: gate.metrics.m: has no limit, so nothing but its absence ever fails",
            ),
        ],
    )
    def test_a_limit_that_does_nothing_is_named(self, fields, said):
        (found,) = of_limit(**fields)
        assert found.startswith(said)

    def test_more_than_twice_as_slow_is_a_limit(self):
        assert of_limit(direction=LOWER, unit="s", fail_percent=150.0) == []

    def test_a_temperature_may_have_a_minimum_of_0(self):
        assert of_limit(unit="°C", minimum=0.0) == []

    def test_every_fault_is_told_and_has_its_place(self):
        limit = MetricLimit(
            "m", "ratio", HIGHER, EXACT, minimum=0.0, maximum=2.0, warn_percent=9.0, fail_percent=5.0
        )
        found = list(limit_faults(Policy((limit,)), place_of))
        assert [diagnosis.place for diagnosis in found] == [
            place_of(f"gate.metrics.m.{name}") for name in ("warn_percent", "minimum", "maximum")
        ]
        assert all(cure(diagnosis) for diagnosis in found)


class TestBaseline:
    def test_a_fitting_baseline_is_sound(self):
        assert words(baseline_faults(make_policy(), make_run(), place_of)) == []

    def test_a_metric_that_it_lacks_is_named_if_its_change_has_a_limit(self):
        found = words(baseline_faults(make_policy(), without_metric(make_run(), "wall_seconds"), place_of))
        (only,) = found
        assert only.startswith("warning: gate.metrics.wall_seconds: the baseline has no such metric")

    def test_another_unit_is_an_error(self):
        policy = Policy((make_limit("wall_seconds", unit="ms"),))
        (found,) = words(baseline_faults(policy, make_run(), place_of))
        assert found == "error: gate.metrics.wall_seconds.unit: is 'ms', but the baseline measured 's'"

    def test_a_limit_that_it_breaks_itself_fails_everything(self):
        (found,) = words(
            baseline_faults(make_policy(), with_metric(make_run(), "match_rate", [0.5]), place_of)
        )
        assert found.startswith("error: gate.metrics.match_rate.minimum: the baseline itself breaks it")
        assert found.endswith(", so every change fails")

    def test_one_that_a_change_may_break_too_while_it_is_no_worse_is_a_warning(self):
        policy = Policy((make_limit("wall_seconds", maximum=1.0),))
        (found,) = words(baseline_faults(policy, make_run(), place_of))
        assert found.startswith("warning: gate.metrics.wall_seconds.maximum: the baseline itself breaks it")
        assert found.endswith(", so a change that does not worsen it only warns")

    def test_one_that_only_warns_is_a_warning(self):
        policy = Policy((make_limit("wall_seconds", maximum=1.0, absolute_severity=Severity.WARN),))
        (found,) = words(baseline_faults(policy, make_run(), place_of))
        assert found.startswith("warning: gate.metrics.wall_seconds.maximum")

    def test_values_that_are_no_numbers_are_left_to_others(self):
        run = with_metric(make_run(), "match_rate", [float("nan")])
        assert words(baseline_faults(make_policy(), run, place_of)) == []


class TestNoise:
    def found(self, baseline, repeats=5, machine=MACHINE, policy=None):
        return list(noise_faults(policy or make_policy(), baseline, machine, repeats, place_of))

    @pytest.mark.parametrize("repeats", [2, 5, 20])
    def test_a_quiet_baseline_establishes_its_limits(self, repeats):
        assert self.found(make_run(), repeats) == []

    def test_one_repeat_establishes_nothing(self):
        assert self.found(make_run(), 1) == []  # the set-up itself is wrong, whatever the baseline's noise
        found = repeats_fault(make_policy(), 1, place_of)
        assert (found.gravity, found.place) == (Gravity.ERROR, place_of("benchmark.repeats"))
        assert problem(found).startswith("benchmark.repeats: 1 shows nothing of the noise")
        assert repeats_fault(make_policy(), 2, place_of) is None

    def test_fewer_than_five_pairs_establish_nothing(self):
        found = pairs_fault(make_policy(), 4, place_of)
        assert (found.gravity, found.place) == (Gravity.ERROR, place_of("benchmark.max_pairs"))
        assert "no time or memory can ever fail" in problem(found)
        assert pairs_fault(make_policy(), 5, place_of) is None

    def test_without_a_limit_on_what_is_noisy_any_number_will_do(self):
        policy = Policy((make_limit("match_rate", kind=EXACT),))
        assert repeats_fault(policy, 1, place_of) is None
        assert pairs_fault(policy, 1, place_of) is None

    def test_a_noisy_baseline_does_not_and_says_what_it_could(self):
        (found,) = self.found(with_metric(make_run(), "wall_seconds", NOISE))
        assert found.gravity is Gravity.WARNING
        assert problem(found).startswith(
            "gate.metrics.wall_seconds.fail_percent: 25 cannot be established with 5 repeats on this machine"
        )

    def test_more_repeats_help(self):
        noisy = with_metric(make_run(), "wall_seconds", (1.5, 1.6, 1.7, 1.8, 1.9))
        two, five = (least(self.found(noisy, repeats, policy=tight())[0]) for repeats in (2, 5))
        assert two > five

    def test_on_another_machine_a_tight_limit_cannot_be_established(self):
        policy = Policy((make_limit("wall_seconds", fail_percent=12.0),))
        assert self.found(make_run(), policy=policy) == []
        (found,) = self.found(make_run(), machine=OTHER_MACHINE, policy=policy)
        assert "on another machine than the baseline's" in problem(found)

    def test_the_judge_fails_what_is_above_and_nothing_below(self):
        baseline = with_metric(make_run(), "wall_seconds", NOISE)
        (found,) = self.found(baseline)
        below, above = (
            scaled(baseline, "wall_seconds", 1 + least(found) / 100 * share) for share in (0.95, 1.05)
        )
        assert judge(below, baseline, make_policy()).outcome is not Outcome.FAIL
        assert judge(above, baseline, make_policy()).outcome is Outcome.FAIL

    def test_a_change_too_small_to_count_is_named_too(self):
        policy = Policy((make_limit("wall_seconds", smallest_change=1.7),))
        (found,) = self.found(make_run(), policy=policy)
        assert least(found) == pytest.approx(100, rel=0.01)

    def test_the_hint_names_what_would_help_and_nothing_else(self):
        small = Policy((make_limit("wall_seconds", smallest_change=1.7),))
        (found,) = self.found(make_run(), policy=small)
        assert cure(found) == (
            "lower gate.metrics.wall_seconds.smallest_change (1.7 s) below 0.425 s, which is 25% of the"
            " baseline, or raise the limit"
        )
        noisy = with_metric(make_run(), "wall_seconds", (1.5, 1.6, 1.7, 1.8, 1.9))
        (found,) = self.found(noisy, repeats=2, policy=tight())
        assert cure(found) == "raise benchmark.repeats, or raise the limit"
        policy = Policy((make_limit("wall_seconds", fail_percent=12.0),))
        (found,) = self.found(make_run(), machine=OTHER_MACHINE, policy=policy)
        assert cure(found) == "measure the baseline on this machine, or raise the limit"

    def test_where_no_change_fails_it_says_so(self):
        policy = Policy((make_limit("wall_seconds", smallest_change=1e6),))
        (found,) = self.found(make_run(), policy=policy)
        assert problem(found).endswith("on this machine: nothing could fail")
        assert cure(found).startswith(
            "lower gate.metrics.wall_seconds.smallest_change (1,000,000 s) below 0.425 s"
        )

    def test_a_rate_can_fall_by_no_more_than_all(self):
        policy = Policy((make_limit("records_per_second", unit="1/s", direction=HIGHER),))
        assert self.found(make_run(), policy=policy) == []
        rates = tuple(40 / seconds for seconds in NOISE)
        (found,) = self.found(with_metric(make_run(), "records_per_second", rates), policy=policy)
        assert 25 < least(found) <= 100

    @given(st.integers(2, 12), st.lists(st.floats(0.1, 10), min_size=0, max_size=8))
    def test_any_baseline_can_be_looked_at(self, repeats, values):
        run = with_metric(make_run(), "wall_seconds", values)
        assert len(self.found(run, repeats)) <= 2

    def test_a_session_of_the_baseline_pairs_nothing(self):
        assert self.found(replace(make_run(), session="s"), 3) == []


def least(diagnosis):
    """Return the percentage below which the diagnosis says that nothing fails."""
    return float(problem(diagnosis).split("nothing below ")[1].split("%")[0].replace(",", ""))


def tight():
    return Policy((make_limit("wall_seconds", warn_percent=None, fail_percent=1.0),))
