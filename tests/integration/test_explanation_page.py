"""Explained awards in a real browser: the waterfall, the tables, and names of firms that try to act."""

from dataclasses import replace

import pytest

from sbir_gate.gate.reporting.explanation import explanation_view
from sbir_gate.gate.reporting.explanation_page import render_explanations
from sbir_gate.model.explanation import Party
from tests.browser import PHONE
from tests.unit.gate.reporting.test_explanation import FOUND, shift_of

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>window.acted=1</script><img src=x onerror=window.acted=1>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the page of two awards, one of a firm with a hostile name."""
    found = (FOUND, replace(FOUND, award_id="A2", firm=Party(HOSTILE)))
    path = tmp_path_factory.mktemp("explained") / "why.html"
    path.write_text(render_explanations([explanation_view(one, shift_of("R7")) for one in found]), "utf-8")
    return path


@pytest.mark.parametrize(("scheme", "size"), [("light", (1280, 900)), ("dark", PHONE)])
def test_its_charts_are_drawn_and_everyone_can_use_it(browser, axe, page, scheme, size):
    browser.open(page, scheme=scheme, size=size)
    browser.wait("document.querySelectorAll('.drawing .main-svg').length >= 2")
    assert browser.problems() == []
    assert browser.run("return window.acted === undefined")
    assert browser.run("return document.querySelectorAll('main img').length") == 0
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    assert axe(browser) == []


def test_a_long_name_without_blanks_is_broken(browser, tmp_path):
    path, long = tmp_path / "why.html", "U" * 300
    best = replace(FOUND.candidates[0], party=Party(long))
    found = replace(FOUND, firm=Party(long), candidates=(best, *FOUND.candidates[1:]))
    three = [explanation_view(replace(found, award_id=f"A{number}")) for number in range(3)]
    path.write_text(render_explanations(three), "utf-8")
    browser.open(path, size=PHONE)
    browser.wait("document.querySelectorAll('.drawing .main-svg').length >= 2")
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_without_scripts_all_figures_are_there(browser, page):
    browser.set_scripts(allowed=False)
    try:
        browser.open(page)
        assert all(table.is_displayed() for table in browser.find("table"))
        assert "one name within the other" in browser.driver.find_element("css selector", "main").text
    finally:
        browser.set_scripts(allowed=True)
