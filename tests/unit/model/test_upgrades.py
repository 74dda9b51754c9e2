import json
from pathlib import Path

import pytest

from sbir_gate.errors import DocumentError
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.gate.reporting.notices import alert_text
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.awards import Label
from sbir_gate.model.document import ALERTS, RUN, VERDICT, decode, encode
from sbir_gate.model.finding import Place, Rule, Severity

DOCUMENTS = Path(__file__).parents[2] / "data" / "documents"


def run_of_3(**changes):
    """Return the content of the Run of format 3."""
    return {**json.loads((DOCUMENTS / "format-3" / "run.json").read_text())["run"], **changes}


def read(run):
    return decode(RUN, json.dumps({"format_version": 3, "kind": "run", "run": run}), "run.json")


def test_every_array_of_format_3_is_in_the_records():
    old = run_of_3()
    awards = read(old).awards
    assert [award.award_id for award in awards] == [each["award_id"] for each in old["decisions"]]
    assert [award.decision.method for award in awards] == [each["method"] for each in old["decisions"]]
    assert [award.firm_name for award in awards] == old["firm_names"]
    kinds = [old["award_kinds"][index] for index in old["kind_indexes"]]
    assert [award.phase for award in awards] == [kind["phase"] for kind in kinds]
    assert [award.identifier_type for award in awards] == [kind["identifier_type"] for kind in kinds]
    names = {each["recipient_id"]: (each["name"], each["uei"]) for each in old["recipients"]}
    linked = {award.link: (award.recipient_name, award.recipient_uei) for award in awards if award.link}
    assert linked == names


def test_awards_are_correct_incorrect_or_unlabelled_as_the_arrays_said():
    old = run_of_3()
    labels = {award.award_id: award.label for award in read(old).awards}
    assert {id_ for id_, label in labels.items() if label is Label.CORRECT} == set(old["right_award_ids"])
    unlabelled = {id_ for id_, label in labels.items() if label is Label.UNLABELLED}
    assert unlabelled == set(old["unlabelled_award_ids"]) == {"A0000003", "A0000017", "A0000041"}


def test_without_a_truth_no_award_is_labelled():
    run = read(run_of_3(has_truth=False, right_award_ids=[], unlabelled_award_ids=[]))
    assert {award.label for award in run.awards} == {Label.UNLABELLED}


def test_arrays_that_were_left_empty_say_nothing():
    run = read(run_of_3(firm_names=[], award_kinds=[], kind_indexes=[], recipients=[]))
    known = {(each.firm_name, each.phase, each.recipient_name, each.recipient_uei) for each in run.awards}
    assert known == {("", "", "", "")}


def test_a_kind_that_points_nowhere_is_not_known():
    old = run_of_3()
    indexes = [-1, len(old["award_kinds"]), *old["kind_indexes"][2:]]
    assert [award.phase for award in read(run_of_3(kind_indexes=indexes)).awards[:2]] == ["", ""]


def test_an_engine_without_candidates_has_no_blocking_recall():
    old = run_of_3()
    assert "blocking_recall" in {metric.name for metric in read(old).metrics}
    bare = [{**each, "candidate_ids": []} for each in old["decisions"] if each["kind"] != "candidate"]
    run = read(run_of_3(decisions=bare))
    assert {"blocking_recall", "scoring_recall"}.isdisjoint(metric.name for metric in run.metrics)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"decisions": None}, "decisions: "),
        ({"decisions": [{"award_id": "A1"}]}, "decisions.0.kind: "),
        ({"firm_names": [1]}, "firm_names.0: "),
        ({"awards": []}, "awards"),
    ],
)
def test_a_damaged_array_is_named(changes, place):
    with pytest.raises(DocumentError) as caught:
        read(run_of_3(**changes))
    assert caught.value.message.startswith(f"run.json: {place}")


def test_a_verdict_without_a_reference_has_no_time_of_one():
    text = (DOCUMENTS / "format-3" / "verdict.json").read_text()
    document = json.loads(text)
    document["verdict"] |= {"reference_started_at": "", "reference_commit": ""}
    verdict = decode(VERDICT, json.dumps(document), "verdict.json")
    assert verdict.reference_started_at is None
    assert '"reference_started_at":null' in encode(VERDICT, verdict)


@pytest.mark.parametrize("folder", sorted(DOCUMENTS.glob("format-[23]")), ids=lambda folder: folder.name)
class TestSentences:
    """Verdicts and alerts up to format 3 held sentences: each of them is shown as it was recorded."""

    def test_every_reason_and_note_of_a_verdict_is_a_finding(self, folder):
        text = (folder / "verdict.json").read_text()
        old, verdict = json.loads(text)["verdict"], decode(VERDICT, text, "verdict.json")
        assert verdict.outcome == old["outcome"]
        assert {finding.rule for finding in verdict.findings} == {Rule.AS_RECORDED}
        recorded = [finding.facts["text"] for finding in verdict.findings]
        assert recorded == [*old["reasons"], *old.get("notes", [])]
        severities = {change["reason"]: change["severity"] for change in old["changes"] if change["reason"]}
        for finding in verdict.deciding:
            assert finding.severity == severities.get(finding.facts["text"], finding.severity)
        assert [*texts(verdict.deciding)] == old["reasons"]
        assert build_view(None, verdict).headline
        assert decode(VERDICT, encode(VERDICT, verdict), "again") == verdict

    def test_every_alert_keeps_its_text_and_its_key(self, folder):
        text = (folder / "alerts.json").read_text()
        old, found = json.loads(text)["alerts"], decode(ALERTS, text, "alerts.json")
        assert [alert_text(alert) for alert in found.alerts] == [each["text"] for each in old["alerts"]]
        assert [alert.key for alert in found.alerts] == [
            f"{each['gate']}/{each['kind']}/{each['metric']}" for each in old["alerts"]
        ]


def test_reasons_without_a_change_take_the_severity_of_the_outcome_and_their_place():
    text = json.dumps(
        {
            "format_version": 3,
            "kind": "verdict",
            "verdict": {
                "gate": "g",
                "outcome": "error",
                "reasons": ["gate.yaml:4: unknown key"],
                "reason_origins": ["gate.yaml:4"],
                "changes": [],
                "records": {"reason": ""},
                "head_started_at": "2026-01-01T00:00:00Z",
                "head_commit": "",
            },
        }
    )
    (finding,) = decode(VERDICT, text, "verdict.json").findings
    assert (finding.severity, finding.place) == (Severity.FAIL, Place("gate.yaml", 4))


@pytest.mark.parametrize("version", [3, 4])
def test_notes_and_obstacles_that_were_sentences_are_shown_as_they_were_recorded(version):
    old = json.loads((DOCUMENTS / f"format-{version}" / "run.json").read_text())
    said = "the base ran in an environment of its own"
    edits = {"commit": "c" * 40, "obstacle": "the enricher broke"}
    old["run"] |= {"warnings": [said], "fixture_edits": edits}
    run = decode(RUN, json.dumps(old), "run.json")
    assert texts(run.warnings) == (said,)
    (obstacle,) = texts([run.fixture_edits.obstacle])
    assert obstacle == "cannot be judged on the base's fixture: the enricher broke"
    old["run"]["fixture_edits"] = {**edits, "obstacle": ""}
    assert decode(RUN, json.dumps(old), "run.json").fixture_edits.obstacle is None
    assert decode(RUN, encode(RUN, run), "run.json") == run
