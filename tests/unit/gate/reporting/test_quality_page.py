"""The quality report as a page, in words."""

import pytest

from sbir_gate.gate.reporting.quality_page import quality_page, render_quality_console
from tests.factories_quality import link, nothing, profile, report_of


@pytest.mark.parametrize(
    ("linked", "awards", "said"),
    [
        (0, 1, "0 of 1 award has a link"),
        (1, 2, "1 of 2 awards has a link"),
        (2, 2, "2 of 2 awards have a link"),
        (0, 2, "0 of 2 awards have a link"),
    ],
)
def test_the_lead_counts_in_good_grammar(linked, awards, said):
    ids = [f"A{number}" for number in range(awards)]
    decisions = [link(id_) if place < linked else nothing(id_) for place, id_ in enumerate(ids)]
    assert quality_page(report_of(decisions, [profile(id_) for id_ in ids])).lead.startswith(said)


def test_an_engine_that_finds_no_candidate_is_not_one_that_names_none():
    text = render_quality_console(report_of([nothing("A1")], [profile("A1")], has_candidates=True), 100)
    assert "no candidate: no recipient resembles the firm" in text
    assert "reports no candidates" not in text
    assert "match_candidates" not in text
