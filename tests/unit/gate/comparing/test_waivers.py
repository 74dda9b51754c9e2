from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Place, Rule, Severity
from sbir_gate.model.verdict import Direction, MetricLimit, Outcome
from sbir_gate.model.waiver import Waiver, Waivers
from tests.factories import (
    EXACT,
    LOWER,
    award_id,
    link,
    make_policy,
    make_run,
    scaled,
    with_decisions,
    with_lost_links,
    with_metric,
    with_rows,
    without_metric,
)
from tests.findings import reasons, rules

POLICY = make_policy()
TODAY = date(2026, 2, 1)


def waiver(metric="wall_seconds", limit=50.0, **changes):
    usual = Waiver(metric, limit, "a new reader", "ana", date(2026, 12, 31), "7", f"w.yaml:{len(metric)}")
    return replace(usual, **changes)


def verdict_on(head, *waivers, reference="usual", policy=POLICY):
    reference = make_run() if reference == "usual" else reference
    return judge(head, reference, policy, waivers=Waivers(waivers, TODAY))


def slower(factor=1.4):
    return scaled(make_run(), "wall_seconds", factor)


def test_the_former_name_of_a_waiver_is_a_note():
    verdict = verdict_on(make_run(), waiver("awards", 9.0, former_name="records"))
    assert Rule.WAIVER_RENAMED in rules(verdict.notes)


def test_a_regression_within_the_cap_warns_and_says_who_answers_for_it():
    verdict = verdict_on(slower(), waiver())
    assert verdict.outcome is Outcome.WARN
    (reason,) = reasons(verdict)
    assert reason.startswith("Wall time rose 40% (1.70 → 2.38 s; limit: +25%)")
    assert reason.endswith("; waived up to 50% until 2026-12-31 by ana (w.yaml:12)")
    assert verdict.waivers == (waiver(),)
    assert verdict.notes == ()


def test_one_beyond_the_cap_fails_and_says_that_the_waiver_does_not_reach():
    verdict = verdict_on(slower(), waiver(limit=39.0))
    assert verdict.outcome is Outcome.FAIL
    assert reasons(verdict)[0].endswith("limit: +25%); the waiver in w.yaml:12 covers only up to 39%")
    assert verdict.waivers == ()
    assert verdict.notes == ()


def test_the_cap_itself_is_within():
    assert verdict_on(slower(1.4), waiver(limit=40.0)).outcome is Outcome.WARN


def test_other_failures_stay():
    head = scaled(slower(), "peak_rss_mib", 2.0)
    verdict = verdict_on(head, waiver())
    assert verdict.outcome is Outcome.FAIL
    assert reasons(verdict)[0].startswith("Peak memory rose")
    assert verdict.waivers == (waiver(),)


@pytest.mark.parametrize(
    ("expires", "outcome"), [(date(2026, 2, 1), Outcome.WARN), (date(2026, 1, 31), Outcome.FAIL)]
)
def test_it_holds_through_its_last_day_and_is_named_when_expired(expires, outcome):
    verdict = verdict_on(slower(), waiver(expires=expires))
    assert verdict.outcome is outcome
    assert rules(verdict.notes) == ([Rule.WAIVER_EXPIRED] if outcome is Outcome.FAIL else [])
    assert all(note.place == Place("w.yaml", 12) for note in verdict.notes)


def test_one_that_is_not_needed_is_named_and_changes_nothing():
    verdict = verdict_on(make_run(), waiver())
    assert (verdict.outcome, verdict.waivers) == (Outcome.PASS, ())
    assert rules(verdict.notes) == [Rule.WAIVER_UNUSED]


def test_without_waivers_nothing_is_said_of_them():
    assert verdict_on(slower()) == judge(slower(), make_run(), POLICY)


class TestAbsoluteLimits:
    def test_the_cap_counts_from_the_limit_that_is_broken(self):
        head = with_metric(make_run(), "precision", [0.931])  # 2 % below the minimum of 0.95
        assert verdict_on(head, waiver("precision", 2.1)).outcome is Outcome.WARN
        assert verdict_on(head, waiver("precision", 1.9)).outcome is Outcome.FAIL

    def test_whatever_fails_it_the_most_counts(self):
        head = with_metric(make_run(), "match_rate", [0.60])  # 20 % below 0.75, 14 % below the minimum 0.70
        assert verdict_on(head, waiver("match_rate", 19.0)).outcome is Outcome.FAIL
        assert verdict_on(head, waiver("match_rate", 20.0)).outcome is Outcome.WARN

    def test_without_a_reference_only_the_absolute_limit_counts(self):
        head = with_metric(make_run(), "match_rate", [0.665])
        assert verdict_on(head, waiver("match_rate", 5.1), reference=None).outcome is Outcome.WARN

    def test_beyond_a_limit_of_0_there_is_no_percentage_that_reaches(self):
        policy = make_policy(
            limits=(MetricLimit("disk", "count", Direction.LOWER_IS_BETTER, EXACT, maximum=0.0),)
        )
        head = with_metric(make_run(), "disk", [1.0], "count")
        assert verdict_on(head, waiver("disk", 1e9), policy=policy).outcome is Outcome.FAIL

    def test_from_a_reference_of_0_there_is_none_either(self):
        policy = make_policy(
            limits=(MetricLimit("disk", "count", Direction.LOWER_IS_BETTER, EXACT, fail_percent=5.0),)
        )
        head, reference = (with_metric(make_run(), "disk", [value], "count") for value in (3.0, 0.0))
        assert (
            verdict_on(head, waiver("disk", 1e9), reference=reference, policy=policy).outcome is Outcome.FAIL
        )


class TestLostAwards:
    def test_so_many_may_be_lost_and_no_more(self):
        head = with_lost_links(make_run(), 7)
        assert verdict_on(head, waiver("awards", 7.0)).outcome is Outcome.WARN
        assert "waived up to 7 awards until" in reasons(verdict_on(head, waiver("awards", 7.0)))[0]
        beyond = verdict_on(head, waiver("awards", 6.0))
        assert beyond.outcome is Outcome.FAIL
        assert reasons(beyond)[0].endswith("the waiver in w.yaml:6 covers only up to 6 awards")

    def test_awards_without_a_decision_are_no_matter_of_waivers(self):
        head = with_decisions(make_run(), {award_id(0): None})
        verdict = verdict_on(head, waiver("awards", 1e6))
        assert verdict.outcome is Outcome.FAIL
        assert verdict.deciding[0].rule is Rule.AWARDS_UNDECIDED

    def test_nor_are_awards_decided_twice(self):
        head = with_rows(make_run(), [link(award_id(0), "R9999")])
        assert verdict_on(head, waiver("records", 1e6)).outcome is Outcome.FAIL


class TestFaults:
    @pytest.mark.parametrize(
        ("head", "metric"),
        [
            (without_metric(make_run(), "wall_seconds"), "wall_seconds"),
            (with_metric(make_run(), "match_rate", [float("nan")]), "match_rate"),
            (with_metric(make_run(), "match_rate", [0.75, 0.7]), "match_rate"),
            (with_metric(make_run(), "rows_missing", [3.0]), "rows_missing"),
            (with_metric(make_run(), "rows_doubled", [3.0]), "rows_doubled"),
        ],
    )
    def test_no_waiver_makes_a_fault_right(self, head, metric):
        verdict = verdict_on(head, waiver(metric, 1e9))
        assert verdict.outcome is Outcome.FAIL
        assert verdict.waivers == ()

    def test_the_metric_named_records_is_not_waived_by_the_waiver_of_lost_awards(self):
        limit = MetricLimit("records", "count", Direction.HIGHER_IS_BETTER, EXACT, minimum=1.0)
        head = with_metric(make_run(), "records", [0.5], "count")
        assert (
            verdict_on(head, waiver("records", 1e9), policy=make_policy(limits=(limit,))).outcome
            is Outcome.FAIL
        )

    def test_repeats_that_disagree_and_zero_records_still_fail(self):
        waivers = [waiver(name, 1e9) for name in ("wall_seconds", "records", "match_rate")]
        samples = make_run().samples
        unsteady = make_run(samples=(replace(samples[0], output_digest="e" * 64), *samples[1:]))
        assert verdict_on(unsteady, *waivers).outcome is Outcome.FAIL
        empty = make_run(awards=())
        assert verdict_on(empty, *waivers).outcome is Outcome.FAIL

    def test_an_incomparable_fixture_stays_incomparable(self):
        head = make_run(fixture=replace(make_run().fixture, fingerprint="0" * 64))
        assert verdict_on(head, waiver()).outcome is Outcome.INCOMPARABLE


@given(factor=st.floats(0.5, 3.0), cap=st.floats(0, 200))
def test_a_waiver_never_turns_anything_into_a_pass_and_never_makes_it_worse(factor, cap):
    head = slower(factor)
    without, waived = judge(head, make_run(), POLICY), verdict_on(head, waiver(limit=cap))
    if without.outcome is Outcome.FAIL:
        assert waived.outcome in {Outcome.FAIL, Outcome.WARN}
        assert {change.severity for change in waived.changes} & {Severity.WARN, Severity.FAIL}
    else:
        assert waived.outcome is without.outcome


class TestMetricsThatAreGone:
    counted = with_metric(make_run(), "work/pages_read", [10.0], "count")

    def test_a_counter_that_is_gone_can_be_waived_by_all_of_it(self):
        verdict = verdict_on(make_run(), waiver("work/pages_read", 100.0), reference=self.counted)
        assert verdict.outcome is Outcome.WARN
        assert reasons(verdict)[0].startswith(
            "Counter pages read: gone, but the reference has it; waived up to 100%"
        )

    def test_a_part_of_it_does_not_reach(self):
        verdict = verdict_on(make_run(), waiver("work/pages_read", 99.0), reference=self.counted)
        assert verdict.outcome is Outcome.FAIL
        assert "covers only up to 99%" in reasons(verdict)[0]

    @pytest.mark.parametrize("metric", ["match_rate", "wall_seconds", "precision"])
    def test_any_other_is_a_fault_and_its_waiver_is_not_called_unused(self, metric):
        verdict = verdict_on(without_metric(make_run(), metric), waiver(metric, 1000.0))
        assert verdict.outcome is Outcome.FAIL
        (note,) = verdict.notes
        assert note.rule is Rule.WAIVER_POWERLESS

    def test_a_counter_that_is_not_a_number_is_a_fault(self):
        head = with_metric(self.counted, "work/pages_read", [float("nan")])
        verdict = verdict_on(head, waiver("work/pages_read", 1000.0), reference=self.counted)
        assert verdict.outcome is Outcome.FAIL

    def test_the_waiver_of_a_renamed_metric_holds_by_its_old_name(self):
        policy = replace(
            POLICY,
            limits=(*POLICY.limits, MetricLimit("work/pages_read", "count", LOWER, EXACT, fail_percent=10.0)),
        )
        head = with_metric(make_run(renamed={"work/pages_read": "work/pages"}), "work/pages", [12.0], "count")
        plain = verdict_on(head, reference=self.counted, policy=policy)
        assert plain.outcome is Outcome.FAIL
        waived = verdict_on(head, waiver("work/pages_read", 20.0), reference=self.counted, policy=policy)
        assert waived.outcome is Outcome.WARN
