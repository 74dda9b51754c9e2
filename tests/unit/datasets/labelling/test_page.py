"""The page on which awards are labelled, as text."""

import json
import re
from datetime import date

from sbir_gate.datasets.labelling.page import render_label_page
from sbir_gate.model.labelling import AwardLabel, Certainty
from tests.factories_labelling import HOSTILE, make_sample, make_settlement, make_tasks
from tests.page_body import body_of

DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)


def page_of(labels=(), **more):
    """Return the page of the sample, and its data."""
    made = {label.award_id: label for label in labels}
    page = render_label_page(make_sample(), make_tasks(), made, "anna", **more)
    return page, json.loads(DATA.search(page)[1])["data"]


def test_the_data_holds_each_award_with_its_candidates_and_the_labels_so_far():
    label = AwardLabel("A1", ("R1",), "ben", date(2026, 1, 31), Certainty.LIKELY, "why")
    _, data = page_of([label])
    assert [task["award_id"] for task in data["tasks"]] == [f"A{number}" for number in range(20)]
    assert data["tasks"][1]["candidates"][0]["name"] == "QUELLMARK 1 INC"
    assert data["labels"]["A1"] == {
        "award_id": "A1",
        "recipient_ids": ["R1"],
        "reviewer": "ben",
        "decided_on": "2026-01-31",
        "certainty": "likely",
        "note": "why",
    }
    assert data["reviewer"] == "anna"


def test_without_scripts_the_awards_and_their_candidates_are_a_table():
    text = re.sub(r"<script.*?</script>", "", page_of()[0], flags=re.DOTALL)
    # each name apart: one from right to left must not move the id beside it
    assert "<bdi>QUELLMARK 1 INC</bdi> (R1) · <bdi>OTHER 1 LLC</bdi> (S1)" in text


def test_without_scripts_the_page_says_that_labelling_needs_them_and_explains_no_keys():
    page = page_of()[0]
    before, tool = page.split('<div id="label-tool" hidden>')
    assert "Labelling needs JavaScript" in before
    assert "works without JavaScript" not in page
    assert "Keys: 1 to 5" not in before
    assert "Keys: 1 to 5" in tool


def test_names_stay_text():
    page, _ = page_of()
    assert HOSTILE not in page
    assert "<img src=x" not in page


def test_only_a_served_page_may_talk_to_its_server():
    offline, served = page_of(), page_of(is_served=True)
    assert "connect-src" not in offline[0]
    assert "connect-src 'self'" in served[0].replace("&#39;", "'")
    assert (offline[1]["server"], served[1]["server"]) == (False, True)


def test_labels_of_other_awards_stay_in_the_file_that_the_page_makes():
    other = AwardLabel("ELSEWHERE", ("R9",), "ben", date(2026, 1, 31))
    _, data = page_of([other, AwardLabel("A1", ())])
    assert [*data["labels"]] == ["A1"]
    assert [label["award_id"] for label in data["others"]] == ["ELSEWHERE"]
    assert data["others"][0]["decided_on"] == "2026-01-31"


def test_a_settlement_shows_both_answers_and_takes_the_other_labels_over():
    found = make_settlement()
    tasks = [task for task in make_tasks() if task.award_id in found.disputes]
    page = render_label_page(found, tasks, {"A1": AwardLabel("A1", ("S1",), "carl")}, "carl")
    data = json.loads(DATA.search(page)[1])["data"]
    assert len(data["tasks"]) == 15
    assert data["sides"] == ["anna", "ben"]
    assert [one["recipient_ids"] for one in data["tasks"][0]["answers"]] == [["R1"], ["S1"]]
    assert data["labels"]["A1"]["reviewer"] == "carl"
    assert [one["award_id"] for one in data["others"]] == ["A0", "A4", "A8", "A12", "A16", "ALONE"]
    assert HOSTILE not in page
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "anna and ben disagree on 15 of 20 awards; 5 agreed labels and 1 of one reviewer" in text
    assert "<td>R1</td>" in text


def test_the_browser_keeps_the_labels_of_a_settlement_apart():
    found = make_settlement()
    data = json.loads(DATA.search(render_label_page(found, (), {}, ""))[1])["data"]
    assert data["sample"] != page_of()[1]["sample"]


def test_the_whole_page(check_golden):
    check_golden("label.html", body_of(page_of()[0]))
