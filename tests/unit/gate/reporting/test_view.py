from dataclasses import fields, is_dataclass, replace

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.records_view import MAX_AWARDS_LISTED
from sbir_gate.gate.reporting.view import MAX_REASONS, build_view
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.model.verdict import Outcome
from tests.factories import (
    award_id,
    link,
    make_awards,
    make_policy,
    make_run,
    no_link,
    scaled,
    with_decisions,
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


def test_the_coverage_of_the_truth_is_shown():
    run = make_run()
    partly = replace(run, quality=replace(run.quality, awards=2671, labelled=534))
    facts = {fact.name: fact.value for fact in view_of(partly, run).quality}
    assert facts["labels"] == "534 of 2,671 awards labelled"
    nowhere = replace(partly, has_truth=False, quality=replace(partly.quality, labelled=None))
    facts = {fact.name: fact.value for fact in view_of(nowhere, run).quality}
    assert facts["labels"] == "0 of 2,671 awards labelled"


def test_long_lists_of_awards_are_capped_and_say_so():
    run = make_run(has_truth=False)
    ids = [award_id(number) for number in range(60)]
    before = replace(run, awards=make_awards([link(one, "R1") for one in ids]))
    after = replace(run, awards=make_awards([no_link(one) for one in ids]))
    (awards,) = view_of(after, before).award_lists
    assert awards.title == "Lost links, not labelled (60)"
    assert len(awards.rows) == MAX_AWARDS_LISTED
    assert awards.more == "and 10 more: all are in changed-awards.csv"


def test_short_lists_say_nothing_of_more():
    (awards,) = view_of(with_lost_links(make_run(), 2), make_run()).award_lists
    assert awards.more == ""
    assert str(awards.rows[0].before) == "R0000 (uei-exact)"
    assert str(awards.rows[0].after) == "none"


def test_what_became_of_each_award_is_said():
    reference = with_decisions(make_run(), {award_id(7): no_link(award_id(7))})
    head = with_decisions(
        make_run(),
        {award_id(5): link(award_id(5), "R9999"), award_id(35): link(award_id(35), "R0035")},
    )
    new_wrong, relinked, gained = view_of(head, reference).award_lists
    assert [row.truth for row in new_wrong.rows] == ["wrong"]
    assert [row.truth for row in relinked.rows] == ["no longer correct"]
    assert [row.truth for row in gained.rows] == ["now correct"]


def test_reasons_are_capped_and_say_so():
    found = tuple(recorded(f"reason {n}", Severity.WARN) for n in range(MAX_REASONS + 7))
    verdict = replace(judge(make_run(), None, POLICY), findings=found)
    view = build_view(None, verdict)
    assert len(view.reasons) == MAX_REASONS + 1
    assert view.reasons[-1] == "and 7 more"


def test_empty_bins_are_left_out_of_the_reliability_diagram():
    quality = make_run().quality
    bins = (replace(quality.reliability[0], count=0), quality.reliability[1])
    head = make_run(quality=replace(quality, reliability=bins))
    assert [row.count for row in view_of(head, None).reliability] == ["26"]


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
