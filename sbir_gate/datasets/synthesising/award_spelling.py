"""How awards spell what they say of their firm: its name, identifiers, address and size."""

from __future__ import annotations

from collections.abc import Mapping

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.corruption import drift_text, drift_words
from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.firms import Firm
from sbir_gate.datasets.synthesising.geography import geography
from sbir_gate.model.records import CompanySize, IdentifierType

WORD_DRIFT_SHARE = 0.02
TEXT_DRIFT_SHARE = 0.05
UPPER_CASE_SHARE = 0.40
STATE_NAME_SHARE = 0.015
CUT_CITY_SHARE = 0.10

_FORMS: Mapping[str, Weighted[str]] = {
    "INC": Weighted.of((
        (", Inc.", 42), (", INC.", 16), (" Inc.", 12), (" Inc", 9),
        ("  INC", 6), (", Incorporated", 3), ("", 8),
    )),
    "LLC": Weighted.of((
        (", LLC", 50), (" LLC", 24), (", L.L.C.", 6), ("  LLC", 6),
        (", Limited Liability Company", 2), ("", 8),
    )),
    "CORP": Weighted.of(((" Corporation", 40), (" Corp.", 35), (" Corp", 20), ("", 8))),
    "CO": Weighted.of(((" Company", 50), (" Co.", 40))),
    "LTD": Weighted.of(((", Ltd.", 60), (" Limited", 20), (" LTD", 20))),
    "LP": Weighted.of(((", LP", 60), (", L.P.", 40))),
}  # fmt: skip
_ZIP_STYLES = Weighted.of((
    ("five", 52), ("plus four", 36), ("nine", 5), ("hyphen", 2), ("", 2),
    ("-", 1), ("00000", 1), ("99999-", 1),
))  # fmt: skip
_EMPLOYEES: Mapping[CompanySize, tuple[int, int]] = {
    CompanySize.MICRO: (1, 9),
    CompanySize.SMALL: (10, 49),
    CompanySize.MEDIUM: (50, 249),
    CompanySize.LARGE: (250, 500),
}


def spelled_name(draws: Draws, firm: Firm) -> str:
    """Return the name with the punctuation, case and now and then the faults of an award."""
    words = firm.words
    if draws.chance(WORD_DRIFT_SHARE):
        words = drift_words(draws, words, is_distinctive=firm.is_distinctive)
    is_upper = draws.chance(UPPER_CASE_SHARE)
    shown = words if is_upper else tuple(word if len(word) <= 3 else word.capitalize() for word in words)
    text = " ".join(shown) + draws.weighted(_FORMS[firm.designator])
    if draws.chance(TEXT_DRIFT_SHARE):
        text = drift_text(draws, text)
    return text.upper() if is_upper else text


def identifier_cells(draws: Draws, firm: Firm, identifier_type: IdentifierType) -> tuple[str, str]:
    """Return the cells of UEI and DUNS; those that the award lacks are blank or a placeholder."""
    has_uei = identifier_type in (IdentifierType.BOTH, IdentifierType.UEI_ONLY)
    has_duns = identifier_type in (IdentifierType.BOTH, IdentifierType.DUNS_ONLY)
    return (
        identifiers.uei_cell(draws, firm.uei) if has_uei else draws.weighted(identifiers.MISSING_UEI),
        identifiers.duns_cell(draws, firm.duns) if has_duns else draws.weighted(identifiers.MISSING_DUNS),
    )


def address_cells(draws: Draws, firm: Firm) -> tuple[str, str, str, str, str]:
    """Return Address1, Address2, City, State, Zip."""
    city = firm.place.city.upper() if draws.chance(0.3) else firm.place.city
    if draws.chance(CUT_CITY_SHARE):
        city = city[: draws.between(14, 17)].rstrip()
    state = firm.place.state
    if draws.chance(STATE_NAME_SHARE):
        state = geography().state_names[state]
    suite = f"Suite {draws.between(100, 999)}" if draws.chance(0.3) else ""
    return firm.street, suite, city, state, _zip_cell(draws, firm.zip_code)


def employees_cell(draws: Draws, company_size: CompanySize) -> str:
    """Return a number of employees within the size, blank where it is unknown."""
    if company_size is CompanySize.UNKNOWN:
        return ""
    return str(draws.between(*_EMPLOYEES[company_size]))


def _zip_cell(draws: Draws, zip_: str) -> str:
    style, four = draws.weighted(_ZIP_STYLES), f"{draws.between(1, 9999):04d}"
    spelled = {"five": zip_, "plus four": f"{zip_}-{four}", "nine": zip_ + four, "hyphen": f"{zip_}-"}
    return spelled.get(style, style)
