"""The first of what a count is of, where the Run names them: in the reason of the row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Change, Severity

# what pandas makes of the id 101 where another is missing
_FLOAT = re.compile(r"[0-9]+\.0+|[0-9]+(?:\.[0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_SILENT = frozenset({Severity.OK, Severity.INFO})


def with_examples(change: Change, head: Run) -> Change:
    """Return the row, whose reason names what was counted if that is not as it should be."""
    if change.severity in _SILENT or not change.reason:
        return change
    words = ""
    if change.metric == "rows_rejected":
        words = "; ".join(head.reject_examples)
    elif change.metric == "recipients_unknown" and head.unknown_recipient_ids:
        words = _unknown_words("recipient", head.unknown_recipient_ids)
    elif change.metric == "rows_unknown" and head.unknown_award_ids:
        words = _unknown_words("award", head.unknown_award_ids)
    return replace(change, reason=f"{change.reason}: {words}") if words else change


def _unknown_words(kind: str, ids: Sequence[str]) -> str:
    named = ", ".join(repr(id_[:80]) for id_ in ids)
    words = f"{kind}_id {named} {'is' if len(ids) == 1 else 'are'} in no {kind}"
    if all(_FLOAT.fullmatch(id_) for id_ in ids):
        words += "; ids were written as floats"
    # no id that an engine is handed begins or ends like that
    if any(_is_padded(id_) for id_ in ids):
        words += "; blanks or invisible characters were added around ids"
    return words


def _is_padded(id_: str) -> bool:
    return any(end.isspace() or not end.isprintable() for end in (id_[:1], id_[-1:]))
