import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sbir_gate.errors import DocumentError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.bounds import is_amount, run_fault
from sbir_gate.model.document import ALERTS, FORMAT_VERSION, HISTORY, RUN, VERDICT, decode, encode
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.moments import is_plausible
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.run import Run
from sbir_gate.model.sizes import LONGEST_NAME, run_excess
from sbir_gate.model.verdict import Outcome, Verdict, verdict_fault
from tests.factories import make_policy, make_run, with_lost_links, with_metric
from tests.factories_history import START

DOCUMENTS = Path(__file__).parents[2] / "data" / "documents"


def finite(value):
    """Return the document with 1 for numbers that no document may hold: NaN, and what cannot be measured.

    Names are cut to the length that is read.
    """
    if type(value) is str or isinstance(value, datetime):
        return value[:LONGEST_NAME] if type(value) is str else value if is_plausible(value) else START
    if isinstance(value, Proportion):
        return Proportion.of(*sorted((abs(value.part), abs(value.whole))))
    if isinstance(value, float | int):
        return value if isinstance(value, bool) or (value and is_amount(value)) else type(value)(1)
    if is_dataclass(value):
        return type(value)(**{field.name: finite(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, tuple | list):
        return tuple(finite(part) for part in value)
    # hypothesis knows many sorts of mapping; this program only uses dict
    return {finite(key): finite(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def edited(**changes):
    """Return a saved Run whose envelope was changed."""
    return json.dumps({**json.loads(encode(RUN, make_run())), **changes})


def edited_run(**changes):
    """Return a saved Run whose content was changed."""
    return edited(run={**json.loads(encode(RUN, make_run()))["run"], **changes})


def fault(text, kind=RUN):
    """Return the message of the error, which must name the file and a cure, in one line."""
    with pytest.raises(DocumentError) as caught:
        decode(kind, text, "run.json")
    assert caught.value.message.startswith("run.json: ")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


@given(st.from_type(Run).map(finite))
def test_any_run_comes_back_as_it_was(run):
    assume(not run_excess(run) and not run_fault(run))
    assert decode(RUN, encode(RUN, run), "run.json") == run


# findings that lack nothing: what lacks something is refused
st.register_type_strategy(
    Finding,
    st.builds(
        Finding,
        rule=st.sampled_from([rule for rule in Rule if not rule.needs and rule is not Rule.KNOWN_NOISE]),
        facts=st.fixed_dictionaries(
            {}, optional={"text": st.text(), "names": st.tuples(st.text()), "awards": st.integers(0, 9)}
        ),
    ),
)


@given(st.from_type(Verdict).map(finite))
def test_any_verdict_comes_back_as_it_was(verdict):
    assume(not verdict_fault(verdict))
    assert decode(VERDICT, encode(VERDICT, verdict), "verdict.json") == verdict


@given(st.from_type(HistoryEntry).map(finite))
def test_any_entry_of_the_history_comes_back_as_it_was(entry):
    assert decode(HISTORY, encode(HISTORY, entry), "entry.json") == entry


def test_a_real_verdict_comes_back_as_it_was():
    verdict = judge(with_lost_links(make_run(), 7), make_run(), make_policy())
    assert decode(VERDICT, encode(VERDICT, verdict), "verdict.json") == verdict


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("severity", Severity)
def test_an_outcome_that_its_findings_contradict_is_refused(outcome, severity):
    told = judge(make_run(), make_run(), make_policy())
    verdict = replace(told, outcome=outcome, findings=(Finding(Rule.NO_RECORDS, severity),))
    text = encode(VERDICT, verdict)
    if (outcome in {Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR}) == (severity is Severity.FAIL):
        assert decode(VERDICT, text, "verdict.json") == verdict
    else:
        with pytest.raises(DocumentError, match=f"the outcome is {outcome}, but (a|no) finding"):
            decode(VERDICT, text, "verdict.json")


@pytest.mark.parametrize(
    ("fact", "fault"),
    [
        (
            {"improved": "many"},
            "a finding of the rule awards-worsened has improved 'many', which is not a number",
        ),
        ({"improved": None}, "a finding of the rule awards-worsened has no improved"),
        ({"names": "A0001"}, "a finding of the rule awards-worsened has names 'A0001', which is not a list"),
        ({"commit": 7}, "a finding of the rule awards-worsened has commit '7', which is not a text"),
    ],
)
def test_a_finding_without_what_its_message_needs_is_refused_in_one_line(fact, fault):
    verdict = judge(with_lost_links(make_run(), 7), make_run(), make_policy())
    (finding,) = [each for each in verdict.findings if each.rule is Rule.AWARDS_WORSENED]
    facts = {name: value for name, value in {**finding.facts, **fact}.items() if value is not None}
    text = encode(VERDICT, replace(verdict, findings=(replace(finding, facts=facts),)))
    with pytest.raises(DocumentError) as caught:
        decode(VERDICT, text, "verdict.json")
    assert caught.value.message == f"verdict.json: {fault}"
    unmeasured = encode(VERDICT, replace(verdict, findings=(replace(finding, measured=None),)))
    with pytest.raises(DocumentError, match="has no measured"):
        decode(VERDICT, unmeasured, "verdict.json")


def test_findings_under_an_older_format_are_refused():
    verdict = judge(with_lost_links(make_run(), 7), make_run(), make_policy())
    text = encode(VERDICT, verdict).replace(f'"format_version":{FORMAT_VERSION}', '"format_version":3')
    with pytest.raises(DocumentError, match="has no findings"):
        decode(VERDICT, text, "verdict.json")


def test_the_document_says_its_format_and_kind_and_ends_in_a_newline():
    text = encode(RUN, make_run())
    assert text.endswith("}\n")
    document = json.loads(text)
    assert (document["format_version"], document["kind"]) == (FORMAT_VERSION, "run")


def test_a_run_of_an_equal_value_is_the_same_text():
    assert encode(RUN, make_run()) == encode(RUN, make_run())


def test_a_text_that_looks_like_no_number_is_written():
    run = replace(make_run(), reject_examples=("[NaN],", ",-Infinity,"))
    assert decode(RUN, encode(RUN, run), "run.json") == run


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_no_number_is_never_written(value):
    with pytest.raises(ValueError, match="line 1 column"):
        encode(RUN, with_metric(make_run(), "wall_seconds", [value]))


@pytest.mark.parametrize("start", ["2026-01-31T18:30:00+05:30", "2026-01-31T13:00:00"])
def test_a_start_is_read_as_a_moment_in_utc(start):
    run = decode(RUN, edited_run(started_at=start), "run.json")
    assert (run.started_at, run.started_at.tzinfo) == (datetime(2026, 1, 31, 13, tzinfo=UTC), UTC)


def test_a_newer_format_is_refused_with_the_cure():
    with pytest.raises(DocumentError) as caught:
        decode(RUN, edited(format_version=FORMAT_VERSION + 1), "run.json")
    assert f"format_version is {FORMAT_VERSION + 1}; this sbir-gate reads up to" in caught.value.message
    assert "upgrade sbir-gate" in caught.value.hint


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True, [1]])
def test_a_format_that_is_no_number_from_one_is_refused(version):
    assert "not a whole number from 1" in fault(edited(format_version=version))


@pytest.mark.parametrize("kind", [None, "verdict", "RUN", 1, ["run"]])
def test_another_kind_is_refused(kind):
    assert "not 'run'" in fault(edited(kind=kind))


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"a": 1,}', encode(RUN, make_run())[:-3]])
def test_what_is_no_json_is_refused(text):
    assert "not JSON" in fault(text)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"run"'])
def test_json_that_is_no_object_is_refused(text):
    assert fault(text) == "run.json: not a JSON object"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"gate": None}, "gate"),
        ({"unknown": 1}, "unknown"),
        ({"metrics": [{"name": "x", "unit": "s", "kind": "fuzzy", "values": []}]}, "metrics.0.kind"),
        ({"metrics": [{"name": "x", "unit": "s", "kind": "exact", "values": ["one"]}]}, "metrics.0.values.0"),
        ({"samples": {}}, "samples"),
        ({"started_at": ""}, "started_at"),
        ({"started_at": "../../etc/passwd"}, "started_at"),
        ({"started_at": "2026-13-45T00:00:00"}, "started_at"),
        ({"started_at": "9999-12-31T23:59:59-23:00"}, "document: the time"),
    ],
)
def test_the_place_of_a_wrong_value_is_named(changes, place):
    assert fault(edited_run(**changes)).startswith(f"run.json: {place}")


@pytest.mark.parametrize("content", [None, [], "run", {}])
def test_content_of_the_wrong_shape_is_refused(content):
    fault(edited(run=content))


def test_a_missing_content_is_refused():
    fault(json.dumps({"format_version": 1, "kind": "run"}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(number):
    text = encode(RUN, make_run()).replace('"match_rate":0.75', f'"match_rate":{number}')
    assert number in text
    assert "match_rate" in fault(text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_huge_nesting_is_refused_and_does_not_crash(opening):
    assert "not JSON" in fault(opening * 200_000)


def test_huge_nesting_inside_a_run_is_refused():
    nested = "[" * 900 + "]" * 900
    fault(encode(RUN, make_run()).replace('"warnings":[]', f'"warnings":{nested}'))


def test_a_lone_surrogate_is_refused():
    fault(encode(RUN, make_run()).replace('"gate":"enrichment"', '"gate":"\\ud800"'))


@pytest.mark.parametrize(
    ("kind", "name"),
    [(RUN, "baseline"), (RUN, "run"), (VERDICT, "verdict"), (HISTORY, "history"), (ALERTS, "alerts")],
)
@pytest.mark.parametrize("folder", sorted(DOCUMENTS.glob("format-*")), ids=lambda folder: folder.name)
def test_documents_of_every_older_format_are_read(folder, kind, name):
    text = (folder / f"{name}.json").read_text(encoding="utf-8")
    content = decode(kind, text, name)
    assert decode(kind, encode(kind, content), name) == content
