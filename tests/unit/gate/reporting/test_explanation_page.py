"""Explained awards as a page."""

import json
import re
from dataclasses import replace

from sbir_gate.gate.reporting.explanation import explanation_view
from sbir_gate.gate.reporting.explanation_page import render_explanations
from sbir_gate.gate.reporting.quantities import MINUS
from sbir_gate.model.explanation import Party
from tests.page_body import body_of
from tests.unit.gate.reporting.test_explanation import FOUND, shift_of

DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)


def page_of(*found):
    """Return the page of some explanations."""
    return render_explanations([explanation_view(one, shift_of("R7")) for one in found])


def test_the_waterfall_ends_at_the_confidence():
    page = page_of(FOUND)
    (chart,) = json.loads(DATA.search(page)[1])["charts"].values()
    (series,) = chart["series"]
    reached = 0.0
    for start, size in zip(series["base"][:-1], series["y"][:-1], strict=True):
        assert abs(start - reached) < 1e-9
        reached = start + size
    assert abs(reached - series["y"][-1]) < 1e-9
    assert series["x"][-1] == f"{MINUS}2.00 together"
    assert f"{MINUS}2.50 ZIP areas differ" in series["x"]  # the direction is not shown by color alone
    assert "0.091" in page


def test_a_link_by_an_identifier_has_one_confidence():
    best = replace(FOUND.candidates[0], method="uei-exact", confidence=0.998)
    text = re.sub(r"<script.*?</script>", "", page_of(replace(FOUND, candidates=(best,))), flags=re.DOTALL)
    assert "The identifier decides; by name and place alone, QUELLMARK OPTIX LLC would have 0.091" in text
    assert "confidence 0.091." not in text


def test_each_award_has_a_section_and_works_without_scripts():
    text = re.sub(r"<script.*?</script>", "", page_of(FOUND, replace(FOUND, award_id="A2")), flags=re.DOTALL)
    for part in ("A1 · Quellmark Optics", "A2 · Quellmark Optics", "QUELLMARK OPTIX LLC", "one name within"):
        assert part in text


def test_text_of_the_data_stays_text():
    hostile = replace(FOUND, firm=Party("</script><script>alert(1)</script><img src=x onerror=alert(2)>"))
    page = page_of(hostile)
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_the_whole_page(check_golden):
    check_golden("explanation.html", body_of(page_of(FOUND)))
