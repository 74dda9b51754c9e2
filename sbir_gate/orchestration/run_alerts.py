"""What a run says, as alerts: the same model that the command line and Slack have, in Dagster's terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import dagster as dg

from sbir_gate.gate.comparing.run_checks import GATE, PERFORMANCE, REGRESSION, THRESHOLD
from sbir_gate.model.alert import Alert, AlertKind, AlertList
from sbir_gate.model.finding import Fact, Finding, Rule, Severity
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.facts import FINDINGS

_KINDS = {
    THRESHOLD.name: AlertKind.LIMIT,
    REGRESSION.name: AlertKind.CHANGE,
    PERFORMANCE.name: AlertKind.CHANGE,
}
_ORDER = (Severity.FAIL, Severity.WARN)
# numbers differ from run to run where the fault is the same
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class StepFailure:
    """A step that failed, and its own error; `is_of_checks` if that says only that blocking checks failed."""

    step: str
    text: str
    is_of_checks: bool = False


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run that ended: what its checks said, which steps failed and which were done.

    `partition` is empty without one. `code` names the commit or the version of the code. `fault` is why the
    run failed beside its steps; empty if it did not.
    """

    gate: str
    job: str
    started_at: datetime
    partition: str = ""
    code: str = ""
    evaluations: tuple[dg.AssetCheckEvaluation, ...] = ()
    failures: tuple[StepFailure, ...] = ()
    steps_done: frozenset[str] = frozenset()
    fault: str = ""

    @property
    def label(self) -> str:
        """The job and the partition."""
        return f"{self.job} ({self.partition})" if self.partition else self.job


def alerts_of_run(facts: RunFacts) -> AlertList:
    """Return the alerts of a run, most severe first and each reason once.

    What is too noisy to judge is left out, and so is what the gate says where other checks say it. A run
    that failed without a check that says so broke for a reason of its own.
    """
    failed = _complaints(facts)
    reported = {
        key
        for evaluation in failed
        if evaluation.check_name != GATE.name
        for key in _finding_keys(evaluation)
    }
    news = [
        evaluation
        for evaluation in failed
        if evaluation.check_name != GATE.name or not reported.issuperset(_finding_keys(evaluation))
    ]
    alerts = [
        *(_alert(facts.gate, evaluation) for evaluation in news),
        *(_fault(facts.gate, finding) for finding in _step_findings(facts, is_refused=_has_error(news))),
    ]
    return AlertList(
        gate=facts.gate,
        outcome=_outcome(alerts, is_refused=_has_error(news), is_failed=bool(facts.fault)),
        started_at=facts.started_at,
        commit=facts.code,
        branch="",
        alerts=tuple(sorted(alerts, key=lambda alert: _ORDER.index(alert.severity))),
    )


def faults_of(facts: RunFacts) -> dict[str, str]:
    """Return what is wrong, by the place where it is: a check, a step, or the run."""
    found = {
        check_place(evaluation): " ".join((evaluation.severity.value, *_finding_keys(evaluation)))
        for evaluation in _complaints(facts)
    }
    for finding in _step_findings(facts, is_refused=_has_error(_complaints(facts))):
        found[step_place(str(finding.facts.get("step", "")))] = _NUMBER.sub("#", str(finding.facts["text"]))
    return found


def resolved_by(facts: RunFacts) -> frozenset[str]:
    """Return where a fault of an earlier run is gone: checks that passed, steps that were done."""
    passed = {check_place(each) for each in facts.evaluations} - {
        check_place(each) for each in _complaints(facts)
    }
    run = set() if facts.fault else {step_place("")}
    return frozenset(passed | run | {step_place(step) for step in facts.steps_done})


def check_place(evaluation: dg.AssetCheckEvaluation) -> str:
    """Return the name of a check among the places of faults."""
    return f"check {evaluation.asset_key.to_user_string()} {evaluation.check_name}"


def step_place(step: str) -> str:
    """Return the name of a step among the places of faults; that of the run itself is empty."""
    return f"step {step}".strip()


def in_partitions(alerts: Sequence[tuple[str, AlertList]]) -> tuple[Alert, ...]:
    """Return the alerts of several partitions, each reason once with the partitions that have it."""
    merged: dict[tuple[object, ...], tuple[Alert, list[str]]] = {}
    for partition, found in alerts:
        for alert in found.alerts:
            key = (alert.kind, alert.severity, alert.metric, str(alert.findings))
            merged.setdefault(key, (alert, []))[1].append(partition)
    named = [
        replace(
            alert,
            findings=tuple(
                replace(finding, facts={**finding.facts, "in_partitions": tuple(partitions)})
                for finding in alert.findings
            ),
        )
        for alert, partitions in merged.values()
    ]
    return tuple(sorted(named, key=lambda alert: _ORDER.index(alert.severity)))


def _complaints(facts: RunFacts) -> list[dg.AssetCheckEvaluation]:
    return [
        each
        for each in facts.evaluations
        if not each.passed and _text(each.metadata, "severity") != Severity.INCONCLUSIVE
    ]


def _has_error(evaluations: Sequence[dg.AssetCheckEvaluation]) -> bool:
    return any(each.severity is dg.AssetCheckSeverity.ERROR for each in evaluations)


def _step_findings(facts: RunFacts, *, is_refused: bool) -> Iterator[Finding]:
    """Yield why steps failed in their own words, or why the run did without them."""
    said: set[str] = set()
    for failure in facts.failures:
        if failure.is_of_checks or failure.text in said:
            continue
        said.add(failure.text)
        found: dict[str, Fact] = {"step": failure.step, "text": failure.text}
        yield Finding(Rule.STEP_FAILED, Severity.FAIL, facts=found)
    if facts.fault and not said and not is_refused:
        yield Finding(Rule.RUN_FAILED, Severity.FAIL, facts={"text": facts.fault})


def _fault(gate: str, finding: Finding) -> Alert:
    return Alert(gate, AlertKind.FAULT, Severity.FAIL, (finding,))


def _alert(gate: str, evaluation: dg.AssetCheckEvaluation) -> Alert:
    metadata = evaluation.metadata
    is_error = evaluation.severity is dg.AssetCheckSeverity.ERROR
    severity = Severity.FAIL if is_error else Severity.WARN
    asset = evaluation.asset_key.to_user_string()
    finding = Finding(
        Rule.CHECK_FAILED,
        severity,
        metric=_text(metadata, "metric"),
        unit=_text(metadata, "unit"),
        measured=_number(metadata, "value"),
        facts={"asset": asset, "check": evaluation.check_name, "text": evaluation.description or ""},
    )
    return Alert(
        gate=gate,
        kind=_KINDS.get(evaluation.check_name, AlertKind.FAULT),
        severity=severity,
        findings=(finding,),
        metric=_text(metadata, "metric") or evaluation.check_name,
    )


def _finding_keys(evaluation: dg.AssetCheckEvaluation) -> tuple[str, ...]:
    """Return what the check found; of one that names nothing, its own name."""
    listed = evaluation.metadata.get(FINDINGS)
    found = listed.data if isinstance(listed, dg.JsonMetadataValue) else None
    return tuple(map(str, found)) if isinstance(found, list) else (evaluation.check_name,)


def _outcome(alerts: Sequence[Alert], *, is_refused: bool, is_failed: bool) -> Outcome:
    if is_refused:
        return Outcome.FAIL
    if is_failed:
        return Outcome.ERROR
    return Outcome.WARN if alerts else Outcome.PASS


def _text(metadata: Mapping[str, dg.MetadataValue], name: str) -> str:
    value = metadata.get(name)
    return value.text if isinstance(value, dg.TextMetadataValue) and value.text is not None else ""


def _number(metadata: Mapping[str, dg.MetadataValue], name: str) -> float | None:
    value = metadata.get(name)
    return value.value if isinstance(value, dg.FloatMetadataValue) else None
