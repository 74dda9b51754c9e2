import json

from sbir_gate.gate.reporting.diagnoses import render_diagnoses, render_diagnoses_json
from sbir_gate.model.diagnosis import Diagnosis, Gravity

ERROR = Diagnosis(Gravity.ERROR, "gate.yaml:3", "it is\nwrong \x1b[31m", "mend it")
WARNING = Diagnosis(Gravity.WARNING, "w.yaml:7", "it is old", "renew it")


def test_each_is_one_harmless_line_and_the_last_line_counts_them():
    assert render_diagnoses([ERROR, WARNING]).splitlines() == [
        "error: gate.yaml:3: it is wrong [31m; mend it",
        "warning: w.yaml:7: it is old; renew it",
        "errors: 1, warnings: 1",
    ]


def test_a_note_is_nothing_wrong():
    note = Diagnosis(Gravity.NOTE, "truth.csv", "8 of 40 awards are labelled", "label more")
    assert render_diagnoses([note]).splitlines()[-1] == "nothing is wrong with this set-up"
    assert json.loads(render_diagnoses_json([note]))["warnings"] == 0


def test_nothing_wrong_is_said():
    assert render_diagnoses([]) == "nothing is wrong with this set-up\n"


def test_json_has_all_of_it():
    document = json.loads(render_diagnoses_json([ERROR, WARNING]))
    assert (document["errors"], document["warnings"]) == (1, 1)
    assert document["diagnoses"][1] == {
        "gravity": "warning",
        "place": "w.yaml:7",
        "problem": "it is old",
        "cure": "renew it",
    }
