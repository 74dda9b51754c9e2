"""Labelling in a real browser: by keyboard, closed and continued, exported and served."""

import json
import threading
from dataclasses import replace

import pytest

from sbir_gate.csv_text import csv_cell
from sbir_gate.datasets.labelling.page import render_label_page
from sbir_gate.datasets.labelling.serving import LabelFile, LabelServer, LabelService
from sbir_gate.reading.truth import read_labels
from tests.browser import PHONE
from tests.factories_labelling import make_sample, make_settlement, make_tasks

pytestmark = pytest.mark.slow

TASKS = make_tasks()
# what each award gets: the first or second candidate, or none where there is none
WANTED = {
    task.award_id: () if not task.candidates else (task.candidates[number % 2].recipient_id,)
    for number, task in enumerate(TASKS)
}


@pytest.fixture
def page(tmp_path):
    """Return the page as a file."""
    path = tmp_path / "label.html"
    path.write_text(render_label_page(make_sample(), TASKS, {}, "anna"), "utf-8")
    return path


def decide(browser, start, end):
    """Label some awards by keyboard."""
    for number in range(start, end):
        browser.keys(str(1 + number % 2) if TASKS[number].candidates else "n")


def exported(browser):
    """Return the CSV that the download holds."""
    return browser.evaluate(
        "new Promise((done) => { const make = URL.createObjectURL;"
        " URL.createObjectURL = (blob) => { blob.text().then(done); return make.call(URL, blob); };"
        " HTMLAnchorElement.prototype.click = () => {}; document.getElementById('label-download').click(); })"
    )


def test_twenty_awards_are_labelled_closed_continued_and_exported(browser, page, tmp_path):
    browser.open(page)
    browser.evaluate("localStorage.clear()")
    browser.open(page)
    decide(browser, 0, 8)
    browser.keys("u")
    browser.wait("document.getElementById('label-progress').textContent.startsWith('7 of 20')")
    # the browser hands its storage over a little later; a person needs longer to close a page
    browser.evaluate("new Promise((done) => setTimeout(done, 2000))")
    browser.open(page)
    browser.wait("document.getElementById('label-progress').textContent.startsWith('7 of 20')")
    decide(browser, 7, 20)
    path = tmp_path / "truth.csv"
    path.write_text(exported(browser), "utf-8")
    labels = read_labels(path)
    assert {award: label.recipient_ids for award, label in labels.items()} == WANTED
    assert {label.reviewer for label in labels.values()} == {"anna"}
    assert all(label.decided_on for label in labels.values())
    assert browser.run("return window.acted") is None
    assert browser.problems() == []


def test_an_award_that_is_skipped_comes_again_and_has_no_label(browser, page):
    browser.open(page)
    browser.evaluate("localStorage.clear()")
    browser.open(page)
    browser.keys("s")
    browser.wait("document.getElementById('label-progress').textContent.includes('1 skipped')")
    assert exported(browser).count("\n") == 1
    browser.keys("u")
    browser.wait("document.getElementById('label-progress').textContent.includes('0 skipped')")


def test_the_card_says_what_is_decided(browser, page):
    browser.open(page)
    browser.evaluate("localStorage.clear()")
    browser.open(page)
    assert browser.run("return document.querySelector('#label-award > p').textContent") == "Not decided"


def test_one_of_several_identifiers_that_both_have_is_marked_equal(browser, page):
    browser.open(page)
    marks = browser.run(
        "return [...document.querySelectorAll('#label-candidates .label-facts')][0].textContent"
    )
    assert "861488999 (equal)" in marks


def test_after_a_choice_by_a_button_the_focus_is_on_the_next_awards_first_candidate(browser, page):
    browser.open(page)
    browser.evaluate("localStorage.clear()")
    browser.open(page)
    browser.evaluate("document.querySelector('#label-candidates button').focus()")
    browser.keys("\ue007")  # Enter
    browser.wait("document.getElementById('label-progress').textContent.startsWith('1 of 20')")
    assert browser.run("return document.querySelector('#label-award h3').textContent") == "Award A1"
    assert browser.run("return document.activeElement === document.querySelector('#label-candidates button')")
    assert browser.run("return document.activeElement.textContent") == "1 this one"
    # an award without a candidate: what is left is none of these
    for _ in range(3):
        browser.keys("\ue007")
    assert browser.run("return document.activeElement.id") == "label-none"


def test_a_city_from_right_to_left_stays_at_its_place_in_the_card(browser, tmp_path):
    path = tmp_path / "label.html"
    tasks = [replace(TASKS[1], party=replace(TASKS[1].party, city="\u05d7\u05d9\u05e4\u05d4"))]
    path.write_text(render_label_page(make_sample(), tasks, {}, ""), "utf-8")
    browser.open(path)
    lefts = browser.run(
        "return [...document.querySelectorAll('#label-award dd')].map((each) => {"
        " const range = document.createRange(); range.selectNodeContents(each);"
        " return Math.round(range.getBoundingClientRect().left); })"
    )
    assert len(set(lefts)) == 1


def test_keys_in_a_field_are_text(browser, page):
    browser.open(page)
    browser.evaluate("localStorage.clear()")
    browser.open(page)
    (note,) = browser.find("#label-note")
    note.send_keys("n s u 1")
    assert browser.run("return document.getElementById('label-progress').textContent").startswith("0 of 20")


@pytest.mark.parametrize(("scheme", "size"), [("light", (1280, 900)), ("dark", PHONE)])
def test_everyone_can_use_it(browser, axe, page, scheme, size):
    browser.open(page, scheme=scheme, size=size)
    assert axe(browser) == []
    width = browser.run("return document.documentElement.scrollWidth")
    assert width <= size[0]
    assert browser.problems() == []


def test_without_scripts_the_table_is_there(browser, page):
    browser.set_scripts(allowed=False)
    try:
        browser.open(page)
        assert "QUELLMARK 1 INC" in browser.driver.find_element("css selector", "table").text
        assert "Labelling needs JavaScript" in browser.driver.find_element("css selector", "main").text
        assert "Keys" not in browser.driver.find_element("css selector", "main").text
    finally:
        browser.set_scripts(allowed=True)


def test_a_served_page_saves_each_decision_and_searches_all_recipients(browser, tmp_path):
    path = tmp_path / "truth.csv"
    found = [{"recipient_id": "R999", "name": "FAR AWAY LLC", "uei": ""}]
    kept = LabelFile(path, frozenset(task.award_id for task in TASKS))
    service = LabelService(
        lambda: render_label_page(make_sample(), TASKS, kept.read(), "anna", is_served=True),
        lambda text: found if text == "far away" else [],
        kept.change,
    )
    with LabelServer(service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.driver.get(server.address)
        browser.evaluate("localStorage.clear()")
        browser.driver.get(server.address)
        browser.keys("2")
        (query,) = browser.find("#label-query")
        query.send_keys("far away")
        browser.wait("document.querySelector('#label-found button')")
        browser.evaluate("document.querySelector('#label-found button').click()")
        browser.wait("document.getElementById('label-progress').textContent.startsWith('2 of 20')")
        browser.wait("document.getElementById('label-said').textContent.startsWith('A1: R999')")
        # another page over the same file starts with what this one decided, and adds to it
        browser.evaluate("localStorage.clear()")
        browser.driver.get(server.address)
        browser.wait("document.getElementById('label-progress').textContent.startsWith('2 of 20')")
        browser.keys("1")
        browser.wait("document.getElementById('label-progress').textContent.startsWith('3 of 20')")
        requests = browser.problems()
        server.shutdown()
    assert {award: label.recipient_ids for award, label in read_labels(path).items()} == {
        "A0": ("S0",),
        "A1": ("R999",),
        "A2": ("R2",),
    }
    assert all(server.address in line for line in requests)


SETTLEMENT = make_settlement()
DISPUTES = [task for task in TASKS if task.award_id in SETTLEMENT.disputes]
NOTES = ("=cmd|' /C calc'!A0", "a;=1+1", "  @x", "a\u00a0b", '"quoted", twice;', "\uff1d1")


@pytest.fixture
def settle_page(tmp_path, browser):
    """Return the page that settles disagreements, as a file that the browser has not seen."""
    path = tmp_path / "settle.html"
    path.write_text(render_label_page(SETTLEMENT, DISPUTES, {}, "carl"), "utf-8")
    browser.open(path)
    browser.evaluate("localStorage.clear()")
    browser.open(path)
    return path


def progress_starts_with(browser, text):
    """Wait until the page says how far it is."""
    browser.wait(f"document.getElementById('label-progress').textContent.startsWith('{text}')")


def test_disagreements_are_settled_by_keyboard_closed_continued_and_exported(browser, settle_page, tmp_path):
    browser.keys("a", "b", "c", "n", "2", "b", "u")
    progress_starts_with(browser, "5 of 15 settled")
    for number, note in enumerate(NOTES):
        (field,) = browser.find("#label-note")
        field.clear()
        browser.evaluate(f"document.getElementById('label-note').value = {json.dumps(note)}")
        browser.evaluate("document.activeElement.blur()")
        browser.keys("a")
        progress_starts_with(browser, f"{6 + number} of 15 settled")
    # the browser hands its storage over a little later; a person needs longer to close a page
    browser.evaluate("new Promise((done) => setTimeout(done, 2000))")
    browser.open(settle_page)
    progress_starts_with(browser, "11 of 15 settled")
    browser.keys("a", "a", "a", "a")
    path = tmp_path / "truth.csv"
    path.write_text(exported(browser), "utf-8")
    labels = read_labels(path)
    taken = {award: labels[award] for award in SETTLEMENT.taken}
    assert taken == SETTLEMENT.taken | {"ALONE": replace(SETTLEMENT.taken["ALONE"], note="'=cmd")}
    answers = {award: label.recipient_ids for award, label in labels.items() if award in SETTLEMENT.disputes}
    first = [task.award_id for task in DISPUTES[:5]]
    assert [answers[award] for award in first] == [("R1",), (), ("R3", "S3"), (), ("S6",)]
    assert {award: answers[award] for award in answers if award not in first} == {
        task.award_id: (f"R{task.award_id[1:]}",) for task in DISPUTES[5:]
    }
    settled = [labels[task.award_id] for task in DISPUTES]
    assert {label.reviewer for label in settled} == {"carl"}
    assert all(label.decided_on for label in settled)
    assert [label.note for label in settled[5:11]] == [csv_cell(note.strip()) for note in NOTES]
    assert browser.run("return window.acted") is None
    assert browser.problems() == []


def test_labels_of_other_awards_in_a_file_that_is_loaded_stay_in_the_export(browser, page, tmp_path):
    browser.open(page)
    browser.evaluate("localStorage.clear()")
    browser.open(page)
    path = tmp_path / "before.csv"
    path.write_text("award_id,recipient_ids,reviewer\nA1,R1,ben\nELSEWHERE,R7,dora\n")
    (field,) = browser.find("#label-file")
    field.send_keys(str(path))
    browser.wait("document.getElementById('label-said').textContent.includes('1 of awards not shown')")
    path.write_text(exported(browser), "utf-8")
    found = {award: label.recipient_ids for award, label in read_labels(path).items()}
    assert found == {"A1": ("R1",), "ELSEWHERE": ("R7",)}


@pytest.mark.parametrize(("scheme", "size"), [("light", (1280, 900)), ("dark", PHONE)])
def test_everyone_can_settle(browser, axe, settle_page, scheme, size):
    browser.open(settle_page, scheme=scheme, size=size)
    assert axe(browser) == []
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]


def test_a_served_settlement_saves_each_decision(browser, tmp_path):
    path = tmp_path / "truth.csv"
    kept = LabelFile(path, frozenset(SETTLEMENT.disputes))
    kept.take_over(SETTLEMENT.taken)
    service = LabelService(
        lambda: render_label_page(SETTLEMENT, DISPUTES, kept.read(), "carl", is_served=True),
        lambda _: [],
        kept.change,
    )
    with LabelServer(service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.driver.get(server.address)
        browser.evaluate("localStorage.clear()")
        browser.driver.get(server.address)
        browser.keys("b", "a")
        progress_starts_with(browser, "2 of 15")
        browser.evaluate("localStorage.clear()")
        browser.driver.get(server.address)
        progress_starts_with(browser, "2 of 15")
        requests = browser.problems()
        server.shutdown()
    assert all(server.address in line for line in requests)
    labels = read_labels(path)
    assert labels.keys() == {*SETTLEMENT.taken, "A1", "A2"}
    assert (labels["A1"].recipient_ids, labels["A1"].reviewer) == (("S1",), "carl")
