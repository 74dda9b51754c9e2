from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.definitions import DEFINITIONS
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.verdict import NotCompared, Outcome
from tests.factories import EXACT, make_limit, make_policy, make_run, with_metric, without_metric
from tests.findings import rules

POLICY = make_policy()


def redefined(run, name, **changes):
    metrics = tuple(replace(metric, **changes) if metric.name == name else metric for metric in run.metrics)
    return replace(run, metrics=metrics)


def change_of(verdict, name):
    return next(change for change in verdict.changes if change.metric == name)


def doubled(run, name):
    values = next(metric.values for metric in run.metrics if metric.name == name)
    return with_metric(run, name, [2 * value for value in values])


@pytest.mark.parametrize(
    ("head", "reference", "obstacle", "rule"),
    [
        ({"version": 2}, {}, NotCompared.OLDER_DEFINITION, Rule.OLDER_DEFINITION),
        ({}, {"version": 3}, NotCompared.NEWER_DEFINITION, Rule.NEWER_DEFINITION),
        (
            {"version": 2, "method": "cgroup"},
            {"version": 2, "method": "pss"},
            NotCompared.OTHER_METHOD,
            Rule.OTHER_METHOD,
        ),
    ],
)
def test_values_of_another_definition_or_method_are_not_compared_and_the_row_says_so(
    head, reference, obstacle, rule
):
    verdict = judge(
        redefined(doubled(make_run(), "peak_rss_mib"), "peak_rss_mib", **head),
        redefined(make_run(), "peak_rss_mib", **reference),
        POLICY,
    )
    change = change_of(verdict, "peak_rss_mib")
    assert (change.not_compared, change.reference, change.ratio, change.delta) == (obstacle, None, None, None)
    assert (verdict.outcome, change.severity) == (Outcome.PASS, Severity.OK)
    (note,) = verdict.notes
    assert (note.rule, note.metric) == (rule, "peak_rss_mib")
    assert note.facts["reference_version"] == reference.get("version", 1)


def test_the_absolute_limit_of_a_metric_that_is_not_compared_is_judged():
    policy = make_policy(limits=(make_limit("peak_rss_mib", unit="MiB", maximum=300.0),))
    head = redefined(doubled(make_run(), "peak_rss_mib"), "peak_rss_mib", version=2)
    verdict = judge(head, make_run(), policy)
    change = change_of(verdict, "peak_rss_mib")
    assert (change.severity, change.not_compared) == (Severity.FAIL, NotCompared.OLDER_DEFINITION)
    assert rules(verdict.findings) == [Rule.ABOVE_MAXIMUM, Rule.OLDER_DEFINITION]


def test_a_method_that_differs_between_two_sides_of_one_session_is_a_fault():
    head = redefined(make_run(session="s"), "peak_rss_mib", method="pss")
    base = redefined(make_run(session="s"), "peak_rss_mib", method="cgroup")
    verdict = judge(head, base, POLICY)
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.deciding
    assert finding.rule is Rule.METHOD_DIFFERS
    assert finding.facts == {"head_method": "pss", "reference_method": "cgroup"}


NEWER = {"definitions": DEFINITIONS}


@pytest.mark.parametrize("name", ["stage_seconds/old", "work/old", "own_old"])
def test_what_a_new_version_no_longer_reports_is_not_gone(name):
    reference = with_metric(make_run(), name, [3.0], "count", EXACT)
    verdict = judge(make_run(**NEWER), reference, POLICY)
    change = change_of(verdict, name)
    assert (verdict.outcome, change.severity) == (Outcome.PASS, Severity.INFO)
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (make_run(), "work/old"),
        (make_run(enricher="python link.py", **NEWER), "work/old"),
        (make_run(definitions=DEFINITIONS + 1), "work/old"),
        (without_metric(make_run(**NEWER), "wall_seconds"), "wall_seconds"),
    ],
    ids=["same version", "outside engine", "unknown version", "required"],
)
def test_what_a_new_version_would_report_is_gone(head, name):
    reference = with_metric(make_run(enricher=head.enricher), "work/old", [3.0], "count", EXACT)
    verdict = judge(head, reference, POLICY)
    assert change_of(verdict, name).severity is Severity.FAIL
