"""Time and memory as charts, in words."""

from dataclasses import replace

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.performance_charts import performance_charts
from sbir_gate.gate.reporting.report_page import report_page
from sbir_gate.model.publication import Background
from sbir_gate.model.run import MetricKind, Timing
from tests.factories import make_policy, make_run
from tests.factories_reports import judged_pair, staged


def untimed():
    """Return a quick Run, which has no time, and its verdict against one that has."""
    base = staged(make_run(started_at="2026-01-01T06:00:00+00:00"))
    head = make_run()
    exact = tuple(metric for metric in head.metrics if metric.kind is MetricKind.EXACT)
    head = replace(head, metrics=exact, timing=Timing.QUICK)
    return head, judge(head, base, make_policy()), Background((base,), ())


def test_a_run_that_was_not_timed_has_no_charts_of_its_base_and_says_so():
    head, verdict, background = untimed()
    assert not list(performance_charts(verdict.changes, head, background.runs, ()))
    page = report_page(head, verdict, background)
    tiles = {fact.name: (fact.value, fact.remark) for fact in page.facts}
    assert tiles["Wall time"] == tiles["Peak memory"] == ("not measured", "")
    assert "gone" not in repr(page)


def test_the_longest_stage_is_named_also_where_the_whole_run_has_no_row():
    head, verdict, background = judged_pair()
    stages = [change for change in verdict.changes if change.metric.startswith("stage_seconds/")]
    stages.sort(key=lambda change: change.head, reverse=True)
    charts = {chart.title: chart for chart in performance_charts(stages, head, background.runs, ())}
    summary = charts["Time by stage"].summary
    assert summary.startswith(f"Most in {stages[0].metric.removeprefix('stage_seconds/')}: ")
