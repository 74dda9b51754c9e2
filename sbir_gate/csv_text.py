"""Cells of CSV files for people: text from data that no spreadsheet calculates."""

from __future__ import annotations

import re

# what a spreadsheet takes for the start of a formula; full-width signs act too
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")  # noqa: RUF001 -- as they are in data


def csv_cell(text: str) -> str:
    """Return the text as a cell that no spreadsheet calculates: an apostrophe stands before a formula.

    Where the list separator is a semicolon, one within a cell can begin another. Source: OWASP, CSV
    Injection.
    """
    one_line = "".join(character if character.isprintable() else " " for character in text)
    return _FORMULA.sub(r"\1'", one_line)
