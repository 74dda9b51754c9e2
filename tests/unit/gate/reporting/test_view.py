from dataclasses import fields, is_dataclass, replace
from datetime import date

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.markdown import render_markdown
from sbir_gate.gate.reporting.report_page import Background, report_page
from sbir_gate.gate.reporting.view import MAX_REASONS, build_view
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.model.matches import PlaceEvidence
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.run import LinkStratum, PopulationRate
from sbir_gate.model.verdict import Outcome
from sbir_gate.model.waiver import Waiver, Waivers
from tests.factories import (
    make_policy,
    make_run,
    scaled,
    with_facts,
    with_lost_links,
    with_metric,
)

POLICY = make_policy()


def view_of(head, reference):
    return build_view(head, judge(head, reference, POLICY))


def texts(part):
    """Yield every text of a view."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from texts(each)
    elif is_dataclass(part):
        for field in fields(part):
            yield from texts(getattr(part, field.name))


def test_rows_are_ordered_worst_first_and_information_stands_apart():
    head = scaled(with_metric(make_run(), "wall_seconds", (1.2, 2.9, 1.9, 3.1, 2.3)), "peak_rss_mib", 1.3)
    view = view_of(with_metric(head, "match_rate", [0.5]), make_run())
    severities = [row.severity for row in view.rows]
    assert severities[:4] == [Severity.FAIL, Severity.WARN, Severity.INCONCLUSIVE, Severity.OK]
    assert set(severities[3:]) == {Severity.OK}
    assert {row.severity for row in view.info_rows} == {Severity.INFO}


def test_every_outcome_has_its_headline():
    verdict = judge(make_run(), None, POLICY)
    headlines = {build_view(None, replace(verdict, outcome=outcome)).headline for outcome in Outcome}
    assert len(headlines) == len(Outcome)


def test_a_view_without_the_run_has_no_quality_but_all_of_the_verdict():
    full, bare = view_of(make_run(), make_run()), build_view(None, judge(make_run(), make_run(), POLICY))
    assert bare.rows == full.rows
    assert (bare.quality, bare.strata, bare.reliability) == ((), (), ())
    assert full.quality
    assert bare.environment == full.environment[:2]
    assert bare.figures[1:] == full.figures[1:]


def test_the_coverage_of_the_truth_is_shown():
    run = make_run()
    partly = replace(run, quality=replace(run.quality, awards=2671, labelled=534))
    facts = {fact.name: fact.value for fact in view_of(partly, run).quality}
    assert facts["labels"] == "534 of 2,671 awards labelled"
    nowhere = replace(partly, has_truth=False, quality=replace(partly.quality, labelled=None))
    facts = {fact.name: fact.value for fact in view_of(nowhere, run).quality}
    assert facts["labels"] == "0 of 2,671 awards labelled"


def test_reasons_are_capped_and_say_so():
    faults = tuple(recorded(f"reason {number}", Severity.FAIL) for number in range(MAX_REASONS + 8))
    verdict = replace(judge(make_run(), None, POLICY), outcome=Outcome.FAIL, findings=faults)
    view = build_view(None, verdict)
    assert view.headline == "fail · reason 0"
    assert len(view.reasons) == MAX_REASONS + 1
    assert view.reasons[-1] == "and 7 more"


def test_a_row_that_says_it_all_needs_no_reason():
    head = scaled(with_lost_links(make_run(), 7), "wall_seconds", 1.4)
    assert view_of(head, make_run()).reasons == ()


def test_the_fold_counts_the_metrics_that_it_lists():
    view = view_of(with_lost_links(scaled(make_run(), "wall_seconds", 1.9), 8), make_run())
    assert len(view.rows) == len(view.metric_rows) + 1  # that of the awards is not of a metric
    assert view.all_title.startswith(f"All {len(view.metric_rows)} metrics · ")
    fold = render_markdown(view).partition(f"<summary>{view.all_title}</summary>")[2].partition("**Not")[0]
    assert sum(line.startswith("| ") for line in fold.splitlines()) - 1 == len(view.metric_rows)


def test_a_waiver_that_reaches_is_in_its_table_alone():
    waiver = Waiver("wall_seconds", 95.0, "a new reader", "ana", date(2026, 12, 31), "7", "w.yaml:12")
    head = scaled(make_run(), "wall_seconds", 1.9)
    verdict = judge(head, make_run(), make_policy(), waivers=Waivers((waiver,), date(2026, 2, 1)))
    view = build_view(head, verdict)
    assert [(row.metric, row.cap) for row in view.waivers] == [("Wall time", "95%")]
    assert view.reasons == ()
    assert render_markdown(view).count("2026-12-31") == 1


def test_a_metric_that_cannot_be_judged_says_why():
    view = view_of(with_metric(make_run(), "precision", [float("nan")]), make_run())
    assert view.headline.startswith("fail · Precision: not a finite number")


def test_what_was_not_judged_is_in_the_headline_and_explained_below():
    before = with_metric(make_run(session="s"), "wall_seconds", (1.7, 1.9, 1.3, 1.7, 1.9))
    after = with_metric(make_run(session="s"), "wall_seconds", (2.0, 1.4, 1.8, 2.3, 1.6))
    view = view_of(after, before)
    assert view.headline.endswith("time not judged")
    (line,) = view.blind
    assert line.startswith("Time was not judged: Wall time may be up to ")
    assert line.endswith("% higher (limit +25%)")


def test_empty_bins_are_left_out_of_the_reliability_diagram():
    quality = make_run().quality
    bins = (replace(quality.reliability[0], count=0), quality.reliability[1])
    head = make_run(quality=replace(quality, reliability=bins))
    assert [row.count for row in view_of(head, None).reliability] == ["26"]


def test_links_are_shown_by_method_and_place_with_stated_and_measured_precision():
    strata = (
        LinkStratum("name-exact", PlaceEvidence.SAME_STATE, 1_200, 0.985, Proportion.of(99, 100)),
        LinkStratum("uei-exact", None, 18, None, Proportion.of(0, 0)),
    )
    quality = replace(make_run().quality, link_strata=strata, absent_linked=Proportion.of(3, 115))
    head = make_run(quality=quality)
    text = render_markdown(view_of(head, None))
    assert "| name-exact | same state | 1,200 | 0.985 | 0.990 | 94.6 to 99.8% |" in text
    assert "| uei-exact | - | 18 | - | - | - |" in text
    assert "3 of 115 (2.6%)" in text
    page = report_page(head, judge(head, None, POLICY), Background())
    (quality_section,) = (section for section in page.sections if section.key == "quality")
    assert "link-strata" in [block.key for block in quality_section.blocks]


def test_control_characters_of_data_reach_no_channel():
    hostile = "\x1b[31mred\nnew\u202e"
    head = with_lost_links(
        with_facts(
            make_run(gate=hostile, enricher=hostile, engine_notes={hostile: hostile}), firm_name=hostile
        ),
        3,
    )
    shown = list(texts(view_of(head, make_run(gate=hostile))))
    assert len(shown) > 50
    for text in shown:
        assert not set("\x1b\n\u202e") & set(text)


def test_the_estimate_for_all_awards_is_beside_the_rate_of_the_fixture():
    run = make_run()
    population = PopulationRate(22_000, 0.842, 0.8149, 0.8662)
    head = replace(run, quality=replace(run.quality, population=population))
    view = view_of(head, run)
    assert view.figures[1] == "of all awards 0.842 [0.815, 0.866]"
    facts = {fact.name: fact.value for fact in view.quality}
    assert facts["match rate of all awards"] == "0.842 [0.815, 0.866], estimated for 22,000 awards"
    assert "of all awards 0.842 &#91;0.815,&nbsp;0.866&#93;" in render_markdown(view)
    # a verdict alone knows it too
    assert build_view(None, judge(head, run, POLICY)).figures[1] == view.figures[1]
    assert not any("all awards" in text for text in texts(view_of(run, run)))
    whole = replace(run, quality=replace(run.quality, population=PopulationRate(40, 0.75, 0.75, 0.75)))
    assert not any("of all awards" in text for text in view_of(whole, run).figures)
