"""The bulk is made by the column, and is nobody's recipient."""

import re

import pytest

from sbir_gate.datasets.synthesising import traps
from sbir_gate.datasets.synthesising.draws import Draws


@pytest.fixture(scope="module")
def rows():
    return list(traps.bystander_rows(Draws(1), 20_000, set()))


def test_as_many_as_asked():
    assert list(traps.bystander_rows(Draws(1), 0, set())) == []
    assert len(list(traps.bystander_rows(Draws(1), 7, set()))) == 7


def test_identifiers_have_their_shape_and_share(rows):
    ueis = [uei for _, uei, *_ in rows if uei]
    duns = [duns for _, _, duns, *_ in rows if duns]

    assert len(ueis) / 20_000 == pytest.approx(traps.BYSTANDER_UEI_SHARE, abs=0.02)
    assert len(duns) / 20_000 == pytest.approx(traps.BYSTANDER_DUNS_SHARE, abs=0.02)
    assert all(re.fullmatch(r"[A-HJ-NP-Z][A-HJ-NP-Z0-9]{11}", uei) for uei in ueis)
    assert all(re.fullmatch(r"\d{9}", number) for number in duns)


def test_some_addresses_are_missing(rows):
    assert sum(not state for *_, state, _ in rows) / 20_000 == pytest.approx(0.06, abs=0.01)
    assert sum(bool(state) and not zip_ for *_, state, zip_ in rows) / 20_000 == pytest.approx(
        0.047, abs=0.01
    )
    assert all(re.fullmatch(r"(\d{5}(-\d{4})?)?", zip_) for *_, zip_ in rows)


def test_there_are_persons_counties_and_firms(rows):
    names = [name for name, *_ in rows]

    assert any(name.startswith("COUNTY OF ") for name in names)
    assert any("UNIVERSITY" in name for name in names)
    assert "SMITH JAMES" in names
    assert 0.15 < sum("  " in name for name in names) / 20_000 < 0.45


def test_no_bystander_takes_the_name_of_a_firm(rows):
    taken = {"SMITH CONSTRUCTION"}
    forbidden = re.compile(r"SMITH CONSTRUCTION((,| ).{2,12})?")
    free = [name for name, *_ in rows if forbidden.fullmatch(name)]
    kept = [name for name, *_ in traps.bystander_rows(Draws(1), 20_000, taken)]

    assert free
    assert not [name for name in kept if forbidden.fullmatch(name) and "TRADING" not in name]
