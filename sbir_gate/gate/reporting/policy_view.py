"""What a report says of the policy: the banner of a change that edits it, and the waivers applied."""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate.gate.reporting.messages import waiver_cap
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import counted
from sbir_gate.model.fixture_edits import FixtureEdits, RowEdits
from sbir_gate.model.verdict import Verdict

MAX_EDITS_LISTED = 30

_WORDS_CHARACTERS = 160
_NAME_CHARACTERS = 80
_COMMIT_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class EditRow:
    """One thing that head changes of the policy."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PolicyBanner:
    """That head edits what it is judged by: as text, one by one, and how many more there are.

    `fixture` says in numbers what it edits of the fixture, empty if nothing.
    """

    title: str
    outcomes: str
    rows: tuple[EditRow, ...]
    more: str
    fixture: str = ""


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """One waiver that let something pass."""

    metric: str
    cap: str
    expires: str
    owner: str
    reason: str
    pr: str


def policy_banner(verdict: Verdict) -> PolicyBanner | None:
    """Return the banner, None if head edits nothing or the policy is the working tree's own."""
    edits, fixture = verdict.policy_edits, verdict.fixture_edits
    if not edits and fixture is None:
        return None
    own = verdict.own_policy_outcome
    outcomes = (
        f"Judged by the base's policy (commit {_commit(verdict)}): {verdict.outcome}. "
        f"By its own: {own.value if own else 'not judged'}."
    )
    return PolicyBanner(
        title="This change edits what it is judged by",
        outcomes=outcomes if verdict.policy_commit else "",
        fixture=fixture_text(fixture) if fixture is not None else "",
        rows=tuple(
            EditRow(
                plain(edit.what, _NAME_CHARACTERS),
                plain(edit.before, _WORDS_CHARACTERS),
                plain(edit.after, _WORDS_CHARACTERS),
            )
            for edit in edits[:MAX_EDITS_LISTED]
        ),
        more=f"and {len(edits) - MAX_EDITS_LISTED:,} more" if len(edits) > MAX_EDITS_LISTED else "",
    )


def fixture_text(edits: FixtureEdits) -> str:
    """Return what head edits of the fixture, in one sentence, and on which fixture it was judged."""
    parts = [
        _label_text(edits),
        *_row_texts("award", edits.awards),
        *_row_texts("recipient", edits.recipients),
        "how the awards were drawn changed" if edits.is_redrawn else "",
    ]
    said = "; ".join(filter(None, parts)) or (
        "the files differ, their rows do not" if edits.is_counted else "its rows could not be compared"
    )
    commit = plain(edits.commit[:_COMMIT_CHARACTERS])
    where = "not judged on" if edits.obstacle else "judged on"
    return f"Fixture: {said}; {where} that of commit {commit}."


def _label_text(edits: FixtureEdits) -> str:
    truth = edits.truth
    texts = [
        f"labels of {counted(count, 'award')} {verb}"
        for count, verb in ((truth.changed, "changed"), (truth.removed, "removed"))
        if count
    ]
    if texts and edits.altered_labels is not None:
        texts.append(f"{edits.altered_labels:,} of them for links that this change alters")
    added = [f"labels of {counted(truth.added, 'award')} added"] if truth.added else []
    return "; ".join(filter(None, (", ".join(texts), *added)))


def _row_texts(noun: str, rows: RowEdits) -> list[str]:
    counts = ((rows.removed, "removed"), (rows.changed, "changed"), (rows.added, "added"))
    return [f"{counted(count, noun)} {verb}" for count, verb in counts if count]


def policy_words(verdict: Verdict) -> str:
    """Return where the policy came from, empty for the working tree."""
    if not verdict.policy_commit:
        return ""
    words = f"of commit {_commit(verdict)}"
    target = verdict.target
    if target is None or not target.commits_ahead:
        return words
    behind = f"{counted(target.commits_ahead, 'commit')} ({counted(target.days_ahead, 'day')}) behind"
    return f"{words}, {behind} {plain(target.name, _NAME_CHARACTERS)}"


def waiver_rows(verdict: Verdict) -> tuple[WaiverRow, ...]:
    """Return the waivers that were applied."""
    return tuple(
        WaiverRow(
            metric=metric_name(waiver.metric),
            cap=waiver_cap(waiver),
            expires=waiver.expires.isoformat(),
            owner=plain(waiver.owner, _NAME_CHARACTERS),
            reason=plain(waiver.reason),
            pr=plain(waiver.pr),
        )
        for waiver in verdict.waivers
    )


def _commit(verdict: Verdict) -> str:
    return plain(verdict.policy_commit[:_COMMIT_CHARACTERS])
