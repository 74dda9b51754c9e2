from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.measuring.quality import award_records, labels_of, measure_quality
from sbir_gate.model.awards import Label
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, LinkedRecipient, Phase


def profile(award_id, phase=Phase.ONE):
    return AwardProfile(award_id, "FIRM", phase, CompanySize.SMALL, IdentifierType.BOTH)


def link(award_id, recipient_id, confidence=None, method="uei-exact", candidates=()):
    return Decision(award_id, DecisionKind.LINK, method, recipient_id, 100.0, confidence, candidates)


def candidate(award_id, recipient_id, confidence=None, candidates=()):
    return Decision(
        award_id, DecisionKind.CANDIDATE, "name-fuzzy", recipient_id, 80.0, confidence, candidates
    )


def nothing(award_id, candidates=()):
    return Decision(award_id, DecisionKind.NONE, "none", "", 0.0, None, candidates)


def profiles(count):
    return [profile(f"A{number}") for number in range(1, count + 1)]


TRUTH = {
    "A1": frozenset({"R1"}),
    "A2": frozenset({"R2", "R2b"}),
    "A3": frozenset({"R3"}),
    "A4": frozenset({"R4"}),
    "A5": frozenset(),
}
# right, right by the second id, right one only a candidate, never considered, wrong where none exists,
# not known
DECISIONS = [
    link("A1", "R1"),
    link("A2", "R2b"),
    candidate("A3", "R9", candidates=("R9", "R3")),
    nothing("A4"),
    link("A5", "R7"),
    link("A6", "R8", method="name-fuzzy"),
]


def test_the_rates_by_hand():
    quality = measure_quality(DECISIONS, profiles(6), TRUTH)
    assert (quality.awards, quality.links) == (6, 4)
    assert quality.match_rate == 4 / 6
    assert quality.links_by_method == {"name-fuzzy": 1, "uei-exact": 3}
    assert quality.precision == 2 / 3
    assert quality.recall == 2 / 4
    assert quality.wholes == {
        "match_rate": 6,
        "precision": 3,
        "recall": 4,
        "blocking_recall": 4,
        "scoring_recall": 3,
    }
    assert measure_quality([link("A1", "R1")], profiles(2), None).wholes == {"match_rate": 2}
    assert quality.f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert quality.blocking_recall == 3 / 4
    assert quality.scoring_recall == 2 / 3


def test_candidates_never_count_in_the_match_rate():
    assert measure_quality([candidate("A1", "R1")], profiles(1), TRUTH).match_rate == 0.0


def test_a_wrong_link_with_the_right_candidate_is_found_but_not_right():
    quality = measure_quality([link("A1", "R9", candidates=("R9", "R1"))], profiles(1), TRUTH)
    assert (quality.recall, quality.blocking_recall, quality.scoring_recall) == (0.0, 1.0, 0.0)
    assert (quality.precision, quality.f1) == (0.0, 0.0)


def test_an_engine_that_reports_no_candidates_has_no_blocking_recall_to_repeat_its_recall():
    quality = measure_quality([link("A1", "R1"), link("A3", "R9"), nothing("A4")], profiles(4), TRUTH)
    assert quality.recall == 1 / 4
    assert (quality.blocking_recall, quality.scoring_recall) == (None, None)


def test_missing_rows_lower_the_match_rate_and_doubled_rows_do_not_raise_it():
    assert measure_quality([link("A1", "R1")] * 9, profiles(2), TRUTH).match_rate == 0.5


def test_rows_of_other_awards_do_not_count():
    quality = measure_quality([link("X", "R1", 0.9)], profiles(1), {"X": frozenset({"R1"})})
    assert (quality.links, quality.precision, quality.reliability) == (0, None, ())


def test_an_award_that_is_linked_twice_is_right_only_if_both_are():
    decisions = [link("A1", "R1"), link("A1", "R9")]
    assert measure_quality(decisions, profiles(1), TRUTH).precision == 0.0
    assert labels_of(decisions, profiles(1), TRUTH) == (Label.INCORRECT,) * 2


def test_no_awards_divide_by_nothing():
    quality = measure_quality([], [], {})
    assert quality.match_rate == 0.0
    assert (quality.precision, quality.recall, quality.f1) == (None, None, None)
    assert (quality.blocking_recall, quality.scoring_recall, quality.calibration_error) == (None, None, None)


def test_without_a_truth_only_the_match_rate_is_known():
    quality = measure_quality([link("A1", "R1", 0.9)], profiles(1), None)
    assert quality.match_rate == 1.0
    assert quality.precision is None
    assert quality.calibration_error is None


def test_the_calibration_error_by_hand():
    decisions = [
        link("A1", "R1", 1.0),
        candidate("A3", "R9", 0.95),
        link("A5", "R7", 0.25),
        link("A6", "R8", 0.5),  # not known: left out
        nothing("A4"),
    ]
    quality = measure_quality(decisions, profiles(6), TRUTH)
    low, high = quality.reliability
    assert (low.low, low.high, low.count, low.mean_confidence, low.share_right) == (0.2, 0.3, 1, 0.25, 0.0)
    assert (high.low, high.high, high.count, high.share_right) == (0.9, 1.0, 2, 0.5)
    assert quality.calibration_error == pytest.approx((1 * 0.25 + 2 * (0.975 - 0.5)) / 3)


def test_strata_hold_their_own_awards():
    quality = measure_quality(
        [link("A1", "R1"), nothing("A3")], [profile("A1"), profile("A3", Phase.TWO)], TRUTH
    )
    by_slice = {(stratum.dimension, stratum.value): stratum for stratum in quality.strata}
    assert list(by_slice) == [
        ("phase", "I"),
        ("phase", "II"),
        ("company_size", "small"),
        ("identifier_type", "both"),
    ]
    assert (by_slice["phase", "I"].match_rate, by_slice["phase", "I"].recall) == (1.0, 1.0)
    assert (by_slice["phase", "II"].match_rate, by_slice["phase", "II"].precision) == (0.0, None)


def test_right_are_right_links_and_none_where_none_exists():
    decisions = [*DECISIONS[:4], nothing("A5"), link("A6", "R8")]
    labels = labels_of(decisions, profiles(6), TRUTH)
    assert [number for number, label in enumerate(labels, 1) if label is Label.CORRECT] == [1, 2, 5]


def test_awards_that_the_truth_does_not_know_are_unlabelled_and_rows_of_no_award_incorrect():
    decisions = [link("A1", "R1"), link("X", "R1")]
    assert labels_of(decisions, profiles(1), {}) == (Label.UNLABELLED, Label.INCORRECT)
    assert labels_of(decisions, profiles(1), None) == (Label.UNLABELLED, Label.UNLABELLED)


def test_a_record_holds_what_is_known_of_the_award_and_of_the_linked_recipient():
    decisions = [link("A1", "R1"), candidate("A2", "R1"), nothing("X")]
    found = award_records(decisions, profiles(2), TRUTH, {"R1": LinkedRecipient("R1", "ORCHARD LABS", "U1")})
    assert [(each.firm_name, each.recipient_name, each.recipient_uei) for each in found] == [
        (profiles(2)[0].firm_name, "ORCHARD LABS", "U1"),
        (profiles(2)[1].firm_name, "", ""),
        ("", "", ""),
    ]
    assert [each.phase for each in found] == [*(each.phase.value for each in profiles(2)), ""]


award_ids = st.sampled_from([f"A{number}" for number in range(1, 7)])
recipient_ids = st.sampled_from(["R1", "R2", "R3"])
decision_lists = st.lists(
    st.one_of(
        st.builds(link, award_ids, recipient_ids, st.none() | st.floats(0, 1)),
        st.builds(candidate, award_ids, recipient_ids, st.none() | st.floats(0, 1)),
        st.builds(nothing, award_ids),
    ),
    max_size=12,
)
truths = st.dictionaries(award_ids, st.frozensets(recipient_ids, max_size=2))


@given(decision_lists, truths, st.integers(0, 6))
def test_rates_stay_between_zero_and_one_and_bins_add_up(decisions, truth, count):
    quality = measure_quality(decisions, profiles(count), truth)
    rates = (
        quality.match_rate,
        quality.precision,
        quality.recall,
        quality.f1,
        quality.blocking_recall,
        quality.scoring_recall,
        quality.calibration_error,
    )
    assert all(rate is None or 0 <= rate <= 1 for rate in rates)
    assert sum(quality.links_by_method.values()) == quality.links
    assert sum(s.awards for s in quality.strata if s.dimension == "phase") == quality.awards
    if quality.recall is not None and quality.blocking_recall is not None:
        assert quality.recall <= quality.blocking_recall


@given(decision_lists, truths, st.randoms(use_true_random=False))
def test_the_row_order_changes_nothing(decisions, truth, random):
    # one method only: which of two methods of one award counts is a matter of order
    same = [replace(decision, method="m") for decision in decisions]
    shuffled = random.sample(same, len(same))
    before, after = (measure_quality(rows, profiles(6), truth) for rows in (same, shuffled))
    assert (before.precision, before.recall, before.links) == (after.precision, after.recall, after.links)
    both = (dict(zip(rows, labels_of(rows, profiles(6), truth), strict=True)) for rows in (same, shuffled))
    assert next(both) == next(both)
