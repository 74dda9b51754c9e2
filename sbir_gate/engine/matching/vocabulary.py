"""Words that are common in the names of federal recipients, and how common they are."""

from __future__ import annotations

from importlib.resources import files

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
