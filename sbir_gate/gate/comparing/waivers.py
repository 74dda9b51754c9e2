"""Waivers applied: an accepted regression warns instead of failing, up to its cap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sbir_gate.gate.comparing.changes import Compared
from sbir_gate.gate.comparing.ratios import RELATIVE_TOLERANCE
from sbir_gate.model.finding import Finding, Rule, Severity, place_of
from sbir_gate.model.fixture_edits import FixtureEdits
from sbir_gate.model.verdict import Change, Direction, MetricLimit, Policy, RecordChanges
from sbir_gate.model.waiver import AWARDS, FIXTURE_EDIT, MAY_BE_GONE, NEVER_WAIVED, Waiver, Waivers


@dataclass(frozen=True, slots=True)
class Judged:
    """What is compared of two Runs: metrics, awards, and what was found in both."""

    compared: Compared
    records: RecordChanges
    record_findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Waived:
    """What is left to judge, the waivers that let something pass, and notes on the others.

    `findings` are those of the awards, then those of the metrics.
    """

    changes: tuple[Change, ...]
    records: RecordChanges
    findings: tuple[Finding, ...] = ()
    applied: tuple[Waiver, ...] = ()
    notes: tuple[Finding, ...] = ()


def apply_waivers(judged: Judged, policy: Policy, waivers: Waivers | None) -> Waived:
    """Return changes, records and findings with what is waived as a warning.

    A measured regression can be waived, and a counter or stage that is gone (by 100%): they are the engine's
    own affair. Any other metric that is gone, one that is not a number, rows missing or doubled, awards
    without a decision, and repeats that disagree fail whatever a waiver says. A finding names its waiver,
    also one that does not reach. Expired waivers are not applied; they, the unused and those that cannot
    help are in the notes.
    """
    changes = tuple(_with_percent(change, policy) for change in judged.compared.changes)
    records = judged.records
    if waivers is None or not waivers.entries:
        return Waived(changes, records, (*judged.record_findings, *judged.compared.findings))
    current = {waiver.metric: waiver for waiver in waivers.entries if waiver.expires >= waivers.today}
    use = _Use()
    softened = tuple(_waived_change(change, current, policy, use) for change in changes)
    waiver = current.get(AWARDS)
    if waiver is not None and records.severity is Severity.FAIL and records.is_sound:
        is_reached = use.take(AWARDS, waiver, records.worsened)
        records = replace(records, severity=Severity.WARN) if is_reached else records
    elif waiver is not None and not records.is_sound:
        use.helpless.append(waiver)
    return Waived(
        softened,
        records,
        (
            *(_waived(finding, use.by_metric.get(AWARDS)) for finding in judged.record_findings),
            *(_waived(finding, use.by_metric.get(finding.metric)) for finding in judged.compared.findings),
        ),
        tuple(dict.fromkeys(use.applied)),
        _notes(waivers, used=(*use.applied, *use.missed), helpless=use.helpless),
    )


@dataclass(slots=True)
class _Use:
    """Which waivers were used for what: those that reach, those that do not, and those that cannot help."""

    applied: list[Waiver] = field(default_factory=list)
    missed: list[Waiver] = field(default_factory=list)
    helpless: list[Waiver] = field(default_factory=list)
    by_metric: dict[str, tuple[Waiver, bool]] = field(default_factory=dict)

    def take(self, metric: str, waiver: Waiver, worse: float) -> bool:
        """Use a waiver for what is worse by so much, and say whether it reaches."""
        is_reached = _reaches(waiver, worse)
        (self.applied if is_reached else self.missed).append(waiver)
        self.by_metric[metric] = waiver, is_reached
        return is_reached


def _with_percent(change: Change, policy: Policy) -> Change:
    """Return the change with the limit that a waiver of it needs."""
    if change.severity is not Severity.FAIL or not _may_be_waived(change):
        return change
    percent = worse_percent(change, policy.limit_of(change.metric))
    return replace(change, waivable_percent=percent if math.isfinite(percent) else None)


def _waived_change(change: Change, current: Mapping[str, Waiver], policy: Policy, use: _Use) -> Change:
    waiver = current.get(change.metric) or current.get(change.renamed_from)
    if waiver is None or change.severity is not Severity.FAIL:
        return change
    if not _may_be_waived(change):
        use.helpless.append(waiver)
        return change
    is_reached = use.take(change.metric, waiver, worse_percent(change, policy.limit_of(change.metric)))
    return replace(change, severity=Severity.WARN) if is_reached else change


def _waived(finding: Finding, use: tuple[Waiver, bool] | None) -> Finding:
    if use is None or finding.severity is not Severity.FAIL:
        return finding
    waiver, is_reached = use
    return replace(finding, severity=Severity.WARN if is_reached else Severity.FAIL, waiver=waiver)


def waive_fixture_edit(finding: Finding, edits: FixtureEdits, waivers: Waivers | None) -> Finding:
    """Return why a change cannot be judged on the base's fixture: a warning where a waiver accepts it.

    A waiver reaches as far as the rows of the base's fixture that the change removes or changes. Where they
    could not be counted none does.
    """
    current = [
        waiver
        for waiver in (waivers.entries if waivers else ())
        if waivers and waiver.metric == FIXTURE_EDIT and waiver.expires >= waivers.today
    ]
    if not current or not edits.is_counted:
        return finding
    return _waived(finding, (current[0], _reaches(current[0], edits.lessened)))


def worse_percent(change: Change, limit: MetricLimit | None) -> float:
    """Return by how much a failing change is for the worse, in percent, by whatever fails it the most.

    Against the reference where a limit on the change fails; against an absolute limit where that is broken.
    Infinite where there is no percentage: a reference or a limit of 0 or below.
    """
    if change.is_gone:
        return 100.0
    found = []
    sign = 1 if change.direction is Direction.LOWER_IS_BETTER else -1
    if limit is not None and change.reference is not None and limit.fail_percent is not None:
        found.append(math.inf if change.ratio is None else (change.ratio - 1) * sign * 100)
    if limit is not None and limit.absolute_severity is Severity.FAIL and change.head is not None:
        if limit.minimum is not None and change.head < limit.minimum:
            found.append(_beyond(limit.minimum, limit.minimum - change.head))
        if limit.maximum is not None and change.head > limit.maximum:
            found.append(_beyond(limit.maximum, change.head - limit.maximum))
    return max(found, default=math.inf)


def _beyond(bound: float, distance: float) -> float:
    return distance / bound * 100 if bound > 0 else math.inf


def _may_be_waived(change: Change) -> bool:
    """Say whether a failing change fails by what was measured, and not for being no measurement at all."""
    if change.is_gone:
        return change.metric.startswith(MAY_BE_GONE)
    return change.is_sound and change.metric not in NEVER_WAIVED and change.metric != "records"


def _reaches(waiver: Waiver, worse: float) -> bool:
    return worse <= waiver.limit * (1 + RELATIVE_TOLERANCE) + RELATIVE_TOLERANCE


def _notes(waivers: Waivers, used: Sequence[Waiver], helpless: Sequence[Waiver]) -> tuple[Finding, ...]:
    notes = []
    for waiver in waivers.entries:
        if waiver.expires < waivers.today:
            notes.append(_note(Rule.WAIVER_EXPIRED, waiver))
        elif waiver in helpless and waiver not in used:
            notes.append(_note(Rule.WAIVER_POWERLESS, waiver))
        elif waiver not in used:
            notes.append(_note(Rule.WAIVER_UNUSED, waiver))
        if waiver.former_name:
            notes.append(_note(Rule.WAIVER_RENAMED, waiver))
    return tuple(notes)


def _note(rule: Rule, waiver: Waiver) -> Finding:
    return Finding(rule, Severity.INFO, metric=waiver.metric, place=place_of(waiver.origin), waiver=waiver)
