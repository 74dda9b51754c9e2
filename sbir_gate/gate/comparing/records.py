"""Award by award: which links were lost, gained, or now point to another recipient."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from sbir_gate.gate.comparing.kept_links import compare_kept
from sbir_gate.gate.comparing.losses import lost_by, slices_of
from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.effects import IMPROVED, WORSENED, Effect
from sbir_gate.model.finding import Fact, Finding, LimitKind, Rule, Severity, worst
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.run import Run
from sbir_gate.model.statistics import mcnemar_p_value
from sbir_gate.model.verdict import AwardChange, Policy, RecordChanges

# The method shown for an award that head says nothing of.
VANISHED = "vanished"

# In place of an award that a Run does not have.
_NOTHING = AwardRecord(Decision("", DecisionKind.NONE, "", "", 0.0))
_MOST_NAMED = 5


def compare_records(head: Run, reference: Run, policy: Policy) -> tuple[RecordChanges, tuple[Finding, ...]]:
    """Return every award whose link differs, and what that means for the gate.

    Both Runs must be of the same fixture. An award that head no longer decides is lost, linked before
    or not. `worsened` and `improved` count the effects on the awards. Of an award with a label a right link
    (or none, where none exists) is better than no link, and no link better than a wrong one. One without
    a label has worsened if it was lost or re-linked. A gained link of such an award has improved it only
    where there is no truth at all: if there are labels, unlabelled gains do not compensate for losses.
    The counts go through the exact McNemar test.
    """
    has_truth = head.has_truth and reference.has_truth
    before, after = _by_award(reference), _by_award(head)
    unlabelled = _unlabelled(head, reference) if has_truth else before.keys() | after.keys()
    lost, gained, relinked = _differences(head, reference, unlabelled)
    changed = {change.award_id for change in (*lost, *gained, *relinked)}
    kept = compare_kept(before, after, changed, unlabelled)
    found = RecordChanges(
        lost,
        gained,
        relinked,
        slices=slices_of(lost, gained, relinked),
        moves=kept.moves,
        candidates_lost=kept.candidates_lost,
        candidates_gained=kept.candidates_gained,
        candidates_changed=kept.candidates_changed,
        scores_changed=kept.scores_changed,
    )
    effects = found.effects
    worsened = sum(count for effect, count in effects.items() if effect in WORSENED)
    improving = IMPROVED - {Effect.GAINED} if has_truth else IMPROVED
    improved = sum(count for effect, count in effects.items() if effect in improving)
    found = replace(
        found, worsened=worsened, improved=improved, mcnemar_p=mcnemar_p_value(worsened, improved)
    )
    fault = _fault(head, found)
    if fault is not None:
        return replace(found, severity=Severity.FAIL, is_sound=False), (fault,)
    findings = _judge(found, policy, has_truth)
    if not any(finding.severity is Severity.FAIL for finding in findings):
        entities = {**reference.entities, **head.entities}
        findings += _crowd(gained, before, entities, policy.max_lost)
    severity = worst(finding.severity for finding in findings)
    return replace(found, severity=severity), findings


def _crowd(
    gained: Sequence[AwardChange],
    before: Mapping[str, AwardRecord],
    entities: Mapping[str, str],
    max_lost: int,
) -> tuple[Finding, ...]:
    """Return which recipient gained the awards of many firms, none labelled; empty if none did.

    The awards of one firm rightly gain their link together. Those of more than `max_lost` firms, and at least
    two, may be made up where one recipient gets them all and had fewer than half as many before.
    """
    gains: dict[str, list[AwardChange]] = defaultdict(list)
    for change in gained:
        if change.effect is Effect.GAINED:
            id_ = change.after_recipient_id
            gains[entities.get(id_, id_)].append(change)
    if not gains:
        return ()
    had = Counter(entities.get(each.link, each.link) for each in before.values())
    suspects = [
        (firms, len(found), found[0].after_recipient_id, recipient)
        for recipient, found in gains.items()
        if (firms := len(set(map(_firm, found)))) > max(max_lost, 1) and 2 * had[recipient] < len(found)
    ]
    if not suspects:
        return ()
    firms, awards, recipient_id, recipient = max(suspects)
    return (
        Finding(
            Rule.ONE_RECIPIENT_GAINS,
            Severity.WARN,
            measured=float(awards),
            award_ids=tuple(change.award_id for change in gains[recipient][:_MOST_NAMED]),
            facts={
                "awards": awards,
                "firms": firms,
                "recipient_id": recipient_id,
                "links_before": had[recipient],
            },
        ),
    )


def _firm(change: AwardChange) -> str:
    """Return the firm's name without case, blanks and punctuation; the award if the name is not known."""
    return "".join(filter(str.isalnum, change.firm_name)).casefold() or change.award_id


def _differences(
    head: Run, reference: Run, unlabelled: Set[str]
) -> tuple[tuple[AwardChange, ...], tuple[AwardChange, ...], tuple[AwardChange, ...]]:
    """Return lost, gained and re-linked awards, each by award id.

    Rows of one entity are one recipient: a move between them is not a change. An award whose link is the
    same, but not whether it is right, counts as re-linked: the Runs were judged by different truths.
    """
    before, after = _by_award(reference), _by_award(head)
    entities = {**reference.entities, **head.entities}

    def entity(recipient_id: str) -> str:
        return entities.get(recipient_id, recipient_id)

    changed = sorted(
        award_id
        for award_id in before.keys() | after.keys()
        if award_id not in after
        or entity(before.get(award_id, _NOTHING).link) != entity(after[award_id].link)
        or (award_id not in unlabelled and _is_correct(before.get(award_id)) != _is_correct(after[award_id]))
    )
    if not changed:
        return (), (), ()
    tells_candidates = any(award.decision.candidate_ids for award in head.awards)
    lost: list[AwardChange] = []
    gained: list[AwardChange] = []
    relinked: list[AwardChange] = []
    for award_id in changed:
        old, new = before.get(award_id, _NOTHING), after.get(award_id, _NOTHING)
        known = new if award_id in after else old
        is_labelled = award_id not in unlabelled
        change = AwardChange(
            award_id=award_id,
            firm_name=known.firm_name,
            before_recipient_id=old.link,
            after_recipient_id=new.link,
            before_method=old.decision.method,
            after_method=new.decision.method if award_id in after else VANISHED,
            was_right=_is_correct(old) if is_labelled else None,
            is_right=_is_correct(new) if is_labelled else None,
            lost_by=(
                lost_by(entity(old.link), _of_entity(new.decision, entities))
                if tells_candidates and award_id in after
                else None
            ),
            phase=known.phase,
            company_size=known.company_size,
            identifier_type=known.identifier_type,
            before_name=old.recipient_name,
            before_uei=old.recipient_uei,
            after_name=new.recipient_name,
            after_uei=new.recipient_uei,
            before_confidence=old.decision.confidence if old.link else None,
            after_confidence=new.decision.confidence if new.link else None,
        )
        kind = lost if not new.link else relinked if old.link else gained
        kind.append(change)
    return tuple(lost), tuple(gained), tuple(relinked)


def _by_award(run: Run) -> Mapping[str, AwardRecord]:
    return {award.award_id: award for award in run.awards}


def _unlabelled(head: Run, reference: Run) -> frozenset[str]:
    """Return the awards that one of the Runs has no label of."""
    return frozenset(
        award.award_id for run in (head, reference) for award in run.awards if award.label is Label.UNLABELLED
    )


def _is_correct(award: AwardRecord | None) -> bool:
    return award is not None and award.label is Label.CORRECT


def _of_entity(decision: Decision, entities: Mapping[str, str]) -> Decision:
    """Return the decision with the entities of its recipients in their place."""
    return replace(
        decision,
        recipient_id=entities.get(decision.recipient_id, decision.recipient_id),
        candidate_ids=tuple(entities.get(id_, id_) for id_ in decision.candidate_ids),
    )


def _fault(head: Run, changes: RecordChanges) -> Finding | None:
    """Return why head's decisions do not cover every award, None if they do."""
    times = Counter(award.award_id for award in head.awards)
    doubled = len(head.awards) - len(times)
    if doubled:
        ids = [award_id for award_id, count in times.items() if count > 1]
        return _record_fault(Rule.AWARDS_DECIDED_TWICE, doubled, ids)
    vanished = [change.award_id for change in changes.lost if change.after_method == VANISHED]
    return _record_fault(Rule.AWARDS_UNDECIDED, len(vanished), vanished) if vanished else None


def _record_fault(rule: Rule, awards: int, award_ids: Sequence[str]) -> Finding:
    return Finding(
        rule,
        Severity.FAIL,
        measured=float(awards),
        award_ids=tuple(award_ids[:_MOST_NAMED]),
        facts={"awards": awards},
    )


def _judge(changes: RecordChanges, policy: Policy, has_truth: bool) -> tuple[Finding, ...]:
    worsened, improved = changes.worsened, changes.improved
    if not worsened:
        return ()
    facts: dict[str, Fact] = {effect.value: count for effect, count in changes.effects.items()}
    facts |= {"improved": improved, "has_truth": int(has_truth)}
    severity = Severity.WARN
    if worsened > policy.max_lost:
        severity = Severity.FAIL
    elif worsened > improved and changes.mcnemar_p < policy.significance:
        # within the limit, and more than chance explains
        severity = Severity.FAIL
        facts["mcnemar_p"] = changes.mcnemar_p
    order = tuple(Effect)
    worse = [each for each in (*changes.lost, *changes.relinked, *changes.gained) if each.effect in WORSENED]
    worse.sort(key=lambda change: order.index(change.effect))
    return (
        Finding(
            Rule.AWARDS_WORSENED,
            severity,
            measured=float(worsened),
            limit=float(policy.max_lost),
            limit_kind=LimitKind.MAX_LOST,
            award_ids=tuple(change.award_id for change in worse[:_MOST_NAMED]),
            facts=facts,
        ),
    )
