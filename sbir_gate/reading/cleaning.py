"""SQL expressions that turn a raw text column into a clean value, NULL where nothing is known.

Each function takes an SQL expression of type VARCHAR and returns another; nothing is executed here.
`name_text` and `city` call the function of `spelling.register_repair`.
"""

from __future__ import annotations

from sbir_gate.reading.spelling import DAMAGE_PATTERN, REPAIR_FUNCTION

PLACEHOLDERS = ("N/A", "N.A.", "NA", "NAN", "NONE", "NULL", "UNKNOWN", "#N/A", "TBD")
_DUNS_PLACEHOLDERS = ("123456789", "987654321")
# white space, the no-break space, zero-width space and joiners
_BLANKS = r"[\s\x{0085}\x{00A0}\x{1680}\x{2000}-\x{200D}\x{2028}\x{2029}\x{202F}\x{205F}\x{2060}\x{3000}]+"

# USPS Publication 28, appendix B: states, districts, territories, freely associated states, military
STATES = {
    "AL": "ALABAMA", "AK": "ALASKA", "AZ": "ARIZONA", "AR": "ARKANSAS", "CA": "CALIFORNIA",
    "CO": "COLORADO", "CT": "CONNECTICUT", "DE": "DELAWARE", "DC": "DISTRICT OF COLUMBIA",
    "FL": "FLORIDA", "GA": "GEORGIA", "HI": "HAWAII", "ID": "IDAHO", "IL": "ILLINOIS",
    "IN": "INDIANA", "IA": "IOWA", "KS": "KANSAS", "KY": "KENTUCKY", "LA": "LOUISIANA",
    "ME": "MAINE", "MD": "MARYLAND", "MA": "MASSACHUSETTS", "MI": "MICHIGAN", "MN": "MINNESOTA",
    "MS": "MISSISSIPPI", "MO": "MISSOURI", "MT": "MONTANA", "NE": "NEBRASKA", "NV": "NEVADA",
    "NH": "NEW HAMPSHIRE", "NJ": "NEW JERSEY", "NM": "NEW MEXICO", "NY": "NEW YORK",
    "NC": "NORTH CAROLINA", "ND": "NORTH DAKOTA", "OH": "OHIO", "OK": "OKLAHOMA", "OR": "OREGON",
    "PA": "PENNSYLVANIA", "RI": "RHODE ISLAND", "SC": "SOUTH CAROLINA", "SD": "SOUTH DAKOTA",
    "TN": "TENNESSEE", "TX": "TEXAS", "UT": "UTAH", "VT": "VERMONT", "VA": "VIRGINIA",
    "WA": "WASHINGTON", "WV": "WEST VIRGINIA", "WI": "WISCONSIN", "WY": "WYOMING",
    "AS": "AMERICAN SAMOA", "GU": "GUAM", "MP": "NORTHERN MARIANA ISLANDS", "PR": "PUERTO RICO",
    "VI": "VIRGIN ISLANDS", "FM": "FEDERATED STATES OF MICRONESIA", "MH": "MARSHALL ISLANDS",
    "PW": "PALAU", "AA": "ARMED FORCES AMERICAS", "AE": "ARMED FORCES EUROPE", "AP": "ARMED FORCES PACIFIC",
}  # fmt: skip -- one line per state says no more
_STATE_SYNONYMS = {"U.S. VIRGIN ISLANDS": "VI", "US VIRGIN ISLANDS": "VI", "WASHINGTON DC": "DC"}


def literal(text: str) -> str:
    """Return the text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def name_text(column: str) -> str:
    """Text with blanks collapsed and its spelling repaired; NULL for placeholders and without a letter or digit."""
    repaired = (
        f"CASE WHEN regexp_matches({column}, {literal(DAMAGE_PATTERN)}) "
        f"THEN {REPAIR_FUNCTION}({column}) ELSE {column} END"
    )
    return _known(_collapsed(repaired))


def city(column: str) -> str:
    """Upper-case city, cleaned like a name."""
    return f"upper({name_text(column)})"


def uei(column: str) -> str:
    """Unique Entity Identifier: 12 capital letters and digits without O and I, the first a letter.

    Source: GSA's UEI technical specification; in 14,451 real ones none breaks the rule.
    """
    bare = f"upper(regexp_replace({column}, {literal(_BLANKS + '|[-' + chr(39) + chr(34) + ']')}, '', 'g'))"
    return (
        f"CASE WHEN regexp_full_match({bare}, '[A-HJ-NP-Z][A-HJ-NP-Z0-9]{{11}}') "
        f"AND replace({bare}, left({bare}, 1), '') <> '' THEN {bare} END"
    )


def duns(column: str) -> str:
    """DUNS numbers: 9 digits each, several separated by one blank in source order; NULL for none.

    Apostrophes, hyphens and `.0` are dropped, lost leading zeros (7 or 8 digits) put back, the
    4-digit suffix of DUNS+4 cut off. Placeholders and scientific notation, whose digits are lost,
    are nothing.
    """
    text = f"regexp_replace({column}, '[''\"]', '', 'g')"
    tokens = f"string_split_regex(trim({text}), '[;,/|\\s]+')"
    numbers = f"list_transform({tokens}, lambda token: {_one_duns('token')})"
    distinct = (
        f"list_filter({numbers}, lambda number, place: "
        f"number IS NOT NULL AND list_position({numbers}, number) = place)"
    )
    listed = f"nullif(array_to_string({distinct}, ' '), '')"
    return (
        f"CASE WHEN regexp_full_match({column}, '[0-9]{{9}}') THEN {_real_duns(column)} "
        f"WHEN regexp_matches({column}, '[0-9]') THEN {listed} END"
    )


def state(column: str) -> str:
    """Two-letter USPS code from a code, a spelled-out name, or `TX: TEXAS`."""
    text = f"upper({_collapsed(column)})"
    short = f"left(replace({text}, '.', ''), 2)"
    is_code = f"regexp_full_match({text}, '[A-Z][.]?[A-Z][.]?(:.*)?')"
    codes = ", ".join(literal(code) for code in STATES)
    spelled = {name: code for code, name in STATES.items()} | _STATE_SYNONYMS
    names = " ".join(f"WHEN {literal(name)} THEN {literal(code)}" for name, code in spelled.items())
    return f"CASE WHEN {is_code} THEN CASE WHEN {short} IN ({codes}) THEN {short} END ELSE CASE {text} {names} END END"


def zip5(column: str) -> str:
    """Five-digit ZIP code from ZIP, ZIP+4 (with or without hyphen), or one whose leading zero was lost."""
    bare = f"regexp_replace(regexp_replace({column}, '[''\"\\s]', '', 'g'), '([.]0+|-[0-9]{{0,4}})$', '')"
    padded = (
        f"CASE WHEN regexp_full_match({bare}, '[0-9]{{9}}|[0-9]{{5}}') THEN left({bare}, 5) "
        f"WHEN regexp_full_match({bare}, '[0-9]{{8}}|[0-9]{{4}}') THEN '0' || left({bare}, 4) END"
    )
    return f"nullif(nullif({padded}, '00000'), '99999')"


def phase(column: str) -> str:
    """SBIR phase as `model.records.Phase` spells it: I, II, III or other."""
    found = f"regexp_extract(upper({column}), '(?:^|[^A-Z0-9])(III|II|I|[123])[AB]?(?:$|[^A-Z0-9])', 1)"
    return (
        f"CASE coalesce({found}, '') WHEN 'I' THEN 'I' WHEN '1' THEN 'I' WHEN 'II' THEN 'II' "
        "WHEN '2' THEN 'II' WHEN 'III' THEN 'III' WHEN '3' THEN 'III' ELSE 'other' END"
    )


def company_size(column: str) -> str:
    """Size of a firm as `model.records.CompanySize` spells it, from its number of employees."""
    bare = f"replace(trim({column}), ',', '')"
    number = f"CASE WHEN regexp_full_match({bare}, '[0-9]{{1,9}}([.][0-9]*)?') THEN {bare}::DOUBLE END"
    return (
        f"CASE WHEN ({number}) < 10 THEN 'micro' WHEN ({number}) < 50 THEN 'small' "
        f"WHEN ({number}) < 250 THEN 'medium' WHEN ({number}) >= 250 THEN 'large' ELSE 'unknown' END"
    )


def identifier_type(uei_column: str, duns_column: str) -> str:
    """Which clean identifiers there are, as `model.records.IdentifierType` spells it."""
    return (
        f"CASE WHEN {uei_column} IS NOT NULL AND {duns_column} IS NOT NULL THEN 'both' "
        f"WHEN {uei_column} IS NOT NULL THEN 'uei-only' WHEN {duns_column} IS NOT NULL THEN 'duns-only' "
        "ELSE 'neither' END"
    )


def short_hash(expression: str) -> str:
    """16 hexadecimal digits of the MD5 of a text."""
    return f"left(md5({expression}), 16)"


def _collapsed(column: str) -> str:
    return f"trim(regexp_replace({column}, {literal(_BLANKS)}, ' ', 'g'))"


def _known(text: str) -> str:
    placeholders = ", ".join(literal(word) for word in PLACEHOLDERS)
    return (
        f"CASE WHEN upper({text}) NOT IN ({placeholders}) "
        f"AND regexp_matches({text}, '[\\p{{L}}\\p{{N}}]') THEN {text} END"
    )


def _one_duns(token: str) -> str:
    bare = f"replace(regexp_replace({token}, '[.]0*$', ''), '-', '')"
    return _real_duns(
        f"CASE WHEN regexp_full_match({bare}, '[0-9]{{7,9}}') THEN lpad({bare}, 9, '0') "
        f"WHEN regexp_full_match({bare}, '[0-9]{{13}}') THEN left({bare}, 9) END"
    )


def _real_duns(digits: str) -> str:
    placeholders = ", ".join(literal(number) for number in _DUNS_PLACEHOLDERS)
    return (
        f"CASE WHEN ({digits}) NOT IN ({placeholders}) "
        f"AND replace(({digits}), left(({digits}), 1), '') <> '' THEN ({digits}) END"
    )
