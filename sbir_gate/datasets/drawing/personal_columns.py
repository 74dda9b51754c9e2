"""Columns about persons: a match of firms does not need them, and a repository must not have them."""

from __future__ import annotations

import re
from collections.abc import Sequence

# a column is personal if its name has one of these words, or holds one of these parts
_WORDS = frozenset(
    {"contact", "poc", "pi", "email", "mail", "phone", "telephone", "tel", "fax", "officer", "person"}
)
_PARTS = ("email", "phone", "contact", "investigator", "officer", "firstname", "lastname", "birth")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def is_personal(column: str) -> bool:
    """Say whether the name of a column is one of persons: `Contact Email`, `PI Name`, `officer_1_name`."""
    words = [word.casefold() for word in _WORD.findall(column)]
    joined = "".join(words)
    return not _WORDS.isdisjoint(words) or any(part in joined for part in _PARTS)


def personal_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that are about persons, each once."""
    return tuple(dict.fromkeys(filter(is_personal, columns)))
