"""The verdict on a change that edits the fixture: it is judged on the base's, which it has no hand in.

Deleted awards and wrong labels change nothing of the base's fixture. There head is compared with the base,
award by award and by the base's truth. Head's own fixture is judged by the absolute limits alone: head has
chosen the questions that are asked there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sbir_gate.gate.comparing.changes import NO_SPREAD, Compared, compare_metrics
from sbir_gate.gate.comparing.deciding import blind_spots
from sbir_gate.gate.comparing.gate import comparison_notes, judge, outcome_of
from sbir_gate.gate.comparing.paired import is_side_by_side
from sbir_gate.gate.comparing.renaming import rename
from sbir_gate.gate.comparing.waivers import Judged, Waived, apply_waivers, waive_fixture_edit
from sbir_gate.model.companions import OnBaseFixture
from sbir_gate.model.finding import Finding, OnFixture, Rule, Severity, in_order, note
from sbir_gate.model.fixture_edits import FixtureEdits
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Change, Policy, RecordChanges, Verdict
from sbir_gate.model.waiver import FIXTURE_EDIT, Waivers


def judge_change(
    head: Run,
    reference: Run | None,
    policy: Policy,
    on_base: OnBaseFixture | None = None,
    *,
    waivers: Waivers | None = None,
    spread: Mapping[str, float] = NO_SPREAD,
) -> Verdict:
    """Return the verdict on head: on the base's fixture where head edits it, else as `judge` does.

    `reference` is the base beside head, or a baseline. A baseline was measured on the base's fixture, so all
    of head's Run there is compared with it, the times too. Side by side the exact metrics are compared there,
    and the noisy ones on head's own fixture. Without `on_base` nothing can be judged: the verdict is
    `incomparable`, unless a waiver for `fixture-edit` reaches as far as the edit.
    """
    edits = head.fixture_edits
    if edits is None:
        return judge(head, reference, policy, waivers=waivers, spread=spread)
    if on_base is None or edits.obstacle:
        return _unjudged(head, reference, policy, edits, waivers)
    if reference is None or not is_side_by_side(head, reference):
        own = judge(head, None, policy, waivers=waivers)
        there = judge(on_base.head, reference, policy, waivers=waivers, spread=spread)
        timed = Waived((), RecordChanges(), notes=there.notes)
        notes = (*head.warnings, *there.notes)
        return _merged(_Parts(there, own, timed), notes, edits, policy, waivers)
    exact, noisy = _limits(policy, MetricKind.EXACT), _limits(policy, MetricKind.NOISY)
    own = judge(_part(head, MetricKind.EXACT), None, exact, waivers=waivers)
    base = _part(on_base.base, MetricKind.EXACT) if on_base.base else None
    there = judge(_part(on_base.head, MetricKind.EXACT), base, exact, waivers=waivers)
    here, base = _part(head, MetricKind.NOISY), _part(reference, MetricKind.NOISY)
    renamed = rename(here, base, noisy)
    compared = compare_metrics(here, renamed.reference, renamed.policy)
    compared = Compared(renamed.named(compared.changes), compared.findings)
    timed = apply_waivers(Judged(compared, RecordChanges()), policy, waivers)
    blind = blind_spots(timed.changes, policy)
    if edits.is_smaller or not edits.is_counted:
        timed = replace(timed, changes=tuple(map(_unjudged_time, timed.changes)))
        blind = (note(Rule.SMALLER_FIXTURE),)
    notes = (
        *comparison_notes(head, reference),
        *(finding for finding in timed.findings if not finding.is_deciding),
        *blind,
    )
    merged = _merged(_Parts(there, own, timed), notes, edits, policy, waivers)
    return replace(
        merged, reference_started_at=reference.started_at, reference_commit=reference.source.commit
    )


def _unjudged_time(change: Change) -> Change:
    """Return a row that was measured on fewer rows than the base has: a failure stands, a pass does not."""
    is_open = change.ratio is not None and change.severity in {Severity.OK, Severity.WARN}
    return replace(change, is_judged=False) if is_open else change


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was judged on the base's fixture, on head's own by the absolute limits, and there by time."""

    there: Verdict
    own: Verdict
    timed: Waived


def _part(run: Run, kind: MetricKind) -> Run:
    """Return the Run with its metrics of one kind."""
    return replace(run, metrics=tuple(metric for metric in run.metrics if metric.kind is kind))


def _limits(policy: Policy, kind: MetricKind) -> Policy:
    return replace(policy, limits=tuple(limit for limit in policy.limits if limit.kind is kind))


def _merged(
    parts: _Parts, notes: Sequence[Finding], edits: FixtureEdits, policy: Policy, waivers: Waivers | None
) -> Verdict:
    """Return one verdict of the parts, each finding with the fixture that it is about."""
    there, own, timed = parts.there, parts.own, parts.timed
    deciding = (
        *_on(OnFixture.BASE, there.deciding),
        *_on(OnFixture.OWN, own.deciding),
        *(finding for finding in timed.findings if finding.is_deciding),
    )
    return replace(
        there,
        outcome=outcome_of(deciding, has_reference=bool(there.reference_started_at)),
        findings=in_order((*deciding, *_notes(parts, notes, policy, waivers))),
        changes=tuple({change.metric: change for change in (*timed.changes, *there.changes)}.values()),
        head_started_at=own.head_started_at,
        waivers=tuple(dict.fromkeys((*there.waivers, *own.waivers, *timed.applied))),
        fixture_edits=edits,
        own_fixture_changes=tuple(change for change in own.changes if change.severity is not Severity.INFO),
    )


def _on(fixture: OnFixture, findings: Iterable[Finding]) -> Iterable[Finding]:
    return (replace(finding, fixture=fixture) for finding in findings)


def _notes(
    parts: _Parts, notes: Sequence[Finding], policy: Policy, waivers: Waivers | None
) -> tuple[Finding, ...]:
    """Return the notes, and those on waivers that hold for every part: one that a part needed is needed."""
    on_waivers = apply_waivers(Judged(Compared(()), RecordChanges()), policy, waivers).notes
    lists = (parts.there.notes, parts.own.notes, parts.timed.notes)
    unused = [each for each in parts.own.notes if each in on_waivers and all(each in some for some in lists)]
    return (*(each for each in notes if each not in on_waivers), *unused)


def _unjudged(
    head: Run, reference: Run | None, policy: Policy, edits: FixtureEdits, waivers: Waivers | None
) -> Verdict:
    """Return the verdict on head's own fixture, with why there is none on the base's."""
    facts = edits.obstacle.facts if edits.obstacle else {}
    # of a saved Run only the facts are believed, not how severe it calls them
    obstacle = Finding(Rule.FIXTURE_EDIT_UNJUDGED, Severity.FAIL, facts=facts)
    finding = waive_fixture_edit(obstacle, edits, waivers)
    has_same_fixture = reference is not None and reference.fixture.fingerprint == head.fixture.fingerprint
    # the finding itself names a waiver for the edit that is in force
    rest = waivers and replace(
        waivers,
        entries=tuple(
            each
            for each in waivers.entries
            if each.metric != FIXTURE_EDIT or each.expires < waivers.today or not edits.is_counted
        ),
    )
    own = judge(head, reference if has_same_fixture else None, policy, waivers=rest)
    findings = in_order((finding, *own.findings))
    is_waived = finding.severity is Severity.WARN and finding.waiver is not None
    return replace(
        own,
        outcome=outcome_of(findings, has_reference=has_same_fixture),
        findings=findings,
        waivers=(*own.waivers, finding.waiver) if is_waived and finding.waiver else own.waivers,
        fixture_edits=edits,
    )
