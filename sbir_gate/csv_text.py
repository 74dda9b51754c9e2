"""CSV for people and from anyone: cells that no spreadsheet calculates, and rows of bounded length."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import TextIO

# what a spreadsheet takes for the start of a formula; full-width signs act too
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")  # noqa: RUF001 -- as they are in data


def csv_cell(text: str) -> str:
    """Return the text as a cell that no spreadsheet calculates: an apostrophe stands before a formula.

    Where the list separator is a semicolon, one within a cell can begin another. Source: OWASP, CSV
    Injection.
    """
    one_line = "".join(character if character.isprintable() else " " for character in text)
    return _FORMULA.sub(r"\1'", one_line)


class CsvRows:
    """The rows of strict CSV; `line` is the number of the last line read.

    Raises csv.Error for what is not CSV, and for a row of more characters than `longest`, of which no more
    are read: a file can be one endless line.
    """

    def __init__(self, file: TextIO, longest: int) -> None:
        # that of a cell is one for the whole program, and less by default
        csv.field_size_limit(max(csv.field_size_limit(), longest))
        self.line = 0
        self._file = file
        self._longest = self._left = longest
        self._rows = csv.reader(self._lines(), strict=True)

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        self._left = self._longest
        return next(self._rows)

    def _lines(self) -> Iterator[str]:
        while line := self._file.readline(self._left + 1):
            self.line += 1
            self._left -= len(line)
            if self._left < 0:
                raise csv.Error(f"a row is longer than {self._longest:,} characters")
            yield line
