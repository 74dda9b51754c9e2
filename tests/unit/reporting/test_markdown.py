import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sbir_gate.reporting.markdown import escape_markdown
from sbir_gate.reporting.plain_text import plain

PIECES = [
    *"|\\`*_[]()<>!&#@~:-+=.;'\"{}/ \n\t\rab1",
    "http://",
    "www.",
    "GH-1",
    "&amp;",
    "&#124;",
    "<!--",
    "-->",
    "```",
    "~~~",
    "1. ",
    "- [ ] ",
    "\x1b[31m",
    "</details>",
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)

render = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render


def shown(inner_html):
    """Return what a reader sees of a piece of HTML that has no elements."""
    assert "<" not in inner_html
    return html.unescape(inner_html).replace("\N{ZERO WIDTH SPACE}", "")


@given(HOSTILE)
def test_a_table_cell_shows_the_text_as_it_is(text):
    text = plain(text)
    cells = re.findall(
        r"<td>(.*?)</td>", render(f"| a | b |\n|---|---|\n| {escape_markdown(text)} | end |\n")
    )
    assert [shown(cell) for cell in cells] == [text, "end"]


@given(HOSTILE.filter(lambda text: plain(text) not in {"", "-", "+"}))
def test_a_list_item_shows_the_text_as_it_is(text):
    text = plain(text)
    found = re.fullmatch(
        r"<ul>\n<li>(.*?)</li>\n</ul>\n<p>end</p>\n", render(f"- {escape_markdown(text)}\n\nend\n")
    )
    assert found
    assert shown(found[1]) == text


@pytest.mark.parametrize(
    "text",
    ["@everyone", "a@b.com", "#12", "org/repo#12", "GH-12", "gh-7", "https://x.y", "www.x.y", "WWW.x.y"],
)
def test_what_github_would_link_in_the_rendered_text_is_broken(text):
    rendered = html.unescape(escape_markdown(text))
    assert "\N{ZERO WIDTH SPACE}" in rendered
    assert not re.search(r"@\w|#\d|GH-\d|://|www\.\w", rendered, re.IGNORECASE)


@pytest.mark.parametrize(
    "text", ["wall_seconds", "~", "-", "+0.68 s", "+40.0 %", "-4.00 pp", "Acme, Inc. (US)"]
)
def test_what_is_harmless_stays_readable_in_the_source(text):
    assert escape_markdown(text) == text


def test_the_invisible_break_comes_only_from_escaping():
    assert plain("a\N{ZERO WIDTH SPACE}b") == "a b"
