import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sbir_gate.engine.matching import entities, parts
from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.cascade import match_firms
from sbir_gate.engine.matching.enriched import create_firm_decisions
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.parts import open_parts
from sbir_gate.engine.matching.scoring import prepare_scoring, score_pairs
from sbir_gate.engine.matching.similarity import FEATURES
from tests.factories_matching import (
    UEIS,
    Award,
    Recipient,
    database,
    load_awards,
    load_recipients,
    match,
    untimed,
)
from tests.step_options import blocking_options, matching_options
from tests.tiers import first_fast

UEI, OTHER_UEI = UEIS[1], UEIS[2]
DUNS = "133709001"
RENO = {"city": "RENO", "state": "NV", "zip5": "89501"}
OCALA = {"city": "OCALA", "state": "FL", "zip5": "34470"}
SALEM = {"city": "SALEM", "state": "OR", "zip5": "97301"}
LASER = "Vexal Laser Inc"


def scored(awards, recipients, part_rows=100):
    with database() as connection, TemporaryDirectory() as folder:
        load_awards(connection, awards)
        batches = open_parts(connection, load_recipients(connection, recipients, Path(folder), part_rows))
        create_firms(connection)
        create_queries(connection, "firms")
        create_pairs(connection, blocking_options(), batches)
        return score_pairs(connection, prepare_scoring(connection, batches))


def feature(found, name):
    return found.matrix[:, FEATURES.index(name)].tolist()


def test_rows_of_one_uei_in_two_towns_are_one_recipient_at_the_place_that_fits():
    rows = [Recipient("R1", "VEXAL LASER", UEI, **RENO), Recipient("R2", "VEXAL LASER", UEI, **OCALA)]
    awards = [Award("A1", LASER, **RENO), Award("A2", LASER, **OCALA), Award("A3", LASER, **SALEM)]
    found = scored(awards, rows)
    assert dict(zip(found.pairs.left_places.city, found.recipient_id, strict=True)) == {
        "RENO": "R1",
        "OCALA": "R2",
        "SALEM": "R1",
    }
    assert found.pairs.name_frequency.tolist() == [1, 1, 1]
    # no row competes with the other: without a place on the award the name is unique
    matching = match([*awards, Award("A4", LASER)], rows)
    assert {len(decision.candidates) for decision in matching.by_award.values()} == {1}
    assert matching.said("A4") == ("link", "name-exact", "R1")


def test_other_firms_of_the_name_still_compete_and_each_counts_once():
    rows = [
        Recipient("R1", "VEXAL LASER", UEI, **RENO),
        Recipient("R2", "VEXAL LASER", UEI, **OCALA),
        Recipient("R3", "VEXAL LASER", OTHER_UEI, **OCALA),
        Recipient("R4", "VEXAL LASERS", OTHER_UEI, **SALEM),
    ]
    found = scored([Award("A1", LASER, **RENO)], rows)
    assert found.recipient_id.tolist() == ["R1", "R3", "R4"]
    assert found.pairs.entity.tolist() == ["R1", "R3", "R3"]
    assert found.pairs.name_frequency.tolist() == [2, 2, 1]
    assert feature(found, "runner_ups") == pytest.approx([1 / 6, 1 / 6, 1 / 6])
    decision = match([Award("A1", LASER, **RENO)], rows).by_award["A1"]
    assert [candidate.entity for candidate in decision.candidates] == ["R1", "R3"]


def test_the_row_that_says_most_is_the_one_that_is_named():
    place = {"city": "RENO", "state": "NV"}
    rows = [Recipient("R1", "VEXAL LASER", UEI, **place), Recipient("R2", "VEXAL LASER", UEI, **RENO)]
    awards = [Award("A1", LASER), Award("A2", LASER, **place), Award("A3", LASER, **RENO)]
    awards.append(Award("A4", LASER, state="NV", zip5="89701"))
    found = scored(awards, rows)
    assert found.recipient_id.tolist() == ["R2"] * 4
    # a place without a zip code is not another place, in which the zip codes would not differ
    differing = dict(zip(found.pairs.left_places.zip5, feature(found, "zip_conflict"), strict=True))
    assert differing == {"": 0.0, "89501": 0.0, "89701": 1.0}


def places(matching):
    return {award: str(found.best.place) for award, found in matching.by_award.items()}


def test_an_award_under_an_old_name_in_the_new_town_finds_the_firm():
    rows = [
        Recipient("R1", "VEXAL LASER", UEI, **RENO),
        Recipient("R2", "TARN PHOTONICS", UEI, DUNS, **OCALA),
    ]
    awards = [Award("A1", LASER, **OCALA), Award("A2", "Tarn Photonics", **RENO)]
    matching = match(awards, rows)
    assert [matching.said(award) for award in ("A1", "A2")] == [
        ("link", "name-exact", "R1"),
        ("link", "name-exact", "R2"),
    ]
    assert set(places(matching).values()) == {"confirms"}
    strangers = [rows[0], Recipient("R2", "TARN PHOTONICS", OTHER_UEI, DUNS, **OCALA)]
    assert set(places(match(awards, strangers)).values()) == {"contradicts"}


def test_the_number_of_one_row_is_a_number_of_the_others():
    rows = [Recipient("R1", "VEXAL LASER", UEI), Recipient("R2", "TARN PHOTONICS", UEI, DUNS)]
    award = Award("A1", LASER, duns=DUNS)
    assert match([award], rows).said("A1") == ("link", "duns-exact", "R1")
    found = scored([award], [*rows, Recipient("R3", "VEXAL LASER", duns="001810881")])
    assert found.recipient_id.tolist() == ["R1", "R3"]
    assert found.pairs.duns_conflict.tolist() == [False, True]


MANY_NAMES = [Recipient(f"R{number}", f"QUILLON {letter}", UEI) for number, letter in enumerate("ABCD", 3)]
PLACEHOLDER = [Recipient("R3", "MISCELLANEOUS FOREIGN CONTRACTORS", UEI)]


@pytest.mark.parametrize(
    ("others", "place"),
    first_fast([([], "OCALA"), (MANY_NAMES[:3], "OCALA"), (MANY_NAMES, "RENO"), (PLACEHOLDER, "RENO")]),
    ids=["two names", "five names", "six names", "a placeholder"],
)
def test_rows_of_a_generic_uei_are_no_entity(others, place):
    rows = [Recipient("R1", "VEXAL LASER", UEI, **RENO), Recipient("R2", "TARN PHOTONICS", UEI, **OCALA)]
    found = scored([Award("A1", LASER, **OCALA)], [*rows, *others])
    assert found.pairs.right_places.city.tolist()[0] == place


def test_a_uei_on_too_many_rows_is_no_entity_whatever_the_parts(monkeypatch):
    monkeypatch.setattr(entities, "_MOST_ROWS", 3)
    rows = [Recipient(f"R{town}", "VEXAL LASER", UEI, city=f"TOWN {town}", state="NV") for town in range(4)]
    award = Award("A1", LASER, **OCALA)
    for rows_of_a_batch in (2, 100):
        monkeypatch.setattr(parts, "_BATCH_RECIPIENTS", rows_of_a_batch)
        assert len(scored([award], rows, 2).query) > 1
        assert len(scored([award], rows[1:], 2).query) == 1


def outcome(awards, recipients, part_rows, threads):
    with database(threads) as connection, TemporaryDirectory() as folder:
        load_awards(connection, awards)
        batches = open_parts(connection, load_recipients(connection, recipients, Path(folder), part_rows))
        matched = match_firms(connection, matching_options(), untimed, batches)
        create_firm_decisions(connection, matched)
        firms = dict(connection.execute("SELECT award_id, firm_id FROM award_firms").fetchall())
        rows = {row[0]: row[1:] for row in connection.execute("FROM firm_decisions").fetchall()}
    return {award_id: rows[firm] for award_id, firm in firms.items()}


def test_the_result_is_the_same_for_any_order_parts_and_threads(monkeypatch):
    monkeypatch.setattr(parts, "_BATCH_RECIPIENTS", 12)
    random.seed(1)
    names, numbers = ("VEXAL LASER", "TARN PHOTONICS", "VEXAL LASERS INC"), (None, DUNS)
    towns = (RENO, OCALA, {"city": "RENO", "state": "NV"}, {})
    recipients = [
        Recipient(
            f"R{number}",
            random.choice(names),
            random.choice((*UEIS[1:4], None)),
            random.choice(numbers),
            **random.choice(towns),
        )
        for number in range(24)
    ]
    asked = [(name, duns, town) for name in names for duns in numbers for town in towns]
    awards = [Award(f"A{number}", name, duns=duns, **town) for number, (name, duns, town) in enumerate(asked)]
    expected = outcome(awards, recipients, 1_000, 1)
    assert len({row[0] for row in expected.values()}) > 4
    random.shuffle(awards)
    random.shuffle(recipients)
    assert outcome(awards, recipients + recipients[:5], 5, 2) == expected
