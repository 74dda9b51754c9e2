"""Traps look like a firm and are not; they never crowd out the truth."""

from collections import Counter

import pytest

from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.firms import Fate, FirmRegister
from sbir_gate.datasets.synthesising.recipients import NO_FIRM, Rank
from sbir_gate.datasets.synthesising.traps import (
    GENERIC_UEI,
    placeholder_rows,
    recipient_rows,
)
from sbir_gate.reading.spelling import PLACEHOLDER_FIRMS


@pytest.fixture(scope="module")
def firms():
    return FirmRegister(is_sample=True).draw(Draws(1), 3000)


@pytest.fixture(scope="module")
def rows(firms):
    return recipient_rows(Draws(2), firms, 10**9)


def test_every_firm_that_exists_has_a_row(firms, rows):
    found = {row.firm for row in rows} - {NO_FIRM}

    assert found == {position for position, firm in enumerate(firms) if firm.fate is not Fate.ABSENT}


def test_where_room_is_short_the_firms_own_rows_stay(firms):
    existing = sum(firm.fate is not Fate.ABSENT for firm in firms)
    rows = recipient_rows(Draws(2), firms, existing)

    assert {row.rank for row in rows} == {Rank.OWN}
    assert len(rows) == existing


def test_traps_are_nobody_and_many(firms, rows):
    traps = [row for row in rows if row.rank is Rank.TRAP]

    assert {row.firm for row in traps} == {NO_FIRM}
    assert 0.25 < len(traps) / len(firms) < 0.55


def test_namesakes_are_elsewhere(firms, rows):
    names = {firm.name: firm for firm in firms}
    namesakes = [
        (row, names[row.name.split(",")[0]])
        for row in rows
        if row.rank is Rank.TRAP and row.name.split(",")[0] in names
    ]

    assert len(namesakes) > 20
    assert all(row.zip_code[:5] != firm.zip_code for row, firm in namesakes)
    assert any(row.state == firm.place.state for row, firm in namesakes)


def test_longer_and_numbered_names_are_among_the_traps(rows):
    names = [row.name for row in rows if row.rank is Rank.TRAP]

    assert any(" OF " in name for name in names)
    assert any(" II" in name or " 2" in name for name in names)


def test_some_duns_sit_on_three_firms(firms, rows):
    holders = Counter(row.duns for row in rows if row.duns)
    own = {firm.duns for firm in firms}
    shared = [number for number, count in holders.items() if count >= 2 and number in own]

    assert len(shared) > 10


def test_placeholders_are_nobody_and_share_a_generic_uei():
    rows = placeholder_rows(Draws(3))

    assert {row.name for row in rows} > set(PLACEHOLDER_FIRMS)
    assert [row.firm for row in rows] == [NO_FIRM] * len(rows)
    assert sum(row.uei == GENERIC_UEI for row in rows) == 2
