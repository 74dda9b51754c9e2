import time
from dataclasses import replace
from random import Random

import pytest

from sbir_gate.errors import ExitStatus
from sbir_gate.gate.comparing.gate import exit_status, judge
from sbir_gate.model.finding import Rule, Severity, note, recorded
from sbir_gate.model.run import Metric, Run
from sbir_gate.model.verdict import Outcome, Verdict
from tests.factories import (
    EXACT,
    NOISY,
    OTHER_MACHINE,
    make_limit,
    make_policy,
    make_run,
    scaled,
    with_lost_links,
    with_metric,
    without_metric,
)
from tests.findings import reasons, rules

POLICY = make_policy()
NOISE = (1.2, 2.9, 1.9, 3.1, 2.3)


def other_fixture(run):
    return replace(run, fixture=replace(run.fixture, fingerprint="0" * 64))


def head_of_outcome(outcome):
    run = make_run()
    return {
        Outcome.PASS: run,
        Outcome.WARN: scaled(run, "wall_seconds", 1.15),
        Outcome.FAIL: scaled(run, "wall_seconds", 1.4),
        Outcome.INCONCLUSIVE: with_metric(run, "wall_seconds", NOISE),
        Outcome.INCOMPARABLE: other_fixture(run),
    }[outcome]


@pytest.mark.parametrize(
    "outcome", [Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE]
)
def test_each_outcome_is_reached(outcome):
    verdict = judge(head_of_outcome(outcome), make_run(), POLICY)
    assert verdict.outcome is outcome
    assert bool(verdict.deciding) == (outcome is not Outcome.PASS)


def test_the_verdict_says_what_it_compared():
    reference = make_run(started_at="2026-01-01T00:00:00+00:00")
    verdict = judge(make_run(), reference, POLICY)
    assert verdict.gate == "enrichment"
    assert verdict.head_started_at == make_run().started_at
    assert verdict.head_commit == make_run().source.commit
    assert verdict.reference_started_at == reference.started_at
    assert verdict.reference_commit == reference.source.commit


class TestPrecedence:
    def test_inconclusive_outranks_warn(self):
        head = scaled(with_metric(make_run(), "wall_seconds", NOISE), "peak_rss_mib", 1.3)
        assert judge(head, make_run(), POLICY).outcome is Outcome.INCONCLUSIVE

    def test_a_breached_absolute_limit_outranks_incomparable(self):
        head = other_fixture(with_metric(make_run(), "match_rate", [0.5]))
        assert judge(head, make_run(), POLICY).outcome is Outcome.FAIL

    def test_incomparable_outranks_a_warning(self):
        head = other_fixture(with_metric(make_run(), "memory_delta_mib", [600.0], "MiB"))
        assert judge(head, make_run(), POLICY).outcome is Outcome.INCOMPARABLE

    def test_a_warning_outranks_no_baseline(self):
        head = with_metric(make_run(), "memory_delta_mib", [600.0], "MiB")
        assert judge(head, None, POLICY).outcome is Outcome.WARN

    def test_reasons_come_failing_first(self):
        head = scaled(with_lost_links(make_run(), 2), "peak_rss_mib", 1.3)
        head = with_metric(with_metric(head, "wall_seconds", NOISE), "match_rate", [0.5])
        found = judge(head, make_run(), POLICY).deciding
        assert [finding.metric for finding in found] == [
            "match_rate",
            "match_rate",
            "wall_seconds",
            "",
            "peak_rss_mib",
        ]
        order = [Severity.FAIL, Severity.FAIL, Severity.INCONCLUSIVE, Severity.WARN, Severity.WARN]
        assert [finding.severity for finding in found] == order

    def test_every_reason_is_one_line(self):
        head = scaled(with_lost_links(make_run(), 12), "wall_seconds", 1.4)
        for reason in reasons(judge(head, make_run(), POLICY)):
            assert "\n" not in reason


class TestNoBaseline:
    def test_a_sound_run_has_nothing_to_compare_with(self):
        verdict = judge(make_run(), None, POLICY)
        assert verdict.outcome is Outcome.NO_BASELINE
        assert rules(verdict.notes) == [Rule.NO_BASELINE]

    def test_absolute_limits_are_still_enforced(self):
        verdict = judge(with_metric(make_run(), "match_rate", [0.66]), None, POLICY)
        assert verdict.outcome is Outcome.FAIL
        assert reasons(verdict) == ("Match rate: 0.660, below the minimum of 0.700",)

    def test_a_required_metric_must_be_there(self):
        assert judge(without_metric(make_run(), "wall_seconds"), None, POLICY).outcome is Outcome.FAIL


class TestIncomparable:
    def test_a_changed_fixture_is_never_compared_in_silence(self):
        verdict = judge(other_fixture(scaled(make_run(), "wall_seconds", 3.0)), make_run(), POLICY)
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert rules(verdict.deciding) == [Rule.FIXTURE_CHANGED]
        assert reasons(verdict)[0].startswith("the fixture changed (ffffffffffff → 000000000000)")
        assert "`sbir-gate baseline promote`" in reasons(verdict)[0]
        assert all(change.ratio is None for change in verdict.changes)

    def test_a_baseline_of_another_commit_s_policy_is_not_to_be_promoted_here(self):
        head = replace(other_fixture(make_run()), policy_commit="a" * 40)
        (reason,) = reasons(judge(head, make_run(), POLICY))
        assert "promote" not in reason

    def test_another_gate_is_another_thing(self):
        verdict = judge(make_run(), make_run(gate="nightly"), POLICY)
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert rules(verdict.deciding) == [Rule.OTHER_GATE]


class TestUnsoundHead:
    @pytest.mark.parametrize("reference", [None, make_run()])
    @pytest.mark.parametrize(
        "head",
        [make_run(awards=()), make_run(quality=replace(make_run().quality, awards=0))],
    )
    def test_zero_records_fail(self, head, reference):
        verdict = judge(head, reference, POLICY)
        assert verdict.outcome is Outcome.FAIL
        assert verdict.deciding[0].rule is Rule.NO_RECORDS

    def test_a_skipped_benchmark_fails(self):
        verdict = judge(make_run(samples=()), make_run(), POLICY)
        assert verdict.outcome is Outcome.FAIL
        assert rules(verdict.deciding) == [Rule.NO_REPEATS]

    def test_repeats_that_disagree_fail_whatever_the_policy_limits(self):
        samples = make_run().samples
        head = make_run(samples=(replace(samples[0], output_digest="e" * 64), *samples[1:]))
        verdict = judge(head, make_run(), make_policy(limits=()))
        assert verdict.outcome is Outcome.FAIL
        (finding,) = verdict.deciding
        assert (finding.rule, finding.facts) == (Rule.NOT_DETERMINISTIC, {"repeats": 5, "outputs": 2})

    def test_lost_awards_fail_though_every_metric_is_unchanged(self):
        verdict = judge(with_lost_links(make_run(), 12), make_run(), POLICY)
        assert verdict.outcome is Outcome.FAIL
        (finding,) = verdict.deciding
        assert (finding.rule, finding.measured, finding.limit) == (Rule.AWARDS_WORSENED, 12, 5)
        assert reasons(verdict) == ("12 awards lost a correct link (limit: 5)",)

    def test_an_empty_policy_still_sees_a_metric_that_is_gone(self):
        verdict = judge(without_metric(make_run(), "precision"), make_run(), make_policy(limits=()))
        assert verdict.outcome is Outcome.FAIL


class TestNotes:
    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"enricher": "python mine.py"}, Rule.ENRICHER_DIFFERS),
            ({"settings_digest": "t" * 64}, Rule.SETTINGS_DIFFER),
            ({"has_truth": False}, Rule.TRUTH_DIFFERS),
            ({"machine": OTHER_MACHINE}, Rule.MACHINES_DIFFER),
            ({"calibration_seconds": (0.120, 0.121, 0.120, 0.119, 0.120)}, Rule.CALIBRATED_BY_SPEED),
            ({"warnings": (recorded("no psutil: timing only"),)}, Rule.AS_RECORDED),
        ],
    )
    def test_what_is_worth_knowing_is_a_note_and_no_failure(self, changes, rule):
        verdict = judge(make_run(**changes), make_run(), POLICY)
        assert verdict.outcome is Outcome.PASS
        assert rule in rules(verdict.notes)

    def test_runs_side_by_side_say_so_and_nothing_of_machines(self):
        head = make_run(session="s", calibration_seconds=(0.2, 0.2, 0.2))
        (note,) = judge(head, make_run(session="s"), POLICY).notes
        assert (note.rule, note.facts) == (Rule.JUDGED_BY_PAIRS, {"pairs": 5})

    def test_equal_runs_have_no_notes(self):
        assert judge(make_run(), make_run(), POLICY).notes == ()


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.PASS, ExitStatus.OK),
        (Outcome.WARN, ExitStatus.OK),
        (Outcome.NO_BASELINE, ExitStatus.OK),
        (Outcome.INCONCLUSIVE, ExitStatus.OK),
        (Outcome.FAIL, ExitStatus.GATE_FAILED),
        (Outcome.INCOMPARABLE, ExitStatus.GATE_FAILED),
        (Outcome.ERROR, ExitStatus.BROKEN),
    ],
)
def test_each_outcome_has_its_exit_status(outcome, status):
    verdict = replace(judge(make_run(), None, POLICY), outcome=outcome)
    assert exit_status(verdict, fail_on_inconclusive=False) is status


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_inconclusive_is_changed_by_the_option(outcome):
    verdict: Verdict = replace(judge(make_run(), None, POLICY), outcome=outcome)
    strict = exit_status(verdict, fail_on_inconclusive=True)
    if outcome is Outcome.INCONCLUSIVE:
        assert strict is ExitStatus.INCONCLUSIVE
    else:
        assert strict is exit_status(verdict, fail_on_inconclusive=False)


def test_an_absolute_limit_that_only_warns_warns():
    policy = make_policy(limits=(make_limit("wall_seconds", maximum=1.0, absolute_severity=Severity.WARN),))
    assert judge(make_run(), make_run(), policy).outcome is Outcome.WARN


@pytest.mark.slow
def test_judging_hundreds_of_thousands_of_values_and_metrics_grows_with_their_number():
    """1,000 pairs took 91 s and 100,000 metrics over 100 s; a fiftieth of that time is still generous."""
    random = Random(1)
    names = [f"work/{number}" for number in range(20_000)]

    def side() -> Run:
        walls = tuple(random.lognormvariate(0, 0.1) for _ in range(10_000))
        return make_run(
            session="together",
            metrics=(
                Metric("wall_seconds", "s", NOISY, walls),
                *(Metric(name, "count", EXACT, (1.0,)) for name in names),
            ),
        )

    policy = make_policy(limits=(make_limit("wall_seconds"),))
    head, base = side(), side()
    started = time.process_time()
    verdict = judge(head, base, policy)
    assert time.process_time() - started < 5
    assert len(verdict.changes) == 20_001


def test_what_a_session_noted_of_its_own_base_is_not_said_of_another_reference():
    head = make_run(session="s", warnings=(note(Rule.ENVIRONMENT_OWN, names=("a.lock",)),))
    assert head.warnings[0] in judge(head, make_run(session="s"), make_policy()).notes
    assert head.warnings[0] in judge(head, None, make_policy()).notes
    assert head.warnings[0] not in judge(head, make_run(), make_policy()).notes
