"""The table "The rule" of docs/statistics.md, row by row: outcome, headline and conclusion of the check."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.publishing.check_run import Conclusion, conclusion_of
from sbir_gate.gate.reporting.publication import build_publication
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.publication import Links
from sbir_gate.model.verdict import Outcome, Policy
from tests.factories import OTHER_MACHINE, make_limit, make_run, with_metric

LIMIT = make_limit("wall_seconds")
PAGE = Path(__file__).parents[4] / "docs" / "statistics.md"
STEADY = (1.0, 1.0, 1.0, 1.0, 1.0)


def run(values, **changes):
    return with_metric(make_run(metrics=(), **changes), "wall_seconds", values, "s", LIMIT.kind)


def beside(factor, noise):
    """Return head and base side by side: five pairs whose log-ratios lie so far about the factor."""
    head = [factor * (1 + noise * step) for step in (-1, -0.9, 0, 0.9, 1)]
    return run(head, session="s"), run(STEADY, session="s")


def apart(head, reference=STEADY, **changes):
    return run(head, **changes), run(reference)


def slow(pairs, factor, waited=0.0, first=None):
    """Return head and base of so few pairs, each and the first runs so many times as slow."""
    sides = []
    for seconds in (factor, 1.0):
        one = replace(
            make_run().samples[0], wall_seconds=seconds, cpu_seconds=seconds, cpu_wait_seconds=waited
        )
        opening = replace(one, wall_seconds=first if first and seconds == factor else seconds)
        sides.append(run([seconds] * pairs, session="s", samples=(one,) * pairs, first_run=opening))
    return tuple(sides)


WITHOUT_CALIBRATION = {"machine": OTHER_MACHINE, "calibration_seconds": ()}

# one case or more for each row of the table, in its order
ROWS = (
    ((beside(1.0, 0.01), apart([1.0, 1.01, 0.99, 1.0, 1.0])), Outcome.PASS, True),
    ((beside(1.05, 0.15), apart([0.8, 1.3, 1.05, 0.8, 1.3])), Outcome.PASS, False),
    ((beside(1.0, 0.9),), Outcome.INCONCLUSIVE, True),
    ((beside(1.5, 0.01), apart([1.5, 1.51, 1.49, 1.5, 1.5])), Outcome.FAIL, True),
    ((beside(1.3, 0.2), apart([1.0, 1.7, 1.3, 1.0, 1.7])), Outcome.INCONCLUSIVE, True),
    (
        (
            (run([1.0], session="s"), run([1.0], session="s")),
            (run([1.0] * 4, session="s"), run(STEADY, session="s")),
        ),
        Outcome.INCONCLUSIVE,
        True,
    ),
    ((slow(1, 9.0), slow(3, 9.0)), Outcome.FAIL, True),
    ((apart([1.0]), apart([9.0])), Outcome.PASS, False),
    ((apart(STEADY, **WITHOUT_CALIBRATION),), Outcome.PASS, False),
    ((apart([2.0] * 5, **WITHOUT_CALIBRATION),), Outcome.INCONCLUSIVE, True),
)
CONCLUSIONS = {
    Outcome.PASS: Conclusion.SUCCESS,
    Outcome.INCONCLUSIVE: Conclusion.NEUTRAL,
    Outcome.FAIL: Conclusion.FAILURE,
}


def table():
    body = PAGE.read_text(encoding="utf-8").partition("## The rule\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\|.*\|$", body, flags=re.MULTILINE)[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


CASES = [
    pytest.param(head, base, outcome, is_judged, row, id=f"{row[0]}, {row[1]} {number}")
    for (pairs, outcome, is_judged), row in zip(ROWS, table(), strict=True)
    for number, (head, base) in enumerate(pairs, start=1)
]


@pytest.mark.parametrize(("head", "base", "outcome", "is_judged", "row"), CASES)
def test_each_row_of_the_table_holds(head, base, outcome, is_judged, row):
    verdict = judge(head, base, Policy((LIMIT,)))
    headline = build_view(head, verdict).headline
    title = build_publication(head, verdict, origins={}, trends=(), links=Links()).title
    _, _, says, says_headline, check = row
    assert verdict.outcome is outcome
    assert CONCLUSIONS[outcome] is conclusion_of(verdict.outcome) is Conclusion(check)
    assert ("time not judged" in headline) is ("time not judged" in title) is not is_judged
    assert ("time not judged" in says_headline) is not is_judged
    assert outcome.value in says or "not judged" in says


def test_one_limit_more_is_judged_by_its_own_interval():
    head, base = beside(1.05, 0.15)
    wide = replace(LIMIT, fail_percent=300.0)
    assert "not judged" not in build_view(head, judge(head, base, Policy((wide,)))).headline


@pytest.mark.parametrize(
    "sides",
    [slow(1, 3.0), slow(1, 9.0, waited=8.0), slow(1, 9.0, first=1.1)],
    ids=["not so far", "other work explains it", "the first run was quick"],
)
def test_few_pairs_fail_nobody_where_anything_speaks_against_it(sides):
    assert judge(*sides, Policy((LIMIT,))).outcome is Outcome.INCONCLUSIVE
