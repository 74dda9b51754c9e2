"""Repair of the rare names that carry HTML entities or mojibake, as a function inside DuckDB."""

from __future__ import annotations

import html
import re

import duckdb

REPAIR_FUNCTION = "sbir_gate_repair"

# the characters that the bytes 0x80 to 0x9f become in cp1252
_CP1252_SPECIALS = "".join(
    bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
)
_CONTINUATION = "\u0080-\u00bf" + _CP1252_SPECIALS
# UTF-8 that was read as cp1252: a lead byte's character, then continuation bytes' characters
_MOJIBAKE = re.compile(f"[\u00c2-\u00df][{_CONTINUATION}]|[\u00e0-\u00f4][{_CONTINUATION}]{{2,3}}")
_ENTITY = re.compile("&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_MAX_ROUNDS = 5

DAMAGE_PATTERN = f"{_ENTITY.pattern}|{_MOJIBAKE.pattern}"
"""An RE2 and Python pattern that finds the texts which `repair` may change."""


def repair(text: str) -> str:
    """Return the text with entities (`&amp;amp;` too) and mojibake (`â€“`) turned into what they stand for.

    Entities without their semicolon stay: `R&D` and `AT&T` are names.
    """
    for _ in range(_MAX_ROUNDS):
        mended = _MOJIBAKE.sub(_reread, _ENTITY.sub(_unescape, text))
        if mended == text:
            break
        text = mended
    return text


def register_repair(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `repair` known to the connection's database; a second time does nothing."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_functions() WHERE function_name = ?", [REPAIR_FUNCTION]
    ).fetchall()
    if known[0][0] == 0:
        connection.create_function(REPAIR_FUNCTION, repair, ["VARCHAR"], "VARCHAR")


def _unescape(match: re.Match[str]) -> str:
    # a control character or a lone surrogate is no better than the entity
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
