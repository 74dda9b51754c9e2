from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.improvements import gain_words, improvement_line, improvement_words
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit, Outcome
from tests.factories import (
    LINKED,
    award_id,
    link,
    make_awards,
    make_policy,
    make_run,
    no_link,
    scaled,
    with_decisions,
    with_metric,
)


def repaired():
    """Return the verdict on a head that links two awards rightly that went to somebody else."""
    wrong = {award_id(number): link(award_id(number), "R9999") for number in range(2)}
    base = with_decisions(make_run(), wrong)
    return judge(make_run(), with_metric(base, "precision", [0.95]), make_policy())


def test_a_repair_is_the_headline():
    verdict = repaired()
    assert verdict.outcome is Outcome.PASS
    assert improvement_words(verdict) == "2 awards corrected, 0 worse; precision +3 pp"
    assert build_view(None, verdict).headline == "pass · 2 awards corrected, 0 worse; precision +3 pp"


def test_wrong_links_dropped_are_told_from_links_lost():
    wrong = {award_id(number): link(award_id(number), "R9999") for number in range(LINKED, LINKED + 3)}
    base = with_decisions(make_run(), wrong)
    words = improvement_words(judge(make_run(), base, make_policy()))
    assert words.startswith("3 incorrect links dropped, 0 worse")


def test_a_gain_without_a_label_is_not_called_better():
    before = with_decisions(make_run(), {award_id(0): no_link(award_id(0))})
    head, base = (replace(run, has_truth=False) for run in (make_run(), before))
    assert improvement_words(judge(head, base, make_policy())) == ""


@pytest.mark.parametrize(
    ("gained", "words"),
    [
        (1, "pass · no links lost; 1 link gained on an award without a label"),
        (2, "pass · no links lost; 2 links gained on awards without a label"),
    ],
)
def test_the_headline_says_how_many_links_no_label_speaks_for(gained, words):
    ids = tuple(award_id(number) for number in range(gained))
    head = make_run(awards=make_awards(unlabelled=ids))
    verdict = judge(head, with_decisions(head, {id_: no_link(id_) for id_ in ids}), make_policy())
    assert verdict.outcome is Outcome.PASS
    assert build_view(None, verdict).headline == words
    assert gain_words(replace(verdict, outcome=Outcome.FAIL)) == ""
    repaired_too = replace(verdict, records=replace(verdict.records, relinked=repaired().records.relinked))
    headline = build_view(None, repaired_too).headline
    assert headline.startswith("pass · 2 awards corrected, 0 worse; ")
    assert headline.endswith(gain_words(verdict))


def test_time_and_memory_saved_are_said_only_where_they_are_established():
    head = scaled(make_run(), "wall_seconds", 0.7)
    assert improvement_words(judge(head, make_run(), make_policy())) == "time \N{MINUS SIGN}30%"
    noisy = with_metric(make_run(), "wall_seconds", [0.5, 3.0, 1.0, 2.9, 0.6])
    assert improvement_words(judge(noisy, make_run(), make_policy())) == ""


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR, Outcome.INCOMPARABLE])
def test_nothing_better_softens_a_failure(outcome):
    assert improvement_words(replace(repaired(), outcome=outcome)) == ""


def test_beside_a_warning_it_has_a_line_of_its_own():
    view = build_view(None, replace(repaired(), outcome=Outcome.WARN))
    assert view.improvement == "Better: 2 awards corrected, 0 worse; precision +3 pp"
    assert "corrected" not in view.headline


def test_no_change_is_no_improvement():
    assert improvement_words(judge(make_run(), make_run(), make_policy())) == ""


def test_links_by_another_method_that_harm_nobody_are_as_good():
    base = with_metric(make_run(), "links/duns", [20.0], "count")
    quality = replace(make_run().quality, links_by_method={"name-fuzzy": 30})
    moved = {award_id(number): link(award_id(number), f"R{number:04d}", "merged") for number in range(20)}
    head = with_metric(
        replace(with_decisions(make_run(), moved), quality=quality), "links/duns", [0.0], "count"
    )
    by_duns = {number: link(number, f"R{number[1:]}", "duns") for number in moved}
    limit = MetricLimit("links/*", "count", Direction.HIGHER_IS_BETTER, MetricKind.EXACT, fail_percent=50.0)
    policy = make_policy(limits=(*make_policy().limits, limit))
    verdict = judge(head, with_decisions(base, by_duns), policy)
    assert verdict.outcome is Outcome.PASS
    assert improvement_line(verdict) == "As good: 20 links made by another method, 0 awards worse"
    assert build_view(None, verdict).headline == "pass · 20 links made by another method, 0 awards worse"
