import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sbir_gate.gate.reporting.escaping import code_span, escape_markdown
from sbir_gate.gate.reporting.plain_text import plain
from tests.github_markdown import live_parts, render, text_of

PIECES = [
    *"|\\`*_[]()<>!&#@~:-+=.;'\"{}/$ \n\t\rab1",
    "http://",
    "ftp://a.b",
    "mailto:",
    "xmpp:a@b.c/d",
    "www.",
    "example.com",
    "GH-1",
    "JIRA-12",
    ":rocket:",
    "8446519",
    "8446519a8c71134401a78d4d46435517b2271d6a",
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
    "</code>",
    "<span>",
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(HOSTILE)
@example("www.www.example.com")
@example("www.example.com:80:a:")
def test_a_table_cell_shows_the_text_as_it_is_and_nothing_in_it_is_live(text):
    text = plain(text)
    page = render(f"| a | b |\n|---|---|\n| {escape_markdown(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert [text_of(cell) for cell in cells] == [text, "end"]
    assert live_parts(page) == []


@given(HOSTILE.filter(lambda text: plain(text) not in {"", "-", "+"}))
def test_a_list_item_shows_the_text_as_it_is_and_nothing_in_it_is_live(text):
    text = plain(text)
    page = render(f"- {escape_markdown(text)}\n\nend\n")
    found = re.fullmatch(r"<ul>\n<li>(.*?)</li>\n</ul>\n<p>end</p>\n", page)
    assert found
    assert text_of(found[1]) == text
    assert live_parts(page) == []


@given(HOSTILE.filter(plain))
@example("a|b")
@example("`")
@example("a\\|b")
def test_an_id_in_a_code_span_can_be_copied_and_is_not_live(text):
    text = plain(text)
    page = render(f"| a | b |\n|---|---|\n| {code_span(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert [text_of(cell) for cell in cells] == [text, "end"]
    assert live_parts(page) == []


LIVE = [
    "@everyone",
    "a@b.com",
    "#12",
    "org/repo#12",
    "GH-12",
    "gh-7",
    "JIRA-12",
    "https://x.yz",
    "www.x.yz",
    "WWW.x.yz",
    "see www.x.yz",
    "$x$",
    ":rocket:",
    ":+1:",
    "8446519",
    "user@8446519",
    "8446519a8c71134401a78d4d46435517b2271d6a",
]


@pytest.mark.parametrize("text", LIVE)
def test_what_github_would_make_live_stays_text_that_can_be_copied(text):
    page = render(escape_markdown(text))
    assert live_parts(page) == []
    assert text_of(page) == f"{text}\n"


@pytest.mark.parametrize("text", LIVE)
def test_the_model_of_github_sees_what_is_live(text):
    assert live_parts(render(text))


@pytest.mark.parametrize(
    "text",
    ["wall_seconds", "~", "-", "+0.68 s", "+40.0 %", "-4.00 pp", "Acme, Inc. (US)", "uei-exact"],
)
def test_what_is_harmless_stays_readable_in_the_source(text):
    assert escape_markdown(text) == text


def test_an_invisible_character_of_the_data_is_not_shown():
    assert plain("a\N{ZERO WIDTH SPACE}b") == "a b"
