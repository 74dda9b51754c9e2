from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sbir_gate.engine.matching import exact
from sbir_gate.engine.matching.exact import (
    create_identified_recipients,
    find_identifier_matches,
    match_by_names,
    name_similarity,
)
from sbir_gate.engine.matching.firms import create_firms
from sbir_gate.engine.matching.parts import open_parts
from sbir_gate.model.matches import Method
from tests.factories_matching import UEIS, Award, Recipient, database, load_awards, load_recipients

UEI, OTHER_UEI = UEIS[0], UEIS[1]
DUNS, ZIPS = "133709001", ("02139", "73301", None)


def found(awards, recipients, method=Method.UEI_EXACT):
    """Return (recipient id, score, agrees) of each match, in order."""
    with database() as connection, TemporaryDirectory() as folder:
        load_awards(connection, awards)
        load_recipients(connection, recipients, Path(folder))
        create_firms(connection)
        create_identified_recipients(connection)
        return [
            (match.recipient_id, match.score, match.agrees)
            for match in find_identifier_matches(connection, method)
        ]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ACME LASER LABS", "ACME LASER LABORATORIES"),
        ("PHYSICAL SCIENCES", "PHYSICAL SCIENCE"),
        ("INFORMATION SYSTEMS LABORATORI", "INFORMATION SYSTEMS LABORATORIES"),
        ("TOYON RESEARCHCORP", "TOYON RESEARCH"),
        ("MATERIALS AND ELECTROCHEMICAL RESEARCH", "MER"),
        ("QORTEK", "QORTEK POWER SOLUTIONS"),
    ],
)
def test_names_of_one_firm_agree_in_either_order(left, right):
    assert name_similarity(left, right) >= 60
    assert name_similarity(left, right) == name_similarity(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ACME LASER", "ZENITH OPTICS"),
        ("ALPHA TECHNOLOGIES", "OMEGA TECHNOLOGIES"),
        ("RIVERSIDE RESEARCH", "KODIAK RESEARCH"),
        ("XYZ", "BOB"),
    ],
)
def test_names_of_unrelated_firms_clearly_disagree(left, right):
    assert name_similarity(left, right) < 60


@pytest.mark.parametrize("method", [Method.UEI_EXACT, Method.DUNS_EXACT])
@pytest.mark.parametrize("name", ["ACME LASER", "THE", "A B C", "TECHNOLOGIES", "清华"])
def test_an_equal_name_agrees_as_if_it_were_compared(method, name):
    match = match_by_names(0, method, (7, "R1", "R1"), ["ZENITH OPTICS", name], name)
    assert (match.score, match.agrees) == (name_similarity(name, name), True)


def test_an_identifier_with_names_that_disagree_is_found_but_does_not_agree():
    ((recipient_id, score, agrees),) = found(
        [Award("A1", "Acme Laser", UEI)], [Recipient("R1", "ZENITH OPTICS", UEI)]
    )
    assert (recipient_id, agrees) == ("R1", False)
    assert score < 60


def test_names_without_a_letter_in_common_are_unlike_not_alike():
    assert found([Award("A1", "XYZ", UEI)], [Recipient("R1", "BOB", UEI)]) == [("R1", 0.0, False)]


@pytest.mark.parametrize("method", [Method.UEI_EXACT, Method.DUNS_EXACT])
def test_a_name_that_clearly_disagrees_is_a_conflict_even_in_the_same_house(method):
    award = Award("A1", "Acme Laser", UEI, "133709001", zip5="02139")
    renamed = Recipient("R1", "ZENITH OPTICS", UEI, "133709001", zip5="02139")
    assert [agrees for _, _, agrees in found([award], [renamed], method)] == [False]


def standings(awards, recipients, method=Method.UEI_EXACT):
    """Return what the names say of each award's only match, by its name."""
    with database() as connection, TemporaryDirectory() as folder:
        load_awards(connection, awards)
        parts = load_recipients(connection, recipients, Path(folder))
        create_firms(connection)
        create_identified_recipients(connection, open_parts(connection, parts))
        firms = dict(connection.execute("SELECT firm_id, name FROM firms").fetchall())
        matches = find_identifier_matches(connection, method)
        return {firms[match.firm_id]: match.standing.value for match in matches}


@pytest.mark.parametrize("method", [Method.UEI_EXACT, Method.DUNS_EXACT])
def test_another_firm_with_the_recipients_name_claims_the_identifier(method):
    ids = {"uei": UEI, "duns": "133709001"}
    recipients = [Recipient("R1", "ZENITH OPTICS", **ids)]
    renamed, claimant = Award("A1", "Acme Laser", **ids), Award("A2", "Zenith Optics Inc", **ids)
    assert standings([renamed], recipients, method) == {"Acme Laser": "unclaimed"}
    both = {"Acme Laser": "claimed", "Zenith Optics Inc": "agrees"}
    assert standings([renamed, claimant], recipients, method) == both


def test_a_uei_of_a_placeholder_is_generic():
    recipients = [
        Recipient("R1", "ZENITH OPTICS", UEI),
        Recipient("R2", "MISCELLANEOUS FOREIGN CONTRACTORS", UEI),
    ]
    assert standings([Award("A1", "Acme Laser", UEI)], recipients) == {"Acme Laser": "generic"}


def test_a_duns_asks_more_of_the_names_than_a_uei():
    award, recipient = (
        Award("A1", "Heartland Software", UEI, "133709001"),
        Recipient("R1", "BITLAND", UEI, "133709001"),
    )
    assert standings([award], [recipient], Method.DUNS_EXACT) == {"Heartland Software": "unclaimed"}


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("EMVACT GLOBAL", "EMVRATA"),
        ("VERN MANAGEMENT SYSTEMS", "VERENZY"),
        ("QCX INSTRUMENT HOUSING SYSTEMS", "EVENING STAR INDUSTRIES"),
        ("FALCON CAPITAL ADVISORS", "FALCON CATERING"),
        ("TKH CONSTRUCTION", "CONSTRUCTION ROBOTICS"),
        ("CONSOLIDATED WATER WORKS", "CONSOLIDATED COMMUNICATIONS SERVICES"),
    ],
)
def test_names_of_strangers_that_look_a_little_alike_do_not_agree_under_one_duns(own, theirs):
    award, recipient = Award("A1", own, duns="133709001"), Recipient("R1", theirs, duns="133709001")
    assert standings([award], [recipient], Method.DUNS_EXACT) == {own: "unclaimed"}


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("QORTEK", "QORTEK POWER SOLUTIONS"),
        ("ACVRESEARCH LLC", "ACV RESEARCH"),
        ("INVITASCIENCES", "INVITA SCIENCES INC"),
        ("INFORMATION OPTICS LABORATORI", "INFORMATION OPTICS LABORATORIES"),
        ("PHYSICAL SCIENCE GROUP", "PHYSICAL SCIENCES"),
        ("VALE PHARMACEUTIALSINC", "VALE PHARMACEUTICALS"),
        ("MATERIALS AND ELECTROCHEMICAL RESEARCH", "MER CORP"),
    ],
)
def test_spellings_of_one_name_agree_under_one_duns(own, theirs):
    award, recipient = Award("A1", own, duns="133709001"), Recipient("R1", theirs, duns="133709001")
    assert standings([award], [recipient], Method.DUNS_EXACT) == {own: "agrees"}


@pytest.mark.parametrize(("own", "theirs"), [(None, "ACME"), ("Acme", None), (None, None), ("日本", "ACME")])
def test_a_name_that_is_not_there_cannot_disagree(own, theirs):
    ((recipient_id, _, agrees),) = found([Award("A1", own, UEI)], [Recipient("R1", theirs, UEI)])
    assert (recipient_id, agrees) == ("R1", True)


def test_a_name_that_agrees_comes_before_one_that_is_not_there():
    recipients = [Recipient("R1", None, UEI), Recipient("R2", "ACME LASR INC", UEI)]
    assert [row[0] for row in found([Award("A1", "Acme Laser", UEI)], recipients)] == ["R2", "R1"]


def test_a_firm_under_a_placeholder_name_has_no_matches():
    award = Award("A1", "Miscellaneous Foreign Contractors", UEI)
    assert found([award], [Recipient("R1", "NAMED FIRM GMBH", UEI)]) == []


def test_a_recipient_under_a_placeholder_name_is_nobody():
    recipients = [Recipient("R1", "MULTIPLE RECIPIENTS", UEI)]
    assert found([Award("A1", "Acme Laser", UEI)], recipients) == []


def test_the_best_comes_first_by_agreement_similarity_place_and_id():
    award = Award("A1", "Acme Laser Labs", UEI, state="MA", zip5="02139")
    recipients = [
        Recipient("R5", "ZENITH OPTICS", UEI, zip5="02139"),
        Recipient("R4", "ACME LASRE", UEI, state="MA", zip5="02139"),
        Recipient("R3", "ACME LASER LABS", UEI, state="TX", zip5="73301"),
        Recipient("R2", "ACME LASER LABS", UEI, state="MA", zip5="02140"),
        Recipient("R1", "ACME LASER LABS", UEI, state="TX", zip5="73301"),
        Recipient("R0", "ACME LASER LABS", OTHER_UEI, state="MA", zip5="02139"),
    ]
    assert [row[0] for row in found([award], recipients)] == ["R2", "R1", "R3", "R4", "R5"]


def test_two_duns_in_one_cell_are_both_looked_for_on_either_side():
    award = Award("A1", "Acme Laser", duns="001810881 008905093")
    recipients = [
        Recipient("R1", "ACME LASER", duns="008905093 133709001"),
        Recipient("R2", "ACME LASER", duns="133709001"),
    ]
    assert [row[0] for row in found([award], recipients, Method.DUNS_EXACT)] == ["R1"]


def test_an_identifier_on_very_many_recipients_is_followed_to_the_likest():
    recipients = [Recipient(f"R{number:03}", f"FOREIGN FIRM {number}", UEI) for number in range(200)]
    recipients.append(Recipient("R999", "ACME LASER", UEI))
    matches = found([Award("A1", "Acme Laser", UEI)], recipients)
    assert len(matches) == 20
    assert matches[0] == ("R999", 100.0, True)


def test_of_a_crowded_identifier_each_firm_meets_the_recipients_of_its_own_name():
    """All pairs would be as many as the product of both."""
    names = [f"ACME LASER {number}" for number in range(330)]
    assert len(names) ** 2 > exact._MOST_BEARERS
    matches = found(
        [Award(f"A{name}", name, duns=DUNS) for name in names],
        [Recipient(f"R{name}", name, duns=DUNS) for name in names],
        Method.DUNS_EXACT,
    )
    assert {recipient for recipient, score, _ in matches if score == 100.0} >= {f"R{name}" for name in names}
    assert len(matches) <= 21 * len(names)


@pytest.mark.parametrize("method", [Method.UEI_EXACT, Method.DUNS_EXACT])
def test_a_crowded_identifier_has_the_matches_that_it_would_have_alone(monkeypatch, method):
    names = ("ACME LASER", "ACME LASERS", "ZENITH")
    awards = [Award(f"A{name}", name, UEI, duns=DUNS, zip5="02139") for name in names]
    recipients = [
        Recipient(f"R{name}{zip5}", name, UEI, duns=DUNS, zip5=zip5) for name in names for zip5 in ZIPS
    ]
    expected = found(awards, recipients, method)
    monkeypatch.setattr(exact, "_MOST_BEARERS", 0)
    assert found(awards, recipients, method) == expected
