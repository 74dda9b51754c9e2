"""Text from data made fit to be shown: one line, no control characters, not too long."""

from __future__ import annotations

import unicodedata

MAX_CHARACTERS = 300
CUT_MARK = "..."
_MOST_INDENTED = 40

# control, format (bidirectional overrides, zero-width), surrogate, private use, unassigned, line and
# paragraph separators: all can hide, reorder or break what is around them
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_WIDE = frozenset({"W", "F"})


def plain(text: str, max_characters: int = MAX_CHARACTERS) -> str:
    """Return the text as one line without unseen characters, cut to `max_characters`.

    Unseen characters become blanks and runs of blanks become one, so that ANSI sequences, line breaks
    and direction marks in data cannot act on a terminal or a table.
    """
    # a name of a gigabyte is cut before it is looked at, character by character
    seen = text[: 4 * max_characters]
    if not (seen.isascii() and seen.isprintable()):
        seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in seen)
    return cut(" ".join(seen.split()), max_characters)


def plain_line(line: str) -> str:
    """Return a line of a program's output as `plain` does, with its indentation.

    A report may be printed in a job, whose runner obeys lines that begin with `::`, blanks aside, and `##[`
    anywhere in a line: such a line is marked.
    """
    indentation = len(line) - len(line.lstrip(" "))
    text = plain(line).replace("##[", "## [")
    mark = "| " if text.lstrip().startswith("::") else ""
    return f"{' ' * min(indentation, _MOST_INDENTED)}{mark}{text}"


def cut(text: str, width: int) -> str:
    """Return the text in at most `width` terminal columns, marked where it was cut."""
    if display_width(text) <= width:
        return text
    kept = ""
    room = max(0, width - len(CUT_MARK))
    for character in text:
        room -= display_width(character)
        if room < 0:
            break
        kept += character
    return (kept.rstrip() + CUT_MARK)[: max(0, width)]


def display_width(text: str) -> int:
    """Return how many terminal columns the text takes: wide East Asian characters two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in _WIDE
        else 1
        for character in text
    )
