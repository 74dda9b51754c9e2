"""The kit of the pages in a real browser: charts, tables, keys, schemes, and nothing from data that acts."""

import pytest

from sbir_gate.pages.blocks import (
    Axis,
    Cell,
    Chart,
    Column,
    Fact,
    Mark,
    Page,
    Paragraph,
    Scale,
    Section,
    Series,
    Table,
    Tone,
)
from sbir_gate.pages.page import render_page
from tests.browser import PHONE

pytestmark = pytest.mark.slow

HOSTILE = '<b>bold</b><script>window.acted = 1</script><img src=x onerror="window.acted=1">'
LINK = '<a href="javascript:window.acted=1">click</a> ${x} %{y} &lt;'
NAMES = ("UEI", "DUNS", HOSTILE, LINK)
VALUES = (12.0, 7.0, 5.0, 1.0)


def figures(key):
    columns = (Column("Method"), Column("Awards", is_number=True))
    rows = tuple((name, Cell(f"{value:,.0f}", value)) for name, value in zip(NAMES, VALUES, strict=True))
    return Table(key, "Awards by method", columns, rows)


def chart(key, *series, **more):
    return Chart(key, key, "Awards by method", series, figures(f"{key}-figures"), **more)


def demonstration():
    days = ("2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01")
    names = Axis(scale=Scale.CATEGORY)
    charts = (
        chart("pie", Series("", Mark.PIE, NAMES, VALUES)),
        chart("bars", Series(HOSTILE, Mark.BAR, NAMES, VALUES, VALUES, VALUES, texts=NAMES), x=names),
        chart("waterfall", Series("", Mark.BAR, NAMES, VALUES, base=VALUES), x=names, is_horizontal=True),
        chart(
            "course",
            Series("interval", Mark.BAND, days, low=VALUES, high=VALUES),
            Series(HOSTILE, Mark.LINE_AND_POINTS, days, VALUES),
            x=Axis(scale=Scale.DATE),
        ),
    )
    rows = tuple(
        (
            Cell(f"A-{place}", address="javascript:window.acted=1"),
            HOSTILE if place == 3 else f"Quarry {place}",
            "II" if place % 3 else "I",
            Cell(str(place * 7 % 13), place * 7 % 13, tone=Tone.BAD),
        )
        for place in range(40)
    )
    columns = (
        Column("Award"),
        Column("Firm"),
        Column("Phase", has_choices=True),
        Column("Score", is_number=True),
    )
    table = Table("list", "Awards to review", columns, rows, has_filter=True)
    sections = (
        Section("charts", "Charts", charts),
        Section("awards", HOSTILE, (Paragraph(LINK, Tone.WARN), table)),
        Section("end", "End", (Paragraph("All of it is invented."),)),
    )
    facts = (Fact("Match rate", "71.2%", "95% interval"), Fact("Gate", "fail", tone=Tone.BAD))
    return Page(HOSTILE, LINK, facts, sections, (HOSTILE,))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "page.html"
    path.write_text(render_page(demonstration()), encoding="utf-8")
    return path


def shown(browser, column=0):
    script = (
        "return [...document.querySelectorAll('#list tbody tr')].filter(row => !row.hidden)"
        ".map(row => row.cells[arguments[0]].textContent)"
    )
    return browser.run(script, column)


def test_all_charts_are_drawn_without_an_error_or_a_request(browser, page):
    browser.open(page)
    assert browser.run("return document.querySelectorAll('.drawing .main-svg').length") >= 4
    assert browser.run(
        "return [...document.querySelectorAll('.drawing')].every(box => box.clientHeight > 200)"
    )
    assert browser.problems() == []


def test_nothing_from_data_acts_or_becomes_markup(browser, page):
    browser.open(page)
    assert browser.run("return window.acted === undefined")
    assert browser.run("return document.querySelectorAll('main img, a[href^=javascript], svg a').length") == 0
    drawn = browser.run(
        "return [...document.querySelectorAll('.drawing text')].map(each => each.textContent)"
    )
    assert any(text.startswith("<b>bold</b>") for text in drawn)
    assert HOSTILE in browser.run("return document.querySelector('h1').textContent")


def test_a_hover_shows_the_text_of_a_point_as_text(browser, page):
    browser.open(page)
    place = browser.run(
        "const bar = document.querySelectorAll('#bars .point')[3]; bar.scrollIntoView({block: 'center'});"
        "const box = bar.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]"
    )
    browser.hover(*place, "#bars .hovertext")
    assert browser.run("return document.querySelector('#bars .hovertext').textContent") == LINK
    assert browser.problems() == []


def test_a_table_is_sorted_by_keys_and_the_address_keeps_it(browser, page):
    browser.open(page)
    browser.run("document.querySelectorAll('#list thead button')[3].focus()")
    browser.keys("\ue007")  # Enter
    scores = [int(score) for score in shown(browser, 3)]
    assert scores == sorted(scores, reverse=True)
    assert browser.run("return document.querySelectorAll('#list th[aria-sort=descending]').length") == 1
    browser.keys(" ")
    assert [int(score) for score in shown(browser, 3)] == sorted(scores)
    assert "list.sort=3.ascending" in browser.driver.current_url


def test_a_table_is_filtered_by_search_and_by_choice(browser, page):
    browser.open(page)
    browser.run("document.querySelector('#list input[type=search]').focus()")
    browser.keys("quarry 1")
    assert len(shown(browser)) == 11
    assert browser.run("return document.querySelector('#list output').textContent") == "11 of 40 rows"
    browser.run(
        "const choice = document.querySelector('#list select'); choice.value = 'I';"
        "choice.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert shown(browser, 2) == ["I"] * len(shown(browser))
    assert browser.problems() == []


def test_an_address_opens_the_same_view(browser, page):
    browser.open(page, "list.q=quarry+2&list.sort=0.descending&list.2=II")
    assert shown(browser)[0] == "A-29"
    assert set(shown(browser, 2)) == {"II"}


def test_a_damaged_address_opens_the_whole_page(browser, page):
    browser.open(page, "list.sort=99.ascending&list.q=%3Cscript%3E&=&list.2=%")
    assert browser.problems() == []


def test_charts_follow_the_scheme_while_the_page_is_open(browser, page):
    color = "return getComputedStyle(document.querySelector('#bars .xtick text')).fill"
    browser.open(page)
    light = browser.run(color)
    browser.show(scheme="dark")
    browser.wait(f"(() => {{ {color} }})() !== '{light}'")
    assert browser.problems() == []


def test_a_phone_scrolls_tables_and_not_the_page(browser, page):
    browser.open(page, size=PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert browser.problems() == []


def test_without_scripts_all_figures_are_there(browser, page):
    browser.set_scripts(allowed=False)
    try:
        browser.open(page)
        tables = browser.find("table")
        assert len(tables) == 5
        assert all(table.is_displayed() for table in tables)
        assert "works without JavaScript" in browser.find("noscript")[0].text
    finally:
        browser.set_scripts(allowed=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_checker_of_accessibility_finds_nothing_serious(browser, axe, page, scheme):
    browser.open(page, scheme=scheme)
    assert axe(browser) == []
