"""Waivers applied: a regression that somebody answers for warns instead of failing, up to its cap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sbir_gate.gate.comparing.changes import MUST_BE_SOUND
from sbir_gate.gate.comparing.ratios import RELATIVE_TOLERANCE
from sbir_gate.gate.comparing.wording import counted, number_text
from sbir_gate.model.fixture_edits import FixtureEdits
from sbir_gate.model.verdict import Change, Direction, MetricLimit, Policy, RecordChanges, Severity
from sbir_gate.model.waiver import AWARDS, FIXTURE_EDIT, MAY_BE_GONE, NEVER_WAIVED, Waiver, Waivers


@dataclass(frozen=True, slots=True)
class Waived:
    """What is left to judge, the waivers that let something pass, and what is to be said of the others."""

    changes: tuple[Change, ...]
    records: RecordChanges
    applied: tuple[Waiver, ...] = ()
    notes: tuple[str, ...] = ()


def apply_waivers(
    changes: tuple[Change, ...], records: RecordChanges, policy: Policy, waivers: Waivers | None
) -> Waived:
    """Return changes and records with what is waived as a warning.

    A measured regression can be waived, and a counter or stage that is gone (by 100 %): they are the engine's
    own affair. Any other metric that is gone, one that is not a number, rows missing or doubled, awards
    without a decision, and repeats that disagree fail whatever a waiver says. A waiver that does not reach
    says so in the reason. Expired waivers are not applied; they, the unused and those that cannot help are
    named in notes.
    """
    if waivers is None or not waivers.entries:
        return Waived(changes, records)
    current = {waiver.metric: waiver for waiver in waivers.entries if waiver.expires >= waivers.today}
    applied: list[Waiver] = []
    missed: list[Waiver] = []
    helpless: list[Waiver] = []
    softened = []
    for change in changes:
        waiver = current.get(change.metric) or current.get(change.renamed_from)
        if waiver is None or change.severity is not Severity.FAIL:
            softened.append(change)
            continue
        if not _may_be_waived(change):
            helpless.append(waiver)
            softened.append(change)
            continue
        is_reached = _reaches(waiver, worse_percent(change, policy.limit_of(change.metric)))
        (applied if is_reached else missed).append(waiver)
        softened.append(
            replace(
                change,
                severity=Severity.WARN if is_reached else Severity.FAIL,
                reason=f"{change.reason}; {_words(waiver, is_reached)}",
            )
        )
    waiver = current.get(AWARDS)
    if waiver is not None and records.severity is Severity.FAIL and records.is_sound:
        is_reached = _reaches(waiver, records.worsened)
        (applied if is_reached else missed).append(waiver)
        records = replace(
            records,
            severity=Severity.WARN if is_reached else Severity.FAIL,
            reason=f"{records.reason}; {_words(waiver, is_reached)}",
        )
    elif waiver is not None and not records.is_sound:
        helpless.append(waiver)
    notes = _notes(waivers, used=(*applied, *missed), helpless=helpless)
    return Waived(tuple(softened), records, tuple(dict.fromkeys(applied)), notes)


def waive_fixture_edit(
    reason: str, edits: FixtureEdits, waivers: Waivers | None
) -> tuple[str, Waiver | None]:
    """Return why a change cannot be judged on the base's fixture, and the waiver that accepts it, if any.

    A waiver reaches as far as the rows of the base's fixture that the change removes or changes. Where they
    could not be counted none does.
    """
    current = [
        waiver
        for waiver in (waivers.entries if waivers else ())
        if waivers and waiver.metric == FIXTURE_EDIT and waiver.expires >= waivers.today
    ]
    if not current or not edits.is_counted:
        return reason, None
    is_reached = _reaches(current[0], edits.lessened)
    return f"{reason}; {_words(current[0], is_reached)}", current[0] if is_reached else None


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
    return change.limit != MUST_BE_SOUND and change.metric not in NEVER_WAIVED and change.metric != "records"


def _reaches(waiver: Waiver, worse: float) -> bool:
    return worse <= waiver.limit * (1 + RELATIVE_TOLERANCE) + RELATIVE_TOLERANCE


def _words(waiver: Waiver, is_reached: bool) -> str:
    if is_reached:
        return f"waived up to {cap_text(waiver)} until {waiver.expires} by {waiver.owner} ({waiver.origin})"
    return f"the waiver in {waiver.origin} reaches only up to {cap_text(waiver)}"


def cap_text(waiver: Waiver) -> str:
    """Return the cap of a waiver in words: "40 %", "12 awards" or "12 rows"."""
    if waiver.metric == AWARDS:
        return counted(int(waiver.limit), "award")
    if waiver.metric == FIXTURE_EDIT:
        return counted(int(waiver.limit), "row")
    return f"{number_text(waiver.limit)} %"


def _notes(waivers: Waivers, used: Sequence[Waiver], helpless: Sequence[Waiver]) -> tuple[str, ...]:
    notes = []
    for waiver in waivers.entries:
        name = f"{waiver.origin}: the waiver for {waiver.metric}"
        if waiver.expires < waivers.today:
            notes.append(f"{name} expired on {waiver.expires} and was not applied ({waiver.owner})")
        elif waiver in helpless and waiver not in used:
            notes.append(f"{name} was not applied: what fails there is a fault, and no waiver covers one")
        elif waiver not in used:
            notes.append(f"{name} was not needed: take it out ({waiver.owner})")
        if waiver.former_name:
            notes.append(
                f"{waiver.origin}: the waiver metric {waiver.former_name} is now named {waiver.metric}"
            )
    return tuple(notes)
