import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.changes import compare_metrics
from sbir_gate.gate.comparing.paired import is_side_by_side, paired_ratio
from sbir_gate.gate.comparing.ratios import Doubt, Pair
from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import Policy
from tests.factories import (
    CALIBRATION_SECONDS,
    HIGHER,
    OTHER_MACHINE,
    make_limit,
    make_run,
    with_metric,
)
from tests.findings import row_of

# a machine that slows down by half while it measures, the same for both sides
SLOWING = (1.0, 1.1, 1.2, 1.35, 1.5)
LIMIT = make_limit("wall_seconds")


def side(values, **changes):
    return with_metric(make_run(metrics=(), session="s", **changes), "wall_seconds", values, "s", LIMIT.kind)


def judged(head, reference, limit=LIMIT):
    return row_of(compare_metrics(head, reference, Policy((limit,))), "wall_seconds")


def times(factor, values=SLOWING):
    return [value * factor for value in values]


class TestSideBySide:
    def test_two_runs_of_one_session_are(self):
        assert is_side_by_side(make_run(session="s"), make_run(session="s"))

    @pytest.mark.parametrize(("first", "second"), [("", ""), ("s", ""), ("", "s"), ("s", "t")])
    def test_runs_without_a_session_or_of_different_ones_are_not(self, first, second):
        assert not is_side_by_side(make_run(session=first), make_run(session=second))

    def test_one_session_on_two_machines_contradicts_itself(self):
        assert not is_side_by_side(make_run(session="s"), make_run(session="s", machine=OTHER_MACHINE))


class TestPairs:
    def test_what_slows_both_sides_cancels_out(self):
        assert judged(side(times(1.4)), side(SLOWING)).severity is Severity.FAIL
        apart = judged(replace(side(times(1.4)), session=""), side(SLOWING))
        assert apart.severity is Severity.INCONCLUSIVE

    def test_pairs_are_by_position_and_not_by_size(self):
        shuffled = judged(side(times(1.0, SLOWING[::-1])), side(SLOWING))
        assert shuffled.ratio_high - shuffled.ratio_low > 0.5

    def test_neither_calibration_nor_waiting_excuses_a_side(self):
        slow = tuple(seconds * 1.4 for seconds in CALIBRATION_SECONDS)
        waited = tuple(replace(sample, cpu_wait_seconds=0.6) for sample in make_run().samples)
        head = side(times(1.4), calibration_seconds=slow, samples=waited)
        assert judged(head, side(SLOWING)).severity is Severity.FAIL

    def test_a_machine_that_slows_down_steadily_favours_nobody(self):
        clock = [1 + slot / 50 for slot in range(20)]
        first, second = clock[::2], clock[1::2]
        swapped = [at % 2 == 1 for at in range(10)]
        heads = [a if swap else b for a, b, swap in zip(first, second, swapped, strict=True)]
        references = [b if swap else a for a, b, swap in zip(first, second, swapped, strict=True)]
        assert judged(side(heads), side(references)).ratio == pytest.approx(1.0, abs=0.005)

    def test_the_change_that_counts_is_that_of_the_pairs(self):
        ratio = paired_ratio(Pair("wall_seconds", times(1.2), SLOWING))
        assert ratio.value == pytest.approx(1.2)
        assert ratio.judged_delta == pytest.approx(0.2 * 1.2)
        assert (ratio.raw, ratio.repeats) == (ratio.value, 5)

    def test_rates_are_judged_the_other_way_round(self):
        limit = make_limit("wall_seconds", direction=HIGHER)
        assert judged(side(times(0.7)), side(SLOWING), limit).severity is Severity.FAIL
        assert judged(side(times(1.4)), side(SLOWING), limit).severity is Severity.OK


class TestDoubt:
    def test_unequal_numbers_are_never_paired_by_guess(self):
        change = judged(side(SLOWING[:4]), side(SLOWING))
        assert change.severity is Severity.INCONCLUSIVE
        assert change.finding.facts["doubt"] == Doubt.UNPAIRED
        assert (change.ratio_low, change.smallest_detectable) == (None, None)

    def test_a_single_pair_is_inconclusive(self):
        assert judged(side([1.0]), side([1.0])).finding.facts["doubt"] == Doubt.ONE_PAIR

    def test_without_a_limit_a_doubt_accuses_nobody(self):
        limit = make_limit("wall_seconds", warn_percent=None, fail_percent=None, maximum=9.0)
        assert judged(side(SLOWING[:4]), side(SLOWING), limit).severity is Severity.OK


class TestVerdict:
    noise = (0.0, 0.16, -0.15, 0.13, -0.14)

    def noisy(self, factor):
        return side([factor * math.exp(value) for value in self.noise])

    def test_a_failure_that_is_not_refuted_passes_and_is_not_judged(self):
        change = judged(self.noisy(1.05), side([1.0] * 5))
        assert change.ratio_high > 1.25
        assert (change.severity, change.is_judged) == (Severity.OK, False)

    def test_an_interval_that_says_nothing_at_all_is_inconclusive_and_says_what_it_would_take(self):
        change = judged(side([math.exp(12 * value) for value in self.noise]), side([1.0] * 5))
        assert (change.ratio, change.severity) == (pytest.approx(1, abs=0.25), Severity.INCONCLUSIVE)
        assert "too wide to tell: it reaches more than 10 times the limit" in change.text
        assert "more pairs would decide" in change.text

    def test_the_words_never_contradict_the_medians_beside_them(self):
        base = [1.0] * 9 + [10.0] * 2 + [100.0] * 9
        head = [1.15] * 9 + [9.9] * 2 + [115.0] * 9
        change = judged(side(head), side(base))
        assert change.head < change.reference
        assert change.delta > 0
        assert "rose" in change.text
        assert "pair by pair, though the medians alone fell" in change.text

    def test_a_breach_whose_interval_covers_the_warn_limit_is_inconclusive(self):
        change = judged(self.noisy(1.33), side([1.0] * 5))
        assert change.is_significant
        assert change.severity is Severity.INCONCLUSIVE
        assert "but the interval includes the warn limit of 10%" in change.text

    def test_without_a_warn_limit_the_same_breach_fails(self):
        change = judged(self.noisy(1.33), side([1.0] * 5), replace(LIMIT, warn_percent=None))
        assert change.severity is Severity.FAIL

    def test_a_warn_limit_above_the_fail_limit_does_not_switch_failing_off(self):
        change = judged(side(times(1.4)), side(SLOWING), replace(LIMIT, warn_percent=1000.0))
        assert change.severity is Severity.FAIL

    def test_what_is_too_small_to_count_is_not_inconclusive_either(self):
        change = judged(self.noisy(1.0), side([1.0] * 5), replace(LIMIT, smallest_change=0.5))
        assert change.severity is Severity.OK

    def test_values_about_zero_are_judged_by_their_differences(self):
        zero = [0.0, 0.5, -0.5, 0.2, -0.2]
        assert judged(side([value + 60 for value in zero]), side(zero)).severity is Severity.FAIL
        assert judged(side(zero), side(zero)).severity is Severity.OK
        one_negative = [10.0, 11.0, 9.0, 10.0, -1.0]
        change = judged(side([value + 20 for value in one_negative]), side(one_negative))
        assert change.ratio == pytest.approx(3.0)
        assert change.severity is Severity.FAIL


class TestNoiseFloor:
    def test_repeats_of_one_side_that_differ_raise_it_though_the_pairs_agree(self):
        calm, restless = [1.0] * 6, [1.0, 1.2, 1.0, 1.2, 1.0, 1.2]
        quiet = paired_ratio(Pair("x", times(1.1, calm), calm))
        moved = paired_ratio(Pair("x", times(1.1, restless), restless))
        assert quiet.noise_floor_log == pytest.approx(0.0, abs=1e-12)
        assert moved.noise_floor_log > 0.1
        assert moved.low == pytest.approx(1.1)

    def test_it_is_in_the_smallest_detectable_regression(self):
        restless = [1.0, 1.2, 1.0, 1.2, 1.0, 1.2]
        assert judged(side(times(1.1, restless)), side(restless)).smallest_detectable > 0.1


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=9))
def test_a_side_never_differs_from_itself(values):
    change = judged(side(values), side(values))
    assert change.severity is Severity.OK
    assert not change.is_significant


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=9))
def test_changing_the_sides_turns_the_ratio_round(pairs):
    first, second = zip(*pairs, strict=True)
    forth, back = paired_ratio(Pair("x", first, second)), paired_ratio(Pair("x", second, first))
    assert forth.value == pytest.approx(1 / back.value)
    assert forth.low == pytest.approx(1 / back.high)
