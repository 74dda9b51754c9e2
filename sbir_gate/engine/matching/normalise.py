"""Names and their keys, normalised: one pure module of rules, as SQL over columns and as Python.

Bulk work (every recipient) runs as SQL that `normal_rows` builds, each form a column made of the one before;
what only a few names need (canonical tokens) is plain Python. Input text is clean: HTML
entities and mojibake were repaired when it was read.

Three forms of a name:

- normal: upper-case words, Latin letters as ASCII, without punctuation, legal designators, articles and junk
  tails;
- compact: the normal form without blanks, so that glued and split words are equal;
- canonical tokens: abbreviations and plurals folded (TECHNOLOGIES = TECH), for comparison only.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from sbir_gate.sql_text import literal

# Legal designators, with the cut forms that 30 and 40 character columns leave behind.
_DESIGNATORS = (
    "INC",
    "INCORP(?:O(?:R(?:A(?:T(?:E(?:D)?)?)?)?)?)?",
    "CORP",
    "CORPO(?:R(?:A(?:T(?:I(?:O(?:N)?)?)?)?)?)?",
    "CO",
    "COMPAN(?:Y)?",
    "LLC",
    "L L C",
    "LLP",
    "L L P",
    "LLLP",
    "LP",
    "L P",
    "LC",
    "L C",
    "PLLC",
    "PLC",
    "PC",
    "P C",
    "PA",
    "P A",
    "LTD",
    "LIMITED",
    "LIMITED LIABILITY (?:CO|COMPANY|CORPORATION|PARTNERSHIP)",
    "LIMITED PARTNERSHIP",
    "PROFESSIONAL (?:CORPORATION|CORP|ASSOCIATION)",
    "GMBH",
    "PTY",
    "SARL",
    "SRL",
    "BV",
    "NV",
    "AG",
    "OY",
    "THE",
)
_TRAILING = rf"(?: (?:{'|'.join(_DESIGNATORS)})(?: DONE)?)+$"
_LEADING_WORDS = ("THE ", "LLC ", "INC ")
_LEADING = rf"^(?:{'|'.join(_LEADING_WORDS)})+"
_JUNK_TAIL = r"\s*\(\s*\d+\s*\)\s*$"
# apostrophes and dots join their word (CHILDREN'S, L.L.C., Inc.orporated); other marks separate
_ASCII_JOINING = "'`."
_JOINING = "’´"  # noqa: RUF001 -- typographic apostrophes are what the data holds
_PLAIN = "^[A-Z0-9]+(?: [A-Z0-9]+)*$"
_PARTING = ((", ", " "), (" & ", " AND "), ("&", " AND "), ("+", " AND "))


def normal_rows(rows: str, column: str) -> str:
    """Return SQL for the rows of a relation with two more forms of a text column: `plain` and `normal`.

    Plain are the upper-case words, '' for NULL; Latin letters become ASCII, those of other scripts stay as
    they are: two texts are one name only if equal. The normal form is plain without designators around it; a
    name that is nothing else ("THE COMPANY, INC.") keeps its words.
    """
    is_led = " OR ".join(f"starts_with(ended, {literal(word)})" for word in _LEADING_WORDS)
    steps = (
        ("capitals", f"upper(coalesce({column}, ''))"),
        # two of three names are words and nothing else
        ("is_plain", f"regexp_matches(capitals, {literal(_PLAIN)})"),
        ("spelled", f"CASE WHEN is_plain THEN capitals ELSE {_spelled(column)} END"),
        ("plain", f"CASE WHEN is_plain THEN capitals ELSE {_words('spelled')} END"),
        ("ended", f"regexp_replace(plain, {literal(_TRAILING)}, '')"),
        # few names begin with one, which is seen without the pattern
        ("bare", f"CASE WHEN {is_led} THEN regexp_replace(ended, {literal(_LEADING)}, '') ELSE ended END"),
        ("normal", "CASE WHEN bare IN ('', 'THE') THEN plain ELSE bare END"),
    )
    # a column each, for DuckDB works out an expression as often as a CASE names it
    for name, expression in steps:
        rows = f"(SELECT *, {expression} AS {name} FROM {rows})"
    return rows


def _spelled(column: str) -> str:
    """Return SQL for a text in upper-case letters without accents, junk tails, and marks that join or part.

    The row has its `capitals`. What is common goes first, by plain replacement; the patterns, which are slow,
    see only what is left.
    """
    given = f"coalesce({column}, '')"
    # strip_accents keeps letters that are not a base letter with an accent
    spelled_out = f"upper(strip_accents({given}))"
    spelled_out = f"translate({spelled_out}, 'ØŁĐÐŦ', 'OLDDT')"
    for letter, ascii_letters in (("Æ", "AE"), ("Œ", "OE"), ("ẞ", "SS"), *((mark, "") for mark in _JOINING)):
        spelled_out = f"replace({spelled_out}, {literal(letter)}, '{ascii_letters}')"
    # in other scripts an accent makes another letter, so a name with such letters keeps all of them
    is_foreign = f"regexp_matches(regexp_replace({given}, '\\p{{Latin}}', '', 'g'), '\\p{{L}}')"
    # most names are ASCII already: as many bytes as letters
    text = f"CASE WHEN strlen({given}) = length({given}) OR {is_foreign} THEN capitals ELSE {spelled_out} END"
    without_tail = f"regexp_replace({text}, {literal(_JUNK_TAIL)}, '')"
    text = f"CASE WHEN contains({given}, '(') THEN {without_tail} ELSE {text} END"
    for mark, words in (*((mark, "") for mark in _ASCII_JOINING), *_PARTING):
        text = f"replace({text}, {literal(mark)}, '{words}')"
    return text


def _words(column: str) -> str:
    words_only = f"trim(regexp_replace({column}, '[^\\p{{L}}\\p{{M}}\\p{{N}}]+', ' ', 'g'))"
    return f"CASE WHEN regexp_matches({column}, {literal(_PLAIN)}) THEN {column} ELSE {words_only} END"


def compact_name(column: str) -> str:
    """Return the SQL expression of the compact form of a column in normal form."""
    return f"replace({column}, ' ', '')"


_LEGAL_END = r"(?:,? THE)?[^A-Z]*$"
_CORPORATION = rf"[ ,](?:INC\.?(?:ORP[A-Z]*)?|CORP(?:OR[A-Z]*)?){_LEGAL_END}"
_COMPANY = rf"[ ,](?:P?L\.? ?L\.? ?[CP]|L\.? ?P|LIMITED LIABILITY [A-Z]+|LIMITED PARTNERSHIP){_LEGAL_END}"


def legal_form(column: str) -> str:
    """Return the SQL expression of the legal form that a raw name ends in: 'corporation', 'company' or NULL.

    A company is one with limited liability (LLC) or a partnership. CO and LTD are either.
    """
    text = f"upper({column})"
    return (
        f"CASE WHEN regexp_matches({text}, {literal(_CORPORATION)}) THEN 'corporation'"
        f" WHEN regexp_matches({text}, {literal(_COMPANY)}) THEN 'company' END"
    )


_FOLDS = {
    "TECH": "TECHNOLOGY TECHNOLOGIES TECHNOLOGI TECHNOLOG TECHNOLO TECHS TECHNICAL TECHNOL",
    "LAB": "LABORATORY LABORATORIES LABORATORI LABORATOR LABS LABORATO",
    "SYS": "SYSTEM SYSTEMS SYST",
    "ASSOC": "ASSOCIATES ASSOCIATE ASSOCIATION ASSO ASSOCS ASSN",
    "ENG": "ENGINEERING ENGINEERS ENGINEER ENGR ENGRG ENGINEERIN ENGINEERI",
    "MFG": "MANUFACTURING MANUFACTURERS MANUFACTURER MANUF",
    "INTL": "INTERNATIONAL INTERNATL INTERNATIO INTERNATIONA INT",
    "SVC": "SERVICE SERVICES SVCS SRVS SERV SERVS",
    "RSCH": "RESEARCH RESEARCHES RES RESEAR RESEARC",
    "DEV": "DEVELOPMENT DEVELOPMENTS DEVELOPMEN DEVEL DEVELOPERS DEVELOPER",
    "UNIV": "UNIVERSITY UNIVERSITIES UNIVERSIT",
    "INST": "INSTITUTE INSTITUTES INSTITUTION INSTITUT",
    "SCI": "SCIENCE SCIENCES SCIENTIFIC SCIENTIF",
    "SOLN": "SOLUTION SOLUTIONS SOLNS SOLUTIO",
    "IND": "INDUSTRY INDUSTRIES INDUSTRIAL INDUS",
    "ELEC": "ELECTRONIC ELECTRONICS ELECTRIC ELECTRICAL",
    "COMM": "COMMUNICATION COMMUNICATIONS COMMS COMMUNICATIO",
    "INSTR": "INSTRUMENT INSTRUMENTS INSTRUMENTATION",
    "PHARMA": "PHARMACEUTICAL PHARMACEUTICALS PHARM PHARMACEUTICA",
    "BIOTECH": "BIOTECHNOLOGY BIOTECHNOLOGIES",
    "THERA": "THERAPEUTIC THERAPEUTICS THERAPEUTI",
    "DIAG": "DIAGNOSTIC DIAGNOSTICS",
    "MGMT": "MANAGEMENT MGT MANAGEMEN",
    "NATL": "NATIONAL",
    "AMER": "AMERICAN AMERICA",
    "CTR": "CENTER CENTRE CENTERS CNTR",
    "GRP": "GROUP GROUPS",
    "CONS": "CONSULTING CONSULTANTS CONSULTANT CONSULTIN",
    "ENT": "ENTERPRISE ENTERPRISES",
    "INFO": "INFORMATION INFORMATIC INFORMATICS",
    "COMP": "COMPUTER COMPUTERS COMPUTING",
    "PROD": "PRODUCT PRODUCTS PRODS",
    "PARTN": "PARTNERS PARTNERSHIP PARTNER",
    "MED": "MEDICAL MEDICINE",
    "BIOMED": "BIOMEDICAL BIOMEDICINE",
    "REHAB": "REHABILITATION",
    "ENVIRON": "ENVIRONMENTAL ENVIRONMENT ENV",
    "APPL": "APPLICATION APPLICATIONS",
    "DYN": "DYNAMIC DYNAMICS",
    "MATL": "MATERIAL MATERIALS MATLS",
    "OPT": "OPTIC OPTICS OPTICAL",
    "ANALYT": "ANALYTIC ANALYTICS ANALYTICAL",
    "ROBOT": "ROBOTIC ROBOTICS",
    "SOFT": "SOFTWARE",
    "DEPT": "DEPARTMENT",
    "GOVT": "GOVERNMENT GOV",
    "HLTH": "HEALTH HEALTHCARE",
}
_CANONICAL = {form: short for short, forms in _FOLDS.items() for form in forms.split()}
_IGNORED = frozenset({"AND", "OF", "THE", "FOR"})


@lru_cache(maxsize=1 << 17)
def canonical_token(token: str) -> str:
    """Return the canonical form of one word of a normal name; '' for words that carry nothing."""
    if token in _IGNORED:
        return ""
    folded = _CANONICAL.get(token)
    if folded is not None:
        return folded
    if len(token) >= 5 and token.endswith("S") and not token.endswith("SS"):
        return token[:-1]
    return token


def spelled_tokens(normal: str) -> list[tuple[str, str]]:
    """Return the canonical tokens of a normal name, each with its spelling, in their order.

    Single letters are joined.
    """
    words = normal.split()
    if 1 not in map(len, words):
        return [(token, word) for word in words if (token := canonical_token(word))]
    tokens: list[tuple[str, str]] = []
    letters = ""
    for word in words:
        if len(word) == 1:
            letters += word
            continue
        if letters:
            tokens.append((letters, letters))
            letters = ""
        token = canonical_token(word)
        if token:
            tokens.append((token, word))
    if letters:
        tokens.append((letters, letters))
    return tokens


def canonical_tokens(normal: str) -> tuple[str, ...]:
    """Return the canonical tokens of a normal name, in their order, single letters joined.

    >>> canonical_tokens("C F D RESEARCH AND TECHNOLOGIES")
    ('CFD', 'RSCH', 'TECH')
    """
    return tuple(token for token, _ in spelled_tokens(normal))


TRADES = frozenset(
    """
    AMBULANCE APARTMENTS APPRAISAL APPRAISALS ARCHITECTS AUTO AUTOBODY AUTOMOTIVE BAKERY BARBER
    BOUTIQUE BREWERY BREWING BUILDERS CABINETS CAFE CARPENTRY CARPET CATERING CHIROPRACTIC CHURCH
    CLEANERS CLEANING COLLISION CONCRETE CONSTRUCTION CONTRACTING CONTRACTORS COUNSELING DAYCARE
    DENTAL DENTISTRY DIESEL DRYWALL ELECTRIC ELECTRICIANS EXCAVATING EXCAVATION FARM FARMS FENCE
    FENCING FLOORING FLORIST FORESTRY FUNERAL FURNITURE GROCERY HAULING HEATING HOMES HOSPITALITY
    HOTEL HOTELS HVAC INN INSURANCE INTERPRETING IRRIGATION JANITORIAL JEWELERS LANDSCAPE
    LANDSCAPING LAUNDRY LAWN LODGING LOGGING LUMBER MASONRY MORTGAGE MOTEL MOVERS NURSERY OUTFITTERS
    PAINTING PAVING PEST PHARMACY PIZZA PLUMBING POULTRY PRINTING RANCH REALTY REFRIGERATION
    RELOCATION RENTAL RENTALS RESORT RESTAURANT ROOFING SALON SANITATION SEAFOOD SEPTIC SIGNS
    STAFFING TAVERN TIMBER TIRE TOURS TOWING TRADING TRAVEL TRUCKING UPHOLSTERY VETERINARY WELDING
    WINERY
    """.split()  # noqa: SIM905 -- a list of words reads best as lines
)
"""Words that name a line of business: a firm of that trade is not one that lacks the word."""

ROMAN_NUMERALS = {"II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}


def generation(normal: str) -> int | None:
    """Return the number that a normal name ends in (ACME II, ACME 2), or None.

    It distinguishes sister firms: however similar the rest, two different numbers are two firms.
    """
    last = normal.rpartition(" ")[2]
    if last.isdigit() and len(last) <= 2:
        return int(last)
    return ROMAN_NUMERALS.get(last)


def differ_in_generation(left: str, right: str) -> bool:
    """Say whether both normal names end in a number, and not in the same one."""
    numbers = generation(left), generation(right)
    return None not in numbers and numbers[0] != numbers[1]


BACKGROUND_NAMES = 10_000
"""Number of names behind the counts of COMMON_TOKENS."""

_PER_LINE = 100_000


def _read_common_tokens() -> dict[str, float]:
    text = files("sbir_gate.engine.matching").joinpath("common_words.txt").read_text("utf-8")
    pairs = (line.split() for line in text.splitlines())
    return {word: int(count) * BACKGROUND_NAMES / _PER_LINE for word, count in pairs}


COMMON_TOKENS = _read_common_tokens()
"""Canonical word -> names that hold it, per 10,000 names.

Counted over 90,000 published recipient names; words in fewer than 15 of them are left out. The weight
of a word starts from its count here, so that a table of three rows weighs TECHNOLOGIES, or a common
surname, as the small change that it is.
"""
