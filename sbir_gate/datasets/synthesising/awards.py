"""The award rows of SBIR.gov, with its columns, and the ways in which awards spell their firm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.corruption import drift_text, drift_words
from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.firms import Firm, identifier_types
from sbir_gate.datasets.synthesising.geography import geography
from sbir_gate.datasets.synthesising.vocabulary import vocabulary
from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD, World
from sbir_gate.model.records import CompanySize, IdentifierType, Phase

AWARD_COLUMNS = (
    "award_id", "Company", "Award Title", "Agency", "Branch", "Phase", "Program", "Agency Tracking Number",
    "Contract", "Proposal Award Date", "Contract End Date", "Solicitation Number", "Solicitation Year",
    "Topic Code", "Award Year", "Award Amount", "UEI", "Duns", "HUBZone Owned",
    "Socially and Economically Disadvantaged", "Women Owned", "Number Employees", "Company Website",
    "Address1", "Address2", "City", "State", "Zip", "Abstract",
)  # fmt: skip

# 227 repeated tracking numbers, 171 repeated contracts and 289 abstracts with newlines in 2,599 real rows.
REPEATED_TRACKING_SHARE = 227 / 2599
REPEATED_CONTRACT_SHARE = 171 / 2599
NEWLINE_SHARE = 289 / 2599
DUPLICATE_ROW_SHARE = 0.002
RESPELLED_SHARE = 0.12
OTHER_IDENTIFIERS_SHARE = 0.15

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
_PHASES = Weighted.of(((Phase.ONE, 58), (Phase.TWO, 33), (Phase.THREE, 3), (Phase.OTHER, 6)))
_PHASE_CELLS: Mapping[Phase, tuple[str, ...]] = {
    Phase.ONE: ("Phase I",),
    Phase.TWO: ("Phase II",),
    Phase.THREE: ("Phase III",),
    Phase.OTHER: ("", "Fast-Track", "Bridge"),
}
_LARGEST_AMOUNT = {Phase.ONE: 250_000, Phase.TWO: 1_900_000, Phase.THREE: 9_000_000, Phase.OTHER: 900_000}
_AGENCIES = Weighted.of((
    (("Department of Defense", "Air Force", "FA8650"), 18),
    (("Department of Defense", "Navy", "N68335"), 15),
    (("Department of Defense", "Army", "W911NF"), 12),
    (("Department of Defense", "Defense Advanced Research Projects Agency", "HR0011"), 4),
    (("Department of Health and Human Services", "National Institutes of Health", "1R43"), 26),
    (("National Science Foundation", "", "NSF"), 9),
    (("Department of Energy", "", "DE-SC00"), 8),
    (("National Aeronautics and Space Administration", "", "80NSSC"), 7),
    (("Department of Agriculture", "", "2021-33"), 2),
    (("Department of Homeland Security", "", "70RSAT"), 1),
))  # fmt: skip
_FIRST_DAY = date(2005, 1, 3)
_DAYS = 19 * 365
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AwardRow:
    """One award: its cells after the id, in the order of AWARD_COLUMNS; its firm's position; its strata."""

    cells: tuple[str, ...]
    firm: int
    phase: Phase
    company_size: CompanySize
    identifier_type: IdentifierType


def award_rows(
    draws: Draws, firms: Sequence[Firm], *, is_sample: bool, world: World = FIXTURE_WORLD
) -> list[AwardRow]:
    """Return the awards of these firms in random order; in a sample each keeps the strata it was dealt."""
    rows: list[AwardRow] = []
    for position, firm in enumerate(firms):
        rows += _rows_of(draws, firm, position, world, is_sample=is_sample)
    return draws.shuffled(rows)


def _rows_of(draws: Draws, firm: Firm, position: int, world: World, *, is_sample: bool) -> list[AwardRow]:
    name, address = spelled_name(draws, firm, world), address_cells(draws, firm)
    employees, website = employees_cell(draws, firm.company_size), _website(draws, firm)
    rows: list[AwardRow] = []
    tracking = contract = ""
    for number in range(firm.awards):
        if rows and draws.chance(DUPLICATE_ROW_SHARE):
            rows.append(rows[-1])
            continue
        phase = firm.first_phase if firm.first_phase and not number else draws.weighted(_PHASES)
        identifier_type = firm.identifier_type if is_sample else _identifier_type(draws, firm, world)
        agency, branch, prefix = draws.weighted(_AGENCIES)
        if not tracking or not draws.chance(REPEATED_TRACKING_SHARE):
            tracking = f"{draws.pick('ABFNT')}{draws.between(100, 249)}-{draws.below(10_000):04d}"
        if not contract or not draws.chance(REPEATED_CONTRACT_SHARE):
            contract = f"{prefix}-{draws.between(5, 24):02d}-C-{draws.below(10_000):04d}"
        cells = (
            spelled_name(draws, firm, world) if draws.chance(RESPELLED_SHARE) else name,
            *(_title(draws), agency, branch, draws.pick(_PHASE_CELLS[phase])),
            *("STTR" if draws.chance(0.15) else "SBIR", tracking, contract),
            *_calendar_cells(draws),
            _amount_cell(draws, draws.between(40_000, _LARGEST_AMOUNT[phase])),
            *identifier_cells(draws, firm, identifier_type),
            *("Y" if draws.chance(share) else draws.pick("NNNU") for share in (0.04, 0.08, 0.10)),
            *(employees, website, *address, _abstract(draws, name)),
        )
        rows.append(AwardRow(cells, position, phase, firm.company_size, identifier_type))
    return rows


def spelled_name(draws: Draws, firm: Firm, world: World = FIXTURE_WORLD) -> str:
    """Return the name with the punctuation, case and now and then the faults of an award."""
    words = firm.words
    if draws.chance(world.shares.award_words):
        words = drift_words(draws, words, is_distinctive=firm.is_distinctive)
    is_upper = draws.chance(UPPER_CASE_SHARE)
    shown = words if is_upper else tuple(word if len(word) <= 3 else word.capitalize() for word in words)
    text = " ".join(shown) + draws.weighted(_FORMS[firm.designator])
    if draws.chance(world.shares.award_text):
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


def _identifier_type(draws: Draws, firm: Firm, world: World) -> IdentifierType:
    """Let awards of one firm differ in their fields, except for firms that only an identifier identifies."""
    if firm.is_known_by_identifier_only or not draws.chance(OTHER_IDENTIFIERS_SHARE):
        return firm.identifier_type
    return draws.weighted(identifier_types(world))


def _title(draws: Draws) -> str:
    texts = vocabulary().texts
    subject, purpose = draws.pick(texts["subject"]), draws.pick(texts["purpose"])
    return f"{draws.pick(texts['quality']).capitalize()} {subject.capitalize()} for {purpose.capitalize()}"


def _abstract(draws: Draws, name: str) -> str:
    texts = vocabulary().texts
    first = f"{name} proposes {draws.pick(texts['quality'])}, affordable {draws.pick(texts['subject'])}."
    second = f'The work is "{draws.pick(texts["verb"]).lower()}" for {draws.pick(texts["purpose"])}.'
    return first + ("\n\n" if draws.chance(NEWLINE_SHARE) else " ") + second


def _website(draws: Draws, firm: Firm) -> str:
    if draws.chance(0.35):
        return ""
    return f"http://www.{''.join(filter(str.isalnum, firm.words[0])).lower()}.example"


def _calendar_cells(draws: Draws) -> tuple[str, str, str, str, str, str]:
    """Return award date, end date, solicitation number and year, topic code and award year."""
    start = _FIRST_DAY + timedelta(days=draws.below(_DAYS))
    end = start + timedelta(days=draws.pick((180, 270, 365, 730)))
    style = draws.below(20)
    year, release = start.year % 100, draws.between(1, 3)
    solicitation = f"{year:02d}.{release}"
    topic = f"{draws.pick(('AF', 'N', 'A', 'DHS', 'NIH'))}{year:02d}{release}-{draws.below(300):03d}"
    dates = (_date_cell(start, style), _date_cell(end, style))
    return *dates, solicitation, str(start.year), topic, str(start.year)


def _date_cell(day: date, style: int) -> str:
    """Spell the date in one of the five ways of SBIR.gov; `style` is 0 to 19."""
    if style < 10:
        return f"{day.month}/{day.day}/{day.year}"
    if style < 15:
        return f"{day.month:02d}/{day.day:02d}/{day.year}"
    if style < 17:
        return f"{day.month:02d}-{day.day:02d}-{day.year}"
    if style < 19:
        return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
    return ""


def _amount_cell(draws: Draws, dollars: int) -> str:
    spelled = (
        f"{dollars:,}",
        f"{dollars:,}",
        f"{dollars}.0",
        f"${dollars:,}.00",
        f"{dollars:,}.{draws.below(100):02d}",
    )
    return f"-${dollars:,}.00" if draws.chance(0.002) else draws.pick(spelled)
