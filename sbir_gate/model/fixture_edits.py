"""What a change edits of the fixture that judges it, in numbers of rows."""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate.model.finding import Finding, Rule, finding_fault


@dataclass(frozen=True, slots=True)
class RowEdits:
    """How many rows of one table a change adds, removes and changes; rows are known by their id."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    @property
    def lessened(self) -> int:
        """The rows of before that are no longer there as they were."""
        return self.removed + self.changed


@dataclass(frozen=True, slots=True)
class FixtureEdits:
    """What head edits of the fixture of `commit`, its base.

    `truth` counts the awards whose label differs. `altered_labels` of the labels that were changed or removed
    are of awards whose link head alters; None where that is not known. `obstacle` says why head could not be
    judged on the base's fixture, None if it was. `is_counted` is False where the rows could not be compared.
    `is_redrawn` says that the file differs that says how the awards were drawn.
    """

    commit: str
    awards: RowEdits = RowEdits()
    recipients: RowEdits = RowEdits()
    truth: RowEdits = RowEdits()
    altered_labels: int | None = None
    obstacle: Finding | None = None
    is_counted: bool = True
    is_redrawn: bool = False

    @property
    def is_smaller(self) -> bool:
        """Say whether the engine has less to do on head's fixture: its times there prove nothing."""
        return any(table.removed > table.added for table in (self.awards, self.recipients))

    @property
    def lessened(self) -> int:
        """The rows and labels of the base's fixture that are no longer there as they were."""
        return self.awards.lessened + self.recipients.lessened + self.truth.lessened


def edits_fault(edits: FixtureEdits | None) -> str:
    """Return what is wrong with the finding that says why head could not be judged; empty for nothing."""
    obstacle = edits.obstacle if edits is not None else None
    if obstacle is None:
        return ""
    if obstacle.rule is not Rule.FIXTURE_EDIT_UNJUDGED:
        return f"fixture_edits.obstacle is a finding of the rule {obstacle.rule}"
    return finding_fault([obstacle])
