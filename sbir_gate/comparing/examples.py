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
        words = _unknown_words(head.unknown_recipient_ids)
    return replace(change, reason=f"{change.reason}: {words}") if words else change


def _unknown_words(recipient_ids: Sequence[str]) -> str:
    named = ", ".join(repr(id_[:80]) for id_ in recipient_ids)
    words = f"recipient_id {named} {'is' if len(recipient_ids) == 1 else 'are'} in no recipient"
    if all(_FLOAT.fullmatch(id_) for id_ in recipient_ids):
        words += "; ids were written as floats"
    return words
