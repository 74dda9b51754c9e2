"""The firms are as many, as different and as spread as they should be."""

from collections import Counter
from itertools import product

import pytest

from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.firms import Fate, FirmRegister
from sbir_gate.model.records import CompanySize, IdentifierType, Phase


@pytest.fixture(scope="module")
def firms():
    return FirmRegister(is_sample=False).draw(Draws(1), 24_000)


@pytest.mark.parametrize("awards", [1, 2, 7, 500])
@pytest.mark.parametrize("is_sample", [True, False])
def test_the_awards_add_up(awards, is_sample):
    firms = FirmRegister(is_sample=is_sample).draw(Draws(3), awards)

    assert sum(firm.awards for firm in firms) == awards
    assert all(firm.awards >= 1 for firm in firms)


def test_a_firm_has_about_six_awards_and_half_have_one(firms):
    assert 4 < 24_000 / len(firms) < 8
    assert 0.45 < sum(firm.awards == 1 for firm in firms) / len(firms) < 0.55
    assert max(firm.awards for firm in firms) > 100


def test_no_two_firms_share_name_and_state(firms):
    assert len({(firm.name, firm.place.state) for firm in firms}) == len(firms)


def test_names_stay_apart_across_draws():
    register = FirmRegister(is_sample=True)
    firms = [*register.draw(Draws(1, 0), 300), *register.draw(Draws(1, 0), 300)]

    assert len({(firm.name, firm.place.state) for firm in firms}) == len(firms)
    assert register.names == {firm.name for firm in firms}


def test_a_tenth_has_no_recipient(firms):
    absent = sum(firm.fate is Fate.ABSENT for firm in firms) / len(firms)

    assert 0.095 < absent < 0.125


def test_only_firms_with_identifiers_are_known_by_them_alone(firms):
    known = [firm for firm in firms if firm.is_known_by_identifier_only]

    assert {firm.fate for firm in known} == {Fate.EXTENDED, Fate.RENAMED}
    assert all(firm.identifier_type is not IdentifierType.NEITHER for firm in known)


def test_zips_belong_to_places(firms):
    assert all(firm.zip_code.startswith(firm.place.zip_prefix) for firm in firms)


def test_a_sample_deals_every_stratum():
    firms = FirmRegister(is_sample=True).draw(Draws(1), 200)
    cells = Counter((firm.company_size, firm.identifier_type, firm.first_phase) for firm in firms)

    assert set(cells) == set(product(CompanySize, IdentifierType, Phase))
    assert max(cells.values()) - min(cells.values()) <= 1
