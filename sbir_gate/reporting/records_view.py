"""What a report says of the awards one by one: who lost what, in which stage, and of which kind they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sbir_gate.model.verdict import AwardChange, RecordChanges
from sbir_gate.reporting.plain_text import plain
from sbir_gate.reporting.quantities import NOTHING

MAX_AWARDS_LISTED = 50
CHANGED_AWARDS_NAME = "changed-awards.csv"

_NAME_CHARACTERS = 80
_ID_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class AwardRow:
    """One award whose link differs; `truth` says what became of it, a dash where nobody knows."""

    award_id: str
    firm_name: str
    before: str
    after: str
    lost_by: str
    truth: str


@dataclass(frozen=True, slots=True)
class AwardList:
    """Awards under one title, `count` in all; `more` says how many are not listed, empty if none."""

    title: str
    count: int
    rows: tuple[AwardRow, ...]
    more: str

    def first(self, most: int) -> AwardList:
        """Return the list cut to so many rows."""
        rows = self.rows[:most]
        return replace(self, rows=rows, more=_more(self.count, len(rows)))


@dataclass(frozen=True, slots=True)
class SliceRow:
    """How many links changed within one slice of the awards."""

    dimension: str
    value: str
    lost: str
    gained: str
    relinked: str


def records_line(records: RecordChanges) -> str:
    """Return the counts in one line, empty if nothing changed."""
    if not (records.lost or records.gained or records.relinked or records.worsened or records.improved):
        return ""
    return (
        f"{len(records.lost):,} lost, {len(records.gained):,} gained, {len(records.relinked):,} re-linked; "
        f"{records.worsened:,} worsened, {records.improved:,} improved "
        f"(exact McNemar test: p = {records.mcnemar_p:.2g})"
    )


def award_lists(records: RecordChanges) -> tuple[AwardList, ...]:
    """Return the lists that are not empty, each capped."""
    titled = (("Lost", records.lost), ("Re-linked", records.relinked), ("Gained", records.gained))
    return tuple(
        AwardList(
            title=f"{title} links ({len(changes):,})",
            count=len(changes),
            rows=tuple(_award_row(change) for change in changes[:MAX_AWARDS_LISTED]),
            more=_more(len(changes), MAX_AWARDS_LISTED),
        )
        for title, changes in titled
        if changes
    )


def slice_rows(records: RecordChanges) -> tuple[SliceRow, ...]:
    """Return how the changes fall on methods, stages and kinds of awards."""
    return tuple(
        SliceRow(
            dimension=plain(found.dimension, _ID_CHARACTERS),
            value=plain(found.value, _ID_CHARACTERS),
            lost=f"{found.lost:,}",
            gained=f"{found.gained:,}",
            relinked=f"{found.relinked:,}",
        )
        for found in records.slices
    )


def _more(count: int, listed: int) -> str:
    return f"and {count - listed:,} more: all are in {CHANGED_AWARDS_NAME}" if count > listed else ""


def _award_row(change: AwardChange) -> AwardRow:
    return AwardRow(
        award_id=plain(change.award_id, _ID_CHARACTERS),
        firm_name=plain(change.firm_name, _NAME_CHARACTERS) or NOTHING,
        before=_link_words(change.before_recipient_id, change.before_method),
        after=_link_words(change.after_recipient_id, change.after_method),
        lost_by=change.lost_by or NOTHING,
        truth=_truth_words(change.was_right, change.is_right),
    )


def _link_words(recipient_id: str, method: str) -> str:
    words = plain(method, _ID_CHARACTERS)
    return f"{plain(recipient_id, _ID_CHARACTERS)} ({words})" if recipient_id else words or NOTHING


def _truth_words(was_right: bool | None, is_right: bool | None) -> str:
    if was_right is None or is_right is None:
        return NOTHING
    if was_right == is_right:
        return "right before and now" if is_right else "not right, before or now"
    return "now right" if is_right else "no longer right"
