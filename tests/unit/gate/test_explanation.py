"""What an enriched file or an engine must be, before an award of it is explained."""

from pathlib import Path

import pytest

from sbir_gate.errors import InputError, TamperingError
from sbir_gate.gate.explanation import explain_engine, explain_enriched, shift_since
from sbir_gate.gate.reporting.explanation import explanation_view
from sbir_gate.model.matches import Decision, DecisionKind, NoLinkReason
from sbir_gate.model.verdict import LostBy
from sbir_gate.settings.effective import load_settings
from tests.factories import make_awards, make_run
from tests.fakes import WELL, fake_edges, write_fixture

LINKED = make_run(awards=make_awards([Decision("A0", DecisionKind.LINK, "name", "R1", 90.0)]))


@pytest.mark.parametrize("is_folder", [False, True], ids=["missing", "folder"])
def test_a_file_that_cannot_be_opened_is_named_as_the_user_named_it(tmp_path, is_folder):
    path = tmp_path / "linked.csv"
    if is_folder:
        path.mkdir()
    with pytest.raises(InputError) as caught:
        explain_enriched(path, "A1")
    assert str(path) in str(caught.value)
    assert "{output}" not in caught.value.hint


def test_an_engine_that_changes_its_input_explains_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_fixture(tmp_path)

    def launch(_request):
        Path("recipients.csv").write_text("recipient_id,legal_business_name\n")
        return WELL

    usual = {
        "enricher.command": "true {awards} {recipients} {output}",
        "fixtures.awards": "awards.csv",
        "fixtures.recipients": "recipients.csv",
    }
    edges = fake_edges(launch)
    with pytest.raises(TamperingError, match=r"recipients\.csv: changed by the enricher"):
        explain_engine(load_settings(None, {}, usual), ["A0"], edges, lambda _text: None)


@pytest.mark.parametrize("recipient", ["", "R9"], ids=["lost", "relinked"])
def test_of_an_engine_that_writes_no_candidates_only_the_link_is_known(tmp_path, recipient):
    path = tmp_path / "linked.csv"
    path.write_text(f"award_id,recipient_id,match_method,match_score\nA0,{recipient},name,90\n")
    found = explain_enriched(path, "A0")
    shift = shift_since(LINKED, found)
    assert shift.lost_by is None
    view = explanation_view(found, shift)
    assert "candidate" not in view.title
    assert "That link is lost. The engine reports no candidates, so the stage is not known." in view.since
    if not recipient:
        assert found.reason is NoLinkReason.NOT_REPORTED
        assert "the engine reports no candidates" in view.why


def test_an_engine_that_writes_its_candidates_has_not_found_what_it_does_not_name(tmp_path):
    path = tmp_path / "linked.csv"
    path.write_text("award_id,recipient_id,match_method,match_score,match_candidates\nA0,,none,0,\n")
    found = explain_enriched(path, "A0")
    assert shift_since(LINKED, found).lost_by is LostBy.BLOCKING
    assert explanation_view(found).title == "not linked, and no candidate"


def test_a_method_is_not_more_than_the_engine_says_of_it(tmp_path):
    path = tmp_path / "linked.csv"
    path.write_text("award_id,recipient_id,match_method,match_score\nA0,R1,uei-exact,100\n")
    view = explanation_view(explain_enriched(path, "A0"))
    assert (view.title, view.why) == ("linked to R1 by uei-exact", "")
