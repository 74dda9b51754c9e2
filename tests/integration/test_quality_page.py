"""The quality report in a real browser: charts, filters, and names of firms that try to act."""

import pytest

from sbir_gate.gate.reporting.quality_page import render_quality_html
from sbir_gate.model.records import LinkedRecipient
from tests.browser import PHONE
from tests.factories_quality import NAMES, TRUTH, candidate, link, profile, report_of

pytestmark = pytest.mark.slow

HOSTILE = '<script>window.acted=1</script><img src=x onerror="window.acted=1">=1+1'
END = "</script><script>window.acted=1</script>\u2028"
AGENCIES = ("Department of Energy", "NASA", HOSTILE)


def hostile_report():
    """Return a report of 60 firms, a third of them of an agency whose name tries to act."""
    profiles = [
        profile(f"A{place}", END if place == 7 else f"Firm {place}", agency=AGENCIES[place % 3])
        for place in range(60)
    ]
    decisions = [
        link(each.award_id)
        if place % 2
        else candidate(each.award_id, HOSTILE if place == 8 else "R9", place / 60)
        for place, each in enumerate(profiles)
    ]
    return report_of(decisions, profiles, TRUTH, {**NAMES, HOSTILE: LinkedRecipient(HOSTILE, END)})


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("quality") / "quality.html"
    path.write_text(render_quality_html(hostile_report()), encoding="utf-8")
    return path


def firms(browser):
    return browser.run(
        "return [...document.querySelectorAll('#candidates tbody tr')].filter(row => !row.hidden)"
        ".map(row => row.cells[0].textContent)"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_charts_are_drawn_without_an_error_or_a_request(browser, axe, page, scheme):
    browser.open(page, scheme=scheme)
    assert browser.run("return document.querySelectorAll('.drawing .main-svg').length") >= 12
    assert browser.problems() == []
    assert browser.run("return window.acted === undefined")
    assert browser.run("return document.querySelectorAll('main img').length") == 0
    assert axe(browser) == []


def test_candidates_are_filtered_and_sorted(browser, page):
    browser.open(page)
    assert len(firms(browser)) == 30
    assert firms(browser)[0] == "Firm 58"
    browser.run(
        "const choice = [...document.querySelectorAll('#candidates select')]"
        ".find(each => [...each.options].some(option => option.value === 'NASA'));"
        "choice.value = 'NASA'; choice.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert len(firms(browser)) == 10
    browser.run("document.querySelectorAll('#candidates thead button')[2].focus()")
    browser.keys("\ue007", " ")  # Enter: descending; blank: ascending
    assert firms(browser)[0] == "Firm 4"
    assert browser.problems() == []


def test_a_hostile_agency_is_a_choice_like_others(browser, page):
    browser.open(page)
    choices = browser.run(
        "return [...document.querySelectorAll('#candidates option')].map(option => option.textContent)"
    )
    assert HOSTILE[:30] in " ".join(choices)


def test_a_phone_scrolls_tables_and_not_the_page(browser, page):
    browser.open(page, size=PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_without_scripts_all_figures_are_there(browser, page):
    browser.set_scripts(allowed=False)
    try:
        browser.open(page)
        tables = browser.find("table")
        assert len(tables) >= 12
        assert all(table.is_displayed() for table in tables)
    finally:
        browser.set_scripts(allowed=True)
