from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.ratios import Doubt
from sbir_gate.model.finding import Excuse, LimitKind, Rule, Severity
from sbir_gate.model.verdict import Limit, MetricLimit, Policy
from tests.factories import (
    CALIBRATION_SECONDS,
    EXACT,
    HIGHER,
    LOWER,
    NOISY,
    OTHER_MACHINE,
    make_limit,
    make_policy,
    make_run,
    scaled,
    with_metric,
    without_metric,
)
from tests.findings import Row, row_of


def change_of(name, head, reference, policy=None) -> Row:
    return row_of(compare_metrics(head, reference, policy or make_policy()), name)


def judged(head_values, reference_values, limit, unit="s"):
    """Judge one metric by one limit."""
    head = with_metric(make_run(metrics=()), limit.name, head_values, unit, limit.kind)
    reference = with_metric(make_run(metrics=()), limit.name, reference_values, unit, limit.kind)
    return change_of(limit.name, head, reference, Policy((limit,)))


def on_machine(run, slowdown, machine=OTHER_MACHINE):
    """Return the Run as measured on a machine whose calibration takes so many times as long."""
    return replace(
        run, machine=machine, calibration_seconds=tuple(value * slowdown for value in CALIBRATION_SECONDS)
    )


class TestRows:
    def test_every_metric_of_policy_head_and_reference_has_one_row(self):
        head = with_metric(make_run(), "new", [1.0], "count")
        reference = with_metric(make_run(), "old", [1.0], "count")
        names = [change.metric for change in compare_metrics(head, reference, make_policy()).changes]
        known = {metric.name for metric in make_run().metrics} | {"memory_delta_mib"}
        assert sorted(names) == sorted(known | {"new", "old"})

    def test_a_metric_without_a_limit_is_information_however_much_it_changes(self):
        change = change_of("records_per_second", scaled(make_run(), "records_per_second", 0.1), make_run())
        assert change.severity is Severity.INFO
        assert change.ratio == pytest.approx(0.1)

    def test_two_limits_on_one_metric_are_both_judged(self):
        policy = Policy((make_limit("wall_seconds"), make_limit("wall_seconds", maximum=1.0)))
        severities = [
            change.severity
            for change in compare_metrics(make_run(), None, policy).changes
            if change.metric == "wall_seconds"
        ]
        assert severities == [Severity.OK, Severity.FAIL]

    def test_without_a_reference_there_is_no_change(self):
        change = change_of("wall_seconds", make_run(), None)
        assert (change.reference, change.delta, change.ratio, change.raw_ratio) == (None,) * 4
        assert change.severity is Severity.OK

    def test_a_metric_that_is_new_is_held_to_its_absolute_limit_only(self):
        reference = without_metric(make_run(), "match_rate")
        assert change_of("match_rate", make_run(), reference).severity is Severity.OK
        low = with_metric(make_run(), "match_rate", [0.6])
        assert change_of("match_rate", low, reference).severity is Severity.FAIL


class TestFaults:
    def test_a_required_metric_that_is_gone_fails_without_a_reference_too(self):
        change = change_of("match_rate", without_metric(make_run(), "match_rate"), None)
        assert change.severity is Severity.FAIL
        assert (change.finding.rule, change.finding.facts["required_by"]) == (Rule.METRIC_GONE, "policy")

    @pytest.mark.parametrize("name", ["precision", "records_per_second"])
    def test_a_metric_that_only_the_reference_has_fails_required_or_limited_or_not(self, name):
        change = change_of(name, without_metric(make_run(), name), make_run())
        assert change.severity is Severity.FAIL
        assert (change.finding.rule, change.finding.facts["required_by"]) == (Rule.METRIC_GONE, "reference")
        assert (change.head, change.is_gone, change.is_sound) == (None, True, False)

    def test_an_optional_metric_that_nobody_measured_is_information(self):
        change = change_of("memory_delta_mib", make_run(), make_run())
        assert change.severity is Severity.INFO
        assert (change.head, change.findings) == (None, ())

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    @pytest.mark.parametrize("name", ["wall_seconds", "match_rate", "records_per_second"])
    def test_a_value_that_is_no_number_fails_limited_or_not(self, name, value):
        change = change_of(name, with_metric(make_run(), name, [value]), make_run())
        assert change.severity is Severity.FAIL
        assert (change.finding.rule, change.finding.facts) == (Rule.METRIC_UNDEFINED, {"side": "head"})
        assert change.head is None

    def test_one_nan_among_good_repeats_fails(self):
        head = with_metric(make_run(), "wall_seconds", [1.7, 1.7, float("nan"), 1.7, 1.7])
        assert change_of("wall_seconds", head, make_run()).severity is Severity.FAIL

    def test_a_reference_that_is_no_number_fails(self):
        reference = with_metric(make_run(), "match_rate", [float("nan")])
        finding = change_of("match_rate", make_run(), reference).finding
        assert (finding.rule, finding.facts) == (Rule.METRIC_UNDEFINED, {"side": "reference"})

    def test_a_metric_without_values_fails(self):
        change = change_of("wall_seconds", with_metric(make_run(), "wall_seconds", []), make_run())
        assert change.finding.rule is Rule.METRIC_EMPTY

    def test_a_metric_that_is_there_twice_fails(self):
        head = make_run()
        head = replace(head, metrics=(*head.metrics, head.metrics[0]))
        change = change_of("wall_seconds", head, make_run())
        assert change.severity is Severity.FAIL
        assert change.finding.rule is Rule.METRIC_REPEATED
        assert change.finding.facts == {"side": "head", "times": 2}

    def test_a_changed_unit_fails_instead_of_comparing_apples_with_pears(self):
        head = without_metric(make_run(), "wall_seconds")
        head = with_metric(head, "wall_seconds", [1700.0] * 5, "ms", NOISY)
        assert change_of("wall_seconds", head, make_run()).severity is Severity.FAIL

    def test_an_exact_metric_whose_repeats_disagree_fails(self):
        change = change_of("match_rate", with_metric(make_run(), "match_rate", [0.75, 0.76]), make_run())
        assert change.finding.rule is Rule.REPEATS_DISAGREE

    def test_head_cannot_call_an_exact_metric_noisy_to_escape(self):
        head = without_metric(make_run(), "match_rate")
        head = with_metric(head, "match_rate", [0.2, 0.72, 1.0], "ratio", NOISY)
        assert change_of("match_rate", head, make_run()).severity is Severity.FAIL


class TestAbsoluteLimits:
    def test_a_value_at_its_limit_passes_and_one_below_fails(self):
        limit = MetricLimit("x", "ratio", HIGHER, EXACT, minimum=0.7)
        assert judged([0.7], [0.7], limit, "ratio").severity is Severity.OK
        breach = judged([0.66], [0.72], limit, "ratio")
        assert breach.severity is Severity.FAIL
        finding = breach.finding
        assert (finding.rule, finding.measured, finding.limit) == (Rule.BELOW_MINIMUM, 0.66, 0.7)
        assert breach.broken == (Limit(LimitKind.MINIMUM, 0.7),)

    @pytest.mark.parametrize(("head", "severity"), [(0.66, "warn"), (0.68, "warn"), (0.6599, "fail")])
    def test_a_breach_of_the_base_that_head_does_not_worsen_warns(self, head, severity):
        change = judged([head], [0.66], MetricLimit("x", "ratio", HIGHER, EXACT, minimum=0.7), "ratio")
        assert change.severity == severity
        assert (change.excuse is Excuse.ALREADY_SO) is (severity == "warn")
        assert (change.finding.excuse is Excuse.ALREADY_SO) is (severity == "warn")

    @pytest.mark.parametrize("name", ["match_rate", "rows_missing", "records", "disagreements"])
    def test_what_always_holds_fails_though_the_base_breaks_it_too(self, name):
        limit = MetricLimit(name, "count", LOWER, EXACT, maximum=0.0)
        assert judged([5.0], [5.0], limit, "count").severity is Severity.FAIL

    def test_noise_is_not_held_against_a_head_as_slow_as_its_base(self):
        limit = make_limit("x_seconds", maximum=1.0, warn_percent=None, fail_percent=None)
        slow = [2.0, 2.1, 1.9, 2.05, 2.02]
        assert judged([2.01, 2.1, 1.9, 2.06, 2.02], slow, limit).severity is Severity.WARN
        assert judged([value * 1.5 for value in slow], slow, limit).severity is Severity.FAIL

    def test_a_breach_means_what_the_policy_says(self):
        limit = make_limit("x_mib", unit="MiB", maximum=500.0, absolute_severity=Severity.WARN)
        assert judged([600.0, 601.0], [600.0, 601.0], limit, "MiB").severity is Severity.WARN

    def test_the_median_is_judged_and_not_the_worst_repeat(self):
        limit = make_limit("x_mib", unit="MiB", maximum=500.0)
        assert judged([400.0, 410.0, 900.0], [400.0, 410.0, 420.0], limit, "MiB").severity is Severity.OK

    def test_a_failing_relative_limit_outranks_a_warning_absolute_one(self):
        limit = make_limit("x", maximum=1.0, absolute_severity=Severity.WARN)
        change = judged([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], limit)
        assert change.severity is Severity.FAIL
        assert change.broken == (Limit(LimitKind.FAIL, 25.0),)


class TestExactMetrics:
    limit = MetricLimit("x", "count", LOWER, EXACT, warn_percent=5.0, fail_percent=25.0)

    @pytest.mark.parametrize(
        ("head", "severity"),
        [
            (100.0, Severity.OK),
            (50.0, Severity.OK),
            (105.0, Severity.OK),
            (105.1, Severity.WARN),
            (125.0, Severity.WARN),
            (125.1, Severity.FAIL),
        ],
    )
    def test_only_a_change_for_the_worse_beyond_the_limit_counts(self, head, severity):
        assert judged([head], [100.0], self.limit, "count").severity is severity

    def test_the_same_holds_where_higher_is_better(self):
        limit = MetricLimit("x", "ratio", HIGHER, EXACT, fail_percent=5.0)
        assert judged([0.7125], [0.75], limit, "ratio").severity is Severity.OK
        assert judged([0.7124], [0.75], limit, "ratio").severity is Severity.FAIL
        assert judged([0.99], [0.75], limit, "ratio").severity is Severity.OK

    def test_a_relative_limit_is_percent_and_not_percentage_points(self):
        limit = MetricLimit("x", "ratio", HIGHER, EXACT, fail_percent=5.0)
        change = judged([0.17], [0.20], limit, "ratio")
        assert change.severity is Severity.FAIL
        assert change.text == "x fell 15% (0.200 → 0.170; limit: \N{MINUS SIGN}5%)"

    def test_no_change_is_a_delta_of_exactly_zero_and_not_nothing(self):
        change = judged([100.0], [100.0], self.limit, "count")
        assert change.delta == 0.0
        assert change.ratio == change.ratio_low == change.ratio_high == change.raw_ratio == 1.0
        assert not change.is_significant

    def test_a_percentage_just_beyond_its_limit_does_not_read_like_the_limit(self):
        assert "rose 25.0001%" in judged([125.0001], [100.0], self.limit, "count").text

    @pytest.mark.parametrize(("head", "severity"), [(0.0, Severity.OK), (1.0, Severity.FAIL)])
    def test_any_change_for_the_worse_from_zero_fails(self, head, severity):
        change = judged([head], [0.0], self.limit, "count")
        assert change.severity is severity
        assert change.ratio is None
        assert change.delta == head

    def test_from_zero_the_dead_zone_still_counts_and_a_warning_limit_only_warns(self):
        limit = replace(self.limit, smallest_change=3.0, fail_percent=None)
        assert judged([2.0], [0.0], limit, "count").severity is Severity.OK
        assert judged([3.0], [0.0], limit, "count").severity is Severity.WARN

    def test_a_change_smaller_than_the_dead_zone_never_counts(self):
        limit = replace(self.limit, smallest_change=10.0)
        assert judged([9.9], [0.1], limit, "count").severity is Severity.OK
        assert judged([10.2], [0.1], limit, "count").severity is Severity.FAIL

    @given(st.floats(0.001, 1000), st.floats(0.001, 1000))
    def test_a_change_in_one_direction_is_never_a_failure_in_both(self, head, reference):
        lower = judged([head], [reference], self.limit, "count")
        higher = judged([head], [reference], replace(self.limit, direction=HIGHER), "count")
        assert Severity.OK in {lower.severity, higher.severity}


class TestNoisyMetrics:
    limit = make_limit("wall_seconds")
    calm = (1.70, 1.71, 1.69, 1.72, 1.70)

    @pytest.mark.parametrize(
        ("factor", "severity"),
        [
            (0.5, Severity.OK),
            (1.0, Severity.OK),
            (1.08, Severity.OK),
            (1.15, Severity.WARN),
            (1.4, Severity.FAIL),
        ],
    )
    def test_a_clear_change_for_the_worse_beyond_the_limit_counts(self, factor, severity):
        assert judged([value * factor for value in self.calm], self.calm, self.limit).severity is severity

    def test_a_change_within_the_noise_is_inconclusive_and_says_what_could_have_been_seen(self):
        change = judged((1.2, 2.9, 1.9, 3.1, 2.3), self.calm, self.limit)
        assert change.severity is Severity.INCONCLUSIVE
        assert not change.is_significant
        assert change.ratio_low < 1 < change.ratio_high
        assert change.finding.rule is Rule.POSSIBLE_REGRESSION
        assert "a regression below 80% would not have been detected" in change.text

    def test_a_warning_within_the_noise_is_nothing(self):
        change = judged((1.5, 1.9, 2.3, 1.6, 2.2), self.calm, self.limit)
        assert 1.1 < change.ratio < 1.25
        assert change.severity is Severity.OK

    @pytest.mark.parametrize("seconds", [1.7, 2.9])
    def test_where_one_repeat_is_taken_nobody_looks_for_a_change_in_noise(self, seconds):
        change = judged([seconds], self.calm, self.limit)
        assert (change.severity, change.is_judged) == (Severity.OK, False)
        assert (change.ratio_low, change.ratio_high) == (None, None)

    def test_a_small_absolute_change_never_counts(self):
        limit = replace(self.limit, smallest_change=0.05)
        tiny = (0.010, 0.011, 0.010, 0.010, 0.011)
        assert judged([value * 3 for value in tiny], tiny, limit).severity is Severity.OK

    def test_memory_is_never_calibrated(self):
        head = on_machine(scaled(make_run(), "peak_rss_mib", 1.6), 1.6)
        change = change_of("peak_rss_mib", head, make_run())
        assert change.severity is Severity.FAIL
        assert (change.ratio, change.raw_ratio) == pytest.approx((1.6, 1.6))

    def test_values_at_or_below_zero_are_judged_by_their_difference(self):
        limit = make_limit("memory_delta_mib", unit="MiB", smallest_change=5.0)
        assert judged((60.0, 61.0, 59.0), (0.0, 0.5, -0.5), limit, "MiB").severity is Severity.FAIL
        assert judged((1.0, 1.5, 0.5), (0.0, 0.5, -0.5), limit, "MiB").severity is Severity.OK
        assert judged((-10.0, 90.0, 8.0), (0.0, 0.5, -0.5), limit, "MiB").severity is Severity.INCONCLUSIVE
        assert not judged((60.0,), (0.0,), limit, "MiB").is_judged

    def test_a_single_value_below_zero_keeps_the_ratio_and_its_interval(self):
        limit = make_limit("memory_delta_mib", unit="MiB")
        change = judged((20.0, 21.0, 22.0), (10.0, 11.0, -1.0), limit, "MiB")
        assert change.ratio == pytest.approx(2.1)
        assert change.ratio_low < change.ratio < change.ratio_high


class TestBetweenMachines:
    def test_a_slower_machine_is_not_held_against_the_code(self):
        head = on_machine(scaled(make_run(), "wall_seconds", 1.6), 1.6)
        change = change_of("wall_seconds", head, make_run())
        assert change.severity is Severity.OK
        assert change.ratio == pytest.approx(1.0)
        assert change.raw_ratio == pytest.approx(1.6)

    def test_a_faster_machine_does_not_hide_slower_code(self):
        change = change_of("wall_seconds", on_machine(make_run(), 1 / 1.6), make_run())
        assert change.severity is Severity.FAIL
        assert change.ratio == pytest.approx(1.6)
        # the same seconds on a machine that is 1.6 times as fast
        assert (change.head, change.raw_ratio) == (change.reference, 1.0)
        assert (change.is_calibrated, change.delta) == (True, pytest.approx(0.6 * change.reference))
        assert change.finding.facts["is_calibrated"]

    def test_rates_are_calibrated_the_other_way_round(self):
        limit = make_limit("records_per_second", unit="1/s", direction=HIGHER)
        head = on_machine(scaled(make_run(), "records_per_second", 1 / 1.6), 1.6)
        change = change_of("records_per_second", head, make_run(), Policy((limit,)))
        assert change.ratio == pytest.approx(1.0)
        faster = on_machine(make_run(), 1 / 1.6)
        assert change_of("records_per_second", faster, make_run(), Policy((limit,))).severity is Severity.FAIL

    def test_the_interval_is_wider_than_on_one_machine(self):
        same = change_of("wall_seconds", scaled(make_run(), "wall_seconds", 1.2), make_run())
        other = change_of(
            "wall_seconds", on_machine(scaled(make_run(), "wall_seconds", 1.2), 1.0), make_run()
        )
        assert other.ratio_low < same.ratio_low < same.ratio_high < other.ratio_high
        assert other.ratio_high / other.ratio > 1.17

    def test_without_calibration_a_big_change_is_inconclusive(self):
        head = replace(scaled(make_run(), "wall_seconds", 1.4), machine=OTHER_MACHINE, calibration_seconds=())
        change = change_of("wall_seconds", head, make_run())
        assert change.severity is Severity.INCONCLUSIVE
        assert change.finding.facts["doubt"] == Doubt.NOT_CALIBRATED


class TestBusyMachine:
    def test_code_is_not_blamed_when_the_calibration_slowed_down_just_as_much(self):
        run = make_run()
        head = on_machine(scaled(run, "wall_seconds", 1.4), 1.4, run.machine)
        change = change_of("wall_seconds", head, run)
        assert change.severity is Severity.OK
        assert (change.ratio, change.raw_ratio) == pytest.approx((1.0, 1.4))

    def test_a_machine_that_is_faster_than_its_like_does_not_hide_slower_code(self):
        run = make_run()
        change = change_of("wall_seconds", on_machine(run, 1 / 1.6, run.machine), run)
        assert change.severity is Severity.FAIL
        assert change.ratio == pytest.approx(1.6)

    def test_a_small_difference_of_speed_is_covered_and_not_taken_out(self):
        run = make_run()
        change = change_of(
            "wall_seconds", on_machine(scaled(run, "wall_seconds", 1.3), 1.08, run.machine), run
        )
        assert change.ratio == change.raw_ratio == pytest.approx(1.3)
        assert change.ratio_low < 1.3 / 1.08

    def test_code_is_blamed_for_what_a_busy_machine_does_not_explain(self):
        run = make_run()
        head = on_machine(scaled(run, "wall_seconds", 1.8), 1.1, run.machine)
        assert change_of("wall_seconds", head, run).severity is Severity.FAIL

    def test_a_calibration_that_only_wavers_moves_one_bound_to_its_estimate(self):
        run = make_run()
        wavering = (0.08, 0.14, 0.11, 0.10, 0.12)
        head = replace(scaled(run, "wall_seconds", 1.4), calibration_seconds=wavering)
        change = change_of("wall_seconds", head, run)
        assert change.severity is Severity.FAIL
        assert change.ratio_low == pytest.approx(1.4 / 1.1)


class TestGroupsOfMetrics:
    """A limit on `work/*` judges whatever counters the engine reports."""

    POLICY = Policy((make_limit("work/*", unit="count", direction=LOWER, kind=EXACT, is_required=False),))

    def test_every_counter_is_judged(self):
        head, reference = (with_metric(make_run(), "work/pages", [v], "count", EXACT) for v in (200.0, 100.0))
        change = change_of("work/pages", head, reference, self.POLICY)
        assert (change.severity, change.metric) == (Severity.FAIL, "work/pages")

    def test_no_row_bears_the_name_of_the_group(self):
        assert "work/*" not in {
            change.metric for change in compare_metrics(make_run(), make_run(), self.POLICY).changes
        }

    def test_what_is_switched_off_is_not_judged_and_may_be_gone(self):
        reference = with_metric(make_run(), "work/pages", [100.0], "count", EXACT)
        policy = replace(self.POLICY, unjudged=("work/pages",))
        assert "work/pages" not in {
            change.metric for change in compare_metrics(make_run(), reference, policy).changes
        }
