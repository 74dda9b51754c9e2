import random

import pytest

from sbir_gate.engine.matching.firms import create_firms, create_queries
from tests.factories_matching import UEIS, Award, database, load_awards

ACME = {"name": "Acme Inc", "state": "MA", "zip5": "02139"}


@pytest.fixture
def connection():
    with database() as connection:
        yield connection


def firms_of(connection, awards):
    load_awards(connection, awards)
    count = create_firms(connection)
    rows = connection.execute("SELECT award_id, firm_id FROM award_firms ORDER BY position").fetchall()
    return count, dict(rows)


def queries_of(connection, awards, only=None):
    firms_of(connection, awards)
    connection.execute("CREATE TABLE wanted AS SELECT firm_id FROM firms")
    if only is not None:
        connection.execute("DELETE FROM wanted WHERE firm_id <> ?", [only])
    count = create_queries(connection, "wanted")
    return count, connection.execute("SELECT normal, state FROM queries ORDER BY query_id").fetchall()


def test_awards_that_say_the_same_of_their_firm_share_it(connection):
    awards = [Award("A1", **ACME), Award("A2", **ACME), Award("A3", uei=UEIS[0], **ACME)]
    count, by_award = firms_of(connection, awards)
    assert count == 2
    assert by_award["A1"] == by_award["A2"] != by_award["A3"]


def test_unknown_fields_are_equal_to_each_other_and_lose_no_award(connection):
    count, by_award = firms_of(connection, [Award("A1"), Award("A2"), Award("A3", "Acme")])
    assert count == 2
    assert by_award["A1"] == by_award["A2"]
    assert len(by_award) == 3


def test_firm_numbers_depend_on_what_the_awards_say_not_on_their_order(connection):
    awards = [
        Award(f"A{number}", f"Firm {number % 7}", state=["MA", None][number % 2]) for number in range(30)
    ]
    expected = firms_of(connection, awards)
    random.Random(3).shuffle(awards)
    count, by_award = firms_of(connection, awards)
    assert (count, by_award) == expected


def test_firms_that_differ_in_spelling_only_share_a_query(connection):
    awards = [Award("A1", "Acme, Inc.", state="MA"), Award("A2", "ACME INC", state="MA"), Award("A3", "ACME")]
    count, rows = queries_of(connection, awards)
    assert (count, rows) == (2, [("ACME", "MA"), ("ACME", None)])
    firms = connection.execute(
        "SELECT query_id, count(*) FROM firm_queries GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert firms == [(0, 2), (1, 1)]


def test_a_firm_is_looked_for_under_its_other_names_too(connection):
    count, rows = queries_of(connection, [Award("A1", "Acme (formerly Old Lens LLC)")])
    assert count == 3
    assert [name for name, _ in rows] == ["ACME", "ACME FORMERLY OLD LENS", "OLD LENS"]


def test_nameless_firms_and_placeholders_are_not_looked_for(connection):
    awards = [Award("A1"), Award("A2", "Multiple Recipients"), Award("A3", "日本"), Award("A4", "Acme")]
    assert queries_of(connection, awards) == (2, [("ACME", None), ("日本", None)])


def test_only_the_wanted_firms_are_looked_for(connection):
    count, rows = queries_of(connection, [Award("A1", "Acme"), Award("A2", "Bright")], only=1)
    assert (count, rows) == (1, [("BRIGHT", None)])


def test_without_any_firm_there_is_no_query(connection):
    assert queries_of(connection, []) == (0, [])
