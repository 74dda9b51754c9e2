"""What records do to a name: the ways in which one firm comes to be spelled differently.

Two sorts: drifts of the words (before the designator is added) and drifts of the whole text. Each is
a function of the draws and what it changes; it returns it unchanged where it does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.vocabulary import vocabulary

Words = tuple[str, ...]
WordDrift = Callable[[Draws, Words], Words]
TextDrift = Callable[[Draws, str], str]

_SHORT_CUT = 30
_LONG_CUT = 40
_LETTERS = "AEINORSTL"
_ACCENTS: Mapping[str, str] = {"A": "Á", "E": "É", "I": "Í", "O": "Ö", "U": "Ü", "N": "Ñ"}
_DESIGNATOR_AT_END = re.compile(r"[ ,]+(INC|LLC|CORP|CORPORATION|CO|LTD)\.?$", re.IGNORECASE)
_MANY_TRIES = 12


def abbreviate(draws: Draws, words: Words) -> Words:
    """TECHNOLOGIES becomes TECH."""
    short = vocabulary().abbreviations
    places = [place for place, word in enumerate(words) if word in short and place]
    if not places:
        return words
    place = draws.pick(places)
    return (*words[:place], short[words[place]], *words[place + 1 :])


def mistype(draws: Draws, words: Words) -> Words:
    """One letter of the longest word is dropped, doubled, replaced or swapped; never the first."""
    place = max(range(len(words)), key=lambda index: len(words[index]))
    word = words[place]
    if len(word) < 4:
        return words
    at = draws.between(1, len(word) - 2)
    match draws.below(4):
        case 0:
            wrong = word[:at] + word[at + 1 :]
        case 1:
            wrong = word[: at + 1] + word[at:]
        case 2:
            wrong = word[:at] + draws.pick(_LETTERS) + word[at + 1 :]
        case _:
            wrong = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return (*words[:place], wrong, *words[place + 1 :])


def glue(draws: Draws, words: Words) -> Words:
    """TOYON RESEARCH becomes TOYONRESEARCH."""
    if len(words) < 2 or "&" in words:
        return words
    place = draws.below(len(words) - 1)
    return (*words[:place], words[place] + words[place + 1], *words[place + 2 :])


def split_apart(draws: Draws, words: Words) -> Words:
    """CFD becomes C F D; a long word in front breaks in two."""
    first, *rest = words
    if len(first) == 3:
        return (*first, *rest)
    if len(first) < 8:
        return words
    at = draws.between(4, len(first) - 4)
    return (first[:at], first[at:], *rest)


def swap_ampersand(_draws: Draws, words: Words) -> Words:
    """& becomes AND."""
    return tuple("AND" if word == "&" else word for word in words)


def drop_last(_draws: Draws, words: Words) -> Words:
    """The last word is left out; only for names whose first word says enough."""
    return words[:-1] if len(words) > 1 else words


def append_region(draws: Draws, words: Words) -> Words:
    """A word that says where the firm is registered follows the name."""
    return (*words, draws.pick(("USA", "US", "AMERICA", "NORTH AMERICA")))


def cut_short(draws: Draws, text: str) -> str:
    """The text is cut at 30 or 40 characters."""
    limit = draws.pick((_SHORT_CUT, _LONG_CUT))
    return text[:limit].rstrip()


def put_the_last(_draws: Draws, text: str) -> str:
    """The article is at the end: DCODE GROUP, INC., THE."""
    return f"{text}, THE"


def append_junk(draws: Draws, text: str) -> str:
    """A number or a clerk's note follows the name."""
    return text + draws.pick((f" ({draws.between(1000, 9999)})", " DONE", " (INACTIVE)", " *"))


def do_business_as(draws: Draws, text: str) -> str:
    """A unique trade name is added to the legal name."""
    words = vocabulary().words
    coined = "".join(draws.weighted(words[piece]) for piece in ("head", "middle", "tail"))
    trade_name = f"{coined} {draws.weighted(words['company'])}"
    return f"{text} DBA {trade_name}" if draws.chance(0.5) else f"{trade_name} DBA {text}"


def escape_ampersand(draws: Draws, text: str) -> str:
    """& becomes &amp; or &amp;amp;."""
    return text.replace("&", draws.pick(("&amp;", "&amp;amp;")))


def add_accent(draws: Draws, text: str) -> str:
    """A letter carries an accent, or what a wrong encoding makes of it."""
    places = [place for place, letter in enumerate(text) if letter in _ACCENTS and place]
    if not places:
        return text
    place = draws.pick(places)
    letter = _ACCENTS[text[place]]
    broken = (
        letter.encode("utf-8").decode("cp1252", errors="replace").replace("\N{REPLACEMENT CHARACTER}", "?")
    )
    return text[:place] + draws.pick((letter, letter, broken)) + text[place + 1 :]


def misspell_designator(draws: Draws, text: str) -> str:
    """Inc.orporated, or no blank before the designator."""
    found = _DESIGNATOR_AT_END.search(text)
    if not found:
        return text
    stem, designator = text[: found.start()], found.group(1)
    if designator.upper() == "INC" and draws.chance(0.5):
        return f"{stem}, Inc.orporated"
    return stem + designator


_ANY_WORD_DRIFTS: tuple[tuple[WordDrift, int], ...] = (
    (abbreviate, 30),
    (mistype, 24),
    (glue, 12),
    (split_apart, 10),
    (swap_ampersand, 6),
    (append_region, 4),
)
WORD_DRIFTS = Weighted.of(_ANY_WORD_DRIFTS)
DISTINCTIVE_WORD_DRIFTS = Weighted.of((*_ANY_WORD_DRIFTS, (drop_last, 10)))
TEXT_DRIFTS: Weighted[TextDrift] = Weighted.of(
    (
        (cut_short, 24),
        (put_the_last, 14),
        (append_junk, 14),
        (do_business_as, 14),
        (escape_ampersand, 10),
        (add_accent, 12),
        (misspell_designator, 12),
    )
)


def drift_words(draws: Draws, words: Words, *, is_distinctive: bool) -> Words:
    """Return the words changed by one drift that applies."""
    drifts = DISTINCTIVE_WORD_DRIFTS if is_distinctive else WORD_DRIFTS
    for _ in range(_MANY_TRIES):
        changed = draws.weighted(drifts)(draws, words)
        if changed != words:
            return changed
    return words


def drift_text(draws: Draws, text: str) -> str:
    """Return the text changed by one drift that applies."""
    for _ in range(_MANY_TRIES):
        changed = draws.weighted(TEXT_DRIFTS)(draws, text)
        if changed != text:
            return changed
    return text
