from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.promotion import judge_merged
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.verdict import MetricLimit, Outcome, Policy
from tests.factories import (
    EXACT,
    HIGHER,
    LOWER,
    award_id,
    link,
    make_policy,
    make_run,
    with_decisions,
    with_metric,
)
from tests.findings import rules

OLD, NEW = "work/pages_read", "work/pages"
LIMIT = MetricLimit(OLD, "count", LOWER, EXACT, fail_percent=10.0)
POLICY = make_policy(limits=(*make_policy().limits, LIMIT))
BEFORE = with_metric(make_run(), OLD, [100.0], "count")


def now(value, renamed=None, **more):
    run = with_metric(make_run(renamed={OLD: NEW} if renamed is None else renamed), NEW, [value], "count")
    for name, extra in more.items():
        run = with_metric(run, name.replace("__", "/"), [extra], "count")
    return run


def row(verdict, name):
    return next(change for change in verdict.changes if change.metric == name)


@pytest.mark.parametrize(
    ("value", "outcome"), [(100.0, Outcome.PASS), (80.0, Outcome.PASS), (111.0, Outcome.FAIL)]
)
def test_a_renamed_counter_has_the_value_and_the_limit_of_the_old_name(value, outcome):
    verdict = judge(now(value), BEFORE, POLICY)
    assert verdict.outcome is outcome
    change = row(verdict, NEW)
    assert (change.reference, change.renamed_from) == (100.0, OLD)
    assert OLD not in {change.metric for change in verdict.changes}
    (note,) = verdict.notes
    assert (note.rule, note.metric, note.facts) == (Rule.METRIC_RENAMED, NEW, {"old": OLD})


def test_what_was_merged_under_a_new_name_is_compared_too():
    policy = make_policy(limits=(*make_policy().limits, replace(LIMIT, is_required=False)))
    verdict = judge_merged(now(111.0), BEFORE, policy)
    assert (row(verdict, NEW).reference, row(verdict, NEW).renamed_from) == (100.0, OLD)
    assert verdict.outcome is Outcome.FAIL
    assert rules(verdict.notes) == [Rule.METRIC_RENAMED]


def test_without_an_entry_the_old_name_is_gone():
    verdict = judge(now(100.0, renamed={}), BEFORE, POLICY)
    assert verdict.outcome is Outcome.FAIL
    assert [(each.rule, each.metric) for each in verdict.deciding] == [(Rule.METRIC_GONE, OLD)]


@pytest.mark.parametrize(
    ("head", "reference", "obstacle"),
    [
        (now(1.0, work__pages_read=1000.0), BEFORE, "old-is-measured"),
        (now(1.0), with_metric(BEFORE, NEW, [1.0], "count"), "new-in-reference"),
        (now(1.0), make_run(), "no-old"),
        (make_run(renamed={OLD: NEW}), BEFORE, "no-new"),
    ],
)
def test_an_entry_takes_no_metric_from_under_its_limit(head, reference, obstacle):
    verdict = judge(head, reference, POLICY)
    (note,) = [each for each in verdict.notes if each.rule is Rule.RENAME_IGNORED]
    assert note.facts == {"old": OLD, "new": NEW, "obstacle": obstacle}
    assert all(not change.renamed_from for change in verdict.changes)


def test_a_limit_of_the_group_holds_for_the_new_name():
    policy = Policy((replace(LIMIT, name="work/*"),))
    assert row(judge(now(111.0), BEFORE, policy), NEW).severity is Severity.FAIL


def test_a_limit_on_the_new_name_wins():
    policy = Policy((LIMIT, replace(LIMIT, name=NEW, fail_percent=50.0)))
    assert row(judge(now(120.0), BEFORE, policy), NEW).severity is Severity.OK


def test_a_renamed_method_is_judged_against_the_links_of_the_old_name():
    limit = MetricLimit("links/*", "count", HIGHER, EXACT, fail_percent=20.0, is_required=False)
    policy = make_policy(limits=(*make_policy().limits, limit))

    def unlabelled(method, count, **changes):
        run = with_decisions(
            make_run(), {award_id(n): link(award_id(n), f"R{n:04d}", method) for n in range(30)}
        )
        quality = replace(run.quality, links_by_method={method: count})
        run = replace(run, quality=quality, has_truth=False, **changes)
        return with_metric(run, f"links/{method}", [count], "count")

    before, head = unlabelled("old-way", 30.0), unlabelled("new-way", 30.0)
    assert judge(head, before, policy).outcome is Outcome.FAIL
    verdict = judge(replace(head, renamed={"links/old-way": "links/new-way"}), before, policy)
    assert verdict.outcome is Outcome.PASS
    assert verdict.records.moves == ()
