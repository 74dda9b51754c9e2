"""SQL expressions that turn a raw text column into a clean value, NULL where nothing is known.

Each function takes an SQL expression of type VARCHAR and returns another; nothing is executed here.
`name_text` and `city` call the function of `spelling.register_repair`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sbir_gate.reading.spelling import PLACEHOLDER_FIRMS, PLACEHOLDERS, REPAIR_FUNCTION
from sbir_gate.sql_text import literal

# plain ASCII that starts with a letter or digit, has only blanks inside, and no semicolon (which would
# end an HTML entity): nothing to repair but double blanks. Most cells are like that, and this test is cheap;
# of a long text a search between anchors takes less time than a full match
_ORDINARY = "^[A-Za-z0-9](?: *[!-:<-~])*$"
# white space, the no-break space, zero-width space and joiners
_BLANKS = r"[\s\x{0085}\x{00A0}\x{1680}\x{2000}-\x{200D}\x{2028}\x{2029}\x{202F}\x{205F}\x{2060}\x{3000}]+"
# what Python's `strip` takes off: the no-break space and its like too, but no character of zero width
_AROUND_IDS = "".join(filter(str.isspace, map(chr, range(0x3001))))
_UEI = "[A-HJ-NP-Z1-9][A-HJ-NP-Z0-9]{11}"
_NO_UEI = "[0-9]{9}|^(?:" + "|".join(f"{letter}+" for letter in "ABCDEFGHJKLMNPQRSTUVWXYZ") + ")$"
# a longer text names no firm, and dropping repeats takes as long as the square of how many numbers it has
_LONGEST_DUNS = 1_000
_NO_DUNS = "|".join([f"{digit}{{9}}" for digit in "0123456789"] + ["123456789", "987654321"])
# what stands where there is no identifier, in lower case and without marks and blanks
_NO_IDENTIFIER = "|".join(
    ["0+", "9+", "x+", _NO_DUNS, *sorted({re.sub(r"[^a-z/#]", "", text) for text in PLACEHOLDERS})]
)

# USPS Publication 28, appendix B: states, districts, territories, freely associated states, military
_STATES = """
AL ALABAMA, AK ALASKA, AZ ARIZONA, AR ARKANSAS, CA CALIFORNIA, CO COLORADO, CT CONNECTICUT,
DE DELAWARE, DC DISTRICT OF COLUMBIA, FL FLORIDA, GA GEORGIA, HI HAWAII, ID IDAHO, IL ILLINOIS,
IN INDIANA, IA IOWA, KS KANSAS, KY KENTUCKY, LA LOUISIANA, ME MAINE, MD MARYLAND, MA MASSACHUSETTS,
MI MICHIGAN, MN MINNESOTA, MS MISSISSIPPI, MO MISSOURI, MT MONTANA, NE NEBRASKA, NV NEVADA,
NH NEW HAMPSHIRE, NJ NEW JERSEY, NM NEW MEXICO, NY NEW YORK, NC NORTH CAROLINA, ND NORTH DAKOTA,
OH OHIO, OK OKLAHOMA, OR OREGON, PA PENNSYLVANIA, RI RHODE ISLAND, SC SOUTH CAROLINA,
SD SOUTH DAKOTA, TN TENNESSEE, TX TEXAS, UT UTAH, VT VERMONT, VA VIRGINIA, WA WASHINGTON,
WV WEST VIRGINIA, WI WISCONSIN, WY WYOMING, AS AMERICAN SAMOA, GU GUAM,
MP NORTHERN MARIANA ISLANDS, PR PUERTO RICO, VI VIRGIN ISLANDS, FM FEDERATED STATES OF MICRONESIA,
MH MARSHALL ISLANDS, PW PALAU, AA ARMED FORCES AMERICAS, AE ARMED FORCES EUROPE,
AP ARMED FORCES PACIFIC
"""
STATES = dict(pair.split(" ", 1) for pair in re.split(r",\s+", _STATES.strip()))
_STATE_SYNONYMS = {"US VIRGIN ISLANDS": "VI", "WASHINGTON DC": "DC"}


def own_id(column: str) -> str:
    """Id from the source without blanks around it; NULL if nothing is left."""
    # DuckDB takes ten times as long to trim characters beyond ASCII as to see that there are none around
    trimmed = f"nullif(trim({column}, {literal(_AROUND_IDS)}), '')"
    return f"CASE WHEN regexp_full_match({column}, '[!-~]+') THEN {column} ELSE {trimmed} END"


def name_text(column: str) -> str:
    """Text with single blanks and repaired spelling; NULL for placeholders and without a letter or digit."""
    # the branches go from common to rare: each row pays only for what it needs. The last one is a call,
    # because DuckDB would evaluate an expression in a branch twice for every row
    squeezed = (
        f"CASE WHEN contains({column}, '   ') THEN regexp_replace({column}, ' {{2,}}', ' ', 'g') "
        f"ELSE replace({column}, '  ', ' ') END"
    )
    # most texts are longer than a placeholder, which is seen without looking at them
    longest = max(map(len, PLACEHOLDERS))
    is_named = f"(strlen({column}) > {longest} OR NOT {_is_one_of(f'lower({column})', PLACEHOLDERS)})"
    return (
        f"CASE WHEN {column} IS NULL THEN NULL "
        f"WHEN regexp_matches({column}, {literal(_ORDINARY)}) AND {is_named} "
        f"THEN CASE WHEN contains({column}, '  ') THEN {squeezed} ELSE {column} END "
        f"ELSE {REPAIR_FUNCTION}({column}) END"
    )


def city(column: str) -> str:
    """Upper-case city, cleaned like a name."""
    return f"upper({name_text(column)})"


def uei(column: str) -> str:
    """Unique Entity Identifier: 12 capital letters and digits without O and I, the first not a zero.

    Nine digits in a row do not occur: they would be taken for a DUNS or a taxpayer's number. Source: the rule
    that GSA publishes for UEIs; of 14,451 real ones none breaks it.
    """
    marks = literal(_BLANKS + "|[-'\"]")

    def is_valid(text: str) -> str:
        return (
            f"regexp_full_match({text}, {literal(_UEI)}) AND NOT regexp_matches({text}, {literal(_NO_UEI)})"
        )

    found = _let(
        f"upper(regexp_replace({column}, {marks}, '', 'g'))",
        lambda text: f"CASE WHEN {is_valid(text)} THEN {text} END",
    )
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {is_valid(column)} THEN {column} ELSE {found} END"


def duns(column: str) -> str:
    """DUNS numbers: 9 digits each, several separated by one blank in source order; NULL for none.

    Apostrophes, hyphens and `.0` are dropped, lost leading zeros (7 or 8 digits) put back, the
    4-digit suffix of DUNS+4 cut off. Placeholders and scientific notation, whose digits are lost,
    are nothing, and so is a text of more than 1,000 bytes.
    """
    is_clean = (
        f"regexp_full_match({column}, '[0-9]{{9}}') AND NOT regexp_full_match({column}, {literal(_NO_DUNS)})"
    )
    marks = literal(r"""['"-]|\.0+\b""")
    tokens = f"string_split_regex(trim(regexp_replace({column}, {marks}, '', 'g')), '[;,/|\\s]+')"
    numbers = (
        f"list_filter(list_transform({tokens}, lambda token: "
        "CASE WHEN regexp_full_match(token, '[0-9]{7,9}') THEN lpad(token, 9, '0') "
        "WHEN regexp_full_match(token, '[0-9]{13}') THEN left(token, 9) END), "
        f"lambda number: NOT regexp_full_match(number, {literal(_NO_DUNS)}))"
    )
    listed = _let(
        numbers,
        lambda all_: (
            f"nullif(array_to_string(list_filter({all_}, lambda number, place: "
            f"list_position({all_}, number) = place), ' '), '')"
        ),
    )
    has_digits = f"regexp_matches({column}, '[0-9]{{7}}|[0-9]-')"
    return (
        f"CASE WHEN {column} IS NULL THEN NULL WHEN {is_clean} THEN {column} "
        f"WHEN strlen({column}) <= {_LONGEST_DUNS} AND {has_digits} THEN {listed} END"
    )


def state(column: str) -> str:
    """Two-letter USPS code from a code, a spelled-out name, or `TX: TEXAS`."""
    known = {code: code for code in STATES} | {name: code for code, name in STATES.items()} | _STATE_SYNONYMS
    # one literal to search is far quicker to plan than a CASE of 120 branches
    table = literal("|" + "|".join(f"{name}={code}" for name, code in known.items()) + "|")
    is_clean = f"regexp_full_match({column}, {literal('|'.join(STATES))})"
    bare = f"upper(regexp_replace(replace({_collapsed(column)}, '.', ''), ' *:.*$|[|=]', ''))"
    found = _let(
        bare,
        lambda text: (
            f"CASE WHEN strpos({table}, '|' || {text} || '=') > 0 "
            f"THEN substr({table}, strpos({table}, '|' || {text} || '=') + length({text}) + 2, 2) END"
        ),
    )
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {is_clean} THEN {column} ELSE {found} END"


def zip5(column: str) -> str:
    """Five-digit ZIP code from ZIP, ZIP+4 (with or without hyphen), or one whose leading zero was lost."""
    marks = literal(r"""['"\s]|(?:\.0+|-[0-9]{0,4})['"\s]*$""")
    is_clean = (
        f"{column} >= '00001' AND {column} < '99999' AND "
        f"regexp_full_match({column}, '[0-9]{{5}}(-[0-9]{{4}})?')"
    )
    found = _let(
        f"regexp_replace({column}, {marks}, '', 'g')",
        lambda text: (
            "nullif(nullif("
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{9}}|[0-9]{{5}}') THEN left({text}, 5) "
            f"WHEN regexp_full_match({text}, '[0-9]{{8}}|[0-9]{{4}}') THEN '0' || left({text}, 4) END, "
            "'00000'), '99999')"
        ),
    )
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {is_clean} THEN left({column}, 5) ELSE {found} END"


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
    return _let(
        f"CASE WHEN regexp_full_match({bare}, '[0-9]{{1,9}}([.][0-9]*)?') THEN {bare}::DOUBLE END",
        lambda number: (
            f"CASE WHEN {number} < 10 THEN 'micro' WHEN {number} < 50 THEN 'small' "
            f"WHEN {number} < 250 THEN 'medium' WHEN {number} >= 250 THEN 'large' ELSE 'unknown' END"
        ),
    )


def identifier_type(uei_column: str, duns_column: str) -> str:
    """Which clean identifiers there are, as `model.records.IdentifierType` spells it."""
    return (
        f"CASE WHEN {uei_column} IS NOT NULL AND {duns_column} IS NOT NULL THEN 'both' "
        f"WHEN {uei_column} IS NOT NULL THEN 'uei-only' WHEN {duns_column} IS NOT NULL THEN 'duns-only' "
        "ELSE 'neither' END"
    )


def is_placeholder(name_column: str, clean_name: str) -> str:
    """Say whether the cell of a name holds text that names no one: "n/a", or "MULTIPLE RECIPIENTS"."""
    return (
        f"(coalesce({clean_name} IS NULL AND regexp_matches({name_column}, '[[:alnum:]]'), false) "
        f"OR {is_placeholder_firm(clean_name)})"
    )


def is_placeholder_firm(clean_name: str) -> str:
    """Say whether a clean name is that of many firms or of none: it matches nothing."""
    return f"coalesce({_is_one_of(f'upper({clean_name})', PLACEHOLDER_FIRMS)}, false)"


def unused_reason(text: str, clean: str) -> str:
    """Why the identifier in a text is not used, as `model.chunks.Remark` spells it; good ones are generic."""
    bare = f"regexp_replace(lower({text}), '[^a-z0-9/#]|[.]0+$', '', 'g')"
    nothing = f"regexp_full_match({bare}, {literal(_NO_IDENTIFIER)})"
    return (
        f"CASE WHEN {clean} IS NOT NULL THEN 'generic' WHEN {nothing} THEN 'placeholder' ELSE 'bad-form' END"
    )


def label(column: str) -> str:
    """Name of a group of awards (an agency, a program): one line of at most 80 characters; NULL for none."""
    return f"left({name_text(column)}, 80)"


def year(column: str) -> str:
    """Year of four digits, as text: the first in the cell; NULL for none."""
    return f"nullif(regexp_extract({column}, '(?:^|[^0-9])((?:19|20)[0-9]{{2}})(?:[^0-9]|$)', 1), '')"


def short_hash(expression: str) -> str:
    """16 hexadecimal digits of the MD5 of a text."""
    return f"left(md5({expression}), 16)"


def _is_one_of(text: str, values: Sequence[str]) -> str:
    # DuckDB makes a join of a long IN list: for every row, even where a condition before it is false
    return f"regexp_full_match({text}, {literal('|'.join(map(re.escape, values)))})"


def _collapsed(column: str) -> str:
    return f"trim(regexp_replace({column}, {literal(_BLANKS)}, ' ', 'g'))"


def _let(expression: str, body: Callable[[str], str]) -> str:
    """Return `body` of a name for `expression`, which is computed once: SQL itself has no local names."""
    return f"list_transform([{expression}], lambda it: {body('it')})[1]"
