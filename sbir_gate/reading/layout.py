"""The columns that awards and recipients come with, under all names that they are known by.

Names are compared without case, blanks, underscores, hyphens and other punctuation. Awards and recipients
know the same names. Where several columns of a file mean one field, each row takes the first of them that
holds a value: in the order of the names here, and of the file where it has one name twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sbir_gate.errors import InputError
from sbir_gate.model.matches import ENRICHED_COLUMNS

Fields = Mapping[str, tuple[int, ...]]
"""The indexes of the columns of each field, the one that is asked first in front."""

NAME, UEI, DUNS = "name", "uei", "duns"
IDENTIFIERS = (UEI, DUNS)


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one sort of row: each with its names in tiers, best first; one of `needed` must be there.

    A tier counts only where a file has no column of the tiers before: `zip4` is the zip code of a file that
    has no other, and a mere suffix beside `zip5`. Under `own_names` only this sort of row has its name.
    """

    what: str
    option: str
    names: Mapping[str, Sequence[Sequence[str]]]
    own_names: str
    needed: tuple[str, ...] = (NAME, *IDENTIFIERS)


def _names(text: str) -> Mapping[str, Sequence[Sequence[str]]]:
    """Return the names of each field: one line is a field and its tiers, with a bar between them."""
    return {
        field.strip(): [tier.split() for tier in tiers.split("|")]
        for field, _, tiers in (line.partition(":") for line in text.splitlines())
    }


# SAM's spellings come from its data dictionary and its API, USAspending's from its downloads and its DATA Act
# files, FPDS's from its feed
_UEI = (
    "uei unique_entity_id unique_entity_identifier uei_sam sam_uei unique_entity_identifier_sam "
    "unique_entity_id_sam uei_number entity_registration_uei_sam"
)
_DUNS = (
    "duns duns_number duns_no duns_plus4 duns_plus_4 duns_4 sam_duns unique_entity_identifier_duns "
    "unique_entity_id_duns uei_duns entity_registration_uei_duns"
)
_CITY = "city city_name"
_STATE = "state_code state state_abbreviation state_name"
_ZIP = "zip5 zip zip_code zipcode postal_code zip_postal_code zip_5"

_AWARDEE = {
    NAME: "company company_name firm firm_name small_business_name awardee_name awardee organization_name "
    "org_name",
    UEI: "company_uei firm_uei awardee_uei organization_uei org_uei",
    DUNS: "company_duns firm_duns awardee_duns organization_duns org_duns",
    "city": "company_city firm_city organization_city org_city",
    "state": "company_state firm_state organization_state org_state",
    "zip": "company_zip firm_zip organization_zip org_zipcode",
}
_RECIPIENT = {
    NAME: "recipient_name legal_business_name recipient_legal_name awardee_or_recipient_legal "
    "awardee_or_recipient_legal_entity_name vendor_name vendor_legal_organization_name "
    "uei_legal_business_name entity_name legal_name entity_registration_legal_business_name",
    UEI: "recipient_uei awardee_or_recipient_uei vendor_uei vendor_uei_number entity_uei",
    DUNS: "recipient_duns recipient_duns_number awardee_or_recipient_duns awardee_or_recipient_uniqu "
    "awardee_or_recipient_unique_identifier recipient_unique_id vendor_duns vendor_duns_number entity_duns",
    "city": "recipient_city_name recipient_city physical_address_city legal_entity_city_name "
    "vendor_address_city vendor_city entity_city core_data_physical_address_city sam_city",
    "state": "recipient_state_code recipient_state vendor_state_code vendor_state "
    "physical_address_province_or_state physical_address_state legal_entity_state_code entity_state "
    "core_data_physical_address_state_or_province_code sam_province_or_state",
    "zip": "recipient_zip_code recipient_zip_4_code recipient_zip physical_address_zippostal_code "
    "physical_address_zip_code physical_address_zip legal_entity_zip5 vendor_zip_code entity_zip_code "
    "core_data_physical_address_zip_code sam_zip_postal_code",
}

AWARDS = Layout(
    "awards",
    "--awards",
    _names(f"""\
award_id: award_id
name: {_AWARDEE[NAME]} {_RECIPIENT[NAME]} name
uei: {_UEI} {_AWARDEE[UEI]} {_RECIPIENT[UEI]}
duns: {_DUNS} {_AWARDEE[DUNS]} {_RECIPIENT[DUNS]}
city: {_CITY} {_AWARDEE["city"]} {_RECIPIENT["city"]}
state: {_STATE} {_AWARDEE["state"]} {_RECIPIENT["state"]}
zip: {_ZIP} {_AWARDEE["zip"]} {_RECIPIENT["zip"]} | zip4
phase: phase award_phase program_phase
employees: number_employees number_of_employees employees num_employees employee_count
agency: agency agency_name awarding_agency_name
program: program program_name
year: award_year year"""),
    own_names=_AWARDEE[NAME],
)

RECIPIENTS = Layout(
    "recipients",
    "--recipients",
    _names(f"""\
recipient_id: recipient_id | recipient_hash | id
name: {_RECIPIENT[NAME]} {_AWARDEE[NAME]} name
uei: {_RECIPIENT[UEI]} {_UEI} {_AWARDEE[UEI]}
duns: {_RECIPIENT[DUNS]} {_DUNS} {_AWARDEE[DUNS]}
city: {_RECIPIENT["city"]} {_CITY} {_AWARDEE["city"]}
state: {_RECIPIENT["state"]} {_STATE} recipient_state_name | {_AWARDEE["state"]}
zip: {_RECIPIENT["zip"]} {_ZIP} {_AWARDEE["zip"]} | zip4"""),
    own_names=f"{_RECIPIENT[NAME]} name",
)

# columns that only a table of awards has
_OF_AWARDS = frozenset({
    "awardid", "awardtitle", "awardyear", "phase", "awardphase", "programphase", "numberemployees",
    "numberofemployees", "agencytrackingnumber", "awardidpiid", "awardidfain", "contractawarduniquekey",
    "assistanceawarduniquekey",
})  # fmt: skip
# what an enriched file holds of its recipients does not describe its awards
_ENRICHED_MARK = "matchmethod"


def column_key(name: str) -> str:
    """Return a column's name as it is compared: lower-case letters and digits only."""
    return re.sub(r"[\W_]+", "", name.casefold())


_ENRICHED_KEYS = frozenset(map(column_key, ENRICHED_COLUMNS))


def find_fields(layout: Layout, columns: Sequence[str]) -> Fields:
    """Return the indexes of the columns of each field that `columns` hold."""
    positions: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        positions.setdefault(column_key(column), []).append(index)
    if layout is AWARDS and _ENRICHED_MARK in positions:
        positions = {key: found for key, found in positions.items() if key not in _ENRICHED_KEYS}
    fields: dict[str, tuple[int, ...]] = {}
    for field, tiers in layout.names.items():
        for tier in tiers:
            found = [
                index for key in dict.fromkeys(map(column_key, tier)) for index in positions.get(key, ())
            ]
            if found:
                fields[field] = tuple(found)
                break
    return fields


def looks_like_header(cells: Sequence[str]) -> bool:
    """Say whether cells name a column that awards or recipients need."""
    fields = (find_fields(layout, cells) for layout in (AWARDS, RECIPIENTS))
    return any(not found.keys().isdisjoint(AWARDS.needed) for found in fields)


def columns_of(fields: Fields) -> list[int]:
    """Return the indexes of all columns that the fields are read from, in the order of the file."""
    return sorted({index for found in fields.values() for index in found})


def require_fields(layout: Layout, columns: Sequence[str], file: str) -> Fields:
    """Return `find_fields`, or raise InputError when the file is not such a table."""
    fields = find_fields(layout, columns)
    other = RECIPIENTS if layout is AWARDS else AWARDS
    looks_swapped = _looks_swapped(layout, other, columns)
    if any(field in fields for field in layout.needed) and not looks_swapped:
        return fields
    needed = ", or ".join(_spelled(layout.names[field][0]) for field in layout.needed)
    shown = ", ".join(repr(column) for column in columns[:12]) + (", ..." if len(columns) > 12 else "")
    hint = (
        f"the columns are those of {other.what}: give the file to {other.option}"
        if looks_swapped
        else "rename a column to one of these; the first line of the file must be the header"
    )
    raise InputError(
        f"not a table of {layout.what}: columns found: {shown}; needed: {needed}", hint, path=file
    )


def _looks_swapped(layout: Layout, other: Layout, columns: Sequence[str]) -> bool:
    """Say whether the name is spelled as the other layout does, and the rest speaks for it too.

    Awards and recipients share their spellings, but only awards have a phase, a title or an award year.
    """
    keys = set(map(column_key, columns))

    def has_name_of(which: Layout) -> bool:
        return not keys.isdisjoint(map(column_key, which.own_names.split()))

    if has_name_of(layout) or not has_name_of(other):
        return False
    return keys.isdisjoint(_OF_AWARDS) == (layout is AWARDS)


def _spelled(aliases: Iterable[str]) -> str:
    return " / ".join(list(aliases)[:3])


@dataclass(frozen=True, slots=True)
class Renamed:
    """A column that is kept under another name, for its own was taken: its number from 1, and both names."""

    number: int
    stem: str
    name: str


def unique_names(columns: Sequence[str], reserved: Sequence[str] = ()) -> tuple[list[str], list[Renamed]]:
    """Return the columns' names made distinct without regard to case, and each change.

    A repeated or reserved name gets _2, _3, ...; an empty one becomes column_<number>.
    """
    taken = {name.casefold() for name in reserved}
    names, renamed = [], []
    for number, column in enumerate(columns, start=1):
        stem = " ".join(column.split()) or f"column_{number}"
        name, suffix = stem, 2
        while name.casefold() in taken:
            name, suffix = f"{stem}_{suffix}", suffix + 1
        if column.strip() and name != stem:
            renamed.append(Renamed(number, stem, name))
        taken.add(name.casefold())
        names.append(name)
    return names, renamed
