from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.drift import with_drift
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.conclusion import error_findings
from sbir_gate.gate.reporting.annotations import MOST_PER_LEVEL, build_annotations
from sbir_gate.gate.reporting.messages import text
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.model.publication import AnnotationLevel
from sbir_gate.model.verdict import Outcome, PolicyEdit, RecordChanges, Verdict
from sbir_gate.settings.entries import Fault, configuration_error
from tests.factories import (
    MOMENT,
    award_id,
    make_policy,
    make_run,
    no_link,
    scaled,
    with_decisions,
    with_metric,
)
from tests.findings import drift

ORIGINS = {
    "gate.metrics.wall_seconds.fail_percent": "config/base.yaml:154",
    "gate.metrics.wall_seconds.warn_percent": "gate.yaml:7",
    "gate.max_lost": "config/base.yaml:137",
    "enrichment.performance.match_rate_threshold": "config/base.yaml:17",
}


def verdict_on(head):
    return judge(head, make_run(), make_policy())


def only(verdict, origins=ORIGINS):
    (found,) = build_annotations(verdict, origins)
    return found


def test_a_worse_metric_is_a_remark_on_the_line_of_its_limit():
    found = only(verdict_on(scaled(make_run(), "wall_seconds", 1.4)))
    assert (found.level, found.path, found.line) == (AnnotationLevel.FAILURE, "config/base.yaml", 154)
    assert found.title == "sbir-gate enrichment: Wall time"
    assert found.message.startswith("Wall time rose 40")


def test_a_limit_of_another_commit_is_on_the_line_of_its_file():
    origins = {"gate.metrics.wall_seconds.fail_percent": "config/base.yaml at commit 0123456789ab:154"}
    found = only(verdict_on(scaled(make_run(), "wall_seconds", 1.4)), origins)
    assert (found.path, found.line) == ("config/base.yaml", 154)


def test_a_fault_in_the_settings_of_a_folder_is_on_the_line_of_its_file():
    error = configuration_error([Fault("unknown key", "sbir-gate.yaml:3", column="gate.x")])
    verdict = Verdict(
        "linking", Outcome.ERROR, tuple(error_findings(error)), (), RecordChanges(), MOMENT, "a" * 40
    )
    (found,) = build_annotations(verdict, {}, "teams/linking")
    assert (found.path, found.line) == ("teams/linking/sbir-gate.yaml", 3)


def test_a_warning_is_a_warning():
    assert only(verdict_on(scaled(make_run(), "wall_seconds", 1.15))).level is AnnotationLevel.WARNING


def test_nothing_wrong_is_no_remark():
    assert build_annotations(verdict_on(make_run()), ORIGINS) == ()


def test_the_threshold_of_the_match_rate_is_where_it_is_set():
    verdict = verdict_on(with_metric(make_run(), "match_rate", [0.1]))
    places = {(each.path, each.line) for each in build_annotations(verdict, ORIGINS)}
    assert ("config/base.yaml", 17) in places


def test_lost_awards_point_at_the_number_that_may_be_lost():
    lost = {award_id(number): no_link(award_id(number)) for number in range(8)}
    found = build_annotations(verdict_on(with_decisions(make_run(), lost)), ORIGINS)
    assert ("sbir-gate enrichment: awards", "config/base.yaml", 137) in [
        (each.title, each.path, each.line) for each in found
    ]


@pytest.mark.parametrize(
    "origin",
    ["/usr/lib/base.yaml:3", "../other/gate.yaml:3", "option --repeats", "SBIR_GATE__A", "a\nb.yaml:3", ""],
)
def test_what_stands_in_no_file_of_the_repository_is_a_remark_on_no_file(origin):
    found = only(
        verdict_on(scaled(make_run(), "wall_seconds", 1.4)),
        {"gate.metrics.wall_seconds.fail_percent": origin},
    )
    assert (found.path, found.line) == ("", 0)


def test_more_than_github_shows_are_summed_up():
    head = make_run()
    for number in range(30):
        head = with_metric(head, f"metric_{number}", [float("nan")])
    found = build_annotations(judge(head, None, make_policy()), {})
    failures = [each for each in found if each.level is AnnotationLevel.FAILURE]
    assert len(failures) == MOST_PER_LEVEL
    assert failures[-1].message == "and 21 more: the report has them all"


def test_a_broken_run_and_an_edit_of_the_policy_are_remarks_too():
    verdict = Verdict(
        gate="enrichment",
        outcome=Outcome.ERROR,
        findings=(recorded("the enricher\x1b[31m crashed", Severity.FAIL),),
        changes=(),
        records=verdict_on(make_run()).records,
        head_started_at=MOMENT,
        head_commit="c" * 40,
    )
    edited = replace(verdict, policy_edits=(PolicyEdit("gate.max_lost", "5", "500"),))
    assert [(each.level, each.message) for each in build_annotations(edited, {})] == [
        (AnnotationLevel.FAILURE, "the enricher [31m crashed"),
        (AnnotationLevel.NOTICE, "this change edits what it is judged by: gate.max_lost"),
    ]


def test_slow_drift_is_a_warning_on_the_line_of_its_limit_and_after_what_fails():
    failing = verdict_on(scaled(make_run(), "wall_seconds", 1.4))
    found = build_annotations(with_drift(failing, [drift(Severity.WARN)]), ORIGINS)
    assert [(each.level, each.path, each.line) for each in found] == [
        (AnnotationLevel.FAILURE, "config/base.yaml", 154),
        (AnnotationLevel.WARNING, "gate.yaml", 7),
    ]
    assert found[1].message == text(drift(Severity.WARN))


def test_a_fault_of_the_settings_is_a_remark_on_its_line():
    error = configuration_error(
        [Fault("unknown key", "gate.yaml", 4, column="gate.mercy"), Fault("b", "option --x", column="a")]
    )
    verdict = replace(verdict_on(make_run()), outcome=Outcome.ERROR, findings=tuple(error_findings(error)))
    found = build_annotations(verdict, {})
    assert [(each.level, each.path, each.line) for each in found] == [
        (AnnotationLevel.FAILURE, "gate.yaml", 4),
        (AnnotationLevel.FAILURE, "", 0),
    ]
    assert found[0].message == "gate.yaml:4: gate.mercy: unknown key"
