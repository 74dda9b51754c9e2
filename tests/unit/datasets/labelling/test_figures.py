"""What labels say: precision and recall of a whole run, and how far two reviewers agree."""

import random

import pytest

from sbir_gate.datasets.labelling.figures import agreement, estimate_quality
from sbir_gate.datasets.labelling.sampling import SampledFrom, draw_sample
from sbir_gate.model.labelling import AwardLabel, DrawnAward, LabelSample
from sbir_gate.model.matches import Decision, DecisionKind


def world(seed, awards=2000):
    """Return awards as an engine decides them, the truth, and the true precision and recall."""
    draw = random.Random(seed)
    decided, truth = [], {}
    links = correct = existing = 0
    for number in range(awards):
        award_id, recipient_id = f"A{number:05d}", f"R{number}"
        confidence = draw.choice((0.999, 0.999, 0.999, 0.97, 0.9, 0.4, 0.0))
        kind = DecisionKind.CANDIDATE if confidence < 0.5 else DecisionKind.LINK
        if not confidence:
            kind, recipient_id = DecisionKind.NONE, ""
        is_right = draw.random() < (confidence if kind is DecisionKind.LINK else 0.3)
        other = {f"S{number}"} if draw.random() < 0.5 else set()
        truth[award_id] = frozenset({f"R{number}"} if is_right else other)
        decision = Decision(award_id, kind, "name-fuzzy", recipient_id, 90.0, confidence)
        phase, identifier_type = draw.choice(("I", "II")), draw.choice(("uei", "none"))
        decided.append(SampledFrom(decision, phase, identifier_type))
        links += bool(decision.link)
        existing += bool(truth[award_id])
        correct += decision.link in truth[award_id]
    return decided, truth, correct / links, correct / existing


@pytest.mark.slow
def test_the_intervals_hold_the_true_values():
    decided, truth, precision, recall = world(3)
    held = {"precision": 0, "recall": 0}
    for seed in range(200):
        found = estimate_quality(draw_sample(decided, 200, seed), truth)
        held["precision"] += found.precision.low <= precision <= found.precision.high
        held["recall"] += found.recall.low <= recall <= found.recall.high
    assert min(held.values()) >= 186, held  # 93% of 200


def test_labels_of_all_awards_give_the_exact_rates():
    decided, truth, precision, recall = world(1, awards=300)
    found = estimate_quality(draw_sample(decided, 10_000, seed=1), truth)
    assert found.precision.rate == pytest.approx(precision)
    assert found.recall.rate == pytest.approx(recall)
    assert found.labelled == 300
    assert found.missing == ()


def test_each_label_counts_as_many_awards_as_it_was_drawn_for():
    drawn = (
        DrawnAward("A1", "common", 0.01, "R1"),
        DrawnAward("A2", "common", 0.01, "R2"),
        DrawnAward("A3", "rare", 1.0, "R3"),
        DrawnAward("A4", "rare", 1.0, "R4"),
    )
    sample = LabelSample(1, 202, (("common", 200), ("rare", 2)), drawn)
    truth = {"A1": frozenset({"R1"}), "A2": frozenset({"R2"}), "A3": frozenset(), "A4": frozenset()}
    assert estimate_quality(sample, truth).precision.rate == pytest.approx(200 / 202)


def test_awards_without_a_label_are_named_and_the_rest_stands_in():
    decided, truth, *_ = world(1, awards=300)
    sample = draw_sample(decided, 100, seed=1)
    left_out = sample.drawn[0].award_id
    found = estimate_quality(sample, {award: right for award, right in truth.items() if award != left_out})
    assert found.missing == (left_out,)
    assert found.labelled == len(sample.drawn) - 1


def test_no_label_gives_no_rate():
    decided, *_ = world(1, awards=100)
    found = estimate_quality(draw_sample(decided, 50, seed=1), {})
    assert (found.precision.rate, found.precision.low, found.recall.high) == (None, None, None)


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
