"""Every award whose link differs, as CSV: the report lists some of them, this file has them all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from sbir_gate.csv_text import csv_cell
from sbir_gate.model.effects import Effect
from sbir_gate.model.verdict import AwardChange, RecordChanges

COLUMNS = (
    "change",
    "effect",
    "award_id",
    "firm_name",
    "before_recipient_id",
    "before_name",
    "before_uei",
    "before_method",
    "before_confidence",
    "after_recipient_id",
    "after_name",
    "after_uei",
    "after_method",
    "after_confidence",
    "was_right",
    "is_right",
    "lost_by",
    "phase",
    "company_size",
    "identifier_type",
)


def render_changed_awards(records: RecordChanges) -> str:
    """Return the CSV, with a header and one row per award, those with a wrong link first.

    Characters that cannot be seen (line breaks, control characters) become blanks; a text that a
    spreadsheet would run as a formula gets an apostrophe before it.
    Source: OWASP, "CSV Injection".
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(records))
    return text.getvalue()


def _rows(records: RecordChanges) -> Iterator[list[str]]:
    named = [
        (name, change)
        for name, changes in (
            ("lost", records.lost),
            ("re-linked", records.relinked),
            ("gained", records.gained),
        )
        for change in changes
    ]
    order = {effect: place for place, effect in enumerate(Effect)}
    for name, change in sorted(named, key=lambda each: order[each[1].effect]):
        yield [name, change.effect.value, *(csv_cell(value) for value in _values(change))]


def _values(change: AwardChange) -> tuple[str, ...]:
    return (
        change.award_id,
        change.firm_name,
        change.before_recipient_id,
        change.before_name,
        change.before_uei,
        change.before_method,
        _confidence(change.before_confidence),
        change.after_recipient_id,
        change.after_name,
        change.after_uei,
        change.after_method,
        _confidence(change.after_confidence),
        _truth(change.was_right),
        _truth(change.is_right),
        change.lost_by or "",
        change.phase,
        change.company_size,
        change.identifier_type,
    )


def _truth(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _confidence(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
