import pytest

from tests.performance.peers.evaluation import (
    Outcome,
    Query,
    Questions,
    Rates,
    best_f1_threshold,
    evaluate,
    precise_threshold,
    rates_at,
)


def outcomes(*rows):
    """Return outcomes of (score, is right), and of True for a query that has an answer nobody gave."""
    return [
        Outcome(None, is_right=False, has_right=True)
        if row is True
        else Outcome(row[0], row[1], has_right=row[1])
        for row in rows
    ]


def test_precision_counts_accepted_answers_and_recall_counts_queries_that_have_a_right_recipient():
    rates = rates_at(outcomes((9, True), (8, False), (7, True), True), 8)
    assert rates == Rates(accepted=2, right=1, findable=3)
    assert (rates.precision, rates.recall) == (0.5, pytest.approx(1 / 3))
    assert rates.f1 == pytest.approx(2 * 0.5 * (1 / 3) / (0.5 + 1 / 3))


def test_rates_without_a_denominator_are_unknown():
    assert Rates(0, 0, 3).precision is None
    assert Rates(2, 0, 0).recall is None
    assert Rates(0, 0, 0).f1 is None


def test_the_best_f1_threshold_takes_in_a_wrong_answer_for_two_right_ones():
    assert best_f1_threshold(outcomes((9, True), (8, False), (7, True), (6, True), (5, False))) == 6


def test_no_threshold_is_best_when_nothing_is_right():
    assert best_f1_threshold(outcomes((9, False), True)) is None
    assert best_f1_threshold([]) is None


def test_the_lowest_threshold_that_keeps_the_precision_is_taken_though_a_higher_one_lost_it():
    found = outcomes((9, False), (8, True), (7, True), (6, True), (5, False))
    assert precise_threshold(found, 0.75) == 6
    assert precise_threshold(found, 0.97) is None


def test_answers_of_equal_score_are_accepted_together():
    found = outcomes((9, True), (8, True), (8, False))
    assert precise_threshold(found, 0.97) == 9


def questions():
    """Return a question of each half with an answer, one without, and one outside the fuzzy stage."""
    queries = {
        0: Query(is_fuzzy=True, half=0, right=frozenset("A")),
        1: Query(is_fuzzy=True, half=1, right=frozenset("B")),
        2: Query(is_fuzzy=True, half=1, right=frozenset()),
        3: Query(is_fuzzy=False, half=1, right=frozenset("D")),
    }
    truth = {"a": "A", "b": "B", "c": "", "d": "D", "e": "E"}
    return Questions(
        queries, {"a": 0, "b": 1, "c": 2, "d": 3}, {"e": "E"}, {k: frozenset(v) for k, v in truth.items()}
    )


def test_the_threshold_of_one_half_is_reported_on_the_other():
    found = evaluate({0: ("A", 0.6), 1: ("B", 0.5), 2: ("X", 0.9)}, questions())
    assert found.best_threshold == 0.6
    assert found.fuzzy == Rates(accepted=1, right=0, findable=1)
    assert (found.top1_right, found.findable) == (2, 2)


def test_the_award_level_takes_links_by_the_rules_and_every_answer_at_the_threshold():
    found = evaluate({0: ("A", 0.6), 1: ("B", 0.5), 3: ("D", 0.7)}, questions())
    assert found.awards == Rates(accepted=3, right=3, findable=4)


def test_a_way_that_is_never_right_has_no_rates():
    found = evaluate({0: ("X", 0.6)}, questions())
    assert (found.fuzzy, found.precise, found.awards) == (None, None, None)
