import json

import pytest

from sbir_gate.gate.reporting.diagnoses import render_diagnoses, render_diagnoses_json
from sbir_gate.gate.reporting.messages import catalogue
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity

ERROR = Diagnosis(
    Gravity.ERROR, Flaw.INPUT_ERROR, "gate.yaml:3", {"text": "it is\nwrong \x1b[31m", "hint": "fix it"}
)
WARNING = Diagnosis(
    Gravity.WARNING, Flaw.WAIVER_NOT_NEEDED, "w.yaml:7", {"metric": "wall_seconds", "owner": "ana"}
)


def test_each_is_one_harmless_line_and_the_last_line_counts_them():
    assert render_diagnoses([ERROR, WARNING]).splitlines() == [
        "error: gate.yaml:3: it is wrong [31m; fix it",
        (
            "warning: w.yaml:7: the waiver for wall_seconds is not needed by the latest Run;"
            " take it out, or ask ana"
        ),
        "errors: 1, warnings: 1",
    ]


def test_a_note_is_nothing_wrong():
    facts = {"labelled": 8, "awards": 1240, "coverage": "part"}
    note = Diagnosis(Gravity.NOTE, Flaw.LABELS, "truth.csv", facts)
    assert render_diagnoses([note]).splitlines()[-1] == "nothing is wrong with this set-up"
    assert "8 of 1,240 awards labelled; the others are judged" in render_diagnoses([note])
    assert json.loads(render_diagnoses_json([note]))["warnings"] == 0


def test_nothing_wrong_is_said():
    assert render_diagnoses([]) == "nothing is wrong with this set-up\n"


def test_json_has_all_of_it():
    document = json.loads(render_diagnoses_json([ERROR, WARNING]))
    assert (document["errors"], document["warnings"]) == (1, 1)
    assert document["diagnoses"][1] == {
        "gravity": "warning",
        "id": "waiver-not-needed",
        "place": "w.yaml:7",
        "problem": "the waiver for wall_seconds is not needed by the latest Run",
        "cure": "take it out, or ask ana",
        "facts": {"metric": "wall_seconds", "owner": "ana"},
    }


def test_every_flaw_has_its_text_and_no_text_is_of_no_flaw():
    assert set(catalogue("diagnosis")) == {flaw.value for flaw in Flaw}


@pytest.mark.parametrize("flaw", Flaw)
def test_a_flaw_without_facts_still_has_one_line(flaw):
    (line, _) = render_diagnoses([Diagnosis(Gravity.ERROR, flaw, "gate.yaml:3")]).splitlines()
    assert line.startswith("error: gate.yaml:3: ")
