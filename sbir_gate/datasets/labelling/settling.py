"""Two reviewers' labels made into one truth: what is to settle, and what is taken over as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.datasets.labelling.figures import agreement
from sbir_gate.model.labelling import Agreement, AwardLabel, Certainty


@dataclass(frozen=True, slots=True)
class Settlement:
    """The labels of two reviewers, whose `names` differ.

    `disputes` are the two labels of each award on which they disagree, in the first one's order. `taken` are
    the labels of all other awards: agreed, or made by one reviewer alone (`alone` counts those).
    """

    names: tuple[str, str]
    agreement: Agreement
    disputes: Mapping[str, tuple[AwardLabel, AwardLabel]]
    taken: Mapping[str, AwardLabel]
    alone: int


def settlement_of(
    files: tuple[Path, Path], first: Mapping[str, AwardLabel], second: Mapping[str, AwardLabel]
) -> Settlement:
    """Return what two reviewers' labels leave to settle; `files` are where the labels are from."""
    found = agreement(first, second)
    disputes = {pair[0].award_id: pair for pair in found.disagreements}
    taken = {
        award: _agreed(first[award], second[award]) if award in first and award in second else label
        for award, label in {**first, **second}.items()
        if award not in disputes
    }
    return Settlement(_names(files, first, second), found, disputes, taken, len(taken) - found.agreed)


def _agreed(left: AwardLabel, right: AwardLabel) -> AwardLabel:
    """Return one label for two that name the same recipients: as certain as the less certain one."""
    is_likely = Certainty.LIKELY in (left.certainty, right.certainty)
    return AwardLabel(
        left.award_id,
        left.recipient_ids,
        " and ".join(_distinct(left.reviewer, right.reviewer)),
        max((day for day in (left.decided_on, right.decided_on) if day), default=None),
        Certainty.LIKELY if is_likely else Certainty.CERTAIN,
        " / ".join(_distinct(left.note, right.note)),
    )


def _distinct(*texts: str) -> Iterator[str]:
    return iter(dict.fromkeys(filter(None, texts)))


def _names(
    files: tuple[Path, Path], first: Mapping[str, AwardLabel], second: Mapping[str, AwardLabel]
) -> tuple[str, str]:
    """Return what the reviewers are called: as in their labels, or by their files where that is not clear."""
    named = [{label.reviewer for label in labels.values()} for labels in (first, second)]
    if named[0] != named[1] and all(len(names) == 1 and "" not in names for names in named):
        return named[0].pop(), named[1].pop()
    left, right = (file.name for file in files)
    return (left, right) if left != right else (str(files[0]), str(files[1]))
