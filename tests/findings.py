"""What tests ask of findings: rules and figures, and for a few of them their messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sbir_gate.gate.comparing.changes import Compared
from sbir_gate.gate.comparing.records import compare_records
from sbir_gate.gate.reporting.messages import diagnosis_texts, texts
from sbir_gate.model.diagnosis import Diagnosis
from sbir_gate.model.finding import Finding, LimitKind, Rule, Severity
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Change, Policy, RecordChanges, Verdict


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """Return the messages of what decided the verdict."""
    return texts(verdict.deciding)


def notes(verdict: Verdict) -> tuple[str, ...]:
    """Return the messages of the notes."""
    return texts(verdict.notes)


def problem(diagnosis: Diagnosis) -> str:
    """Return what is wrong with a set-up."""
    return diagnosis_texts(diagnosis)[0]


def cure(diagnosis: Diagnosis) -> str:
    """Return the fix of what is wrong with a set-up."""
    return diagnosis_texts(diagnosis)[1]


def rules(findings: Iterable[Finding]) -> list[Rule]:
    """Return what kinds of findings there are, in order."""
    return [finding.rule for finding in findings]


@dataclass(frozen=True)
class Row:
    """A row of the verdict with what was found in it; what is asked of it is asked of the change."""

    change: Change
    findings: tuple[Finding, ...]

    def __getattr__(self, name: str) -> object:
        return getattr(self.change, name)

    @property
    def finding(self) -> Finding:
        """The one thing that was found."""
        (found,) = self.findings
        return found

    @property
    def text(self) -> str:
        """The messages of what was found."""
        return "; ".join(texts(self.findings))


def row_of(compared: Compared, metric: str) -> Row:
    """Return the one row of a metric."""
    (change,) = [change for change in compared.changes if change.metric == metric]
    return Row(change, tuple(finding for finding in compared.findings if finding.metric == metric))


@dataclass(frozen=True)
class Records:
    """Changed awards with what was found in them; what is asked of it is asked of the changes."""

    changes: RecordChanges
    findings: tuple[Finding, ...]

    def __getattr__(self, name: str) -> object:
        return getattr(self.changes, name)

    @property
    def text(self) -> str:
        """The messages of what was found."""
        return "; ".join(texts(self.findings))


def records_of(head: Run, reference: Run, policy: Policy) -> Records:
    """Compare award by award."""
    return Records(*compare_records(head, reference, policy))


def drift(severity: Severity, metric: str = "wall_seconds", **facts: str) -> Finding:
    """Return a finding against an older Run."""
    return Finding(
        Rule.DRIFT,
        severity,
        metric=metric,
        unit="s",
        measured=2.2,
        reference=1.7,
        ratio=1.3,
        limit=25.0,
        limit_kind=LimitKind.FAIL,
        facts={
            "change": 0.5,
            "days": 30,
            "tag": "",
            "reference_started_at": "2026-01-01T12:00:00+00:00",
            "reference_commit": "c" * 40,
            **facts,
        },
    )
