"""The first of what a count is of, where the Run names them: as facts of the findings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sbir_gate.model.finding import Fact, Finding
from sbir_gate.model.run import Run

# what pandas makes of the id 101 where another is missing
_FLOAT = re.compile(r"[0-9]+\.0+|[0-9]+(?:\.[0-9]+)?e\+?[0-9]+", re.IGNORECASE)


def with_examples(finding: Finding, head: Run) -> Finding:
    """Return the finding, which names what was counted if that is not as it should be."""
    if not finding.is_deciding:
        return finding
    facts: dict[str, Fact] = {}
    award_ids: tuple[str, ...] = ()
    if finding.metric == "rows_rejected" and head.reject_examples:
        facts["examples"] = head.reject_examples
    elif finding.metric == "recipients_unknown" and head.unknown_recipient_ids:
        facts = {"recipient_ids": head.unknown_recipient_ids, **id_facts(head.unknown_recipient_ids)}
    elif finding.metric == "rows_unknown" and head.unknown_award_ids:
        award_ids, facts = head.unknown_award_ids, id_facts(head.unknown_award_ids)
    return replace(finding, award_ids=award_ids, facts={**finding.facts, **facts})


def id_facts(ids: Sequence[str]) -> dict[str, Fact]:
    """Return what the ids show of how they were written."""
    found: dict[str, Fact] = {}
    if all(_FLOAT.fullmatch(id_) for id_ in ids):
        found["ids_are_floats"] = 1
    # no id that an engine is handed begins or ends like that
    if any(_is_padded(id_) for id_ in ids):
        found["ids_are_padded"] = 1
    return found


def _is_padded(id_: str) -> bool:
    return any(end.isspace() or not end.isprintable() for end in (id_[:1], id_[-1:]))
