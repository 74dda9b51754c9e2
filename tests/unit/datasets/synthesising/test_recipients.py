"""The rows of the firms themselves are what the firm's fate says."""

from dataclasses import replace

import pytest

from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.firms import Fate, FirmRegister
from sbir_gate.datasets.synthesising.recipients import Rank, Whereabouts, formal_name, own_rows, whereabouts
from sbir_gate.model.records import IdentifierType

FIRM = replace(
    FirmRegister(is_sample=False).draw(Draws(1), 1)[0],
    words=("NANOVEX", "SYSTEMS"),
    designator="INC",
    is_distinctive=True,
)


def rows_of(firm, where=Whereabouts.SAME, count=300):
    draws = Draws(7)
    return [own_rows(draws, firm, 4, where) for _ in range(count)]


def test_an_absent_firm_has_no_rows():
    assert rows_of(replace(FIRM, fate=Fate.ABSENT), count=5) == [[]] * 5


def test_the_same_name_is_spelled_in_upper_case_with_its_designator():
    names = {rows[0].name for rows in rows_of(replace(FIRM, fate=Fate.SAME))}

    assert all(name.startswith("NANOVEX SYSTEMS") for name in names)
    assert {"NANOVEX SYSTEMS, INC.", "NANOVEX SYSTEMS  INC", "NANOVEX SYSTEMS INC"} <= names


def test_a_third_of_the_names_hold_a_double_blank():
    draws = Draws(8)
    names = [formal_name(draws, ("NANOVEX",), "INC") for _ in range(2000)]

    assert 0.30 < sum("  " in name for name in names) / 2000 < 0.45


def test_drifted_names_differ():
    names = [rows[0].name for rows in rows_of(replace(FIRM, fate=Fate.DRIFTED))]

    assert sum(name.startswith("NANOVEX SYSTEMS") for name in names) < 150
    assert len(set(names)) > 100


def test_an_extended_name_keeps_its_start():
    rows = rows_of(replace(FIRM, fate=Fate.EXTENDED, identifier_type=IdentifierType.UEI_ONLY))

    assert all(row[0].name.startswith("NANOVEX ") for row in rows)
    assert not any(row[0].name.startswith("NANOVEX SYSTEMS") for row in rows)


@pytest.mark.parametrize("fate", [Fate.EXTENDED, Fate.RENAMED])
@pytest.mark.parametrize("identifier_type", [IdentifierType.UEI_ONLY, IdentifierType.DUNS_ONLY])
def test_who_is_known_by_an_identifier_alone_carries_it(fate, identifier_type):
    firm = replace(FIRM, fate=fate, identifier_type=identifier_type)
    expected = (FIRM.uei, "") if identifier_type is IdentifierType.UEI_ONLY else ("", FIRM.duns)

    assert {(row.uei, row.duns) for rows in rows_of(firm) for row in rows} == {expected}


def test_with_both_identifiers_one_of_them_is_there():
    firm = replace(FIRM, fate=Fate.RENAMED, identifier_type=IdentifierType.BOTH)
    found = {(row.uei, row.duns) for rows in rows_of(firm) for row in rows}

    assert found == {(FIRM.uei, ""), ("", FIRM.duns), (FIRM.uei, FIRM.duns)}


def test_one_in_seven_has_a_second_row():
    rows = rows_of(replace(FIRM, fate=Fate.SAME), count=2000)

    assert 0.12 < sum(len(found) == 2 for found in rows) / 2000 < 0.18
    assert all(row.firm == 4 for found in rows for row in found)
    assert {found[1].rank for found in rows if len(found) == 2} == {Rank.OTHER_SPELLING}


@pytest.mark.parametrize(
    ("where", "has_state", "has_zip"),
    [
        (Whereabouts.SAME, True, True),
        (Whereabouts.NO_ZIP, True, False),
        (Whereabouts.UNKNOWN, False, False),
    ],
)
def test_addresses_are_as_known(where, has_state, has_zip):
    for row, *_ in rows_of(replace(FIRM, fate=Fate.SAME), where, count=20):
        assert row.state == (FIRM.place.state if has_state else "")
        assert row.zip_code[:5] == (FIRM.zip_code if has_zip else "")


def test_who_moved_away_is_in_another_state():
    rows = rows_of(replace(FIRM, fate=Fate.SAME), Whereabouts.MOVED_AWAY, count=50)

    assert all(found[0].state != FIRM.place.state for found in rows)


def test_two_doubts_never_meet():
    draws = Draws(9)
    plain_drifted = replace(FIRM, fate=Fate.DRIFTED, is_distinctive=False)
    plain_same = replace(FIRM, fate=Fate.SAME, is_distinctive=False)
    telling = replace(FIRM, fate=Fate.SAME)

    assert {whereabouts(draws, plain_drifted) for _ in range(500)} == {Whereabouts.SAME}
    assert {whereabouts(draws, plain_same) for _ in range(500)} == {
        Whereabouts.SAME,
        Whereabouts.MOVED_IN_STATE,
    }
    assert {whereabouts(draws, telling) for _ in range(500)} == set(Whereabouts)
