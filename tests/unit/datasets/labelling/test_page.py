"""The page on which awards are labelled, as text."""

import json
import re
from datetime import date

from sbir_gate.datasets.labelling.page import render_label_page
from sbir_gate.model.labelling import AwardLabel, Certainty
from tests.factories_labelling import HOSTILE, make_sample, make_tasks
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
    assert "QUELLMARK 1 INC (R1) · OTHER 1 LLC (S1)" in text


def test_names_stay_text():
    page, _ = page_of()
    assert HOSTILE not in page
    assert "<img src=x" not in page


def test_only_a_served_page_may_talk_to_its_server():
    offline, served = page_of(), page_of(is_served=True)
    assert "connect-src" not in offline[0]
    assert "connect-src 'self'" in served[0].replace("&#39;", "'")
    assert (offline[1]["server"], served[1]["server"]) == (False, True)


def test_the_whole_page(check_golden):
    check_golden("label.html", body_of(page_of()[0]))
