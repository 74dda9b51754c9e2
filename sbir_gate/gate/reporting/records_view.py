"""What a report says of the awards one by one: who lost what, in which stage, and of which kind they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sbir_gate.gate.reporting.plain_text import cut, display_width, plain
from sbir_gate.gate.reporting.quantities import NOTHING
from sbir_gate.model.effects import Effect
from sbir_gate.model.verdict import AwardChange, RecordChanges

MAX_AWARDS_LISTED = 50
MAX_MOVES_LISTED = 20
CHANGED_AWARDS_NAME = "changed-awards.csv"

_NAME_CHARACTERS = 80
_ID_CHARACTERS = 60

_JOINT = " · "
_FEWEST_OF_NAME = 6

_UNLABELLED = frozenset({Effect.LOST, Effect.RELINKED, Effect.GAINED})
_TITLES = {
    Effect.NEW_WRONG: "New wrong links",
    Effect.RELINKED_WRONG: "Correct links re-linked to a wrong recipient",
    Effect.LOST_CORRECT: "Correct links lost",
    Effect.VANISHED: "Awards without a decision",
    Effect.LOST: "Lost links, not labelled",
    Effect.RELINKED: "Re-linked, not labelled",
    Effect.STILL_WRONG: "Wrong links re-linked to another wrong recipient",
    Effect.STILL_CORRECT: "Correct links re-linked to another correct recipient",
    Effect.GAINED: "Gained links, not labelled",
    Effect.WRONG_DROPPED: "Wrong links dropped",
    Effect.GAINED_CORRECT: "Correct links gained",
    Effect.CORRECTED: "Corrected links",
}
# one, several
_COUNTED = {
    Effect.NEW_WRONG: ("new wrong link", "new wrong links"),
    Effect.RELINKED_WRONG: ("re-linked to a wrong recipient",) * 2,
    Effect.LOST_CORRECT: ("correct link lost", "correct links lost"),
    Effect.VANISHED: ("award without a decision", "awards without a decision"),
    Effect.LOST: ("lost (not labelled)",) * 2,
    Effect.RELINKED: ("re-linked (not labelled)",) * 2,
    Effect.STILL_WRONG: ("re-linked, wrong before and now",) * 2,
    Effect.STILL_CORRECT: ("re-linked, correct before and now",) * 2,
    Effect.GAINED: ("gained (not labelled)",) * 2,
    Effect.WRONG_DROPPED: ("wrong link dropped", "wrong links dropped"),
    Effect.GAINED_CORRECT: ("correct link gained", "correct links gained"),
    Effect.CORRECTED: ("corrected",) * 2,
}


@dataclass(frozen=True, slots=True)
class LinkCell:
    """The recipient of an award by name and ids as far as they are known, and the method.

    Without an id there is the method alone. Where room is short the name goes first, then the method.
    """

    name: str
    uei: str
    recipient_id: str
    method: str

    def __str__(self) -> str:
        if not self.recipient_id:
            return self.method or NOTHING
        return _JOINT.join(filter(None, (self.name, f"{self._ids} ({self.method})")))

    @property
    def _ids(self) -> str:
        return _JOINT.join(filter(None, (self.uei and f"UEI {self.uei}", self.recipient_id)))

    @property
    def least(self) -> int:
        """The columns that the ids take."""
        return display_width(self._ids or str(self))

    def fit(self, columns: int) -> str:
        """Return the cell in at most so many columns."""
        if display_width(str(self)) <= columns or not self.recipient_id:
            return cut(str(self), columns)
        rest = f"{self._ids} ({self.method})"
        room = columns - display_width(_JOINT + rest)
        if self.name and room >= _FEWEST_OF_NAME:
            return f"{cut(self.name, room)}{_JOINT}{rest}"
        shorter = (rest, self._ids, self.recipient_id)
        return next(
            (text for text in shorter if display_width(text) <= columns), cut(self.recipient_id, columns)
        )


@dataclass(frozen=True, slots=True)
class AwardRow:
    """One award whose link differs; `truth` says what became of it."""

    award_id: str
    firm_name: str
    before: LinkCell
    after: LinkCell
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
    """Return the counts of each effect in one line, wrong links first; empty if nothing changed."""
    effects = records.effects
    if not (effects or records.worsened or records.improved):
        return ""
    parts = [f"{count:,} {_count_words(effect, count)}" for effect, count in effects.items()]
    if effects and not effects.keys() <= _UNLABELLED and Effect.LOST_CORRECT not in effects:
        parts.append("no correct link lost")
    return (
        f"{', '.join(parts) or 'no list of changed awards'}; "
        f"{records.worsened:,} worsened, {records.improved:,} improved "
        f"(exact McNemar test: p = {records.mcnemar_p:.2g})"
    )


def kept_lines(records: RecordChanges) -> tuple[str, ...]:
    """Return what changed although no link did: methods, candidates for review, scores."""
    lines = [
        f"{move.links:,} {'link is' if move.links == 1 else 'links are'} now made by"
        f" {plain(move.after_method, _ID_CHARACTERS)}, not {plain(move.before_method, _ID_CHARACTERS)},"
        " to the same recipient"
        for move in records.moves[:MAX_MOVES_LISTED]
    ]
    more = records.moves[MAX_MOVES_LISTED:]
    if more:
        lines.append(f"{sum(move.links for move in more):,} more links changed their method")
    candidates = (
        (records.candidates_lost, "lost"),
        (records.candidates_changed, "now another recipient"),
        (records.candidates_gained, "new"),
    )
    if any(count for count, _ in candidates):
        parts = [f"{count:,} {words}" for count, words in candidates if count]
        lines.append(f"candidates for review: {', '.join(parts)}")
    if records.scores_changed:
        count = records.scores_changed
        lines.append(f"{count:,} {'link has' if count == 1 else 'links have'} another score or confidence")
    return tuple(lines)


def award_lists(records: RecordChanges) -> tuple[AwardList, ...]:
    """Return the lists that are not empty, wrong links first, each capped."""
    by_effect: dict[Effect, list[AwardChange]] = {}
    for change in (*records.lost, *records.relinked, *records.gained):
        by_effect.setdefault(change.effect, []).append(change)
    return tuple(
        AwardList(
            title=f"{_TITLES[effect]} ({len(changes):,})",
            count=len(changes),
            rows=tuple(_award_row(change) for change in changes[:MAX_AWARDS_LISTED]),
            more=_more(len(changes), MAX_AWARDS_LISTED),
        )
        for effect in Effect
        if (changes := by_effect.get(effect))
    )


def _count_words(effect: Effect, count: int) -> str:
    return _COUNTED[effect][count != 1]


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
        before=_link_cell(
            change.before_recipient_id, change.before_method, change.before_name, change.before_uei
        ),
        after=_link_cell(change.after_recipient_id, change.after_method, change.after_name, change.after_uei),
        lost_by=change.lost_by or NOTHING,
        truth=_truth_words(change),
    )


def _link_cell(recipient_id: str, method: str, name: str, uei: str) -> LinkCell:
    return LinkCell(
        name=plain(name, _NAME_CHARACTERS),
        uei=plain(uei, _ID_CHARACTERS),
        recipient_id=plain(recipient_id, _ID_CHARACTERS),
        method=plain(method, _ID_CHARACTERS),
    )


def _truth_words(change: AwardChange) -> str:
    if change.was_right is None or change.is_right is None:
        return "not labelled"
    if change.was_right != change.is_right:
        return "now correct" if change.is_right else "no longer correct"
    if change.is_right:
        return "correct before and now"
    return "wrong before and now" if change.before_recipient_id else "wrong"
