"""Text in Markdown and HTML that GitHub shows as it is: nothing in it is markup, and nothing becomes live."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from markupsafe import Markup

from sbir_gate.gate.reporting.quantities import ARROW, NOTHING

_RISKY = re.compile(
    r"""
    (?P<structure>
        [\\`*\[\]{}<>&|"']
        # an underscore within a word is not emphasis, and most metric names have one
        | (?<![0-9A-Za-z])_ | _(?![0-9A-Za-z])
        # a lone tilde strikes nothing out, and says "no change" here
        | ~(?=\S) | (?<=\S)~
        # a bullet, a rule or a heading, where the text starts a line
        | ^[-+=](?=[-+=\s])
        # a numbered list, where the text starts a line; what has more digits could be a commit
        | ^\d(?=\d{0,5}[.)](?:\s|$))
    )
    | (?P<trigger>
        # mentions, references to issues (also those of a custom autolink, JIRA-12), addresses, math, and
        # emoji, whose names hold a letter but for these
        [@\#$] | (?<=[A-Za-z])-(?=\d) | :(?=//) | :(?=(?:[\w+-]*[a-z][\w+-]*|[+-]1|100|1234):) | (?<=www)\.
    )
    # what could be the hash of a commit
    | (?P<commit> (?<![0-9A-Za-z_])[0-9a-f]{7,40}(?![0-9A-Za-z_]) )
    """,
    re.VERBOSE | re.IGNORECASE,
)


# in a span nothing is markup but what ends it, and in a table a bar ends the cell even there
_IN_SPANS = re.compile(r"[^`|\\!<>\[\]]+")


# three of them begin a line that ends a fenced block
_FENCE = re.compile(r"[`~]{3,}")
# the blank between a figure and its unit, the one within an interval, and those of a link
_WITHIN_FIGURE = re.compile(
    r"(?<=\d) (?=(?:s|ms|MiB|pp)\b)|(?<=\d,) (?=[+\u2212\d])|(?<=\bUEI) |(?<=^no) (?=link$)"
)

# what an address may hold so that it can neither end the link nor start anything else
_ADDRESS_CHARACTERS = 500
_ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")


def is_address(address: str) -> bool:
    """Say whether this URL is allowed in a report: of http(s), without odd characters."""
    return (
        len(address) <= _ADDRESS_CHARACTERS
        and _ADDRESS.fullmatch(address) is not None
        and urlsplit(address).scheme in {"https", "http"}
        and bool(urlsplit(address).netloc)
    )


def escape_markdown(text: str) -> str:
    """Return text as one line that GitHub shows as it is, in a table cell, a list or a summary.

    Entities replace what could make structure; by section 2.5 of the CommonMark specification they never
    do. GitHub looks for mentions, issues, addresses, emoji and math in the rendered text, where an entity has
    become its character again: there the character that starts one is put into an element of its own, as
    GitHub's documentation on mathematical expressions does with the dollar sign. GitHub does not link
    the hash of a commit within code. No invisible character is added, so what is shown can be copied.
    """
    return _RISKY.sub(_harmless, " ".join(text.split()))


def code_span(text: str) -> Markup:
    """Return text as one code span, in which GitHub makes nothing live: for ids, which are to be copied.

    What would need an escape within a span (a bar in a table, a backtick) is escaped as text in an element.
    """
    line = " ".join(text.split())
    if not _IN_SPANS.fullmatch(line):
        return Markup(f"<code>{escape_markdown(line)}</code>" if line else "")  # noqa: S704 -- escaped
    return Markup(f"`{line}`")  # noqa: S704 -- nothing in a span is markup, and no character in it ends it


def whole(text: str) -> Markup:
    """Return the text of a cell, broken at most before an arrow; nothing for a dash."""
    if text == NOTHING:
        return Markup("")
    return Markup(escape_markdown(text).replace(" ", "&nbsp;").replace(f"&nbsp;{ARROW}", f" {ARROW}"))  # noqa: S704 -- escaped


def prose(text: str) -> Markup:
    """Return a sentence in which what is between backticks is a code span."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one backtick has no partner: it is of data
        return Markup(escape_markdown(text))  # noqa: S704 -- escaped
    shown = (code_span(part) if place % 2 else _part(part) for place, part in enumerate(parts))
    return Markup("").join(shown)


def _part(text: str) -> Markup:
    """Return a part of a line, escaped, with the blanks at its ends."""
    before = " " if text[:1].isspace() else ""
    after = " " if text.strip() and text[-1:].isspace() else ""
    return Markup(f"{before}{escape_markdown(text)}{after}")  # noqa: S704 -- escaped


def bound(text: str) -> Markup:
    """Return a text in which no figure is parted from its unit, and no interval is broken."""
    return Markup(_WITHIN_FIGURE.sub("&nbsp;", escape_markdown(text)))  # noqa: S704 -- escaped


def address_text(text: str) -> Markup:
    """Return an address that is allowed in a report, nothing for any other text."""
    return Markup(text if is_address(text) else "")  # noqa: S704 -- an address of _ADDRESS cannot end a link


def fenced(lines: str | Sequence[str]) -> Markup:
    """Return text for a fenced code block, in which nothing ends the block."""
    text = lines if isinstance(lines, str) else "\n".join(lines)
    return Markup(_FENCE.sub(" ", text).rstrip("\n"))  # noqa: S704 -- nothing in a fence is markup, and no line ends it


def _harmless(match: re.Match[str]) -> str:
    if match["structure"]:
        return f"&#{ord(match[0])};"
    return f"<span>{match[0]}</span>" if match["trigger"] else f"<code>{match[0]}</code>"
