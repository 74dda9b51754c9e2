"""Alerts: notifications in one model for the command line, Dagster and Slack alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sbir_gate.model.finding import Finding, Severity, finding_fault
from sbir_gate.model.moments import utc
from sbir_gate.model.verdict import Outcome


class AlertKind(StrEnum):
    """What an alert is about."""

    LIMIT = "limit"
    CHANGE = "change"
    AWARDS = "awards"
    DRIFT = "drift"
    FAULT = "fault"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Alert:
    """One notification.

    `limit`: an absolute limit of a metric is broken; `change`: a metric got worse than the reference;
    `awards`: links were lost; `drift`: a metric got worse slowly; `fault`: the Run or the comparison itself
    is unsound; `recovery`: the Run before failed and this one does not. `metric` is empty where it is about
    no single one. `findings` are what it is made of, the most severe first, at least one.
    """

    gate: str
    kind: AlertKind
    severity: Severity
    findings: tuple[Finding, ...]
    metric: str = ""

    @property
    def key(self) -> str:
        """Two alerts with equal keys are the same news: a channel reports it once."""
        return f"{self.gate}/{self.kind}/{self.metric}"


@dataclass(frozen=True, slots=True)
class AlertList:
    """The alerts of one verdict, the most severe first."""

    gate: str
    outcome: Outcome
    started_at: datetime
    commit: str
    branch: str
    alerts: tuple[Alert, ...]

    def __post_init__(self) -> None:
        """Bring the start to UTC."""
        object.__setattr__(self, "started_at", utc(self.started_at))


@dataclass(frozen=True, slots=True)
class RunNotice:
    """One message on a run of a pipeline, or on all runs of a backfill.

    `headline` says what the run came to, `alerts` why; their `commit` names the commit or the version of
    the code. `address` is that of the run's page, empty if unknown.
    """

    headline: Finding
    alerts: AlertList
    address: str = ""


def alerts_fault(found: AlertList) -> str:
    """Return what a finding of an alert lacks; empty if none lacks anything."""
    return finding_fault(finding for alert in found.alerts for finding in alert.findings)
