"""Markdown as GitHub shows it: its own parser, and a model of what it does to the parser's HTML afterwards.

GitHub looks through the text outside of links and code, one text node at a time, for mentions, references,
hashes of commits, custom autolinks (a prefix and a number), emoji and math.
Sources: GitHub's documentation on autolinked references, custom autolinks, emoji and mathematical
expressions, and the filters of its library html-pipeline.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

LIVE_ELEMENTS = frozenset({"a", "img", "script", "iframe", "form", "input"})

_UNFILTERED = frozenset({"a", "code", "pre", "tt"})
_FILTERS = {
    "mention": re.compile(r"(?<![\w`])@[a-z0-9]", re.IGNORECASE),
    "issue": re.compile(r"#\d|\bgh-\d", re.IGNORECASE),
    "commit": re.compile(r"(?<!\w)[0-9a-f]{7,40}(?!\w)", re.IGNORECASE),
    "custom autolink": re.compile(r"[A-Za-z]-\d"),
    "emoji": re.compile(r":([\w+-]*[a-z][\w+-]*|[+-]1|100|1234):", re.IGNORECASE),
    "math": re.compile(r"\$[^$]+\$"),
    "address": re.compile(r"[a-z]://|www\.\w|\w@\w", re.IGNORECASE),
}


def render(markdown: str) -> str:
    """Return the HTML of GitHub's parser; raw HTML is kept, as GitHub keeps what its list allows."""
    return cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.live: list[str] = []
        self.nodes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LIVE_ELEMENTS:
            self.live.append(f"<{tag} {attrs}>")
        self.open.append(tag)
        self.nodes.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            self.open.remove(tag)
        self.nodes.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if not _UNFILTERED.intersection(self.open):
            self.nodes[-1:] = [(self.nodes or [""])[-1] + data]


def _read(markup: str) -> _Reader:
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader


def text_of(markup: str) -> str:
    """Return what a reader sees of a piece of HTML, and what is copied from it."""
    return _read(markup).text


def live_parts(markup: str) -> list[str]:
    """Return what is live in it: links and the like of the parser, and what GitHub's filters make so."""
    reader = _read(markup)
    return reader.live + [
        f"{name}: {found[0]}"
        for node in reader.nodes
        for name, pattern in _FILTERS.items()
        if (found := pattern.search(node))
    ]
