"""Award rows have SBIR.gov's columns, and its drift at the rates that were counted."""

import re
from collections import Counter

import pytest

from sbir_gate.datasets.synthesising import awards
from sbir_gate.datasets.synthesising.draws import Draws
from sbir_gate.datasets.synthesising.firms import FirmRegister
from sbir_gate.model.records import CompanySize, IdentifierType

COLUMN = {name: place - 1 for place, name in enumerate(awards.AWARD_COLUMNS)}
COUNT = 12_000


@pytest.fixture(scope="module")
def firms():
    return FirmRegister(is_sample=False).draw(Draws(1), COUNT)


@pytest.fixture(scope="module")
def rows(firms):
    return awards.award_rows(Draws(2), firms, is_sample=False)


def cells(rows, column):
    return [row.cells[COLUMN[column]] for row in rows]


def test_every_award_of_every_firm_is_there(firms, rows):
    assert Counter(row.firm for row in rows) == {place: firm.awards for place, firm in enumerate(firms)}
    assert {len(row.cells) + 1 for row in rows} == {len(awards.AWARD_COLUMNS)}


def test_identifiers_are_as_common_as_in_real_files(rows):
    shares = Counter(row.identifier_type for row in rows)
    has_uei = (shares[IdentifierType.BOTH] + shares[IdentifierType.UEI_ONLY]) / COUNT
    has_duns = (shares[IdentifierType.BOTH] + shares[IdentifierType.DUNS_ONLY]) / COUNT

    assert 0.42 < has_uei < 0.54
    assert 0.54 < has_duns < 0.67
    assert 0.13 < shares[IdentifierType.NEITHER] / COUNT < 0.25


def test_cells_hold_the_identifiers_that_the_stratum_says(firms, rows):
    for row in rows:
        firm, uei = firms[row.firm], row.cells[COLUMN["UEI"]]
        has_uei = row.identifier_type in (IdentifierType.BOTH, IdentifierType.UEI_ONLY)
        assert (uei.strip().upper() == firm.uei) == has_uei
        digits = re.sub(r"\D", "", row.cells[COLUMN["Duns"]].replace(".0", ""))
        has_duns = row.identifier_type in (IdentifierType.BOTH, IdentifierType.DUNS_ONLY)
        assert (firm.duns.lstrip("0") in digits) == has_duns


def test_missing_identifiers_are_spelled_in_many_ways(rows):
    assert {"", "N/A", "NA", "nan", "None", "000000000", "999999999"} < set(cells(rows, "Duns"))
    assert {"", "N/A", "NA", "nan"} < set(cells(rows, "UEI"))


def test_abstracts_have_newlines_at_the_counted_rate(rows):
    share = sum("\n" in text for text in cells(rows, "Abstract")) / COUNT

    assert share == pytest.approx(awards.NEWLINE_SHARE, abs=0.015)
    assert all("," in text and '"' in text for text in cells(rows, "Abstract"))


def test_tracking_numbers_repeat(rows):
    pairs = Counter((row.firm, row.cells[COLUMN["Agency Tracking Number"]]) for row in rows)
    repeated = sum(count for count in pairs.values() if count > 1) / COUNT

    assert 0.05 < repeated < 0.20


def test_a_few_rows_are_exact_duplicates(rows):
    repeated = COUNT - len({row.cells for row in rows})

    assert 3 < repeated < 60


def test_dates_and_amounts_drift(rows):
    dates, amounts = cells(rows, "Proposal Award Date"), cells(rows, "Award Amount")

    for shape in (r"\d{1,2}/\d{1,2}/\d{4}", r"\d\d-\d\d-\d{4}", r"[A-Z][a-z]+ \d{1,2}, \d{4}", ""):
        assert any(re.fullmatch(shape, text) for text in dates), shape
    for shape in (r"[\d,]+", r"\d+\.0", r"\$[\d,]+\.00", r"-\$[\d,]+\.00"):
        assert any(re.fullmatch(shape, text) for text in amounts), shape


def test_zips_and_states_drift(rows):
    zips, states = set(cells(rows, "Zip")), Counter(cells(rows, "State"))

    assert {"", "-", "00000", "99999-"} < zips
    assert any(re.fullmatch(r"\d{5}-", text) for text in zips)
    assert any(re.fullmatch(r"\d{9}", text) for text in zips)
    assert states["California"] > 0
    assert sum(count for name, count in states.items() if len(name) == 2) > 0.95 * COUNT


def test_employees_lie_within_the_size(rows):
    bounds = {CompanySize.MICRO: (1, 9), CompanySize.SMALL: (10, 49), CompanySize.MEDIUM: (50, 249)}
    for row in rows:
        text = row.cells[COLUMN["Number Employees"]]
        if row.company_size is CompanySize.UNKNOWN:
            assert not text
        else:
            low, high = bounds.get(row.company_size, (250, 500))
            assert low <= int(text) <= high


def test_names_of_one_firm_differ_now_and_then(firms, rows):
    spellings = {}
    for row in rows:
        spellings.setdefault(row.firm, set()).add(row.cells[COLUMN["Company"]])

    assert any(len(names) == 1 for place, names in spellings.items() if firms[place].awards > 1)
    assert any(len(names) > 3 for names in spellings.values())


def test_no_award_names_a_person():
    assert not [name for name in awards.AWARD_COLUMNS if "Contact" in name or "PI " in name]
