from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.comparing.promotion import judge_merged, may_become_baseline
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import DriftFinding, Outcome, Severity, Verdict
from sbir_gate.model.waiver import AWARDS, Waiver, Waivers
from tests.factories import (
    LINKED,
    MOMENT,
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

DRIFT = DriftFinding(
    "wall_seconds", "the oldest Run", MOMENT, "", 1.5, Severity.WARN, "drift: slower by half"
)


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
        assert may_become_baseline(replace(verdict_on(make_run()), outcome=outcome)) == ""

    @pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR, Outcome.INCOMPARABLE])
    def test_what_failed_or_broke_may_not_and_the_true_reason_is_given(self, outcome):
        verdict = replace(verdict_on(make_run()), outcome=outcome, reasons=("rows_missing is 3",))
        assert may_become_baseline(verdict) == f"the verdict on it is {outcome}: rows_missing is 3"

    def test_noise_in_times_alone_holds_no_baseline_up(self):
        walls = [2.0, 2.1, 9.0, 2.2, 8.0]
        verdict = verdict_on(with_metric(make_run(), "wall_seconds", walls))
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert may_become_baseline(verdict) == ""

    def test_what_is_exact_and_open_does(self):
        verdict = verdict_on(make_run())
        change = next(each for each in verdict.changes if each.kind is MetricKind.EXACT)
        open_ = replace(change, severity=Severity.INCONCLUSIVE)
        assert may_become_baseline(replace(verdict, outcome=Outcome.INCONCLUSIVE, changes=(open_,)))

    def test_a_slow_decline_may_not(self):
        verdict = verdict_on(make_run())
        words = "it would make a slow decline the baseline: drift: slower by half"
        assert may_become_baseline(verdict, (DRIFT,)) == words
        assert may_become_baseline(replace(verdict, drift=(DRIFT,)), (DRIFT,)) == words


class TestMergedCode:
    def test_the_same_again_passes(self):
        assert verdict_on(make_run()).outcome is Outcome.PASS

    def test_a_regression_fails_as_ever(self):
        assert verdict_on(scaled(make_run(), "wall_seconds", 2.0)).outcome is Outcome.FAIL
        assert verdict_on(without_links(make_run(), 20)).outcome is Outcome.FAIL

    def test_a_changed_fixture_starts_a_new_baseline_and_says_so(self):
        verdict = verdict_on(other_fixture())
        assert verdict.outcome is Outcome.NO_BASELINE
        assert "the fixture changed" in verdict.reasons[0]
        assert "a new baseline starts here" in verdict.reasons[0]
        assert not any("there is no baseline" in note for note in verdict.notes)
        assert may_become_baseline(verdict) == ""

    def test_a_regression_does_not_pass_with_a_changed_fixture_in_one_push(self):
        verdict = verdict_on(other_fixture(without_links(make_run(), 20)))
        assert verdict.outcome is Outcome.FAIL
        assert len(verdict.records.lost) == 20
        assert may_become_baseline(verdict).startswith("the verdict on it is fail: 20 awards")

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
        assert any("the fixture changed" in note for note in verdict.notes)

    def test_a_waiver_accepts_lost_links_there_too(self):
        waiver = Waiver(AWARDS, 20, "cleaned up", "data-team", date(2027, 1, 1), "7", "w.yaml:1")
        head = other_fixture(without_links(make_run(), 20))
        verdict = verdict_on(head, waivers=Waivers((waiver,), date(2026, 2, 1)))
        assert (verdict.outcome, verdict.waivers) == (Outcome.WARN, (waiver,))
        assert may_become_baseline(verdict) == ""

    def test_another_fixture_altogether_is_judged_by_the_absolute_limits_alone(self):
        others = [replace(each, award_id=f"other-{each.award_id}") for each in make_decisions()]
        verdict = verdict_on(other_fixture(awards=make_awards(others)))
        assert verdict.outcome is Outcome.NO_BASELINE
        assert "0 awards are in both" in verdict.reasons[0]

    def test_a_counter_or_method_that_is_gone_was_accepted_with_the_merge(self):
        before = with_metric(make_run(), "work/pairs_listed", [120.0], unit="count")
        before = with_metric(before, "links/soundex", [3.0], unit="count")
        after = with_metric(make_run(), "work/pairs_seen", [120.0], unit="count")
        verdict = verdict_on(after, before)
        assert verdict.outcome is Outcome.PASS
        assert "gone since the baseline, and not part of the next one: links/soundex, work/pairs_listed" in (
            verdict.notes
        )

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
        assert may_become_baseline(verdict)


def test_a_verdict_without_a_reason_still_says_what_it_is():
    verdict = verdict_on(make_run())
    assert isinstance(verdict, Verdict)
    assert may_become_baseline(replace(verdict, outcome=Outcome.ERROR, reasons=())) == (
        "the verdict on it is error"
    )
