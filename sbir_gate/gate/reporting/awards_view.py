"""The awards whose link differs: worst first, one row for each firm, a few open and the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sbir_gate.gate.reporting.plain_text import cut, display_width, plain
from sbir_gate.gate.reporting.quantities import NOTHING, counted, p_value_text
from sbir_gate.model.effects import WORSENED, Effect
from sbir_gate.model.verdict import AwardChange, LostBy, RecordChanges

MOST_OPEN = 5
MAX_ROWS_LISTED = 50
MAX_MOVES_LISTED = 20
CHANGED_AWARDS_NAME = "changed-awards.csv"
NO_LINK = "no link"

_NAME_CHARACTERS = 80
_ID_CHARACTERS = 60
_JOINT = " · "
_FEWEST_OF_NAME = 6

AWARD, FIRM, BEFORE, AFTER, LOST_AT = "award", "firm", "was linked to", "now", "lost at"

_TITLES = {
    Effect.NEW_WRONG: "New incorrect links",
    Effect.RELINKED_WRONG: "Correct links re-linked to an incorrect recipient",
    Effect.LOST_CORRECT: "Correct links lost",
    Effect.VANISHED: "Awards without a decision",
    Effect.LOST: "Links lost, not labelled",
    Effect.RELINKED: "Re-linked, not labelled",
    Effect.STILL_WRONG: "Re-linked, incorrect before and now",
    Effect.STILL_CORRECT: "Re-linked, correct before and now",
    Effect.GAINED: "Links gained, not labelled",
    Effect.WRONG_DROPPED: "Incorrect links dropped",
    Effect.GAINED_CORRECT: "Correct links gained",
    Effect.CORRECTED: "Links corrected",
}
# one, several
_COUNTED = {
    Effect.NEW_WRONG: ("new incorrect link", "new incorrect links"),
    Effect.RELINKED_WRONG: ("re-linked to an incorrect recipient",) * 2,
    Effect.LOST_CORRECT: ("correct link lost", "correct links lost"),
    Effect.VANISHED: ("award without a decision", "awards without a decision"),
    Effect.LOST: ("lost (not labelled)",) * 2,
    Effect.RELINKED: ("re-linked (not labelled)",) * 2,
    Effect.STILL_WRONG: ("re-linked, still incorrect",) * 2,
    Effect.STILL_CORRECT: ("re-linked, still correct",) * 2,
    Effect.GAINED: ("gained (not labelled)",) * 2,
    Effect.WRONG_DROPPED: ("incorrect link dropped", "incorrect links dropped"),
    Effect.GAINED_CORRECT: ("correct link gained", "correct links gained"),
    Effect.CORRECTED: ("link corrected", "links corrected"),
}
# one, several
WORSENED_TEXTS = {
    Effect.NEW_WRONG: ("got an incorrect link",) * 2,
    Effect.RELINKED_WRONG: (
        "was re-linked to an incorrect recipient",
        "were re-linked to an incorrect recipient",
    ),
    Effect.LOST_CORRECT: ("lost a correct link",) * 2,
    Effect.VANISHED: ("has no decision", "have no decision"),
    Effect.LOST: ("lost its link", "lost their link"),
    Effect.RELINKED: ("was re-linked", "were re-linked"),
}
_STAGES = {
    LostBy.BLOCKING: "candidate search",
    LostBy.SCORING: "scoring",
    LostBy.ACCEPTANCE: "acceptance limit",
}
_LOST = frozenset({Effect.LOST_CORRECT, Effect.LOST})
_WITHOUT_LINK_BEFORE = frozenset({Effect.NEW_WRONG, Effect.GAINED, Effect.GAINED_CORRECT})


@dataclass(frozen=True, slots=True)
class LinkCell:
    """A linked recipient: its name, UEI or id, the method and the confidence, as far as they are known.

    Without an id there is no link. Where room is short the name goes first, then method and confidence.
    """

    name: str
    uei: str
    recipient_id: str
    method: str
    confidence: str = ""

    def __str__(self) -> str:
        if not self.recipient_id:
            return NO_LINK
        return _JOINT.join(filter(None, (self.name, self._id, self._how)))

    @property
    def _id(self) -> str:
        return f"UEI {self.uei}" if self.uei else self.recipient_id

    @property
    def _how(self) -> str:
        return " ".join(filter(None, (self.method, self.confidence)))

    @property
    def least(self) -> int:
        """The columns that id, method and confidence take."""
        rest = _JOINT.join(filter(None, (self._id, self._how)))
        return display_width(rest if self.recipient_id else NO_LINK)

    def fit(self, columns: int) -> str:
        """Return the cell in at most `columns` columns."""
        if display_width(str(self)) <= columns or not self.recipient_id:
            return cut(str(self), columns)
        rest = _JOINT.join(filter(None, (self._id, self._how)))
        room = columns - display_width(_JOINT + rest)
        if self.name and room >= _FEWEST_OF_NAME:
            return f"{cut(self.name, room)}{_JOINT}{rest}"
        shorter = (rest, self._id)
        return next((text for text in shorter if display_width(text) <= columns), cut(self._id, columns))


@dataclass(frozen=True, slots=True)
class AwardRow:
    """The awards of one firm that changed in the same way: the first of them, and how many there are."""

    award_id: str
    count: int
    firm: str
    before: LinkCell
    after: LinkCell
    lost_at: str

    @property
    def more(self) -> str:
        """How many awards there are beside the first, e.g. "+2"; empty for none."""
        return f"+{self.count - 1:,}" if self.count > 1 else ""


@dataclass(frozen=True, slots=True)
class AwardTable:
    """The awards of one effect, `count` in all; `columns` leaves out what no row has."""

    title: str
    label: str
    count: int
    rows: tuple[AwardRow, ...]
    columns: tuple[str, ...]

    @property
    def shown(self) -> int:
        """How many awards the rows show."""
        return sum(row.count for row in self.rows)

    @property
    def shown_text(self) -> str:
        """Return "3 of 7", or "7" where all are shown."""
        return f"{self.count:,}" if self.shown == self.count else f"{self.shown:,} of {self.count:,}"


@dataclass(frozen=True, slots=True)
class ChangedAward:
    """One award whose link differs: `change` says how, the last three are its segments."""

    row: AwardRow
    change: str
    is_worse: bool
    phase: str
    company_size: str
    identifier_type: str


@dataclass(frozen=True, slots=True)
class SliceRow:
    """How many links changed within one segment of the awards."""

    dimension: str
    value: str
    lost: str
    gained: str
    relinked: str


@dataclass(frozen=True, slots=True)
class AwardsView:
    """The changed awards. `open` are the worst few, `folded` the others, `fold_title` what those are.

    `summary` counts all of them in one line, empty if no link differs.
    """

    summary: str = ""
    open: tuple[AwardTable, ...] = ()
    folded: tuple[AwardTable, ...] = ()
    fold_title: str = ""

    def first(self, most: int) -> AwardsView:
        """Return the view with at most `most` folded rows of each effect."""
        tables = tuple(replace(table, rows=table.rows[:most]) for table in self.folded if most)
        return replace(self, folded=tables, fold_title=self.fold_title if tables else "")


def awards_view(records: RecordChanges) -> AwardsView:
    """Return the changed awards; harmless changes are folded, however few there are."""
    opened: list[AwardTable] = []
    folded: list[AwardTable] = []
    parts: list[str] = []
    room = MOST_OPEN
    for effect, changes in _by_effect(records):
        rows = _rows(changes)
        table = AwardTable(
            _TITLES[effect], _COUNTED[effect][len(changes) != 1], len(changes), rows, _columns(effect, rows)
        )
        if effect in WORSENED and room:
            opened.append(replace(table, rows=rows[:room]))
            room, rows = room - len(opened[-1].rows), rows[room:]
        if rows:
            folded.append(replace(table, rows=rows[:MAX_ROWS_LISTED]))
            shown = opened[-1].shown if opened and opened[-1].title == table.title else 0
            if left := len(changes) - shown:
                parts.append(f"{left:,} {'more ' if shown else ''}{_COUNTED[effect][left != 1]}")
    return AwardsView(records_line(records), tuple(opened), tuple(folded), _JOINT.join(parts))


def changed_awards(records: RecordChanges) -> tuple[ChangedAward, ...]:
    """Return every award whose link differs, one by one, in the order of `awards_view`."""
    return tuple(
        ChangedAward(
            _row([change]),
            _TITLES[effect],
            effect in WORSENED,
            *(
                plain(text, _ID_CHARACTERS) or NOTHING
                for text in (change.phase, change.company_size, change.identifier_type)
            ),
        )
        for effect, changes in _by_effect(records)
        for change in changes
    )


def records_line(records: RecordChanges) -> str:
    """Return the counts of each effect in one line, incorrect links first; empty if nothing changed."""
    effects = records.effects
    if not (effects or records.worsened or records.improved):
        return ""
    parts = [f"{count:,} {_COUNTED[effect][count != 1]}" for effect, count in effects.items()]
    return (
        f"{', '.join(parts) or 'no list of changed awards'}; "
        f"{records.worsened:,} worsened, {records.improved:,} improved "
        f"(exact McNemar test: p = {p_value_text(records.mcnemar_p)})"
    )


def awards_phrase(records: RecordChanges, limit: str) -> str:
    """Return how many awards worsened, for a headline: "7 awards lost a correct link (limit 5)"."""
    worse = {effect: count for effect, count in records.effects.items() if effect in WORSENED}
    most, count = max(worse.items(), key=lambda each: each[1], default=(Effect.LOST, 0))
    what = WORSENED_TEXTS[most][count != 1]
    if len(worse) == 1:
        words = f"{counted(count, 'award')} {what}"
    else:
        words = f"{counted(records.worsened, 'award')} worsened" + (f", {count:,} {what}" if worse else "")
    return words if limit == NOTHING else f"{words} (limit {limit})"


def outcome_of_awards(records: RecordChanges) -> str:
    """Return in a few words how the awards came out: "no links lost", "7 awards worsened, 0 improved"."""
    if records.worsened:
        return f"{counted(records.worsened, 'award')} worsened, {records.improved:,} improved"
    return "no correct link lost" if records.lost else "no links lost"


def worsened_title(records: RecordChanges) -> str:
    """Return what the awards that worsened are called: by their effect if it is one, else together."""
    worse = [effect for effect in records.effects if effect in WORSENED]
    return _TITLES[worse[0]] if len(worse) == 1 else "Awards worsened"


def lost_award(records: RecordChanges) -> str:
    """Return the first award that a report lists as lost; empty for none."""
    lost = (rows[0] for effect, rows in _by_effect(records) if effect in _LOST)
    return next((change.award_id for change in lost), "")


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
        parts = [f"{count:,} {label}" for count, label in candidates if count]
        lines.append(f"candidates for review: {', '.join(parts)}")
    if records.scores_changed:
        count = records.scores_changed
        lines.append(f"{count:,} {'link has' if count == 1 else 'links have'} another score or confidence")
    return tuple(lines)


def slice_rows(records: RecordChanges) -> tuple[SliceRow, ...]:
    """Return how the changes fall on methods, stages and segments of the awards."""
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


def _by_effect(records: RecordChanges) -> Iterable[tuple[Effect, Sequence[AwardChange]]]:
    found: dict[Effect, list[AwardChange]] = {}
    for change in (*records.lost, *records.relinked, *records.gained):
        found.setdefault(change.effect, []).append(change)
    return ((effect, found[effect]) for effect in Effect if effect in found)


def _rows(changes: Sequence[AwardChange]) -> tuple[AwardRow, ...]:
    """Return one row for the awards of a firm that changed in the same way; firms with most awards first."""
    groups: dict[tuple[object, ...], list[AwardChange]] = {}
    for change in changes:
        # an award whose firm is not known is a firm of its own
        firm = change.firm_name or change.award_id
        links = (change.before_recipient_id, change.before_method, change.after_recipient_id)
        groups.setdefault((firm, *links, change.after_method, change.lost_by), []).append(change)
    rows = [_row(group) for group in groups.values()]
    return tuple(sorted(rows, key=lambda row: -row.count))


def _row(group: Sequence[AwardChange]) -> AwardRow:
    first = group[0]
    return AwardRow(
        award_id=plain(first.award_id, _ID_CHARACTERS),
        count=len(group),
        firm=plain(first.firm_name, _NAME_CHARACTERS) or NOTHING,
        before=_link_cell(
            (first.before_recipient_id, first.before_method, first.before_name, first.before_uei),
            [change.before_confidence for change in group],
        ),
        after=_link_cell(
            (first.after_recipient_id, first.after_method, first.after_name, first.after_uei),
            [change.after_confidence for change in group],
        ),
        lost_at=_STAGES[first.lost_by] if first.lost_by else NOTHING,
    )


def _link_cell(link: tuple[str, str, str, str], confidences: Sequence[float | None]) -> LinkCell:
    recipient_id, method, name, uei = link
    known = sorted({f"{value:.3f}" for value in confidences if value is not None})
    return LinkCell(
        name=plain(name, _NAME_CHARACTERS),
        uei=plain(uei, _ID_CHARACTERS),
        recipient_id=plain(recipient_id, _ID_CHARACTERS),
        method=plain(method, _ID_CHARACTERS),
        confidence=known[0] if len(known) == 1 else f"{known[0]} to {known[-1]}" if known else "",
    )


def _columns(effect: Effect, rows: Sequence[AwardRow]) -> tuple[str, ...]:
    has_firm = any(row.firm != NOTHING for row in rows)
    has_stage = any(row.lost_at != NOTHING for row in rows)
    return tuple(
        filter(
            None,
            (
                AWARD,
                FIRM if has_firm else "",
                "" if effect in _WITHOUT_LINK_BEFORE else BEFORE,
                AFTER,
                LOST_AT if has_stage else "",
            ),
        )
    )
