"""Names within a name: a trade name after DBA, a former name, a text in brackets, a remark.

Those that are as good as the name itself are its own: what stands before DBA, and the name without a remark.
The others are aliases. One may belong to another firm or name a part of the business, so it needs
a place or an identifier that confirms it.
"""

from __future__ import annotations

import re
from typing import TypedDict

from sbir_gate.reading.cleaning import STATES

_MARK = (
    r"(?:D[\s./]*B[\s./]*A|DOING BUSINESS AS|A\s*/\s*K\s*/\s*A|AKA|ALSO KNOWN AS|F\s*/?\s*K\s*/?\s*A"
    r"|FORMERLY KNOWN AS|FORMERLY|N\s*/?\s*K\s*/?\s*A|NOW KNOWN AS|TRADING AS|T/A)"
)
NAMES_PATTERN = rf"(?i)\b{_MARK}\b[:.]?|[(\[][^()\[\]]*[A-Za-z][^()\[\]]*[)\]]"
"""RE2 pattern of a raw name that holds more than one name, or a remark."""

_SPLIT = re.compile(rf"\b{_MARK}\b[:.]?", re.IGNORECASE)
_BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_AROUND = " ,;:-/"
# where a text in brackets was that may be a part of the name
_GAP = "\x00"

_REMARKS = frozenset(
    """
    A AN AND THE OF DO NOT USE FOR NON PROFIT NONPROFIT ACTIVE INACTIVE CLOSED DEFUNCT DISSOLVED DUPLICATE
    MERGED ACQUIRED DECEASED RETIRED VOID CO COMPANY CORP CORPORATION INC INCORPORATED LIABILITY LIMITED LLC
    LLP LP LTD PARTNERSHIP PC PLC PLLC PRIVATE PROPRIETARY PTE PTY PUBL PUBLIC PVT GMBH SARL STATE AMERICA
    STATES UNITED US USA
    """.split()  # noqa: SIM905 -- a list of words reads best as lines
)
_STATE_NAMES = frozenset({*STATES, *STATES.values()})
_LEGAL_REMARK = re.compile(r"AN? .* (?:COMPANY|CORPORATION|LLC|PARTNERSHIP)")


class NameWithin(TypedDict):
    """Another name in a raw name."""

    name: str
    is_alias: bool


def names_within(name: str) -> list[NameWithin]:
    """Return the other names in a raw name, its own before the aliases.

    >>> [found["name"] for found in names_within("Acme Labs, Inc. dba Bright Optics (formerly Old Lens LLC)")]
    ['Acme Labs, Inc.', 'Bright Optics', 'Old Lens LLC']
    >>> names_within("Acme Labs (INACTIVE)")
    [{'name': 'Acme Labs', 'is_alias': False}]
    """
    outside, bracketed = _without_brackets(name)
    parts = [part for part in _SPLIT.split(outside) if part.strip(_AROUND + _GAP)]
    own = parts[0] if parts else ""
    found = {_words(own): _GAP in own}
    for alias in [*parts[1:], *(part for text in bracketed for part in _SPLIT.split(text))]:
        if not is_remark(alias):
            found.setdefault(_words(alias), True)
    return [
        NameWithin(name=words, is_alias=is_alias)
        for words, is_alias in found.items()
        if len(re.sub(r"[^A-Za-z0-9]", "", words)) >= 3 and words != name.strip()
    ]


def _without_brackets(name: str) -> tuple[str, list[str]]:
    """Return what stands outside of brackets, with a gap for what may belong there, and the texts inside."""
    initials = "".join(word[0] for word in re.findall(r"\w+", _BRACKETED.sub(" ", name.upper())))
    texts: list[str] = []

    def left(found: re.Match[str]) -> str:
        text = found[1].strip(_AROUND)
        if _SPLIT.fullmatch(text):
            return f" {text} "
        if is_remark(text):
            return " "
        texts.append(text)
        is_apart = _SPLIT.match(text) or re.sub(r"\W", "", text.upper()) in initials
        return " " if is_apart else _GAP

    outside, before = name, ""
    while outside != before:  # brackets within brackets
        outside, before = _BRACKETED.sub(left, outside), outside
    return outside, texts


def is_remark(text: str) -> bool:
    """Say whether a text in brackets names nothing: (INACTIVE), (USA), (an Ohio corporation), (York, ME)."""
    plain = re.sub(r"[.'’]", "", text.upper())  # noqa: RUF001 -- as the data holds it
    words = re.findall(r"\w+", plain)
    where = plain.rpartition(",")[2].strip() if "," in plain else ""
    named = " ".join(word for word in words if word not in {"OF", "STATE"})
    return (
        all(word in _REMARKS for word in words)
        or named in _STATE_NAMES
        or where in STATES
        or _LEGAL_REMARK.fullmatch(" ".join(words)) is not None
    )


def _words(part: str) -> str:
    return part.replace(_GAP, " ").strip(_AROUND)
