"""The report of a verdict in a real browser: charts, filters, and names of firms that try to act."""

import pytest

from sbir_gate.gate.reporting.report_page import render_report_page
from tests.browser import PHONE
from tests.factories_reports import judged_pair

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>window.acted=1</script><img src=x onerror=window.acted=1>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report_page(*judged_pair(HOSTILE)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_charts_are_drawn_without_an_error_or_a_request(browser, axe, page, scheme):
    browser.open(page, scheme=scheme)
    assert browser.run("return document.querySelectorAll('.drawing .main-svg').length") >= 7
    assert browser.problems() == []
    assert browser.run("return window.acted === undefined")
    assert browser.run("return document.querySelectorAll('main img').length") == 0
    assert axe(browser) == []


def test_changed_awards_are_filtered(browser, page):
    browser.open(page)
    shown = (
        "return [...document.querySelectorAll('#changed-awards tbody tr')].filter(row => !row.hidden).length"
    )
    assert browser.run(shown) == 8
    browser.run(
        "const choice = document.querySelector('#changed-awards select');"
        "choice.value = 'Correct links lost'; choice.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert browser.run(shown) == 7
    assert browser.problems() == []


def test_a_phone_scrolls_tables_and_not_the_page(browser, page):
    browser.open(page, size=PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_without_scripts_all_figures_are_there(browser, page):
    browser.set_scripts(allowed=False)
    try:
        browser.open(page)
        tables = browser.find("table")
        assert len(tables) >= 14
        assert all(table.is_displayed() for table in tables)
    finally:
        browser.set_scripts(allowed=True)
