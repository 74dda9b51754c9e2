"""The verdict: one outcome, with its findings, from head, reference and policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sbir_gate.errors import ExitStatus
from sbir_gate.gate.comparing.backing import NO_BACKING, backing_of
from sbir_gate.gate.comparing.calibration import has_other_speed, is_same_machine
from sbir_gate.gate.comparing.changes import NO_SPREAD, Compared, compare_metrics
from sbir_gate.gate.comparing.deciding import blind_spots
from sbir_gate.gate.comparing.examples import with_examples
from sbir_gate.gate.comparing.paired import is_side_by_side
from sbir_gate.gate.comparing.records import compare_records
from sbir_gate.gate.comparing.renaming import rename
from sbir_gate.gate.comparing.soundness import emptied_strata, reference_fault
from sbir_gate.gate.comparing.waivers import Judged, apply_waivers
from sbir_gate.model.finding import OBSTACLES, Fact, Finding, Rule, Severity, in_order, note
from sbir_gate.model.run import GapKind, Run
from sbir_gate.model.verdict import Outcome, Policy, RecordChanges, Verdict
from sbir_gate.model.waiver import Waivers

_EXIT_STATUS = {
    Outcome.PASS: ExitStatus.OK,
    Outcome.WARN: ExitStatus.OK,
    Outcome.NO_BASELINE: ExitStatus.OK,
    Outcome.INCONCLUSIVE: ExitStatus.OK,
    Outcome.FAIL: ExitStatus.GATE_FAILED,
    Outcome.INCOMPARABLE: ExitStatus.GATE_FAILED,
    Outcome.ERROR: ExitStatus.BROKEN,
}


def judge(
    head: Run,
    reference: Run | None,
    policy: Policy,
    *,
    waivers: Waivers | None = None,
    spread: Mapping[str, float] = NO_SPREAD,
    records: tuple[RecordChanges, tuple[Finding, ...]] | None = None,
) -> Verdict:
    """Return the verdict on head.

    Waivers soften what they name and reach, never a fault: see `apply_waivers`.

    An incomparable reference (other gate or other fixture) and a missing one leave only the absolute
    limits, which are still enforced. `spread` is that of Runs of the same code, by metric (`noisy_ratio`).
    `records` are what differs where the reference itself cannot be compared but some of its awards can.
    """
    obstacle = _obstacle(head, reference)
    comparable = None if obstacle else reference
    faults, renamed, backing = _faults(head), None, NO_BACKING
    if comparable is not None:
        renamed = rename(head, comparable, policy)
        comparable, policy = renamed.reference, renamed.policy
        records = compare_records(head, comparable, policy)
        faults += emptied_strata(head, comparable, records[0])
        backing = backing_of(head, comparable, records[0])
    changed, record_findings = records or (RecordChanges(), ())
    compared = compare_metrics(head, comparable, policy, spread, backing)
    compared = replace(
        compared, findings=tuple(with_examples(finding, head) for finding in compared.findings)
    )
    if renamed is not None:
        compared = Compared(renamed.named(compared.changes), compared.findings)
    waived = apply_waivers(Judged(compared, changed, record_findings), policy, waivers)
    findings = in_order(
        (
            *faults,
            *waived.findings,
            *([obstacle] if obstacle else []),
            *comparison_notes(head, reference),
            *(renamed.notes if renamed is not None else ()),
            *_noise_notes(head, comparable, spread),
            *blind_spots(waived.changes, policy),
            *waived.notes,
        )
    )
    return Verdict(
        gate=head.gate,
        outcome=outcome_of(findings, has_reference=reference is not None),
        findings=findings,
        changes=waived.changes,
        records=waived.records,
        head_started_at=head.started_at,
        head_commit=head.source.commit,
        reference_started_at=reference.started_at if reference else None,
        reference_commit=reference.source.commit if reference else "",
        waivers=waived.applied,
        timing=head.timing,
        population=head.quality.population,
    )


def outcome_of(findings: Iterable[Finding], *, has_reference: bool) -> Outcome:
    """Return what findings amount to: fail, incomparable, inconclusive, warn, no-baseline, pass."""
    found = tuple(findings)
    failures = {finding.rule for finding in found if finding.severity is Severity.FAIL}
    severities = {finding.severity for finding in found}
    if failures - OBSTACLES:
        return Outcome.FAIL
    if failures:
        return Outcome.INCOMPARABLE
    if Severity.INCONCLUSIVE in severities:
        return Outcome.INCONCLUSIVE
    if Severity.WARN in severities:
        return Outcome.WARN
    return Outcome.PASS if has_reference else Outcome.NO_BASELINE


def exit_status(verdict: Verdict, fail_on_inconclusive: bool) -> ExitStatus:
    """Return what the process says to its caller.

    Incomparable fails closed: nothing was compared, so nothing was shown to be unharmed.
    """
    if verdict.outcome is Outcome.INCONCLUSIVE and fail_on_inconclusive:
        return ExitStatus.INCONCLUSIVE
    return _EXIT_STATUS[verdict.outcome]


def _obstacle(head: Run, reference: Run | None) -> Finding | None:
    """Return why the two Runs cannot be compared, None if they can."""
    gap = head.base_gap
    if gap is not None and gap.kind is GapKind.NO_ENGINE:
        return _blocking(Rule.BASE_LACKS_FILES, commit=gap.commit, names=gap.names)
    if reference is None:
        return None
    if head.gate != reference.gate:
        return _blocking(Rule.OTHER_GATE, reference_gate=reference.gate, head_gate=head.gate)
    before, after = reference.fixture.fingerprint, head.fixture.fingerprint
    if after != before:
        is_own = not head.policy_commit and not is_side_by_side(head, reference)
        return _blocking(Rule.FIXTURE_CHANGED, before=before, after=after, is_own_baseline=int(is_own))
    return reference_fault(reference)


def _blocking(rule: Rule, /, **facts: Fact) -> Finding:
    return Finding(rule, Severity.FAIL, facts=facts)


def _faults(head: Run) -> tuple[Finding, ...]:
    """Return what is wrong with head itself, whatever the policy limits."""
    faults = []
    if not head.awards or head.quality.awards == 0:
        faults.append(_blocking(Rule.NO_RECORDS))
    if not head.samples:
        faults.append(_blocking(Rule.NO_REPEATS))
    outputs = len({sample.output_digest for sample in head.samples})
    if outputs > 1:
        faults.append(_blocking(Rule.NOT_DETERMINISTIC, repeats=len(head.samples), outputs=outputs))
    return tuple(faults)


def _noise_notes(head: Run, reference: Run | None, spread: Mapping[str, float]) -> tuple[Finding, ...]:
    if reference is None or not spread or is_side_by_side(head, reference):
        return ()
    return (note(Rule.KNOWN_NOISE, **spread),)


def comparison_notes(head: Run, reference: Run | None) -> tuple[Finding, ...]:
    """Return the notes: what a reader should know but what fails nothing."""
    # what a session noted is about its own base, and not about another Run that head is compared with later
    is_of_session = not head.session or reference is None or is_side_by_side(head, reference)
    notes = list(head.warnings) if is_of_session else []
    if reference is None:
        gap = head.base_gap
        if gap is None or gap.kind is not GapKind.NEW_GATE:
            return (*notes, note(Rule.NO_BASELINE))
        return (*notes, note(Rule.GATE_IS_NEW, target=gap.target))
    if head.enricher != reference.enricher:
        notes.append(note(Rule.ENRICHER_DIFFERS, before=reference.enricher, after=head.enricher))
    if head.settings_digest != reference.settings_digest:
        notes.append(note(Rule.SETTINGS_DIFFER))
    if head.has_truth != reference.has_truth:
        notes.append(note(Rule.TRUTH_DIFFERS))
    if is_side_by_side(head, reference):
        notes.append(note(Rule.JUDGED_BY_PAIRS, pairs=len(head.samples)))
    elif not is_same_machine(head, reference):
        notes.append(note(Rule.MACHINES_DIFFER))
    elif has_other_speed("wall_seconds", head, reference):
        notes.append(note(Rule.CALIBRATED_BY_SPEED))
    return tuple(notes)
