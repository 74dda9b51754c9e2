"""How far two reviewers agree."""

import pytest

from sbir_gate.datasets.labelling.agreement import agreement
from sbir_gate.model.labelling import AwardLabel


def labels(**answers):
    """Return labels by award; an empty answer is none."""
    return {award: AwardLabel(award, tuple(answer.split())) for award, answer in answers.items()}


def test_only_awards_of_both_count_and_disagreements_are_kept():
    found = agreement(labels(a="R1", b="R2", c=""), labels(a="R1", b="R3", d="R1"))
    assert (found.both, found.agreed) == (2, 1)
    ((first, second),) = found.disagreements
    assert (first.recipient_ids, second.recipient_ids) == (("R2",), ("R3",))


def test_the_order_of_recipients_does_not_matter():
    assert agreement(labels(a="R1 R2"), labels(a="R2 R1")).agreed == 1


def test_kappa_is_that_of_the_textbook():
    # 20 and 15 agreed of 50, first says "a recipient" 25 times, second 30 times: kappa 0.4
    first = labels(**{f"a{n}": "R" if n < 25 else "" for n in range(50)})
    second = labels(**{f"a{n}": "R" if n < 20 or n >= 40 else "" for n in range(50)})
    found = agreement(first, second)
    assert found.agreed == 35
    assert found.kappa == pytest.approx(0.4)


def test_kappa_is_not_defined_without_labels_or_with_one_answer_alone():
    assert agreement({}, {}).kappa is None
    assert agreement(labels(a="R1", b="R2"), labels(a="R1", b="R2")).kappa is None
