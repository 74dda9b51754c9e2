from dataclasses import replace
from datetime import timedelta

import pytest

from sbir_gate.gate.comparing.drift import DriftRule, OlderRun, drift_findings, older_runs, with_drift
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.kept_runs import entry_of
from sbir_gate.gate.reporting.messages import text
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.verdict import Outcome
from tests.factories import (
    CALIBRATION_SECONDS,
    OTHER_MACHINE,
    make_awards,
    make_policy,
    make_run,
    scaled,
    with_metric,
)
from tests.factories_history import START, make_entry, make_row, slower_entry
from tests.findings import drift

RULE = DriftRule(
    days=30,
    branch="main",
    release_pattern="v*",
    warn_percent=None,
    fail_percent=None,
    max_severity=Severity.WARN,
)
OLDEST = OlderRun(make_row(0), 30)


def head(days=40, **changes):
    return make_run(started_at=START + timedelta(days=days), **changes)


def findings(run, entry=None, rule=RULE, spreads=None):
    return drift_findings(
        run,
        entry or make_entry(),
        OLDEST,
        make_policy(),
        rule,
        {"wall_seconds": 0.02} if spreads is None else spreads,
    )


def test_the_time_of_one_repeat_is_no_drift():
    one = with_metric(make_run(), "wall_seconds", [1.5])
    assert findings(scaled(one, "wall_seconds", 10), entry_of(one, Outcome.PASS, ())) == ()


class TestReferences:
    def test_the_oldest_run_of_the_last_days_is_one(self):
        rows = [make_row(number) for number in range(40)]
        (older,) = older_runs(rows, head(), RULE)
        assert (older.row, older.days, older.tag) == (rows[10], 30, "")

    def test_the_newest_release_is_the_other_however_old(self):
        rows = [
            make_row(1, tags=("v1.0",), branch="HEAD"),
            make_row(2, tags=("nightly", "v1.1")),
            make_row(3, tags=("w2",)),
            make_row(30),
        ]
        by_age, release = older_runs(rows, head(), RULE)
        assert by_age.row is rows[3]
        assert (release.row, release.tag) == (rows[1], "v1.1")

    def test_a_release_that_is_the_oldest_run_is_told_once(self):
        assert len(older_runs([make_row(30, tags=("v1.0",))], head(), RULE)) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"gate": "other"},
            {"fixture": "0" * 64},
            {"enricher": "another engine"},
            {"is_dirty": True},
            {"outcome": Outcome.FAIL},
            {"outcome": Outcome.ERROR},
            {"outcome": Outcome.INCOMPARABLE},
        ],
    )
    def test_what_measured_something_else_or_failed_is_no_measure(self, changes):
        rows = [make_row(20, tags=("v1.0",), **changes), make_row(30)]
        (older,) = older_runs(rows, head(), RULE)
        assert older.row is rows[1]

    def test_what_was_measured_within_a_day_or_of_the_same_commit_is_no_past(self):
        row = make_row(0)
        within = make_run(started_at=START + timedelta(hours=23))
        assert older_runs([row], within, RULE) == ()
        same = make_run(started_at=START + timedelta(days=2))
        same = replace(same, source=replace(same.source, commit=row.commit))
        assert older_runs([row], same, RULE) == ()
        assert older_runs([replace(row, commit="")], same, RULE)

    def test_other_branches_do_not_count_unless_any_does(self):
        rows = [make_row(20, branch="topic"), make_row(30)]
        assert older_runs(rows, head(), RULE)[0].row is rows[1]
        assert older_runs(rows, head(), replace(RULE, branch=None))[0].row is rows[0]

    def test_a_run_is_not_its_own_past(self):
        assert older_runs([make_row(40), make_row(41)], head(), RULE) == ()

    def test_an_imported_run_that_nobody_judged_counts(self):
        assert len(older_runs([make_row(30, outcome=None)], head(), RULE)) == 1


class TestFindings:
    def test_a_run_like_the_old_one_does_not_drift(self):
        assert findings(head()) == ()

    def test_many_small_steps_are_seen_as_one(self):
        (found,) = findings(scaled(head(), "wall_seconds", 1.03**10))
        assert (found.metric, found.severity) == ("wall_seconds", Severity.WARN)
        assert found.ratio == pytest.approx(1.344, abs=0.001)
        assert text(found) == (
            "drift: Wall time rose 34.4% (1.70 → 2.28 s; limit: +25%) since the oldest Run of the last"
            " 30 days (2026-01-01T12:00:00Z, commit 000000000000)"
        )

    def test_a_match_rate_that_fell_by_little_each_time_is_seen(self):
        (found,) = findings(with_metric(head(), "match_rate", [0.705]))
        assert found.metric == "match_rate"
        assert "fell 6" in text(found)

    def test_nothing_is_graver_than_the_rule_allows(self):
        run = scaled(head(), "wall_seconds", 1.5)
        assert findings(run)[0].severity is Severity.WARN
        assert findings(run, rule=replace(RULE, max_severity=Severity.FAIL))[0].severity is Severity.FAIL
        mild = scaled(head(), "wall_seconds", 1.15)
        assert findings(mild, rule=replace(RULE, max_severity=Severity.FAIL))[0].severity is Severity.WARN

    def test_a_change_for_the_better_is_no_drift(self):
        assert findings(with_metric(scaled(head(), "wall_seconds", 0.5), "match_rate", [0.99])) == ()

    def test_the_limits_of_the_rule_stand_in_for_those_of_the_metrics(self):
        run = scaled(head(), "wall_seconds", 1.15)
        assert len(findings(run)) == 1
        assert findings(run, rule=replace(RULE, warn_percent=20.0)) == ()
        strict = replace(RULE, warn_percent=5.0, fail_percent=10.0, max_severity=Severity.FAIL)
        assert findings(run, rule=strict)[0].severity is Severity.FAIL

    def test_absolute_limits_are_not_judged_again(self):
        run = with_metric(head(), "memory_delta_mib", [900.0, 901.0], "MiB")
        entry = replace(make_entry(), metrics=run.metrics)
        assert findings(run, entry) == ()

    def test_a_metric_that_one_side_lacks_is_no_drift(self):
        lacking = replace(make_entry(), metrics=make_run().metrics[1:])
        assert findings(head(), lacking) == ()
        assert findings(replace(head(), metrics=make_run().metrics[1:])) == ()

    def test_noise_between_runs_that_history_knows_is_no_drift(self):
        run = scaled(head(), "wall_seconds", 1.3)
        assert len(findings(run, spreads={"wall_seconds": 0.03})) == 1
        assert findings(run, spreads={"wall_seconds": 0.10}) == ()

    def test_a_time_whose_scatter_nobody_knows_yet_is_given_the_benefit_of_the_doubt(self):
        assert findings(scaled(head(), "wall_seconds", 1.2), spreads={}) == ()
        assert len(findings(scaled(head(), "wall_seconds", 1.03**10), spreads={})) == 1
        assert len(findings(scaled(head(), "peak_rss_mib", 1.25), spreads={})) == 1

    def test_exact_metrics_have_no_noise_to_hide_behind(self):
        run = with_metric(head(), "match_rate", [0.70])
        assert len(findings(run, spreads={"match_rate": 0.5})) == 1

    def test_too_few_repeats_accuse_nobody(self):
        assert findings(with_metric(head(), "wall_seconds", [9.9])) == ()

    def test_a_slower_machine_is_no_drift(self):
        calibration = tuple(seconds * 1.5 for seconds in CALIBRATION_SECONDS)
        there = replace(
            scaled(head(), "wall_seconds", 1.5), machine=OTHER_MACHINE, calibration_seconds=calibration
        )
        assert findings(there) == ()
        assert findings(replace(there, calibration_seconds=())) == ()
        assert findings(replace(scaled(there, "wall_seconds", 1.6)))[0].metric == "wall_seconds"

    def test_a_head_slower_than_an_entry_that_was_itself_slower_is_compared_with_it(self):
        run = scaled(head(), "wall_seconds", 1.34)
        assert findings(run, slower_entry(0, 1.3)) == ()


class TestVerdict:
    def test_without_findings_the_verdict_stays_as_it_is(self):
        verdict = judge(make_run(), make_run(), make_policy())
        assert with_drift(verdict, ()) is verdict

    @pytest.mark.parametrize(
        ("before", "severity", "after"),
        [
            (Outcome.PASS, Severity.WARN, Outcome.WARN),
            (Outcome.NO_BASELINE, Severity.WARN, Outcome.WARN),
            (Outcome.WARN, Severity.WARN, Outcome.WARN),
            (Outcome.INCONCLUSIVE, Severity.WARN, Outcome.INCONCLUSIVE),
            (Outcome.INCOMPARABLE, Severity.WARN, Outcome.INCOMPARABLE),
            (Outcome.FAIL, Severity.WARN, Outcome.FAIL),
            (Outcome.PASS, Severity.FAIL, Outcome.FAIL),
            (Outcome.INCOMPARABLE, Severity.FAIL, Outcome.FAIL),
            (Outcome.ERROR, Severity.FAIL, Outcome.ERROR),
        ],
    )
    def test_the_outcome_is_no_milder_than_the_drift(self, before, severity, after):
        verdict = replace(judge(make_run(), make_run(), make_policy()), outcome=before)
        assert with_drift(verdict, [drift(severity)]).outcome is after

    def test_failing_drift_is_told_first_and_warning_drift_last(self):
        other = Finding(Rule.ABOVE_MAXIMUM, Severity.WARN)
        verdict = replace(judge(make_run(), make_run(), make_policy()), findings=(other,))
        fails, warns = drift(Severity.FAIL), drift(Severity.WARN)
        drifted = with_drift(verdict, [warns, fails])
        assert drifted.deciding == (fails, other, warns)
        assert drifted.drift == (fails, warns)


class TestFewerLinks:
    """A match rate that falls slowly is no decline where the truth says that only wrong links went."""

    older = make_entry(
        metrics=with_metric(with_metric(make_run(), "match_rate", [0.9]), "recall", [0.93], "ratio").metrics
    )

    @pytest.mark.parametrize(
        ("changes", "count"),
        [({}, 0), ({"has_truth": False}, 1), ({"awards": make_awards(unlabelled={"A0039"})}, 1)],
    )
    def test_only_the_truth_of_every_award_excuses_them(self, changes, count):
        run = with_metric(head(**changes), "recall", [0.93], "ratio")
        assert len([each for each in findings(run, self.older) if each.metric == "match_rate"]) == count

    def test_a_lower_recall_is_no_excuse(self):
        run = with_metric(head(), "recall", [0.92], "ratio")
        assert [each.metric for each in findings(run, self.older)] == ["match_rate"]
