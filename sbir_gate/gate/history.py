"""What older Runs say of a Run: its noise, slow drift, and the outcome before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sbir_gate.errors import DocumentError, InputError, UsageError
from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.change_points import change_points, check_extra
from sbir_gate.gate.comparing.changes import NO_SPREAD
from sbir_gate.gate.comparing.drift import (
    DriftRule,
    drift_findings,
    is_like,
    older_runs,
    oldest_of_other_data,
    redefined,
    with_drift,
)
from sbir_gate.gate.comparing.known_noise import known_spread
from sbir_gate.gate.comparing.other_data import is_rate
from sbir_gate.gate.comparing.series import comparable_series, spread
from sbir_gate.gate.judging_history import JudgingHistory, branch_of, history_folder, opened
from sbir_gate.gate.kept_runs import entry_of, skipped_text
from sbir_gate.gate.main_branch import course_branch
from sbir_gate.gate.storing.history import History, open_entries, open_history
from sbir_gate.model.alert import AlertList
from sbir_gate.model.finding import Fact, Finding, Rule, Severity
from sbir_gate.model.history import HistoryPoint, HistoryQuery
from sbir_gate.model.run import MetricKind, Run, Timing
from sbir_gate.model.verdict import Outcome, Policy, Verdict
from sbir_gate.settings.judgement import policy
from sbir_gate.settings.schema import Settings

_COMMIT_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Past:
    """What the history says of a Run: the verdict with drift, the alerts, and what is wrong with itself."""

    verdict: Verdict
    alerts: AlertList
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepReference:
    """The baseline of a step of a pipeline, None without one: a decline that it has itself was accepted."""

    baseline: Run | None


def drift_rule(settings: Settings, branch: str | None) -> DriftRule:
    """Return when a change against an older Run of the branch (None: any) counts, from the settings."""
    drift = settings.drift
    return DriftRule(
        days=drift.days,
        branch=branch,
        release_pattern=drift.release_pattern,
        warn_percent=drift.warn_percent,
        fail_percent=drift.fail_percent,
        max_severity=drift.max_severity,
    )


def consult_history(
    run: Run,
    verdict: Verdict,
    settings: Settings,
    judging: JudgingHistory | None = None,
    of_step: StepReference | None = None,
) -> Past:
    """Return the verdict with what older Runs say, and the alerts.

    The history is `judging`, else that of the folder. One that cannot be read takes nothing from the verdict
    on the baseline: it is a warning, and a note of the verdict. Of a step of a pipeline (`of_step`) the rates
    are compared with those of other data too. A quick look is not kept, so that what it
    would say of older Runs would be said again each time: it is not compared with them.
    """
    if run.timing is Timing.QUICK:
        return Past(verdict, alerts_of(verdict, run.source.branch, None), ())
    try:
        with opened(settings, judging) as history:
            branch = branch_of(settings, judging)
            drift = _drift(history, run, verdict, settings, branch)
            declines = _declines(history, run, of_step, settings, branch) if of_step is not None else ()
            reported = {finding.metric for finding in verdict.deciding}  # what the baseline shows
            previous = _previous_outcome(history, run)
            warnings = skipped_text(history.skipped)
    except (InputError, DocumentError) as error:
        facts = {"fault": error.message}
        noted = verdict.found(Finding(Rule.DRIFT_NOT_JUDGED, Severity.INFO, facts=facts))
        warning = f"drift was not judged: {error.message}"
        return Past(noted, alerts_of(noted, run.source.branch, None), (warning,))
    news = (finding for finding in declines if finding.metric not in reported)
    judged = with_drift(verdict, (*drift.findings, *news))
    judged = judged.found(*drift.notes)
    return Past(judged, alerts_of(judged, run.source.branch, previous), warnings)


def noise_of_history(
    run: Run,
    reference: Run | None,
    limits: Policy,
    settings: Settings,
    judging: JudgingHistory | None = None,
) -> Mapping[str, float]:
    """Return the dispersion of Runs of unchanged code, by metric, if the history has enough Runs (`judge`).

    Only Runs of the main branch, of committed code that did not fail, of the same gate, fixture and enricher
    count. A history that cannot be read gives nothing here; `consult_history` says so.
    """
    if reference is None:
        return NO_SPREAD
    query = HistoryQuery(
        gate=run.gate,
        branch=branch_of(settings, judging),
        fixture=run.fixture.fingerprint,
        before=run.started_at,
    )
    judged = limits.limits_on(metric.name for metric in run.metrics)
    names = [limit.name for limit in judged if limit.kind is MetricKind.NOISY]
    try:
        with opened(settings, judging) as history:
            known = {
                name: known_spread(_like(history.points(name, query), run), run, reference) for name in names
            }
    except (InputError, DocumentError):
        return NO_SPREAD
    return {name: value for name, value in known.items() if value is not None}


def drift_before_promotion(run: Run, settings: Settings) -> tuple[Finding, ...]:
    """Return in what the Run is worse than older ones: a baseline that follows it hides a slow decline."""
    with open_history(history_folder(settings)) as history:
        return _drift(history, run, None, settings, course_branch(settings)).findings


def spreads(history: History, query: HistoryQuery, limits: Policy) -> Mapping[str, float]:
    """Return the dispersion of each noisy metric with a limit between runs of unchanged code, where known.

    The values are standard deviations of the logarithm.
    """
    names = [limit.name for limit in limits.limits if limit.kind is MetricKind.NOISY]
    found = {name: spread(comparable_series(history.points(name, query))) for name in names}
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Drift:
    """What is worse than in older Runs, and notes on what could not be held against them."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()


def _drift(
    history: History, run: Run, verdict: Verdict | None, settings: Settings, branch: str | None
) -> _Drift:
    rule, limits = drift_rule(settings, branch), policy(settings)
    query = HistoryQuery(gate=run.gate, fixture=run.fixture.fingerprint, before=run.started_at)
    older = older_runs(history.rows(query), run, rule)
    if verdict is not None and verdict.reference_started_at:  # what the baseline shows is already reported
        reference = verdict.reference_started_at, verdict.reference_commit
        older = tuple(each for each in older if (each.row.started_at, each.row.commit) != reference)
    if not older:
        return _Drift()
    course = replace(query, branch=rule.branch)
    judged = replace(limits, limits=limits.limits_on(metric.name for metric in run.metrics))
    known = spreads(history, course, judged)
    findings: list[Finding] = []
    breaks: dict[str, None] = {}
    for each in older:
        entry = history.entry(each.row)
        findings += drift_findings(run, entry, each, limits, rule, known)
        breaks |= dict.fromkeys(redefined(run, entry, limits, rule))
    note = Finding(Rule.DRIFT_REDEFINED, Severity.INFO, facts={"names": tuple(breaks)})
    return _Drift(
        tuple(
            replace(finding, facts={**finding.facts, **_beginning(history, run, course, finding)})
            for finding in findings
        ),
        (note,) if breaks else (),
    )


def _declines(
    history: History, run: Run, step: StepReference, settings: Settings, branch: str | None
) -> tuple[Finding, ...]:
    """Return the rates that are worse than in the oldest Run of other data, and not accepted so."""
    rule, limits = drift_rule(settings, branch), policy(settings)
    query = HistoryQuery(gate=run.gate, branch=branch, before=run.started_at)
    against = oldest_of_other_data(history.rows(query), run, rule)
    if against is None:
        return ()
    entry = history.entry(against.row)
    names = [metric.name for metric in run.metrics]
    rates = replace(limits, limits=tuple(filter(is_rate, limits.limits_on(names))))
    baseline = step.baseline
    known = drift_findings(baseline, entry, against, rates, rule, NO_SPREAD) if baseline is not None else ()
    accepted = {finding.metric for finding in known}
    found = drift_findings(run, entry, against, rates, rule, NO_SPREAD)
    return tuple(finding for finding in found if finding.metric not in accepted)


def _beginning(history: History, run: Run, course: HistoryQuery, finding: Finding) -> Mapping[str, Fact]:
    """Return at which commit the drift began, by the change points of the history and this Run, if known."""
    try:
        check_extra()
    except UsageError:
        return {}
    series = comparable_series((*history.points(finding.metric, course), *own_points(run, finding.metric)))
    if finding.ratio is None or not series.has_logarithms or series.points[-1].kind is MetricKind.EXACT:
        return {}
    for change in reversed(change_points(series.values)):
        if (change.after > change.before) == (finding.ratio > 1):
            row = series.points[change.start].row
            commit = row.commit[:_COMMIT_CHARACTERS] or "?"
            return {"began_at": f"{row.started_at:%Y-%m-%d}", "began_commit": commit}
    return {}


def own_points(run: Run, name: str) -> tuple[HistoryPoint, ...]:
    """Return the Run's own point of a metric, as if it were kept already; none if it lacks the metric."""
    with open_entries({"": entry_of(run, None, ())}) as alone:
        return alone.points(name, HistoryQuery())


def _like(points: Sequence[HistoryPoint], run: Run) -> tuple[HistoryPoint, ...]:
    """Return the points of Runs like this one, by its definition of the metric."""
    own = {(metric.name, metric.version, metric.method) for metric in run.metrics}
    return tuple(
        point
        for point in points
        if (point.metric, point.version, point.method) in own and is_like(point.row, run)
    )


def _previous_outcome(history: History, run: Run) -> Outcome | None:
    """Return the outcome of the Run before on the same gate and branch."""
    query = HistoryQuery(gate=run.gate, branch=run.source.branch, before=run.started_at, limit=1)
    return next((row.outcome for row in history.rows(query)), None)
