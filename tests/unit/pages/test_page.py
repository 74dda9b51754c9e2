import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sbir_gate.pages.blocks import (
    Axis,
    Cell,
    Chart,
    Column,
    Fact,
    Facts,
    Mark,
    Page,
    Paragraph,
    Scale,
    Section,
    Series,
    Table,
    Tone,
)
from sbir_gate.pages.page import page_templates, render_page, safe_address, script_json

HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> & {{ 7*7 }} </ScRiPt\u2028\u2029<!--"
TEXTS = st.one_of(st.sampled_from([HOSTILE, "javascript:alert(1)", "'", '"', "&lt;"]), st.text())


def table(*texts):
    rows = tuple((Cell(text, address=text), text) for text in texts)
    return Table("figures", texts[0], (Column(texts[0]), Column("b", has_choices=True)), rows)


def page_of(text, number=1.5):
    series = Series(text, Mark.BAR, (text, "b"), (number, 2.0), texts=(text, "two"))
    return Page(
        text,
        text,
        (Fact(text, text, text),),
        (
            Section(
                "one",
                text,
                (
                    Paragraph(text, Tone.WARN),
                    Facts((Fact(text, text),)),
                    Chart("chart", text, text, (series,), table(text), x=Axis(text, Scale.CATEGORY, text)),
                    Table("empty", text, (Column(text),), (), empty=text),
                ),
            ),
        ),
        (text,),
        data={"text": text},
    )


class Tags(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, and the text of the data."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.texts = []
        self.data = ""
        self._is_data = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))
        self._is_data = dict(attrs).get("id") == "page-data"

    def handle_data(self, data):
        self.texts.append(data)
        if self._is_data:
            self.data += data

    def handle_endtag(self, _tag):
        self._is_data = False


PLAIN = Tags(render_page(page_of("plain")))


@given(TEXTS)
@example(HOSTILE)
@example("\ud800")
@example("\x00")
def test_no_text_adds_an_element_or_an_attribute(text):
    found = Tags(render_page(page_of(text)))
    # a link is one only where its address is safe
    known = {*PLAIN.found, ("a", ("href",))}
    assert set(found.found) <= known


@given(TEXTS)
@example(HOSTILE)
def test_scripts_get_the_text_as_it_is(text):
    text = text.encode("utf-8", "ignore").decode()
    assert json.loads(Tags(render_page(page_of(text))).data)["data"] == {"text": text}


def test_a_hostile_text_is_shown_as_text():
    page = Tags(render_page(page_of(HOSTILE)))
    assert sum(HOSTILE in text for text in page.texts) > 5


@given(TEXTS)
def test_json_for_a_script_has_no_character_that_could_end_it(text):
    found = script_json([text])
    assert not set("<>&\u2028\u2029") & set(found)
    assert json.loads(found) == [text]


def test_json_for_a_script_refuses_what_is_no_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json([float("nan")])


def test_a_value_that_is_not_finite_is_a_gap_of_the_chart():
    content = json.loads(Tags(render_page(page_of("a", float("nan")))).data)
    assert content["charts"]["chart"]["series"][0]["y"] == [None, 2.0]


@pytest.mark.parametrize("address", ["https://code.example/a?b=c#d", "#awards"])
def test_links_lead_to_https_and_within_the_page(address):
    assert safe_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:x", "data:text/html,x", "http://a.example",
        "//a.example", "https://", "https:/a", "https://a b", 'https://a.example/"onclick="x', "https://a\u0000b",
        "https://a.example/\n", " https://a.example", "",
    ],
)  # fmt: skip
def test_no_other_address_is_a_link(address):
    assert safe_address(address) == ""
    link = Tags(render_page(Page("t", sections=(Section("s", "s", (table("x", address),)),))))
    assert sum(tag == "a" for tag, _ in link.found) == 1  # to the content


def test_the_policy_names_the_digest_of_each_script_and_nothing_else():
    text = render_page(page_of("a"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert "connect-src" not in rules
    assert "unsafe" not in rules["script-src"]


def test_only_a_served_page_may_talk_to_its_server():
    assert "connect-src &#39;self&#39;" in render_page(Page("t", is_served=True))
    assert "connect-src" not in render_page(Page("t"))


def test_the_drawing_library_is_only_in_pages_with_charts():
    assert "plotly" not in render_page(Page("t")).lower()
    assert len(render_page(Page("t"))) < 40_000
    assert "plotly" in render_page(Page("t", has_charts=True)).lower()


def test_a_script_that_would_end_its_element_is_refused():
    with pytest.raises(ValueError, match="end its own element"):
        render_page(Page("t", script="'</script>'"))


def test_templates_of_another_package_escape_and_use_the_blocks(tmp_path, monkeypatch):
    folder = tmp_path / "dressed"
    (folder / "pieces").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "pieces" / "own.j2").write_text(
        '{% import "blocks.html.j2" as blocks %}<p>{{ text }}</p>{{ blocks.table(rows) }}'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    own = page_templates("dressed", "pieces").get_template("own.j2").render(text=HOSTILE, rows=table("<i>"))
    assert "<script" not in own
    assert "&lt;i&gt;" in own


def test_a_table_says_what_it_is_to_a_screen_reader():
    text = render_page(Page("t", sections=(Section("s", "s", (table("head", "cell"),)),)))
    assert '<caption id="figures-caption">head</caption>' in text
    assert '<th scope="col">head</th>' in text
    assert '<th scope="row"' in text
