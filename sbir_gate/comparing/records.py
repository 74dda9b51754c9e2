"""Award by award: which links were lost, gained, or now point to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sbir_gate.comparing.losses import UNKNOWN_KIND, kinds_of, lost_by, slices_of
from sbir_gate.comparing.statistics import mcnemar_p_value
from sbir_gate.comparing.wording import counted, number_text
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import AwardChange, Policy, RecordChanges, Severity

# The method shown for an award that head says nothing of.
VANISHED = "vanished"


def compare_records(head: Run, reference: Run, policy: Policy) -> RecordChanges:
    """Return every award whose link differs, and what that means for the gate.

    Both Runs must be of the same fixture. An award that head no longer decides is lost, linked before
    or not. With a truth in both Runs, `worsened` and `improved` count right links lost and won;
    without one, lost and re-linked awards have worsened and gained ones improved. The counts go
    through the exact McNemar test.
    """
    has_truth = head.has_truth and reference.has_truth
    lost, gained, relinked = _differences(head, reference, has_truth)
    if has_truth:
        was_right, is_right = set(reference.right_award_ids), set(head.right_award_ids)
        worsened, improved = len(was_right - is_right), len(is_right - was_right)
    else:
        worsened, improved = len(lost) + len(relinked), len(gained)
    changes = RecordChanges(
        lost,
        gained,
        relinked,
        worsened,
        improved,
        mcnemar_p_value(worsened, improved),
        slices=slices_of(lost, gained, relinked),
    )
    fault = _fault(head, changes)
    if fault:
        return replace(changes, severity=Severity.FAIL, reason=fault, is_sound=False)
    severity, reason = _judge(
        changes, policy, "a right link" if has_truth else "their link or were re-linked"
    )
    return replace(changes, severity=severity, reason=reason)


def _differences(
    head: Run, reference: Run, has_truth: bool
) -> tuple[tuple[AwardChange, ...], tuple[AwardChange, ...], tuple[AwardChange, ...]]:
    """Return lost, gained and re-linked awards, each by award id."""
    before, after = _by_award(reference), _by_award(head)
    changed = sorted(
        award_id
        for award_id in before.keys() | after.keys()
        if award_id not in after or _link(before.get(award_id)) != _link(after[award_id])
    )
    if not changed:
        return (), (), ()
    was_right, is_right = frozenset(reference.right_award_ids), frozenset(head.right_award_ids)
    names = _firm_names(reference) | _firm_names(head)
    kinds = {**kinds_of(reference), **kinds_of(head)}
    tells_candidates = any(decision.candidate_ids for decision in head.decisions)
    lost: list[AwardChange] = []
    gained: list[AwardChange] = []
    relinked: list[AwardChange] = []
    for award_id in changed:
        old, new = before.get(award_id), after.get(award_id)
        old_link, new_link = _link(old), _link(new)
        kind_of_award = kinds.get(award_id, UNKNOWN_KIND)
        change = AwardChange(
            award_id=award_id,
            firm_name=names.get(award_id, ""),
            before_recipient_id=old_link,
            after_recipient_id=new_link,
            before_method=old.method if old else "",
            after_method=new.method if new else VANISHED,
            was_right=award_id in was_right if has_truth else None,
            is_right=award_id in is_right if has_truth else None,
            lost_by=lost_by(old_link, new) if tells_candidates else None,
            phase=kind_of_award.phase,
            company_size=kind_of_award.company_size,
            identifier_type=kind_of_award.identifier_type,
        )
        kind = lost if not new_link else relinked if old_link else gained
        kind.append(change)
    return tuple(lost), tuple(gained), tuple(relinked)


def _by_award(run: Run) -> Mapping[str, Decision]:
    return {decision.award_id: decision for decision in run.decisions}


def _link(decision: Decision | None) -> str:
    """Return the linked recipient; a candidate is no link."""
    return decision.recipient_id if decision and decision.kind is DecisionKind.LINK else ""


def _firm_names(run: Run) -> dict[str, str]:
    ids = (decision.award_id for decision in run.decisions)
    return dict(zip(ids, run.firm_names, strict=False))


def _fault(head: Run, changes: RecordChanges) -> str:
    """Return why head's decisions are no answer for every award, or an empty string."""
    doubled = len(head.decisions) - len(_by_award(head))
    if doubled:
        return f"{counted(doubled, 'award is', 'awards are')} decided more than once"
    vanished = sum(change.after_method == VANISHED for change in changes.lost)
    if vanished:
        return f"{counted(vanished, 'award has', 'awards have')} no decision any more"
    return ""


def _judge(changes: RecordChanges, policy: Policy, what: str) -> tuple[Severity, str]:
    worsened, improved = changes.worsened, changes.improved
    if not worsened:
        return Severity.OK, ""
    words = f"{counted(worsened, 'award')} lost {what}"
    if worsened > policy.max_lost:
        return Severity.FAIL, f"{words} (at most {policy.max_lost} may)"
    if worsened > improved and changes.mcnemar_p < policy.significance:
        odds = f"p = {number_text(changes.mcnemar_p, 2)} by McNemar's exact test"
        return Severity.FAIL, f"{words} and {improved} won one: more than chance explains ({odds})"
    return Severity.WARN, f"{words} (at most {policy.max_lost} may); {improved} won one"
