"""The labels of a fixture that is drawn again: which are kept, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.model.labelling import AwardLabel
from sbir_gate.model.records import AwardProfile


class LabelFate(StrEnum):
    """A label is kept, or why it is not."""

    KEPT = "kept"
    AWARD_GONE = "award-gone"
    OTHER_FIRM = "other-firm"
    RECIPIENT_GONE = "recipient-gone"
    NOT_DRAWN = "not-drawn"
    IN_DOUBT = "in-doubt"


@dataclass(frozen=True, slots=True)
class EarlierFixture:
    """The fixture as it is: its awards, and their labels by award."""

    awards: Sequence[AwardProfile]
    labels: Mapping[str, AwardLabel]

    @property
    def named_recipients(self) -> frozenset[str]:
        """The recipients that its labels name."""
        return frozenset(id_ for label in self.labels.values() for id_ in label.recipient_ids)

    def usable(
        self, awards: Mapping[str, AwardProfile], recipients: Collection[str]
    ) -> dict[str, AwardLabel]:
        """Return the labels that people made, where they hold for awards and recipients as they are now."""
        before = {award.award_id: award for award in self.awards}
        return {
            award_id: label
            for award_id, label in self.labels.items()
            if not label.is_by_identifier and _hindrance(label, before, awards, recipients) is None
        }

    def fates(
        self,
        awards: Mapping[str, AwardProfile],
        recipients: Collection[str],
        drawn: Collection[str],
        labelled: Collection[str],
    ) -> Mapping[LabelFate, int]:
        """Count the labels that are kept, and the others by reason.

        `awards` and `recipients` are those that there are now, `drawn` the awards of the new fixture, and
        `labelled` those of them with a label. An identifier gives its label anew, or the
        label is in doubt.
        """
        before = {award.award_id: award for award in self.awards}
        found: Counter[LabelFate] = Counter()
        for award_id, label in self.labels.items():
            fate = _hindrance(label, before, awards, recipients)
            if fate is None and award_id not in drawn:
                fate = LabelFate.NOT_DRAWN
            if fate is None and award_id not in labelled:
                fate = LabelFate.IN_DOUBT
            found[fate or LabelFate.KEPT] += 1
        return {fate: found[fate] for fate in LabelFate if found[fate]}


def _hindrance(
    label: AwardLabel,
    before: Mapping[str, AwardProfile],
    awards: Mapping[str, AwardProfile],
    recipients: Collection[str],
) -> LabelFate | None:
    """Return why a label no longer holds, None if it does."""
    award, earlier = awards.get(label.award_id), before.get(label.award_id)
    if award is None:
        return LabelFate.AWARD_GONE
    if earlier is not None and not is_same_firm(earlier, award):
        return LabelFate.OTHER_FIRM
    return None if frozenset(recipients).issuperset(label.recipient_ids) else LabelFate.RECIPIENT_GONE


def is_same_firm(before: AwardProfile, after: AwardProfile) -> bool:
    """Say whether two awards of one id are of one firm: by name, UEI or DUNS."""
    names = {_plain(before.firm_name), _plain(after.firm_name)}
    shared_duns = set(before.duns.split()) & set(after.duns.split())
    return len(names) == 1 or (bool(before.uei) and before.uei == after.uei) or bool(shared_duns)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
