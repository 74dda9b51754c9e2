"""The columns that awards and recipients come with, under all names that they are known by.

Names are compared without case, blanks, underscores, hyphens and other punctuation. Where two
columns of a file mean the same field, the alias that is listed first wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sbir_gate.errors import InputError


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one sort of row: each with its aliases, best first; one of `needed` must be there."""

    what: str
    option: str
    aliases: Mapping[str, Sequence[str]]
    needed: tuple[str, ...] = ("name", "uei", "duns")


def _aliases(text: str) -> Mapping[str, Sequence[str]]:
    """Return the aliases of each field: one line is a field and its aliases."""
    return {field: names.split() for field, _, names in (line.partition(":") for line in text.splitlines())}


_UEI = "uei unique_entity_id unique_entity_identifier uei_sam sam_uei"
_DUNS = "duns duns_number duns_no"
_CITY = "city city_name"
_STATE = "state_code state state_abbreviation state_name"
_ZIP = "zip5 zip zip_code zipcode zip4 postal_code"

AWARDS = Layout(
    "awards",
    "--awards",
    _aliases(f"""\
award_id: award_id
name: company company_name firm firm_name small_business_name awardee_name
uei: {_UEI} company_uei firm_uei
duns: {_DUNS} company_duns firm_duns
city: {_CITY} company_city
state: {_STATE} company_state
zip: {_ZIP} company_zip
phase: phase award_phase program_phase
employees: number_employees number_of_employees employees num_employees employee_count
agency: agency agency_name awarding_agency_name
program: program program_name
year: award_year year"""),
)

RECIPIENTS = Layout(
    "recipients",
    "--recipients",
    _aliases(f"""\
recipient_id: recipient_id recipient_hash id
name: recipient_name legal_business_name recipient_legal_name awardee_or_recipient_legal vendor_name \
vendor_legal_organization_name entity_name legal_name name
uei: recipient_uei {_UEI} awardee_or_recipient_uei vendor_uei
duns: recipient_duns {_DUNS} awardee_or_recipient_uniqu recipient_unique_id vendor_duns
city: recipient_city_name recipient_city physical_address_city {_CITY}
state: recipient_state_code recipient_state vendor_state_code physical_address_province_or_state \
physical_address_state {_STATE} recipient_state_name
zip: recipient_zip_code recipient_zip_4_code recipient_zip physical_address_zippostal_code \
physical_address_zip_code physical_address_zip {_ZIP}"""),
)


def column_key(name: str) -> str:
    """Return a column's name as it is compared: lower-case letters and digits only."""
    return re.sub(r"[\W_]+", "", name.casefold())


def find_fields(layout: Layout, columns: Sequence[str]) -> dict[str, int]:
    """Return the index of the column of each field that `columns` hold."""
    positions: dict[str, int] = {}
    for index, column in enumerate(columns):
        positions.setdefault(column_key(column), index)
    fields = {}
    for field, aliases in layout.aliases.items():
        found = [positions[key] for key in map(column_key, aliases) if key in positions]
        if found:
            fields[field] = found[0]
    return fields


def require_fields(layout: Layout, columns: Sequence[str], file: str) -> dict[str, int]:
    """Return `find_fields`, or raise InputError when the file is not such a table."""
    fields = find_fields(layout, columns)
    other = RECIPIENTS if layout is AWARDS else AWARDS
    looks_swapped = "name" not in fields and "name" in find_fields(other, columns)
    if any(field in fields for field in layout.needed) and not looks_swapped:
        return fields
    needed = ", or ".join(_spelled(layout.aliases[field]) for field in layout.needed)
    shown = ", ".join(repr(column) for column in columns[:12]) + (", ..." if len(columns) > 12 else "")
    hint = (
        f"the columns are those of {other.what}: give the file to {other.option}"
        if looks_swapped
        else "rename a column to one of these; the first line of the file must be the header"
    )
    raise InputError(
        f"not a table of {layout.what}: columns found: {shown}; needed: {needed}", hint, path=file
    )


def _spelled(aliases: Sequence[str]) -> str:
    return " / ".join(aliases[:3])


def unique_names(columns: Sequence[str], reserved: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Return the columns' names made distinct without regard to case, and a warning for each change.

    A repeated or reserved name gets _2, _3, ...; an empty one becomes column_<number>.
    """
    taken = {name.casefold() for name in reserved}
    names, warnings = [], []
    for number, column in enumerate(columns, start=1):
        stem = " ".join(column.split()) or f"column_{number}"
        name, suffix = stem, 2
        while name.casefold() in taken:
            name, suffix = f"{stem}_{suffix}", suffix + 1
        if column.strip() and name != stem:
            warnings.append(f"column {number} {stem!r} is a name already taken: kept as {name!r}")
        taken.add(name.casefold())
        names.append(name)
    return names, warnings
