from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.comparing.promotion import baseline_obstacle, judge_merged
from sbir_gate.gate.reporting.notices import obstacle_text
from sbir_gate.model.finding import Rule, Severity, recorded
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Outcome, PromotionObstacle, Verdict
from sbir_gate.model.waiver import AWARDS, Waiver, Waivers
from tests.factories import (
    LINKED,
    award_id,
    make_awards,
    make_decisions,
    make_policy,
    make_run,
    no_link,
    relabelled,
    scaled,
    with_decisions,
    with_metric,
)
from tests.findings import drift, rules

DRIFT = drift(Severity.WARN)


def other_fixture(run=None, **changes):
    run = run or make_run()
    return replace(run, fixture=replace(run.fixture, fingerprint="e" * 64), **changes)


def without_links(run, count):
    """Return the Run with the first awards no longer linked, and so no longer right."""
    return with_decisions(run, {award.award_id: no_link(award.award_id) for award in run.awards[:count]})


def verdict_on(head, reference=None, **how):
    return judge_merged(head, reference or make_run(), make_policy(), **how)


class TestWhatMayBecomeABaseline:
    @pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.WARN, Outcome.NO_BASELINE])
    def test_what_was_judged_sound_may(self, outcome):
        assert baseline_obstacle(replace(verdict_on(make_run()), outcome=outcome)) is None

    @pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR, Outcome.INCOMPARABLE])
    def test_what_failed_or_broke_may_not_and_the_true_reason_is_given(self, outcome):
        found = recorded("rows_missing is 3", Severity.FAIL)
        obstacle = baseline_obstacle(replace(verdict_on(make_run()), outcome=outcome, findings=(found,)))
        assert (obstacle.outcome, obstacle.findings) == (outcome, (found,))
        assert obstacle_text(obstacle) == f"the verdict on it is {outcome}: rows_missing is 3"

    def test_noise_in_times_alone_holds_no_baseline_up(self):
        walls = [2.0, 2.1, 9.0, 2.2, 8.0]
        verdict = verdict_on(with_metric(make_run(), "wall_seconds", walls))
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert baseline_obstacle(verdict) is None

    def test_what_is_exact_and_open_does(self):
        verdict = verdict_on(make_run())
        change = next(each for each in verdict.changes if each.kind is MetricKind.EXACT)
        open_ = replace(change, severity=Severity.INCONCLUSIVE)
        assert baseline_obstacle(replace(verdict, outcome=Outcome.INCONCLUSIVE, changes=(open_,)))

    def test_a_slow_decline_may_not(self):
        verdict = verdict_on(make_run())
        assert baseline_obstacle(verdict, (DRIFT,)).findings == (DRIFT,)
        obstacle = baseline_obstacle(verdict.found(DRIFT), (DRIFT,))
        assert (obstacle.findings, obstacle.outcome) == ((DRIFT,), None)
        assert obstacle_text(obstacle).startswith("it would make a slow decline the baseline: drift: ")


class TestMergedCode:
    def test_the_same_again_passes(self):
        assert verdict_on(make_run()).outcome is Outcome.PASS

    def test_a_regression_fails_as_ever(self):
        assert verdict_on(scaled(make_run(), "wall_seconds", 2.0)).outcome is Outcome.FAIL
        assert verdict_on(without_links(make_run(), 20)).outcome is Outcome.FAIL

    def test_a_changed_fixture_starts_a_new_baseline_and_says_so(self):
        verdict = verdict_on(other_fixture())
        assert verdict.outcome is Outcome.NO_BASELINE
        assert rules(verdict.findings) == [Rule.BASELINE_STARTS]
        assert baseline_obstacle(verdict) is None

    def test_a_regression_does_not_pass_with_a_changed_fixture_in_one_push(self):
        verdict = verdict_on(other_fixture(without_links(make_run(), 20)))
        assert verdict.outcome is Outcome.FAIL
        assert len(verdict.records.lost) == 20
        assert obstacle_text(baseline_obstacle(verdict)).startswith("the verdict on it is fail: 20 awards")

    def test_only_awards_in_both_fixtures_are_compared(self):
        shrunk = without_links(make_run(), 20)
        shrunk = other_fixture(shrunk, awards=shrunk.awards[20:])
        verdict = verdict_on(shrunk)
        assert verdict.outcome is Outcome.NO_BASELINE
        assert (verdict.records.lost, verdict.records.worsened) == ((), 0)

    def test_an_edit_of_the_truth_is_no_change_of_the_engine(self):
        assert verdict_on(other_fixture(relabelled(make_run(), ()))).outcome is Outcome.NO_BASELINE

    def test_an_edit_of_the_truth_allows_no_change_of_the_engine(self):
        correct = {award_id(number) for number in range(LINKED)}
        verdict = verdict_on(other_fixture(relabelled(without_links(make_run(), 20), correct)))
        assert (verdict.outcome, verdict.records.worsened) == (Outcome.FAIL, 20)

    def test_the_absolute_limits_hold_on_a_changed_fixture(self):
        verdict = verdict_on(other_fixture(with_metric(make_run(), "rows_missing", [3.0])))
        assert verdict.outcome is Outcome.FAIL
        assert Rule.COMMON_AWARDS in rules(verdict.notes)

    def test_a_waiver_accepts_lost_links_there_too(self):
        waiver = Waiver(AWARDS, 20, "cleaned up", "data-team", date(2027, 1, 1), "7", "w.yaml:1")
        head = other_fixture(without_links(make_run(), 20))
        verdict = verdict_on(head, waivers=Waivers((waiver,), date(2026, 2, 1)))
        assert (verdict.outcome, verdict.waivers) == (Outcome.WARN, (waiver,))
        assert baseline_obstacle(verdict) is None

    def test_another_fixture_altogether_is_judged_by_the_absolute_limits_alone(self):
        others = [replace(each, award_id=f"other-{each.award_id}") for each in make_decisions()]
        verdict = verdict_on(other_fixture(awards=make_awards(others)))
        assert verdict.outcome is Outcome.NO_BASELINE
        assert verdict.notes[0].facts["awards"] == 0

    def test_a_counter_or_method_that_is_gone_was_accepted_with_the_merge(self):
        before = with_metric(make_run(), "work/pairs_listed", [120.0], unit="count")
        before = with_metric(before, "links/soundex", [3.0], unit="count")
        after = with_metric(make_run(), "work/pairs_seen", [120.0], unit="count")
        verdict = verdict_on(after, before)
        assert verdict.outcome is Outcome.PASS
        (note,) = verdict.notes
        assert note.rule is Rule.METRICS_RETIRED
        assert note.facts["names"] == ("links/soundex", "work/pairs_listed")

    def test_a_metric_that_the_policy_requires_is_never_gone_unpunished(self):
        run = make_run()
        without = replace(run, metrics=tuple(each for each in run.metrics if each.name != "rows_missing"))
        assert verdict_on(without).outcome is Outcome.FAIL

    @pytest.mark.parametrize(
        "reference",
        [make_run(gate="other"), make_run(metrics=()), make_run(samples=()), make_run(awards=())],
    )
    def test_a_reference_of_another_gate_or_without_content_is_not_replaced(self, reference):
        verdict = verdict_on(make_run(), reference)
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert baseline_obstacle(verdict)


def test_a_verdict_without_a_reason_still_says_what_it_is():
    verdict = verdict_on(make_run())
    assert isinstance(verdict, Verdict)
    assert baseline_obstacle(replace(verdict, outcome=Outcome.ERROR)) == PromotionObstacle((), Outcome.ERROR)
