"""Slow drift: head against older Runs than the baseline, so that many small steps are seen as one.

A baseline that is promoted now and then follows a decline of 3% each time. The oldest Run of the last weeks
and the last release do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase

from sbir_gate.gate.comparing.backing import counts_links
from sbir_gate.gate.comparing.calibration import BETWEEN_MACHINES_LOG_SD, time_exponent
from sbir_gate.gate.comparing.changes import NO_SPREAD, compare_metrics
from sbir_gate.gate.comparing.definitions import definition_obstacle
from sbir_gate.model.finding import Fact, Finding, Rule, Severity, in_order, worst
from sbir_gate.model.history import HistoryEntry, HistoryRow
from sbir_gate.model.moments import moment_text
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.statistics import FEWEST_REPEATS
from sbir_gate.model.verdict import Change, MetricLimit, Outcome, Policy, Verdict

# A Run that failed is not a reference for another; a Run without a verdict may be.
_SOUND = (Outcome.PASS, Outcome.WARN, Outcome.NO_BASELINE, Outcome.INCONCLUSIVE, None)

# the two-sided 95% point of the normal distribution, for the difference of two runs
_DEVIATIONS = 1.96 * math.sqrt(2)

_AGAINST_TRUTH = ("precision", "recall")

_SLOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DriftRule:
    """When a change against an older Run counts.

    The oldest Run of the last `days` on `branch` (any branch if None) is one reference, the newest Run with a
    tag like `release_pattern` the other. `warn_percent` and `fail_percent` replace the limits of each metric
    unless None. No finding is more severe than `max_severity`.
    """

    days: int
    branch: str | None
    release_pattern: str
    warn_percent: float | None
    fail_percent: float | None
    max_severity: Severity


@dataclass(frozen=True, slots=True)
class OlderRun:
    """An older Run to compare with: a release where it has a `tag`, else the oldest of the last `days`."""

    row: HistoryRow
    days: int
    tag: str = ""


def older_runs(rows: Sequence[HistoryRow], head: Run, rule: DriftRule) -> tuple[OlderRun, ...]:
    """Return the Runs that head is compared with: at most two.

    `rows` are the heads of entries, the oldest first. Only those count that are at least a day older than
    head, of another commit, of the same gate, fixture and enricher, of committed code, and that did not fail:
    a difference within a day, or in the same code, is the machine and not a slow decline.
    """
    started_at = head.started_at
    sound = [
        row
        for row in rows
        if started_at - row.started_at >= _SLOW and _is_other_code(row, head) and is_like(row, head)
    ]
    since = started_at - timedelta(days=rule.days)
    on_branch = [row for row in sound if rule.branch in {None, row.branch} and row.started_at >= since]
    released = [row for row in sound if _release_tag(row, rule)]
    chosen = []
    if on_branch:
        chosen.append(OlderRun(on_branch[0], rule.days))
    if released and released[-1] not in on_branch[:1]:
        chosen.append(OlderRun(released[-1], rule.days, _release_tag(released[-1], rule)))
    return tuple(chosen)


def oldest_of_other_data(rows: Sequence[HistoryRow], head: Run, rule: DriftRule) -> OlderRun | None:
    """Return the oldest sound Run of the last `days` on the branch that had other data; None without one.

    Of a pipeline whose data change, a decline of the rates shows against no Run of the same data.
    """
    since = head.started_at - timedelta(days=rule.days)
    found = (
        row
        for row in rows
        if row.fixture != head.fixture.fingerprint
        and (row.gate, row.enricher) == (head.gate, head.enricher)
        and rule.branch in {None, row.branch}
        and row.started_at >= since
        and _is_sound(row)
    )
    return next((OlderRun(row, rule.days) for row in found), None)


def drift_findings(
    head: Run,
    older: HistoryEntry,
    against: OlderRun,
    policy: Policy,
    rule: DriftRule,
    spreads: Mapping[str, float],
) -> tuple[Finding, ...]:
    """Return the metrics of head that are worse than the older Run's beyond their relative limits.

    They are compared like head and baseline: with intervals, and by the calibration workload where the
    machines differ. `spreads` are the standard deviations of the logs of metrics between runs of unchanged
    code, where they are known: a noisy metric must have moved further than two runs differ by chance. Of a
    time whose spread is not known yet, that of calibrated times is assumed. Fewer links are not a decline
    where every award has a label, and neither precision nor recall fell.
    """
    limits = _drift_limits(head, policy, rule)
    # repeats show their noise; for a single one that of the history is used
    noise = spreads if len(head.samples) < FEWEST_REPEATS else NO_SPREAD
    compared = compare_metrics(head, older, replace(policy, limits=tuple(limits.values())), noise)
    is_as_good = _is_as_good(head, compared.changes)
    drifting = {
        change.metric
        for change in compared.changes
        if change.metric in limits
        and not (counts_links(limits[change.metric]) and is_as_good)
        and change.delta is not None
        and change.severity in {Severity.WARN, Severity.FAIL}
        and not _is_chance(change, spreads.get(change.metric))
    }
    facts: dict[str, Fact] = {
        "days": against.days,
        "tag": against.tag,
        "reference_started_at": moment_text(older.started_at),
        "reference_commit": older.source.commit,
    }
    return tuple(
        replace(
            finding,
            rule=Rule.DRIFT,
            severity=_capped(finding.severity, rule.max_severity),
            facts={**finding.facts, **facts},
        )
        for finding in compared.findings
        if finding.metric in drifting and finding.is_deciding
    )


def redefined(head: Run, older: HistoryEntry, policy: Policy, rule: DriftRule) -> tuple[str, ...]:
    """Return the limited metrics that the older Run measured by another definition or method."""
    before = {metric.name: metric for metric in older.metrics}
    limits = _drift_limits(head, policy, rule)
    return tuple(
        metric.name
        for metric in head.metrics
        if metric.name in limits
        and metric.name in before
        and definition_obstacle(metric, before[metric.name]) is not None
    )


def _drift_limits(head: Run, policy: Policy, rule: DriftRule) -> Mapping[str, MetricLimit]:
    judged = [_relative(limit, rule) for limit in policy.limits_on(metric.name for metric in head.metrics)]
    return {limit.name: limit for limit in judged if _is_limited(limit)}


def _is_as_good(head: Run, changes: Sequence[Change]) -> bool:
    """Say whether the truth knows every award, and precision and recall have not fallen."""
    deltas = [change.delta for change in changes if change.metric in _AGAINST_TRUTH]
    return (
        head.is_fully_labelled
        and len(deltas) == len(_AGAINST_TRUTH)
        and all(delta is not None and delta >= 0 for delta in deltas)
    )


def with_drift(verdict: Verdict, findings: Sequence[Finding]) -> Verdict:
    """Return the verdict with the findings, and an outcome at least as severe."""
    if not findings:
        return verdict
    outcome = verdict.outcome
    if any(finding.severity is Severity.FAIL for finding in findings) and outcome is not Outcome.ERROR:
        outcome = Outcome.FAIL
    elif outcome in {Outcome.PASS, Outcome.NO_BASELINE}:
        outcome = Outcome.WARN
    return replace(verdict, outcome=outcome, findings=in_order((*verdict.findings, *findings)))


def is_like(row: HistoryRow, head: Run) -> bool:
    """Say whether the entry is of head's gate, fixture and enricher, of committed code, and did not fail."""
    kind = (head.gate, head.fixture.fingerprint, head.enricher)
    return (row.gate, row.fixture, row.enricher) == kind and _is_sound(row)


def _is_sound(row: HistoryRow) -> bool:
    return not row.is_dirty and row.outcome in _SOUND


def _is_other_code(row: HistoryRow, head: Run) -> bool:
    return not row.commit or row.commit != head.source.commit


def _release_tag(row: HistoryRow, rule: DriftRule) -> str:
    return next((tag for tag in row.tags if fnmatchcase(tag, rule.release_pattern)), "")


def _relative(limit: MetricLimit, rule: DriftRule) -> MetricLimit:
    """Return the limit as drift is judged: on the change alone; the value itself is judged elsewhere."""
    warn = limit.warn_percent if rule.warn_percent is None else rule.warn_percent
    fail = limit.fail_percent if rule.fail_percent is None else rule.fail_percent
    is_judged = limit.warn_percent is not None or limit.fail_percent is not None
    return replace(
        limit,
        minimum=None,
        maximum=None,
        # a metric without a relative limit, such as a count of faults, does not drift
        warn_percent=warn if is_judged else None,
        fail_percent=fail if is_judged else None,
        is_required=False,
    )


def _is_limited(limit: MetricLimit) -> bool:
    return limit.warn_percent is not None or limit.fail_percent is not None


def _is_chance(change: Change, spread: float | None) -> bool:
    if change.kind is MetricKind.EXACT or change.ratio is None or change.ratio <= 0:
        return False
    if spread is None:
        spread = BETWEEN_MACHINES_LOG_SD if time_exponent(change.metric) else 0.0
    return abs(math.log(change.ratio)) <= _DEVIATIONS * spread


def _capped(severity: Severity, most: Severity) -> Severity:
    return most if worst([severity, most]) is severity else severity
