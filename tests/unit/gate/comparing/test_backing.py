"""The improvements that must pass and be called so, beside the same changes made harmful."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.backing import is_emptied_for_the_worse, judged_values
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.records import compare_records
from sbir_gate.gate.reporting.improvements import improvement_words
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.reporting.metric_rows import metric_row
from sbir_gate.model.finding import Excuse, Severity
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.run import Metric, Run, Stratum
from sbir_gate.model.verdict import AwardChange, MetricLimit, Outcome, Policy, RecordChanges
from tests.factories import AWARDS, EXACT, HIGHER, LOWER, award_id, link, make_awards, make_run, no_link
from tests.findings import notes, reasons

LIMITS = (
    MetricLimit("match_rate", "ratio", HIGHER, EXACT, minimum=0.3, fail_percent=5.0),
    MetricLimit("precision", "ratio", HIGHER, EXACT, warn_percent=0.5, fail_percent=1.0, is_required=False),
    MetricLimit("recall", "ratio", HIGHER, EXACT, warn_percent=1.0, fail_percent=2.0, is_required=False),
    MetricLimit("links/*", "count", HIGHER, EXACT, warn_percent=20.0, fail_percent=50.0, is_required=False),
    MetricLimit("work/pairs", "count", LOWER, EXACT, fail_percent=25.0, is_required=False),
    MetricLimit("work/read", "count", HIGHER, EXACT, warn_percent=0.0, fail_percent=1.0, is_required=False),
)
POLICY = Policy(LIMITS, max_lost=2)
RIGHT = range(30)  # these awards have a recipient, the others none


def right(number):
    return f"R{number:04d}"


def run_of(links, has_truth=True, candidates=(), **counters) -> Run:
    """Return the Run whose links are {number: (recipient, method)}, and the figures that follow."""
    decisions = tuple(_decision(number, links, candidates) for number in range(AWARDS))
    made = Counter(method for _, method in links.values())
    good = [
        number for number, (recipient, _) in links.items() if number in RIGHT and recipient == right(number)
    ]
    none = [number for number in range(AWARDS) if number not in RIGHT and number not in links]
    rates = {"match_rate": len(links) / AWARDS}
    if has_truth:
        rates |= {"precision": len(good) / len(links), "recall": len(good) / len(RIGHT)}
    run = make_run()
    return replace(
        run,
        awards=make_awards(decisions, {award_id(number) for number in (*good, *none)}),
        has_truth=has_truth,
        quality=replace(run.quality, links=len(links), links_by_method=made, strata=()),
        metrics=(
            *(Metric(name, "ratio", EXACT, (value,)) for name, value in rates.items()),
            *(Metric(f"links/{method}", "count", EXACT, (float(count),)) for method, count in made.items()),
            *(Metric(f"work/{name}", "count", EXACT, (float(value),)) for name, value in counters.items()),
        ),
    )


def _decision(number, links, candidates):
    if number in links:
        return link(award_id(number), *links[number])
    if number in candidates:
        return Decision(award_id(number), DecisionKind.CANDIDATE, "name", right(number), 80.0, 0.7)
    return no_link(award_id(number))


GOOD = {number: (right(number), "uei" if number < 15 else "name") for number in RIGHT}
WITH_WRONG = GOOD | dict.fromkeys(range(30, 36), ("R9999", "duns"))
FEWER = {number: GOOD[number] for number in range(24)}

# what changed, before, after, the same made harmful, what is said of the improvement
TABLE = [
    (
        "wrong links dropped",
        run_of(WITH_WRONG),
        run_of(GOOD),
        run_of(FEWER),
        "6 incorrect links dropped, 0 worse",
    ),
    (
        "links moved between methods",
        run_of(GOOD),
        run_of({n: (right(n), "name") for n in RIGHT}),
        run_of({n: ("R9999" if n < 15 else right(n), "name") for n in RIGHT}),
        "",
    ),
    (
        "a method renamed",
        run_of(GOOD),
        run_of({n: (right(n), "uei-exact" if n < 15 else "name") for n in RIGHT}),
        run_of({n: (right(n + (n < 15)), "uei-exact" if n < 15 else "name") for n in RIGHT}),
        "",
    ),
    (
        "the last link of a method gone",
        run_of(GOOD | {31: ("R9999", "guess")}),
        run_of(GOOD),
        run_of({n: link_ for n, link_ in GOOD.items() if n >= 15} | {31: ("R9999", "guess")}),
        "1 incorrect link dropped, 0 worse",
    ),
    (
        "candidates turned into right links",
        run_of(FEWER, candidates=range(24, 40)),
        run_of(GOOD, candidates=range(30, 40)),
        run_of(FEWER | {n: (right(n), "name") for n in range(34, 40)}),
        "6 correct links gained, 0 worse",
    ),
    (
        "leaner",
        run_of(GOOD, pairs=1000, read=5000),
        run_of(GOOD, pairs=600, read=3000),
        run_of(FEWER, pairs=600, read=3000),
        "counter pairs \N{MINUS SIGN}40%",
    ),
    (
        "wrong links corrected",
        run_of(GOOD | dict.fromkeys(range(8), ("R9999", "duns"))),
        run_of(GOOD),
        run_of(GOOD | dict.fromkeys(range(16), ("R9999", "duns"))),
        "8 awards corrected, 0 worse",
    ),
]
IDS = [row[0] for row in TABLE]


@pytest.mark.parametrize(("_what", "before", "after", "_harmful", "words"), TABLE, ids=IDS)
def test_an_improvement_passes_and_is_called_one(_what, before, after, _harmful, words):
    verdict = judge(after, before, POLICY)
    assert verdict.outcome is Outcome.PASS, verdict.deciding
    assert improvement_words(verdict).startswith(words)


@pytest.mark.parametrize(("_what", "before", "_after", "harmful", "_words"), TABLE, ids=IDS)
def test_the_same_made_harmful_fails(_what, before, _after, harmful, _words):
    verdict = judge(harmful, before, POLICY)
    assert verdict.outcome is Outcome.FAIL
    assert improvement_words(verdict) == ""


def test_a_fall_without_harm_is_a_note():
    verdict = judge(run_of(GOOD), run_of(WITH_WRONG), POLICY)
    excused = {change.metric for change in verdict.changes if change.excuse is Excuse.HARMLESS}
    assert excused == {"match_rate", "links/duns"}
    assert (
        "Match rate fell 16.7% (0.900 → 0.750; limit: \N{MINUS SIGN}5%), but no award behind it worsened"
        in notes(verdict)
    )
    assert (
        "Links by duns fell 100% (6 → 0; limit: \N{MINUS SIGN}50%), but no award behind it worsened"
        in notes(verdict)
    )


def test_only_the_harm_within_a_fall_counts():
    before = run_of(GOOD | dict.fromkeys(range(30, 40), ("R9999", "uei")))
    after = run_of({n: link_ for n, link_ in GOOD.items() if n >= 6})
    policy = replace(POLICY, max_lost=10)
    verdict = judge(after, before, policy)
    change = next(each for each in verdict.changes if each.metric == "links/uei")
    assert (change.reference, change.head) == (25.0, 9.0)
    assert change.severity is Severity.WARN
    (finding,) = [each for each in verdict.deciding if each.metric == "links/uei"]
    assert (finding.reference, finding.measured, finding.facts["worsened_value"]) == (25, 9, 19)
    assert change.excuse is finding.excuse is Excuse.PARTLY_HARMLESS
    # row and alert judge the same change
    assert change.ratio == finding.ratio == pytest.approx(19 / 25)
    assert change.raw_ratio == pytest.approx(9 / 25)
    assert metric_row(change).change.endswith("for worsened awards, \N{MINUS SIGN}64% measured")
    assert text(finding) == (
        "Links by uei fell 24% (25 \N{RIGHTWARDS ARROW} 9 as measured;"
        " 25 \N{RIGHTWARDS ARROW} 19 counting only awards that worsened; limit: \N{MINUS SIGN}20%)"
    )


def test_the_match_rates_threshold_holds_whatever_improved():
    policy = Policy((replace(LIMITS[0], minimum=0.8), *LIMITS[1:]))
    assert judge(run_of(GOOD), run_of(WITH_WRONG), policy).outcome is Outcome.FAIL


def test_without_a_truth_a_fall_counts_in_full():
    verdict = judge(run_of(GOOD, has_truth=False), run_of(WITH_WRONG, has_truth=False), POLICY)
    assert verdict.outcome is Outcome.FAIL
    moved = run_of({n: (right(n), "name") for n in RIGHT}, has_truth=False)
    verdict = judge(moved, run_of(GOOD, has_truth=False), POLICY)
    assert reasons(verdict) == ("Links by uei fell 100% (15 → 0; limit: \N{MINUS SIGN}50%)",)


def test_figures_that_no_award_explains_count_in_full():
    before = run_of(GOOD)
    metrics = tuple(
        replace(metric, values=(0.5,)) if metric.name == "match_rate" else metric for metric in before.metrics
    )
    assert judge(replace(before, metrics=metrics), before, POLICY).outcome is Outcome.FAIL


links = st.dictionaries(
    st.integers(0, AWARDS - 1),
    st.tuples(st.sampled_from(["R1", "R2"]), st.sampled_from(["a", "b"])),
    min_size=1,
)


@given(links, links)
def test_without_labels_the_judged_values_are_those_of_head(before, after):
    reference, head = run_of(before, has_truth=False), run_of(after, has_truth=False)
    found = judged_values(head, reference, compare_records(head, reference, POLICY)[0])
    now = {metric.name: metric.values[0] for metric in head.metrics}
    assert found == pytest.approx({name: now.get(name, 0.0) for name in found})


@given(links, links)
def test_with_labels_they_lie_between_head_and_reference(before, after):
    reference, head = run_of(before), run_of(after)
    found = judged_values(head, reference, compare_records(head, reference, POLICY)[0])
    now, then = ({metric.name: metric.values[0] for metric in run.metrics} for run in (head, reference))
    for name, value in found.items():
        assert now.get(name, 0.0) - 1e-9 <= value <= then[name] + 1e-9


def _lost(was_right, phase):
    return AwardChange("A1", "Firm", "R1", "", "uei", "none", was_right, False, phase=phase)


@pytest.mark.parametrize(
    ("lost", "is_worse"),
    [
        ((_lost(False, "II"),), False),  # nothing but a wrong link
        ((_lost(True, "II"),), True),
        ((_lost(False, "II"), _lost(True, "I")), False),  # another stratum's
        ((_lost(False, "II"), _lost(True, "")), True),  # perhaps this one's
        ((_lost(None, "II"),), True),  # not labelled
        ((), True),  # figures that no award explains
    ],
)
def test_a_stratum_that_lost_only_wrong_links_is_not_emptied_for_the_worse(lost, is_worse):
    stratum = Stratum("phase", "II", 15, 1, 0.1, None, None)
    assert is_emptied_for_the_worse(stratum, RecordChanges(lost=lost)) is is_worse
