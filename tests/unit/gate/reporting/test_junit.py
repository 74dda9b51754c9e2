from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from sbir_gate.errors import InputError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.conclusion import error_findings
from sbir_gate.gate.reporting.headline import headline
from sbir_gate.gate.reporting.junit import render_junit
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.verdict import Outcome
from tests.factories import award_id, make_policy, make_run, no_link, scaled, with_decisions, with_metric

HOSTILE = "]]> <failure message='x'/> & \" \x00\x1b[31m\ufffe\ud800 \u202e name"


def suite_of(verdict):
    (suite,) = ET.fromstring(render_junit(verdict))  # noqa: S314 -- written here
    for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert suite.attrib[name] == str(len(suite.findall(f"testcase/{element}")))
    assert suite.attrib["tests"] == str(len(suite.findall("testcase")))
    return suite


def verdict_on(head, reference=None):
    return judge(head, reference or make_run(), make_policy())


def properties(suite):
    return {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}


def test_unchanged_code_passes_with_a_case_for_each_limit_and_the_awards():
    verdict = verdict_on(make_run())
    suite = suite_of(verdict)
    limited = [change.metric for change in verdict.changes if change.limits]
    assert len(suite.findall("testcase")) == len(limited) + 1
    assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == ("0", "0", "0")
    assert properties(suite)["headline"] == headline(verdict)
    assert suite.find("testcase[@name='Wall time']/system-out").text == "1.70 s, ~, limit +25%"


def test_a_slower_run_fails_the_case_of_its_metric():
    suite = suite_of(verdict_on(scaled(make_run(), "wall_seconds", 1.4)))
    (failure,) = suite.findall("testcase/failure")
    assert suite.find("testcase[@name='Wall time']/failure") is failure
    assert failure.attrib["type"] == Rule.REGRESSION
    assert failure.attrib["message"].startswith("Wall time rose 40")
    assert "sbir-gate run --base" in failure.text
    assert properties(suite)["outcome"] == Outcome.FAIL


def test_lost_links_fail_the_case_of_the_awards():
    lost = {award_id(number): no_link(award_id(number)) for number in range(9)}
    suite = suite_of(verdict_on(with_decisions(make_run(), lost)))
    assert suite.find("testcase[@name='awards']/failure").attrib["type"] == Rule.AWARDS_WORSENED


@pytest.mark.parametrize("severity", [Severity.WARN, Severity.INCONCLUSIVE])
def test_only_what_fails_fails_a_case(severity):
    verdict = verdict_on(scaled(make_run(), "wall_seconds", 1.4))
    outcome = Outcome(severity.value)
    milder = tuple(replace(finding, severity=severity) for finding in verdict.findings)
    suite = suite_of(replace(verdict, outcome=outcome, findings=milder))
    assert suite.attrib["failures"] == "0"
    case = suite.find("testcase[@name='Wall time']")
    if severity is Severity.WARN:
        assert "warning: Wall time rose 40" in case.find("system-out").text
    else:
        assert case.find("skipped").attrib["message"].startswith("Wall time rose 40")


def test_what_broke_is_an_error_at_its_place():
    error = InputError("is empty", "name another file", path="awards.csv", line=3)
    verdict = replace(
        verdict_on(make_run()), outcome=Outcome.ERROR, changes=(), findings=tuple(error_findings(error))
    )
    suite = suite_of(verdict)
    (case,) = suite.findall("testcase")
    assert (case.attrib["file"], case.attrib["line"]) == ("awards.csv", "3")
    assert "is empty" in case.find("error").attrib["message"]
    assert "name another file" in case.find("error").text


def test_an_incomparable_run_fails_a_case_of_its_reason():
    verdict = verdict_on(replace(make_run(), gate="other"))
    suite = suite_of(verdict)
    assert verdict.outcome is Outcome.INCOMPARABLE
    assert suite.find(f"testcase[@name='{Rule.OTHER_GATE}']/failure") is not None


def test_names_from_data_are_text_and_nothing_that_xml_forbids():
    head = with_metric(make_run(gate=HOSTILE), HOSTILE, [float("nan")], HOSTILE)
    document = render_junit(verdict_on(head, make_run(gate=HOSTILE)))
    (suite,) = ET.fromstring(document)  # noqa: S314 -- written here
    assert "<failure message='x'/>" in suite.attrib["name"]
    assert not set("\x00\x1b\ufffe\u202e") & set(document)
    document.encode("utf-8")
