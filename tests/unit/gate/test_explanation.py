"""What an enriched file or an engine must be, before an award of it is explained."""

from pathlib import Path

import pytest

from sbir_gate.errors import InputError, TamperingError
from sbir_gate.gate.explanation import explain_engine, explain_enriched
from sbir_gate.settings.effective import load_settings
from tests.fakes import WELL, fake_edges, write_fixture


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
