"""A small sample of awards to label, for the tests of labelling."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.datasets.labelling.page import LabelCandidate, LabelTask
from sbir_gate.datasets.labelling.settling import Settlement, settlement_of
from sbir_gate.model.explanation import Party
from sbir_gate.model.labelling import AwardLabel, Certainty, DrawnAward, LabelSample

DUNS = "085737349 861488999"
HOSTILE = '</script><script>window.acted = 1</script><img src=x onerror="window.acted=1">'


def make_tasks(count: int = 20) -> tuple[LabelTask, ...]:
    """Return awards with two candidates each; every fifth has none, the first has a hostile name."""
    return tuple(
        LabelTask(
            f"A{number}",
            Party(HOSTILE if not number else f"Quellmark {number}", "", DUNS, "RENO", "NV", "89501"),
            ()
            if number % 5 == 4
            else (
                LabelCandidate(
                    f"R{number}",
                    Party(f"QUELLMARK {number} INC", duns="861488999", city="RENO"),
                    ("same city",),
                ),
                LabelCandidate(f"S{number}", Party(f"OTHER {number} LLC", state="TX"), ()),
            ),
        )
        for number in range(count)
    )


def make_sample(count: int = 20) -> LabelSample:
    """Return the sample that these awards are."""
    drawn = tuple(DrawnAward(f"A{number}", "candidate", 0.1, "") for number in range(count))
    return LabelSample(7, 10 * count, (("candidate", 10 * count),), drawn)


def make_settlement(count: int = 20) -> Settlement:
    """Return what anna and ben leave to settle of these awards; they agree on every fourth.

    Ben's notes are hostile, and one more award has a label of his alone.
    """
    anna, ben = {}, {"ALONE": AwardLabel("ALONE", (), "ben", note="=cmd")}
    for number in range(count):
        award, right = f"A{number}", (f"R{number}",)
        other = (f"S{number}",) if number % 2 else ()
        anna[award] = AwardLabel(award, right, "anna")
        if number % 4:
            ben[award] = AwardLabel(award, other, "ben", None, Certainty.LIKELY, HOSTILE)
        else:
            ben[award] = AwardLabel(award, right, "ben")
    return settlement_of((Path("a.csv"), Path("b.csv")), anna, ben)
