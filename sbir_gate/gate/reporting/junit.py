"""A verdict as JUnit XML, which any CI shows as test results: a case for each limit, and for all else found.

`failure` is what fails the gate, `error` what broke, `skipped` what is undecided. A warning is a case that
passes, with its message as output. Jenkins, GitLab and Azure read all of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from sbir_gate.gate.reporting.headline import headline
from sbir_gate.gate.reporting.messages import fix, text
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.metric_rows import metric_row, ranked
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity
from sbir_gate.model.moments import moment_text
from sbir_gate.model.verdict import Verdict

_NAME_CHARACTERS = 80
_AWARDS = "awards"
_ELEMENTS = {Severity.FAIL: "failure", Severity.INCONCLUSIVE: "skipped"}


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case: what it is about, the figures that it judges, and the findings that decide."""

    group: str
    name: str
    figures: str
    findings: tuple[Finding, ...]

    @property
    def element(self) -> str:
        """The element that says how it ended; empty for a case that passes."""
        if any(finding.rule is Rule.ERROR for finding in self.findings):
            return "error"
        severities = {finding.severity for finding in self.findings}
        return next((name for severity, name in _ELEMENTS.items() if severity in severities), "")


def render_junit(verdict: Verdict) -> str:
    """Return the document. What comes from data has no character that XML forbids."""
    cases = tuple(_cases(verdict))
    counts = {
        "tests": len(cases),
        "failures": sum(case.element == "failure" for case in cases),
        "errors": sum(case.element == "error" for case in cases),
        "skipped": sum(case.element == "skipped" for case in cases),
    }
    numbers = {name: str(count) for name, count in counts.items()}
    root = ET.Element("testsuites", {"name": "sbir-gate", **numbers})
    about = {
        "name": plain(verdict.gate, _NAME_CHARACTERS),
        "timestamp": moment_text(verdict.head_started_at).replace("Z", ""),
    }
    suite = ET.SubElement(root, "testsuite", {**about, **numbers})
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("outcome", verdict.outcome.value),
        ("headline", headline(verdict)),
        ("head", plain(verdict.head_commit)),
        ("reference", plain(verdict.reference_commit)),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for case in cases:
        _add(suite, case)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _cases(verdict: Verdict) -> Iterator[_Case]:
    metrics = [
        change for change in ranked(verdict.changes) if change.limits or _about(change.metric, verdict)
    ]
    for change in metrics:
        row = metric_row(change)
        figures = f"{row.values}, {row.change}, limit {row.limit}"
        yield _Case("metrics", metric_name(change.metric), figures, _about(change.metric, verdict))
    named = {change.metric for change in metrics}
    rest = [finding for finding in verdict.deciding if finding.metric not in named]
    awards = tuple(finding for finding in rest if _is_of_awards(finding))
    if awards or verdict.changes:
        yield _Case("links", _AWARDS, "", awards)
    for rule in dict.fromkeys(finding.rule for finding in rest if not _is_of_awards(finding)):
        found = tuple(finding for finding in rest if finding.rule is rule)
        yield _Case("verdict", rule.value, "", found)


def _about(metric: str, verdict: Verdict) -> tuple[Finding, ...]:
    return tuple(finding for finding in verdict.deciding if finding.metric == metric)


def _is_of_awards(finding: Finding) -> bool:
    return not finding.metric and (finding.limit_kind is LimitKind.MAX_LOST or bool(finding.award_ids))


def _add(suite: ET.Element, case: _Case) -> None:
    group = f"{suite.attrib['name']}.{case.group}"
    place = next((finding.place for finding in case.findings if finding.place is not None), None)
    where = {} if place is None else {"file": plain(place.path), "line": str(place.line)}
    attributes = {"classname": group, "name": plain(case.name, _NAME_CHARACTERS), "time": "0", **where}
    element = ET.SubElement(suite, "testcase", attributes)
    if case.element:
        said = "; ".join(map(text, case.findings))
        ended = ET.SubElement(element, case.element, {"message": said, "type": case.findings[0].rule.value})
        ended.text = "\n".join([case.figures, *_lines(case.findings)]).strip()
    elif case.findings or case.figures:
        lines = [case.figures, *(f"warning: {line}" for line in _lines(case.findings))]
        ET.SubElement(element, "system-out").text = "\n".join(filter(None, lines))


def _lines(findings: Sequence[Finding]) -> Iterable[str]:
    """Return each message, with what to do about it below."""
    return dict.fromkeys(line for finding in findings for line in (text(finding), fix(finding)) if line)
