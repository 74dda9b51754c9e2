"""Repair of the rare texts with HTML entities, mojibake or odd blanks, as a function in DuckDB."""

from __future__ import annotations

import html
import re
import unicodedata

import duckdb
from duckdb.func import FunctionNullHandling

from sbir_gate.reading.database import register_function

REPAIR_FUNCTION = "sbir_gate_repair"

PLACEHOLDERS = ("n/a", "na", "n.a", "n.a.", "#n/a", "nan", "none", "null", "unknown", "tbd")
"""Spellings of "nothing", in lower case."""

PLACEHOLDER_FIRMS = (
    "MULTIPLE RECIPIENTS",
    "MULTIPLE FOREIGN RECIPIENTS",
    "MISCELLANEOUS FOREIGN AWARDEES",
    "MISCELLANEOUS FOREIGN CONTRACTORS",
    "REDACTED DUE TO PII",
    "PRIVATE INDIVIDUAL",
    "INDIVIDUAL RECIPIENT",
)
"""Names of many firms, or of none, in capital letters: they never match."""

# the characters that the bytes 0x80 to 0x9f become in cp1252
_CP1252_SPECIALS = "".join(
    bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
)
_CONTINUATION = "\u0080-\u00bf" + _CP1252_SPECIALS
# UTF-8 that was read as cp1252: a lead byte's character, then continuation bytes' characters
_MOJIBAKE = re.compile(f"[\u00c2-\u00df][{_CONTINUATION}]|[\u00e0-\u00f4][{_CONTINUATION}]{{2,3}}")
_ENTITY = re.compile("&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_MAX_ROUNDS = 5

# white space (control characters that separate lines included), and zero-width space and joiners
_BLANKS = re.compile("[\\s\u0085\u200b-\u200d\u2060]+")


def repair(text: str) -> str:
    """Return the text with entities (`&amp;amp;` too) and mojibake (`â€“`) decoded.

    Entities without their semicolon stay: `R&D` and `AT&T` are names.
    """
    for _ in range(_MAX_ROUNDS):
        repaired = _MOJIBAKE.sub(_reread, _ENTITY.sub(_unescape, text))
        if repaired == text:
            break
        text = repaired
    return text


def clean_name(text: str) -> str | None:
    """Return the text repaired, in one form of its letters (NFKC), with single blanks.

    None for a placeholder or without letter and digit.
    """
    cleaned = _BLANKS.sub(" ", _one_form(repair(text))).strip(" ")
    return cleaned if cleaned.lower() not in PLACEHOLDERS and any(map(str.isalnum, cleaned)) else None


def _one_form(text: str) -> str:
    """Return the text with full-width, half-width and joined letters and digits as plain ones.

    Signs stay: a trademark sign is not the letters TM.
    """
    if text.isascii():
        return text
    plain = (
        unicodedata.normalize("NFKC", char) if unicodedata.category(char)[0] in "LNMZ" else char
        for char in text
    )
    return unicodedata.normalize("NFC", "".join(plain))


def register_repair(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `clean_name` known to the connection's database."""
    register_function(connection, REPAIR_FUNCTION, clean_name, nulls=FunctionNullHandling.SPECIAL)


def _unescape(match: re.Match[str]) -> str:
    # a control character or a lone surrogate is not better than the entity
    meant = html.unescape(match[0])
    return meant if meant.isprintable() or meant.isspace() else " "


def _reread(match: re.Match[str]) -> str:
    raw = b"".join(
        char.encode("cp1252") if char in _CP1252_SPECIALS else char.encode("latin-1") for char in match[0]
    )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
