from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.run import Stratum
from sbir_gate.model.verdict import MetricLimit, Outcome, Policy
from tests.factories import EXACT, LOWER, NOISY, make_policy, make_run, with_metric, without_metric

POLICY = make_policy()
STAGE = "stage_seconds/name-fuzzy"


def with_strata(*strata):
    return make_run(quality=replace(make_run().quality, strata=strata))


def phase(value, awards, links):
    return Stratum("phase", value, awards, links, links / awards if awards else 0.0, None, None)


class TestStrata:
    before = with_strata(phase("I", 25, 19), phase("II", 15, 11))

    @pytest.mark.parametrize(
        ("strata", "rule", "count"),
        [
            ((phase("I", 40, 30),), Rule.SEGMENT_GONE, {"awards": 15}),
            ((phase("I", 25, 30), phase("II", 0, 0)), Rule.SEGMENT_GONE, {"awards": 15}),
            ((phase("I", 25, 30), phase("II", 15, 0)), Rule.SEGMENT_UNLINKED, {"links": 11}),
        ],
    )
    def test_one_that_emptied_fails_though_the_sum_is_the_same(self, strata, rule, count):
        verdict = judge(with_strata(*strata), self.before, POLICY)
        assert verdict.outcome is Outcome.FAIL
        (finding,) = verdict.deciding
        assert (finding.rule, finding.facts) == (rule, {"dimension": "phase", "value": "II", **count})

    def test_the_loss_of_all_links_is_said_once(self):
        lost = with_strata(phase("I", 25, 0), phase("II", 15, 0))
        lost = replace(lost, quality=replace(lost.quality, links=0, match_rate=0.0))
        verdict = judge(lost, self.before, POLICY)
        assert verdict.outcome is Outcome.FAIL
        (finding,) = [each for each in verdict.deciding if not each.metric]
        assert finding.rule is Rule.ALL_UNLINKED
        assert finding.facts == {"links": self.before.quality.links}

    def test_one_that_was_empty_before_may_stay_so(self):
        empty = with_strata(phase("I", 25, 19), phase("III", 3, 0), phase("other", 0, 0))
        assert judge(empty, empty, POLICY).outcome is Outcome.PASS
        assert judge(with_strata(phase("I", 25, 19)), with_strata(), POLICY).outcome is Outcome.PASS

    def test_those_of_another_fixture_are_not_held_against_head(self):
        other = replace(self.before, fixture=replace(self.before.fixture, fingerprint="0" * 64))
        assert judge(with_strata(), other, POLICY).outcome is Outcome.INCOMPARABLE


class TestStages:
    def test_one_that_is_gone_fails(self):
        verdict = judge(without_metric(make_run(), STAGE), make_run(), POLICY)
        assert verdict.outcome is Outcome.FAIL
        assert [(each.rule, each.metric) for each in verdict.deciding] == [(Rule.METRIC_GONE, STAGE)]

    def test_those_of_another_enricher_are_its_own(self):
        other = replace(without_metric(make_run(), STAGE), enricher="python mine.py")
        verdict = judge(other, make_run(), POLICY)
        assert verdict.outcome is Outcome.PASS
        (change,) = [change for change in verdict.changes if change.metric == STAGE]
        assert change.severity is Severity.INFO
        assert change.head is None

    def test_another_enricher_may_not_leave_out_what_the_policy_limits(self):
        limit = MetricLimit(STAGE, "s", LOWER, NOISY, fail_percent=25.0, is_required=False)
        other = replace(without_metric(make_run(), STAGE), enricher="python mine.py")
        assert judge(other, make_run(), Policy((limit,))).outcome is Outcome.FAIL

    def test_another_enricher_may_not_leave_out_its_work_counters(self):
        reference = with_metric(make_run(), "work/pairs_scored", [100.0], "count", EXACT)
        verdict = judge(make_run(enricher="python mine.py"), reference, POLICY)
        assert verdict.outcome is Outcome.FAIL

    def test_one_that_was_skipped_in_some_repeats_fails(self):
        head = with_metric(make_run(), STAGE, (0.80, 0.0, 0.79, 0.0, 0.82))
        verdict = judge(head, make_run(), POLICY)
        (finding,) = verdict.deciding
        assert (finding.rule, finding.facts) == (Rule.STAGE_SKIPPED, {"skipped": 2, "repeats": 5})

    def test_one_that_the_reference_skipped_now_and_then_may_be_skipped(self):
        sometimes = with_metric(make_run(), STAGE, (0.80, 0.0, 0.79, 0.80, 0.82))
        assert judge(sometimes, sometimes, POLICY).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"awards": ()}, "awards"),
        ({"quality": replace(make_run().quality, awards=0)}, "awards"),
        ({"samples": ()}, "repeats"),
        ({"metrics": ()}, "metrics"),
    ],
)
def test_a_reference_without_content_lets_nothing_pass(changes, what):
    verdict = judge(make_run(), make_run(**changes), POLICY)
    assert verdict.outcome is Outcome.INCOMPARABLE
    (finding,) = verdict.deciding
    assert (finding.rule, finding.facts) == (Rule.REFERENCE_EMPTY, {"missing": what})


def test_five_percent_more_pairs_scored_is_a_change_though_the_clock_sees_none():
    """By the limits that come with sbir-gate, on the very numbers, with every time unchanged."""
    settings = yaml.safe_load((Path(__file__).parents[4] / "config" / "base.yaml").read_text())
    options = settings["gate"]["metrics"]["work/*"]
    limit = MetricLimit(
        "work/pairs_scored",
        options["unit"],
        LOWER,
        EXACT,
        warn_percent=options["warn_percent"],
        fail_percent=options["fail_percent"],
    )
    before = with_metric(make_run(), limit.name, [40_000.0], limit.unit, EXACT)

    def outcome(pairs):
        head = with_metric(make_run(), limit.name, [pairs], limit.unit, EXACT)
        return judge(head, before, Policy((*POLICY.limits, limit))).outcome

    assert outcome(40_000.0) is Outcome.PASS
    assert outcome(42_000.0) is Outcome.WARN
    assert outcome(50_001.0) is Outcome.FAIL
