"""A small sample of awards to label, for the tests of labelling."""

from __future__ import annotations

from sbir_gate.datasets.labelling.page import LabelCandidate, LabelTask
from sbir_gate.model.explanation import Party
from sbir_gate.model.labelling import DrawnAward, LabelSample

HOSTILE = '</script><script>window.acted = 1</script><img src=x onerror="window.acted=1">'


def make_tasks(count: int = 20) -> tuple[LabelTask, ...]:
    """Return awards with two candidates each; every fifth has none, the first has a hostile name."""
    return tuple(
        LabelTask(
            f"A{number}",
            Party(HOSTILE if not number else f"Quellmark {number}", "", "", "RENO", "NV", "89501"),
            ()
            if number % 5 == 4
            else (
                LabelCandidate(f"R{number}", Party(f"QUELLMARK {number} INC", city="RENO"), ("same city",)),
                LabelCandidate(f"S{number}", Party(f"OTHER {number} LLC", state="TX"), ()),
            ),
        )
        for number in range(count)
    )


def make_sample(count: int = 20) -> LabelSample:
    """Return the sample that these awards are."""
    drawn = tuple(DrawnAward(f"A{number}", "candidate", 0.1, "") for number in range(count))
    return LabelSample(7, 10 * count, (("candidate", 10 * count),), drawn)
