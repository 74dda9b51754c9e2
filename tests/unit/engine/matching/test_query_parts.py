import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.confidence import default_model
from sbir_gate.engine.matching.decisions import PairFacts
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.query_parts import Scoring, decisive_pairs, joined, score_queries
from sbir_gate.engine.matching.scoring import fetch_pairs, prepare_scoring, query_ranges
from sbir_gate.model.matches import Method
from tests.factories_matching import Award, Recipient, database, load_awards, load_recipients
from tests.step_options import blocking_options

QUERIES = 16
WORDS = ("Lasers", "Optics Inc", "Photonics", "Sensing LLC")


def found(query):
    pair = PairFacts(
        query, 7, "R1", "R1", Method.NAME_FUZZY, 90.0, 0.5, True, True, False, True, 1, False, None, (-0.5,)
    )
    return (replace(pair, row_key=query + 1), pair)


parts = st.builds(lambda queries: {query: found(query) for query in queries}, st.sets(st.integers(0, 9)))


@given(parts, parts, parts)
def test_parts_are_joined_in_any_order_and_grouping_and_twice(one, two, three):
    assert joined([one, two]) == joined([two, one])
    assert joined([joined([one, two]), three]) == joined([one, joined([two, three])])
    assert joined([one, one]) == one
    assert joined([one, {}]) == one


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The database with the pairs of 16 queries, on two threads, and what holds for all of them."""
    awards = [
        Award(f"A{number}", f"Xyl{number % 5}antra {WORDS[number % 4]}", state="MA", zip5=f"021{number:02}")
        for number in range(QUERIES)
    ]
    recipients = [
        Recipient(
            f"R{number}", f"XYL{number % 7}ANTRA {WORDS[number % 3]}", state="MA", zip5=f"021{number:02}"
        )
        for number in range(40)
    ]
    with database(threads=2) as connection:
        load_awards(connection, awards)
        load_recipients(connection, recipients, tmp_path_factory.mktemp("parts"))
        create_firms(connection)
        assert create_queries(connection, "firms") == QUERIES
        create_pairs(connection, blocking_options())
        scoring = Scoring(prepare_scoring(connection), default_model(), tuple(Method), 0.0)
        yield connection, scoring


@pytest.mark.parametrize("number_of_parts", range(1, QUERIES + 1))
def test_no_number_of_parts_changes_what_is_found(scored, number_of_parts):
    connection, scoring = scored
    whole = decisive_pairs(fetch_pairs(connection), scoring)
    assert len(whole) == QUERIES
    size = -(-QUERIES // number_of_parts)
    each = [decisive_pairs(fetch_pairs(connection, some), scoring) for some in query_ranges(connection, size)]
    assert joined(reversed(each)) == whole


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_number_of_threads_changes_what_is_found(scored, threads):
    connection, scoring = scored
    whole = decisive_pairs(fetch_pairs(connection), scoring)
    done = []
    connection.execute(f"SET threads = {threads}")
    assert score_queries(connection, scoring, lambda: done.append(1), queries_at_once=6) == whole
    assert len(done) == -(-QUERIES // (6 // threads))


def test_parts_that_others_work_on_are_joined_whatever_their_order(scored):
    connection, scoring = scored
    connection.execute("SET threads = 2")
    asked = []

    def backwards(connection, scoring, conditions):
        asked.extend(conditions)
        for condition in reversed(asked):
            yield condition, decisive_pairs(fetch_pairs(connection, condition), scoring)

    found = score_queries(connection, scoring, queries_at_once=6, score=backwards)
    assert found == score_queries(connection, scoring)
    assert asked == query_ranges(connection, 3)


def test_without_pairs_there_is_no_part():
    with database() as connection:
        connection.execute("CREATE TABLE pairs (query_id BIGINT)")
        assert query_ranges(connection) == []


def test_a_part_can_be_sent_to_another_process_and_back(scored):
    connection, scoring = scored
    rows, sent = pickle.loads(pickle.dumps((fetch_pairs(connection), scoring)))  # noqa: S301 -- made here
    part = decisive_pairs(rows, sent)
    assert part == decisive_pairs(fetch_pairs(connection), scoring)
    assert pickle.loads(pickle.dumps(part)) == part  # noqa: S301 -- made here
