"""What labels say: precision and recall of a whole run, and how far two reviewers agree.

The estimates are those of a stratified random sample (`model.stratified`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sbir_gate.model.labelling import (
    Agreement,
    AwardLabel,
    DrawnAward,
    Estimate,
    LabelSample,
    QualityEstimate,
)
from sbir_gate.model.stratified import StratumSample, estimated_rate


@dataclass(frozen=True, slots=True)
class _Answer:
    """One labelled award: whether its link is correct, it has a link, and a correct recipient exists."""

    drawn: DrawnAward
    is_correct: bool
    is_linked: bool
    has_recipient: bool


def estimate_quality(sample: LabelSample, truth: Mapping[str, frozenset[str]]) -> QualityEstimate:
    """Return the estimates from the drawn awards that have a label.

    Awards without one are taken as missing at random within their stratum.
    """
    answers = []
    for drawn in sample.drawn:
        right = truth.get(drawn.award_id)
        if right is not None:
            answers.append(_Answer(drawn, drawn.linked_id in right, bool(drawn.linked_id), bool(right)))
    sizes = dict(sample.strata)
    return QualityEstimate(
        precision=_ratio(answers, sizes, lambda answer: answer.is_linked),
        recall=_ratio(answers, sizes, lambda answer: answer.has_recipient),
        labelled=len(answers),
        missing=tuple(drawn.award_id for drawn in sample.drawn if drawn.award_id not in truth),
    )


def _ratio(
    answers: Sequence[_Answer], sizes: Mapping[str, int], is_counted: Callable[[_Answer], bool]
) -> Estimate:
    """Return the share of correct links among the awards that count."""
    strata: dict[str, list[_Answer]] = defaultdict(list)
    for answer in answers:
        strata[answer.drawn.stratum].append(answer)
    samples = []
    for name, members in strata.items():
        counted = [answer for answer in members if is_counted(answer)]
        correct = sum(answer.is_correct for answer in counted)
        samples.append(StratumSample(sizes[name], len(members), len(counted), correct))
    found = estimated_rate(samples)
    if found is None:
        return Estimate(None, None, None, 0)
    return Estimate(found.rate, found.low, found.high, sum(sample.counted for sample in samples))


def agreement(first: Mapping[str, AwardLabel], second: Mapping[str, AwardLabel]) -> Agreement:
    """Compare the labels of the awards that both have. Two labels agree if they name the same recipients.

    Kappa is Cohen's (Educational and Psychological Measurement 20 (1960) 37-46).
    """
    both = [(first[award], second[award]) for award in first if award in second]
    disagreements = tuple(pair for pair in both if _answer(pair[0]) != _answer(pair[1]))
    agreed = len(both) - len(disagreements)
    return Agreement(len(both), agreed, _kappa(both, agreed), disagreements)


def _answer(label: AwardLabel) -> frozenset[str]:
    return frozenset(label.recipient_ids)


def _kappa(both: list[tuple[AwardLabel, AwardLabel]], agreed: int) -> float | None:
    """Return kappa over the answers 'a recipient' and 'none', and which recipient where both name one.

    Chance agreement is that of the two reviewers' shares of 'none': which of many recipients is named is not
    hit by chance. None without labels, or where both give one answer alone.
    """
    if not both:
        return None
    counts = [Counter(bool(label.recipient_ids) for label in side) for side in zip(*both, strict=True)]
    total = len(both)
    chance = sum(counts[0][answer] * counts[1][answer] for answer in (True, False)) / total**2
    return None if chance == 1 else (agreed / total - chance) / (1 - chance)
