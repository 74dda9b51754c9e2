"""The verdict: one outcome, with its reasons, from head, reference and policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sbir_gate.errors import ExitStatus
from sbir_gate.gate.comparing.backing import NO_BACKING, backing_of
from sbir_gate.gate.comparing.calibration import has_other_speed, is_same_machine
from sbir_gate.gate.comparing.changes import NO_SPREAD, compare_metrics
from sbir_gate.gate.comparing.deciding import blind_spots
from sbir_gate.gate.comparing.examples import with_examples
from sbir_gate.gate.comparing.limits import worst
from sbir_gate.gate.comparing.paired import is_side_by_side
from sbir_gate.gate.comparing.records import compare_records
from sbir_gate.gate.comparing.renaming import rename
from sbir_gate.gate.comparing.soundness import emptied_strata, reference_fault
from sbir_gate.gate.comparing.waivers import apply_waivers
from sbir_gate.gate.comparing.wording import counted
from sbir_gate.model.run import GapKind, Run
from sbir_gate.model.verdict import Change, Excuse, Outcome, Policy, RecordChanges, Severity, Verdict
from sbir_gate.model.waiver import Waivers

NO_REFERENCE = "there is no baseline: only the absolute limits were judged"

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
    records: RecordChanges | None = None,
) -> Verdict:
    """Return the verdict on head.

    Waivers soften what they name and reach, never a fault: see `apply_waivers`.

    Precedence: fail, incomparable, inconclusive, warn, no-baseline, pass. An incomparable reference
    (other gate or other fixture) and a missing one leave only the absolute limits, which are still
    enforced. The reasons are ordered like that too, one line each. `spread` is how far Runs of the same
    code lie apart, by metric, where the history tells (`noisy_ratio`). `records` are award by award what
    differs, where the reference itself cannot be compared but some of its awards can.
    """
    obstacle = _obstacle(head, reference)
    comparable = None if obstacle else reference
    faults, renamed, backing = _faults(head), None, NO_BACKING
    if comparable is not None:
        renamed = rename(head, comparable, policy)
        comparable, policy = renamed.reference, renamed.policy
        records = compare_records(head, comparable, policy)
        faults += emptied_strata(head, comparable, records)
        backing = backing_of(head, comparable, records)
    compared = compare_metrics(head, comparable, policy, spread, backing)
    changes = tuple(with_examples(change, head) for change in compared)
    if renamed is not None:
        changes = renamed.named(changes)
    waived = apply_waivers(changes, records or RecordChanges(), policy, waivers)
    changes, records = waived.changes, waived.records
    severities = [records.severity, *(change.severity for change in changes)]
    severity = Severity.FAIL if faults else worst(severities)
    outcome = _outcome(severity, has_reference=reference is not None, is_comparable=not obstacle)
    return Verdict(
        gate=head.gate,
        outcome=outcome,
        reasons=_reasons(faults, obstacle, changes, records),
        changes=changes,
        records=records,
        head_started_at=head.started_at,
        head_commit=head.source.commit,
        reference_started_at=reference.started_at if reference else None,
        reference_commit=reference.source.commit if reference else "",
        notes=(
            *comparison_notes(head, reference),
            *(renamed.notes if renamed is not None else ()),
            *(change.reason for change in changes if change.excuse is Excuse.HARMLESS),
            *_noise_notes(head, comparable, spread),
            *(change.reason for change in changes if change.not_compared),
            *blind_spots(changes, policy),
            *waived.notes,
        ),
        waivers=waived.applied,
        timing=head.timing,
    )


def exit_status(verdict: Verdict, fail_on_inconclusive: bool) -> ExitStatus:
    """Return what the process says to its caller.

    Incomparable fails closed: nothing was compared, so nothing was shown to be unharmed.
    """
    if verdict.outcome is Outcome.INCONCLUSIVE and fail_on_inconclusive:
        return ExitStatus.INCONCLUSIVE
    return _EXIT_STATUS[verdict.outcome]


def _obstacle(head: Run, reference: Run | None) -> str:
    """Return why the two Runs cannot be compared, or an empty string."""
    gap = head.base_gap
    if gap is not None and gap.kind is GapKind.NO_ENGINE:
        return (
            f"the base (commit {gap.commit[:12]}) has no {', '.join(gap.names)}, and the command that names"
            " it was given for both sides: write the command into the settings file of the repository"
            " (enricher.command), so that each side runs its own"
        )
    if reference is None:
        return ""
    if head.gate != reference.gate:
        return f"the reference is of gate {reference.gate!r}, not {head.gate!r}"
    if head.fixture.fingerprint != reference.fixture.fingerprint:
        is_own = not head.policy_commit and not is_side_by_side(head, reference)
        promoted = (
            "; if it is this branch's own baseline, 'sbir-gate baseline promote' makes this Run the new one"
        )
        return (
            f"the fixture changed ({reference.fixture.fingerprint[:12]} -> {head.fixture.fingerprint[:12]}): "
            f"run the reference again on the new fixture{promoted if is_own else ''}"
        )
    return reference_fault(reference)


def _faults(head: Run) -> tuple[str, ...]:
    """Return what is wrong with head itself, whatever the policy limits."""
    faults = []
    if not head.awards or head.quality.awards == 0:
        faults.append("no award was enriched: the Run holds zero records")
    if not head.samples:
        faults.append("no repeat was measured: the benchmark was skipped")
    answers = len({sample.output_digest for sample in head.samples})
    if answers > 1:
        faults.append(
            f"the enricher is not deterministic: {len(head.samples)} repeats gave {answers} outputs"
        )
    return tuple(faults)


def _outcome(severity: Severity, has_reference: bool, is_comparable: bool) -> Outcome:
    if severity is Severity.FAIL:
        return Outcome.FAIL
    if not is_comparable:
        return Outcome.INCOMPARABLE
    if severity is Severity.INCONCLUSIVE:
        return Outcome.INCONCLUSIVE
    if severity is Severity.WARN:
        return Outcome.WARN
    return Outcome.PASS if has_reference else Outcome.NO_BASELINE


def _reasons(
    faults: Sequence[str], obstacle: str, changes: Sequence[Change], records: RecordChanges
) -> tuple[str, ...]:
    def of(severity: Severity) -> list[str]:
        """Return the reasons of one severity, records before metrics."""
        found = [records.reason] if records.severity is severity else []
        return found + [change.reason for change in changes if change.severity is severity]

    reasons = [*faults, *of(Severity.FAIL)]
    reasons += [obstacle] if obstacle else []
    return (*reasons, *of(Severity.INCONCLUSIVE), *of(Severity.WARN))


def _noise_notes(head: Run, reference: Run | None, spread: Mapping[str, float]) -> tuple[str, ...]:
    if reference is None or not spread or is_side_by_side(head, reference):
        return ()
    known = ", ".join(f"{name} {100 * value:.1f} %" for name, value in spread.items())
    return (f"the history tells how far Runs of unchanged code lie apart, and intervals hold it: {known}",)


def comparison_notes(head: Run, reference: Run | None) -> tuple[str, ...]:
    """Return what a reader should know but nobody is failed for."""
    # what a session noted is about its own base, and not about another Run that head is compared with later
    is_of_session = not head.session or reference is None or is_side_by_side(head, reference)
    notes = list(head.warnings) if is_of_session else []
    if reference is None:
        gap = head.base_gap
        if gap is None or gap.kind is not GapKind.NEW_GATE:
            return (*notes, NO_REFERENCE)
        lacks = f"this change adds the gate, which {gap.target} does not have"
        return (*notes, f"{lacks}: only the absolute limits were judged")
    if head.enricher != reference.enricher:
        notes.append(f"the enricher command differs: {reference.enricher!r} before, {head.enricher!r} now")
    if head.settings_digest != reference.settings_digest:
        notes.append("settings that change results differ from the reference's")
    if head.has_truth != reference.has_truth:
        notes.append("only one of the two Runs has a truth: awards are compared by their links alone")
    if is_side_by_side(head, reference):
        notes.append(f"measured side by side, in {counted(len(head.samples), 'pair')}: judged pair by pair")
    elif not is_same_machine(head, reference):
        notes.append("the machines differ: times are judged as multiples of the calibration workload")
    elif has_other_speed("wall_seconds", head, reference):
        notes.append(
            "the machine's speed differs by more than a tenth: wall times are judged as multiples of the"
            " calibration workload"
        )
    return tuple(notes)
