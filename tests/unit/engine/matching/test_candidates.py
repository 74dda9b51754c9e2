import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbir_gate.engine.matching import candidates
from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.parts import LocalBatches, batch_queries
from tests.factories_matching import Award, Recipient, database, load_awards, load_recipients
from tests.step_options import blocking_options


@pytest.fixture
def pairs_of(tmp_path):
    def run(awards, recipients, threads=1, part_rows=100, **options):
        """Return (award name, recipient id) of all pairs, the keys they share, and the counters."""
        with database(threads) as connection:
            load_awards(connection, awards)
            load_recipients(connection, recipients, tmp_path, part_rows)
            create_firms(connection)
            create_queries(connection, "firms")
            counters = create_pairs(connection, blocking_options(**options))
            rows = connection.execute(
                "SELECT q.normal, r.recipient_id, shared_keys FROM pairs JOIN queries q USING (query_id)"
                " JOIN recipients r USING (row_key) ORDER BY ALL"
            ).fetchall()
        return {(name, recipient_id): keys for name, recipient_id, keys in rows}, counters

    return run


def firms(*names, state="MA", zip5="02139"):
    return [Award(f"A{place}", name, state=state, zip5=zip5) for place, name in enumerate(names)]


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("QORTEK POWER", "QORTEK POWER SOLUTIONS"),  # the start
        ("PHYSICAL SCIENCES", "PHYSCIAL SCIENCES"),  # the end, and a word
        ("TOYON RESEARCHCORP", "TOYON RESEARCH CORP"),  # no blanks
        ("LASER ACME", "ACME LASER"),  # the order of the words
        ("BRIGHT OPTICS GROUP", "NEW BRIGHT OPTICS"),  # neighbours
        ("INFORMATION SYSTEMS LABORATORI", "INFORMATION SYSTEMS LABORATORIES"),
    ],
)
def test_names_that_share_a_rare_piece_meet_whatever_their_place(pairs_of, own, theirs):
    pairs, _ = pairs_of(firms(own), [Recipient("R1", theirs, state="TX", zip5="73301")])
    assert [recipient_id for _, recipient_id in pairs] == ["R1"]


def test_short_words_meet_in_one_place_only(pairs_of):
    recipients = [
        Recipient("R1", "ZETA CORE", state="MA", zip5="02139"),
        Recipient("R2", "ZETA CORE", state="TX", zip5="73301"),
    ]
    pairs, _ = pairs_of(firms("Zeta Labs"), recipients)
    assert [recipient_id for _, recipient_id in pairs] == ["R1"]


def test_unrelated_names_in_different_places_never_meet(pairs_of):
    pairs, counters = pairs_of(firms("Acme Laser"), [Recipient("R1", "ZENITH OPTICS", state="TX")])
    assert pairs == {}
    assert counters == {"candidates_generated": 0, "pairs_scored": 0}


def test_what_is_unknown_on_both_sides_is_no_reason_to_meet(pairs_of):
    pairs, _ = pairs_of([Award("A1", "Acme Laser")], [Recipient("R1", "ZENITH OPTICS")])
    assert pairs == {}


def test_a_key_that_too_many_share_is_left_out_but_equal_names_always_meet(pairs_of):
    recipients = [Recipient(f"R{number:02}", f"ACMELASER {number}") for number in range(30)]
    recipients.append(Recipient("R99", "Acmelaser"))
    pairs, _ = pairs_of(firms("Acmelaser"), recipients, max_pairs_per_key=30)
    assert list(pairs) == [("ACMELASER", "R99")]
    pairs, counters = pairs_of(firms("Acmelaser"), recipients, max_pairs_per_key=31)
    assert len(pairs) == 12
    assert ("ACMELASER", "R99") in pairs
    assert counters == {"candidates_generated": 31, "pairs_scored": 12}


def test_a_key_that_too_many_firms_share_is_left_out(pairs_of):
    awards = firms("Acmelaser Red", "Acmelaser Blue", "Acmelaser Green")
    recipients = [Recipient("R1", "ACMELASER")]
    assert len(pairs_of(awards, recipients, max_firms_per_key=3)[0]) == 3
    assert pairs_of(awards, recipients, max_firms_per_key=2)[0] == {}


def test_the_likest_pairs_are_kept_equal_names_and_near_places_first(pairs_of):
    recipients = [
        Recipient("R1", "QORTEK", state="TX", zip5="73301"),
        Recipient("R2", "QORTEK", state="MA", zip5="02139"),
        Recipient("R3", "QORTEK POWER", state="MA", zip5="02139"),
        Recipient("R4", "QORTEK POWER SYSTEMS OF TEXAS", state="TX"),
    ]
    for most, expected in (
        (1, ["R2"]),
        (2, ["R1", "R2"]),
        (3, ["R1", "R2", "R3"]),
        (4, ["R1", "R2", "R3", "R4"]),
    ):
        pairs, _ = pairs_of(firms("Qortek"), recipients, pairs_per_query=most)
        assert [recipient_id for _, recipient_id in pairs] == expected


PLACES = [("MA", "02139"), ("MA", "01801"), ("TX", "73301"), ("TX", None), (None, None)]


def test_of_a_crowded_name_each_query_meets_those_in_its_own_place(tmp_path):
    """All pairs would be as many as the product of both."""
    zips = [f"{number:05}" for number in range(10_000, 10_330)]
    with database() as connection:
        load_awards(connection, [Award(f"A{zip5}", "Qortek", state="MA", zip5=zip5) for zip5 in zips])
        load_recipients(connection, [Recipient(f"R{zip5}", "QORTEK", zip5=zip5) for zip5 in zips], tmp_path)
        create_firms(connection)
        assert create_queries(connection, "firms") ** 2 > candidates._MOST_SAME_NAME
        counters = create_pairs(connection, blocking_options())
        rows = connection.execute(
            "SELECT q.zip5, list(r.zip5) FROM pairs JOIN queries q USING (query_id)"
            " JOIN recipients r USING (row_key) GROUP BY q.zip5"
        ).fetchall()
    assert all(own in met for own, met in rows)
    assert {len(met) for _, met in rows} == {12}
    assert counters["pairs_scored"] == 12 * len(zips)


@pytest.mark.parametrize("most", [1, 3, 12])
def test_a_crowded_name_has_the_pairs_that_it_would_have_alone(pairs_of, monkeypatch, most):
    awards = [
        Award(f"A{number}", "Qortek", state=place[0], zip5=place[1]) for number, place in enumerate(PLACES)
    ]
    recipients = [
        Recipient(f"R{number}", name, state=state, zip5=zip5)
        for number, (state, zip5) in enumerate(PLACES)
        for name in ("QORTEK", f"QORTEK {number}")
    ]
    expected = pairs_of(awards, recipients, pairs_per_query=most)
    monkeypatch.setattr(candidates, "_MOST_SAME_NAME", 0)
    assert pairs_of(awards, recipients, pairs_per_query=most) == expected


def test_a_batch_that_comes_twice_has_no_more_namesakes(tmp_path, monkeypatch):
    monkeypatch.setattr(candidates, "_MOST_SAME_NAME", 0)
    options = blocking_options(max_pairs_per_key=2, pairs_per_query=3)
    with database() as connection:
        load_awards(connection, firms("Qortek", zip5="73301"))
        namesakes = [Recipient(f"R{number}", "QORTEK", state="MA") for number in range(9)]
        load_recipients(connection, namesakes, tmp_path)
        create_firms(connection)
        create_queries(connection, "firms")
        found = []
        for times in (1, 2, 4):
            create_pairs(connection, options, LocalBatches(("recipients",) * times))
            found.append(connection.execute("FROM pairs ORDER BY ALL").fetchall())
    assert found == [found[0]] * 3
    assert len(found[0]) == 3


def recipients_named(*names, state="MA", zip5="02139"):
    return [Recipient(name, name, state=state, zip5=zip5) for name in names]


def test_of_what_is_far_behind_the_best_two_others_are_kept(pairs_of):
    best = "QORTEK PHOTONICS"
    near, far = "QORTEK PHOTONIC", ["QORTEK BAKERY", "QORTEK TIMBER", "QORTEK HAULING"]
    pairs, _ = pairs_of(firms(f"{best} X"), recipients_named(best, near, *far, state="TX", zip5="73301"))
    assert {recipient_id for _, recipient_id in pairs} == {best, near}
    pairs, _ = pairs_of(firms(f"{best} X"), recipients_named(best, *far, state="TX", zip5="73301"))
    kept = {recipient_id for _, recipient_id in pairs}
    assert best in kept
    assert len(kept) == 2


def test_an_equal_name_elsewhere_does_not_push_out_a_similar_one_here(pairs_of):
    elsewhere = [Recipient(f"R{place}", "QORTEK PHOTONICS", state="TX", zip5="73301") for place in range(3)]
    here = recipients_named("QORTEK PHOTONICS LABS", "QORTEK PHOTONICS USA", "QORTEK PHOTONICS MA")
    pairs, _ = pairs_of(firms("Qortek Photonics"), [*elsewhere, *here])
    assert len(pairs) == 6


def test_more_shared_keys_are_counted(pairs_of):
    recipients = [Recipient("R1", "QORTEK", state="MA", zip5="02139"), Recipient("R2", "QORTEK", state="TX")]
    pairs, _ = pairs_of(firms("Qortek"), recipients)
    assert pairs["QORTEK", "R1"] > pairs["QORTEK", "R2"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("threads", "part_rows"), [(1, 1), (1, 7), (4, 50)])
def test_pairs_depend_on_content_only(pairs_of, threads, part_rows):
    words = ["ACME", "LASER", "QORTEK", "PHYSICAL", "OPTICS", "BRIGHT"]
    draw = random.Random(11)
    names = [" ".join(draw.sample(words, draw.randint(1, 3))) for _ in range(60)]
    recipients = [Recipient(f"R{place:03}", name, state="MA") for place, name in enumerate(names)]
    awards = firms(*sorted(set(names))[:20])
    expected = pairs_of(awards, recipients, pairs_per_query=3)
    draw.shuffle(recipients)
    assert pairs_of(awards, recipients, threads, part_rows, pairs_per_query=3) == expected


_WORDS = ("ACME", "LASER", "QORTEK", "OPTICS")
_NAMES = [f"{first} {second}" for first in _WORDS for second in _WORDS]


@pytest.fixture(scope="module")
def many_names():
    """Yield a database with queries, and recipients in parts of three rows, some of them in several."""
    names = [*_NAMES, *_NAMES[:5], *(f"{name} {number}" for number, name in enumerate(_NAMES[::3]))]
    recipients = [Recipient(f"R{place % 16:02}", name, state="MA") for place, name in enumerate(names)]
    with database() as connection, TemporaryDirectory() as folder:
        load_awards(connection, firms(*_NAMES[::4]))
        parts = load_recipients(connection, [*recipients, *recipients[:7]], Path(folder), part_rows=3)
        create_firms(connection)
        create_queries(connection, "firms")
        for number, part in enumerate(parts):
            connection.execute(f"CREATE VIEW piece_{number} AS {batch_queries([part])[0]}")
        yield connection, [f"piece_{number}" for number in range(len(parts))]


@dataclass(frozen=True)
class SentBatches:
    """Batches as another machine has them."""

    relations: tuple[str, ...]

    def select(self, query, _needed=()):
        return map(query, self.relations)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_batches_may_come_in_any_order_and_twice(many_names, monkeypatch, data):
    """What workers find is merged: associative, commutative, idempotent."""
    connection, pieces = many_names
    monkeypatch.setattr(candidates, "_MOST_SAME_NAME", data.draw(st.sampled_from([0, 100_000])))
    options = blocking_options(
        max_pairs_per_key=data.draw(st.integers(2, 12)), pairs_per_query=data.draw(st.integers(1, 5))
    )
    create_pairs(connection, options)
    expected = connection.execute("FROM pairs ORDER BY ALL").fetchall()
    order = data.draw(st.permutations([*pieces, *data.draw(st.lists(st.sampled_from(pieces), max_size=3))]))
    kind = data.draw(st.sampled_from([LocalBatches, SentBatches]))
    create_pairs(connection, options, kind(tuple(order)))
    assert connection.execute("FROM pairs ORDER BY ALL").fetchall() == expected
