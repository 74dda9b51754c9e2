"""The one message on a run, or on all runs of a backfill: what it came to, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sbir_gate.model.alert import AlertList, RunNotice
from sbir_gate.model.finding import Fact, Finding, Rule, Severity
from sbir_gate.model.moments import moment_text
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.reported import News, Reported, news_of
from sbir_gate.orchestration.run_alerts import (
    RunFacts,
    alerts_of_run,
    faults_of,
    in_partitions,
    resolved_by,
)

_FAILED = (Outcome.FAIL, Outcome.ERROR)
_RULES = {Outcome.FAIL: Rule.RUN_REFUSED, Outcome.ERROR: Rule.RUN_BROKEN, Outcome.WARN: Rule.RUN_WARNED}


@dataclass(frozen=True, slots=True)
class RunNews:
    """A run that ended, its alerts, and what of them is news beside what was reported before."""

    facts: RunFacts
    alerts: AlertList
    before: Reported
    news: News
    reported: Reported


def run_news(facts: RunFacts, before: Reported, now: datetime) -> RunNews:
    """Return what is news of a run."""
    news, reported = news_of(before, faults_of(facts), resolved_by(facts), now)
    return RunNews(facts, alerts_of_run(facts), before, news, reported)


def run_notice(run: RunNews, address: str) -> RunNotice | None:
    """Return the message on a run, None without news."""
    if run.news is News.NONE:
        return None
    outcome = run.alerts.outcome
    facts: dict[str, Fact] = {"run": run.facts.label}
    since = run.before.since if run.news is News.RECOVERED else run.reported.since
    if run.news is News.RECOVERED:
        rule = Rule.RUN_RECOVERED
    elif run.news is News.STILL:
        rule = Rule.RUN_STILL_FAILS if outcome in _FAILED else Rule.RUN_STILL_WARNS
    else:
        rule = _RULES[outcome]
    if run.news is not News.FAULT and since is not None:
        facts["since"] = moment_text(since)
    return RunNotice(Finding(rule, _severity(outcome), facts=facts), run.alerts, address)


def backfill_notice(backfill: str, runs: Sequence[RunNews], address: str) -> RunNotice | None:
    """Return the message on all partitions of a backfill; None where nothing is wrong, and nothing was."""
    bad = sorted((run for run in runs if run.alerts.alerts), key=lambda run: run.facts.partition)
    recovered = [run for run in runs if run.news is News.RECOVERED]
    if not bad and not recovered:
        return None
    failed = [run for run in bad if run.alerts.outcome in _FAILED]
    if failed:
        rule, outcome, concerned = Rule.BACKFILL_FAILED, Outcome.FAIL, len(runs)
    elif bad:
        rule, outcome, concerned = Rule.BACKFILL_WARNED, Outcome.WARN, len(bad)
    else:
        rule, outcome, concerned = Rule.BACKFILL_RECOVERED, Outcome.PASS, len(recovered)
    first = runs[0]
    facts: dict[str, Fact] = {
        "run": f"{first.facts.job}, backfill {backfill}",
        "failed": len(failed),
        "partitions": concerned,
    }
    alerts = AlertList(
        gate=first.alerts.gate,
        outcome=outcome,
        started_at=min(run.facts.started_at for run in runs),
        commit=first.alerts.commit,
        branch="",
        alerts=in_partitions([(run.facts.partition, run.alerts) for run in bad]),
    )
    return RunNotice(Finding(rule, _severity(outcome), facts=facts), alerts, address)


def _severity(outcome: Outcome) -> Severity:
    if outcome in _FAILED:
        return Severity.FAIL
    return Severity.WARN if outcome is Outcome.WARN else Severity.INFO
