"""The dashboard in a real browser: trends, filters, keys, clicks, the address, and names that stay text."""

from dataclasses import replace

import pytest

from sbir_gate.documents import save_quality
from sbir_gate.gate.dashboard import dashboard_of
from sbir_gate.gate.reporting.dashboard import dashboard_page
from sbir_gate.gate.reporting.quantities import difference, quantity, signed_percent
from sbir_gate.gate.storing.history import open_entries
from sbir_gate.model.verdict import Outcome
from sbir_gate.pages.page import render_page
from sbir_gate.settings.effective import load_settings
from tests.browser import PHONE
from tests.factories_dashboard import long_history
from tests.factories_quality import report_of_entry

pytestmark = pytest.mark.slow

RUNS = 120
STEP_AT = 80
SITE = "https://code.example/agency/pipeline"
HOSTILE = '<img src=x onerror="window.acted=1"></script><script>window.acted=1</script>'
ENTER, RIGHT, LEFT, HOME = "\ue007", "\ue014", "\ue012", "\ue011"


@pytest.fixture(scope="module")
def entries():
    own = list(long_history(RUNS, step_at=STEP_AT))
    topic = [
        replace(entry, source=replace(entry.source, branch=HOSTILE), gate="enrichment")
        for entry in long_history(RUNS + 6, seed=2)
    ][RUNS:]
    return [*own, *topic, *long_history(12, seed=3, gate="full-data")]


@pytest.fixture(scope="module")
def gates(entries, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    for entry in (entries[RUNS - 1], entries[-1]):
        save_quality(folder / "quality", report_of_entry(entry))
    settings = load_settings(None, {}, {}, (f"reports.folder={folder}", "drift.branch=main")).settings
    with open_entries({f"{place:05}.json": entry for place, entry in enumerate(entries)}) as history:
        return dashboard_of(history, settings, None, has_changes=True)


@pytest.fixture(scope="module")
def page(gates, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "dashboard.html"
    path.write_text(render_page(dashboard_page(gates, SITE)), encoding="utf-8")
    return path


def text(browser, selector):
    return browser.run(f"return document.querySelector('{selector}').textContent")


def choose(browser, name, value):
    browser.run(
        "const field = document.querySelector(`#filters [name=${arguments[0]}]`);"
        "if (field.type === 'checkbox') field.checked = arguments[1]; else field.value = arguments[1];"
        "field.dispatchEvent(new Event('change', {bubbles: true}))",
        name,
        value,
    )


def chosen(browser):
    return browser.run("return document.getElementById('run-title').textContent")


def shown_rows(browser):
    return browser.run(
        "return [...document.querySelectorAll('#runs-table tbody tr')].filter(row => !row.hidden).length"
    )


def test_it_opens_without_an_error_or_a_request_and_draws_all_charts(browser, page):
    browser.open(page)
    assert text(browser, "#trend-title") == "Match rate"
    visible = "[...document.querySelectorAll('.drawing')].filter(box => box.offsetParent)"
    assert browser.run(f"return {visible}.length") == 4
    assert browser.run(
        f"return {visible}.every(box => box.querySelector('.main-svg') && box.clientHeight > 200)"
    )
    assert browser.run("return window.acted === undefined")
    assert browser.problems() == []


def test_a_run_that_broke_says_that_it_has_no_figures_and_cards_of_which_run_theirs_are(browser, tmp_path):
    *known, last = long_history(3)
    broken = replace(last, outcome=Outcome.ERROR, metrics=())
    settings = load_settings(None, {}, {}, (f"reports.folder={tmp_path}", "drift.branch=main")).settings
    files = {f"{place:05}.json": entry for place, entry in enumerate([*known, broken])}
    with open_entries(files) as history:
        gates = dashboard_of(history, settings, None, has_changes=True)
    path = tmp_path / "dashboard.html"
    path.write_text(render_page(dashboard_page(gates, SITE)), encoding="utf-8")
    browser.open(path, size=PHONE)
    assert text(browser, "#run-empty") == "This Run has no figures: the engine broke."
    assert not browser.driver.find_element("id", "run-rows").is_displayed()
    assert f"Run of {known[-1].started_at:%Y-%m-%d %H:%M}" in text(browser, ".card")
    assert "engine broke" in text(browser, "#g0-facts")
    browser.run("document.getElementById('run-before').click()")
    assert browser.driver.find_element("id", "run-rows").is_displayed()
    assert not browser.driver.find_element("id", "run-empty").is_displayed()
    assert browser.problems() == []


def test_cards_show_whole_names_on_a_phone_and_what_the_change_is_since(browser, page):
    browser.open(page, size=PHONE)
    spans = "[...document.querySelectorAll('.card span')]"
    assert browser.run(f"return {spans}.every(each => each.scrollWidth <= each.clientWidth)")
    assert "since the Run before" in text(browser, ".card[data-metric=wall_seconds] small")


def test_a_metric_is_chosen_by_card_and_the_address_says_so(browser, page):
    browser.open(page)
    browser.run("document.querySelector('.card[data-metric=wall_seconds]').focus()")
    browser.keys(ENTER)
    assert text(browser, "#trend-title") == "Wall time"
    assert "1 change of level" in text(browser, "#trend-summary")
    assert "+8" in text(browser, "#trend-notes") or "+7" in text(browser, "#trend-notes")
    assert "metric=wall_seconds" in browser.driver.current_url
    assert browser.problems() == []


def test_an_address_opens_the_same_view(browser, page, gates):
    started = round(gates[0].rows[40].started_at.timestamp())
    browser.open(page, f"metric=peak_rss_mib&span=365d&log=1&run={started}&branch=*")
    assert text(browser, "#trend-title") == "Peak memory"
    assert "on all branches" in text(browser, "#trend-summary")
    assert chosen(browser).startswith(f"Run of {gates[0].rows[40].started_at:%Y-%m-%d %H:%M}")
    assert browser.run("return document.querySelector('#trend-drawing').layout.yaxis.type") == "log"
    assert browser.problems() == []


@pytest.mark.parametrize(
    "state", ["metric=nothing&gate=x&branch=y&span=z&run=w&log=2", "%%%=%", "run=NaN&metric="]
)
def test_a_damaged_address_opens_the_usual_view(browser, page, state):
    browser.open(page, state)
    assert text(browser, "#trend-title") == "Match rate"
    assert browser.problems() == []


# where a point of the trend is in the window, and its number
POINT = """
const box = document.querySelector('#trend-drawing');
box.scrollIntoView({block: 'center'});
const number = 81, data = box.data.find(each => each.name === 'Wall time');
const {xaxis, yaxis} = box._fullLayout, frame = box.getBoundingClientRect();
const x = frame.x + xaxis._offset + xaxis.d2p(data.x[number]);
return [x, frame.y + yaxis._offset + yaxis.d2p(data.y[number]), number];
"""


def test_a_click_on_a_point_shows_that_run_and_its_changes(browser, page, gates):
    browser.open(page, "metric=wall_seconds&branch=main")
    x, y, place = browser.run(POINT)
    browser.hover(x, y, "#trend-drawing .hovertext")
    browser.click(x, y)
    row = [row for row in gates[0].rows if row.branch == "main"][place]
    browser.wait(
        f"document.getElementById('run-title').textContent.includes('{row.started_at:%Y-%m-%d %H:%M}')"
    )
    assert row.commit[:9] in text(browser, "#run-facts")
    assert f"run={round(row.started_at.timestamp())}" in browser.driver.current_url
    assert browser.run("return document.querySelectorAll('#run-rows tr').length") > 30
    assert browser.problems() == []


def test_keys_move_from_run_to_run(browser, page):
    browser.open(page)
    newest = chosen(browser)
    browser.run("document.getElementById('trend-keys').focus()")
    browser.keys(LEFT)
    before = chosen(browser)
    assert before != newest
    browser.keys(RIGHT)
    assert chosen(browser) == newest
    browser.keys(HOME)
    assert chosen(browser) == "Run of 2026-01-01 12:00 UTC"
    assert browser.run("return document.getElementById('run-before').disabled")
    assert "none on this branch" in text(browser, "#run-caption")


def test_the_filters_narrow_the_chart_and_the_table_of_runs(browser, page):
    browser.open(page)
    assert shown_rows(browser) == RUNS
    choose(browser, "span", "50")
    assert shown_rows(browser) == 50
    assert text(browser, "#trend-summary").startswith("50 Runs")
    choose(browser, "span", "")
    choose(browser, "branch", HOSTILE)
    assert shown_rows(browser) == 6
    choose(browser, "gate", "1")
    assert shown_rows(browser) == 12
    assert browser.run(
        "return document.querySelector('#g0-facts').hidden && !document.querySelector('#g1-facts').hidden"
    )
    assert "gate=full-data" in browser.driver.current_url
    assert browser.run("return window.acted === undefined")
    assert browser.problems() == []


def test_links_in_tables_select_a_metric_and_a_run(browser, page):
    browser.open(page, "span=365d")
    browser.run("document.querySelector('#g0-metrics a[href=\"#metric=recall\"]').click()")
    assert text(browser, "#trend-title") == "Recall"
    browser.run("document.querySelectorAll('#runs-table tbody th a')[5].click()")
    assert "run=" in browser.driver.current_url
    assert "span=365d" in browser.driver.current_url


def test_the_chart_follows_the_scheme_while_the_page_is_open(browser, page):
    color = "return getComputedStyle(document.querySelector('#trend-drawing .ytick text')).fill"
    browser.open(page)
    light = browser.run(color)
    browser.show(scheme="dark")
    browser.wait(f"(() => {{ {color} }})() !== '{light}'")


def test_it_fits_a_phone(browser, page):
    browser.open(page, size=PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert browser.problems() == []


def test_on_paper_it_is_light_and_nothing_is_cut_or_covered(browser, page):
    browser.open(page, "metric=wall_seconds", scheme="dark")
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    browser.show(scheme="dark", media="print")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    heights = "[...document.querySelectorAll('.scroll')].map(box => getComputedStyle(box).maxHeight)"
    assert set(browser.run(f"return {heights}")) == {"none"}
    assert browser.run("return document.querySelector('#trend-drawing').clientHeight") >= 320
    assert not browser.find("#filters")[0].is_displayed()
    browser.show()


def test_without_scripts_the_tables_are_there_and_the_controls_are_not(browser, page):
    browser.set_scripts(allowed=False)
    try:
        browser.open(page)
        assert not browser.find("#filters")[0].is_displayed()
        tables = [table for table in browser.find("table") if table.is_displayed()]
        assert len(tables) == 9  # of each gate: all metrics, and the figures of three charts; and the Runs
    finally:
        browser.set_scripts(allowed=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_checker_of_accessibility_finds_nothing_serious(browser, axe, page, scheme):
    browser.open(page, "metric=wall_seconds", scheme=scheme)
    assert axe(browser) == []


VALUES = [
    *(
        0.0,
        1.0,
        -1.0,
        0.5,
        2.5,
        0.125,
        0.0625,
        1.005,
        2.675,
        9.995,
        99.95,
        999.5,
        0.0995,
        0.09995,
        1234.5,
        25_000_123.0,
    ),
    *(
        1e-9,
        3.3e-5,
        0.0421,
        0.7185,
        12.25,
        412.345,
        1e15,
        123_456.789,
        -0.0421,
        -1234.5,
        1 / 3,
        2 / 3,
        1e6 / 7,
    ),
    *(number / 64 for number in range(1, 200, 7)),
]
UNITS = ("s", "ms", "MiB", "ratio", "count", "", "1/s")


def test_figures_are_printed_as_in_every_other_report(browser, page):
    browser.open(page)
    pairs = [(value, unit) for value in VALUES for unit in UNITS]
    found = browser.run("return arguments[0].map(([value, unit]) => Figures.quantity(value, unit))", pairs)
    assert dict(zip(pairs, found, strict=True)) == {pair: quantity(*pair) for pair in pairs}
    found = browser.run("return arguments[0].map(([value, unit]) => Figures.difference(value, unit))", pairs)
    assert dict(zip(pairs, found, strict=True)) == {pair: difference(*pair) for pair in pairs}
    ratios = [value for value in VALUES if value > 0]
    found = browser.run("return arguments[0].map(Figures.signedPercent)", ratios)
    assert dict(zip(ratios, found, strict=True)) == {ratio: signed_percent(ratio) for ratio in ratios}


def test_the_figures_of_a_run_are_those_of_its_entry(browser, page, entries):
    browser.open(page, "branch=main")
    browser.run("document.getElementById('trend-keys').focus()")
    browser.keys(HOME)
    found = browser.run(
        "return Object.fromEntries([...document.querySelectorAll('#run-rows tr')]"
        ".map(row => [row.cells[0].textContent, row.cells[1].textContent]))"
    )
    medians = {metric.name: sorted(metric.values)[len(metric.values) // 2] for metric in entries[0].metrics}
    assert found["Wall time"] == quantity(medians["wall_seconds"], "s")
    assert found["Match rate"] == quantity(medians["match_rate"], "ratio")
    assert found["Recipients scanned"] == quantity(medians["work/recipients_scanned"], "count")
    assert len(found) == len(entries[0].metrics)
