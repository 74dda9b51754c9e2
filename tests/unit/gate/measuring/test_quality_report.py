from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.measuring.quality import measure_quality
from sbir_gate.model.matches import Decision, DecisionKind, NoLinkReason
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import (
    MOST_SEGMENTS,
    Band,
    Dimension,
    Gap,
    count_fault,
)
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, LinkedRecipient, Phase
from tests.factories_quality import (
    DECISIONS,
    PROFILES,
    TRUTH,
    candidate,
    link,
    make_report,
    nothing,
    profile,
    report_of,
)


def rates(report, dimension):
    return {
        each.value: (each.match_rate.part, each.match_rate.whole) for each in report.segments_of(dimension)
    }


def test_the_counts_by_hand():
    report = make_report()
    assert (report.match_rate.part, report.match_rate.whole, report.candidates) == (2, 9, 4)
    assert report.precision == Proportion.of(1, 2)
    assert (report.rows, report.rows_doubled, report.rows_missing, report.rows_unknown) == (9, 0, 0, 0)
    assert report.gaps == ()


def test_every_dimension_has_its_segments_with_counts_and_intervals():
    report = make_report()
    assert rates(report, Dimension.PHASE) == {"I": (1, 5), "II": (1, 3), "other": (0, 1)}
    assert rates(report, Dimension.COMPANY_SIZE) == {"micro": (0, 1), "small": (2, 7), "unknown": (0, 1)}
    assert rates(report, Dimension.IDENTIFIER_TYPE) == {
        "both": (1, 1),
        "uei-only": (1, 1),
        "duns-only": (0, 1),
        "neither": (0, 6),
    }
    assert rates(report, Dimension.AGENCY) == {"Department of Energy": (2, 7), "NASA": (0, 1), "": (0, 1)}
    assert rates(report, Dimension.PROGRAM) == {"SBIR": (2, 8), "STTR": (0, 1)}
    assert rates(report, Dimension.YEAR) == {"2020": (2, 8), "2021": (0, 1)}
    assert rates(report, Dimension.STATE) == {"CA": (1, 7), "TX": (1, 1), "": (0, 1)}
    first = report.segments_of(Dimension.PHASE)[0]
    assert (first.match_rate, first.precision) == (Proportion.of(1, 5), Proportion.of(1, 1))


def test_every_award_without_a_link_has_its_likeliest_reason():
    report = make_report()
    assert Counter({(count.phase, count.reason): count.awards for count in report.unmatched}) == {
        ("I", NoLinkReason.IDENTIFIER_CONFLICT): 1,
        ("I", NoLinkReason.NAME_FREQUENCY): 1,
        ("II", NoLinkReason.NAME_FREQUENCY): 1,
        ("II", NoLinkReason.BELOW_LIMIT): 1,
        ("other", NoLinkReason.PLACEHOLDER): 1,
        ("I", NoLinkReason.UNREADABLE): 1,
        ("I", NoLinkReason.NO_CANDIDATE): 1,
    }


def test_a_placeholder_with_an_identifier_is_an_award_like_others():
    named = profile("A1", "", kind=IdentifierType.UEI_ONLY, uei="CSQJZSE9KFD9", is_placeholder=True)
    report = report_of([nothing("A1"), candidate("A2")], [named, profile("A2")])
    assert [count.reason for count in report.unmatched] == [
        NoLinkReason.BELOW_LIMIT,
        NoLinkReason.NO_CANDIDATE,
    ]


def test_an_engine_without_candidates_leaves_the_reason_open():
    report = report_of([link("A1"), nothing("A2")], [profile("A1"), profile("A2")])
    assert [count.reason for count in report.unmatched] == [NoLinkReason.NOT_REPORTED]
    assert Gap.CANDIDATES in report.gaps


def test_missing_doubled_and_unknown_rows_are_counted_apart():
    decisions = [nothing("A1"), link("A1"), link("A1", "R2"), link("A9")]
    report = report_of(decisions, [profile("A1"), profile("A2")])
    assert (report.rows, report.rows_doubled, report.rows_missing, report.rows_unknown) == (4, 2, 1, 1)
    assert report.match_rate == Proportion.of(1, 2)
    assert [count.reason for count in report.unmatched] == [NoLinkReason.NO_ROW]


def test_the_bands_begin_at_their_limits():
    confidences = [0.9, 0.899999, 0.75, 0.749999, None]
    report = report_of(
        [link(f"A{place}", confidence=value) for place, value in enumerate(confidences)],
        [profile(f"A{place}") for place in range(5)],
    )
    assert {count.band: count.links for count in report.bands} == {
        Band.HIGH: 1,
        Band.MEDIUM: 2,
        Band.LOW: 1,
        Band.UNKNOWN: 1,
    }


def test_histograms_have_every_value_in_one_bin_and_the_last_one_includes_its_end():
    report = report_of(
        [link("A1", confidence=1.0), candidate("A2", confidence=0.05)], [profile("A1"), profile("A2")]
    )
    assert len(report.confidences) == len(report.scores) == 20
    assert [
        (each.low, each.links, each.candidates)
        for each in report.confidences
        if each.links or each.candidates
    ] == [
        (0.05, 0, 1),
        (0.95, 1, 0),
    ]
    assert [
        (each.low, each.links, each.candidates) for each in report.scores if each.links or each.candidates
    ] == [
        (85.0, 0, 1),
        (95.0, 1, 0),
    ]


def bare(award_id):
    return AwardProfile(award_id, "", Phase.OTHER, CompanySize.UNKNOWN, IdentifierType.NEITHER)


def test_what_the_output_does_not_hold_is_said_and_not_made_up():
    report = report_of([link("A1", confidence=None), nothing("A2")], [bare("A1"), bare("A2")])
    assert set(report.gaps) == set(Gap)
    assert report.segments == ()
    assert report.confidences == ()
    # nothing is known of the names: a missing link is not the fault of an unreadable award
    assert [count.reason for count in report.unmatched] == [NoLinkReason.NOT_REPORTED]


def test_values_beyond_the_most_are_one_segment():
    profiles = [profile(f"A{place}", agency=f"Agency {place:03d}") for place in range(MOST_SEGMENTS + 5)]
    report = report_of([link(each.award_id) for each in profiles], profiles)
    agencies = report.segments_of(Dimension.AGENCY)
    assert len(agencies) == MOST_SEGMENTS + 1
    assert (agencies[-1].merged, agencies[-1].match_rate) == (5, Proportion.of(5, 5))
    assert count_fault(report) == ""


def test_no_awards_at_all_are_a_report_too():
    report = report_of([], [])
    assert report.match_rate == Proportion(0, 0, None, None, None)
    assert count_fault(report) == ""


KINDS = st.sampled_from([DecisionKind.LINK, DecisionKind.CANDIDATE, DecisionKind.NONE])
IDS = st.sampled_from([f"A{number}" for number in range(12)])
RECIPIENTS = st.sampled_from(["R1", "R2", "R3"])


@st.composite
def decided(draw):
    kind = draw(KINDS)
    recipient = "" if kind is DecisionKind.NONE else draw(RECIPIENTS)
    method = (
        "none" if kind is DecisionKind.NONE else draw(st.sampled_from(["uei-exact", "name-exact", "own"]))
    )
    confidence = draw(st.none() | st.floats(0, 1))
    return Decision(draw(IDS), kind, method, recipient, draw(st.floats(0, 100)), confidence)


PROFILE = st.builds(
    AwardProfile,
    IDS,
    st.sampled_from(["", "Acme", "ACME", "Zenith"]),
    st.sampled_from(Phase),
    st.sampled_from(CompanySize),
    st.sampled_from(IdentifierType),
    agency=st.sampled_from(["", "DOE"]),
    state=st.sampled_from(["", "CA", "TX"]),
    uei=st.sampled_from(["", "U1"]),
)


@given(
    st.lists(decided(), max_size=20),
    st.lists(PROFILE, max_size=12, unique_by=lambda each: each.award_id),
    st.none() | st.dictionaries(IDS, st.frozensets(RECIPIENTS)),
)
def test_whatever_was_decided_the_counts_add_up_to_those_of_the_run(decisions, profiles, truth):
    report = report_of(decisions, profiles, truth)
    quality = measure_quality(decisions, profiles, truth)
    assert count_fault(report) == ""
    assert (report.match_rate.part, report.match_rate.whole) == (quality.links, quality.awards)
    assert report.match_rate.rate == (quality.match_rate if profiles else None)
    assert report.precision.rate == quality.precision
    assert sum(count.links for count in report.bands) == quality.links
    assert sum(each.links for each in report.scores) == quality.links
    assert sum(each.candidates for each in report.scores) == report.candidates
    for dimension in (Dimension.PHASE, Dimension.COMPANY_SIZE, Dimension.IDENTIFIER_TYPE):
        strata = [each for each in quality.strata if each.dimension == dimension.value]
        found = {each.value: each for each in report.segments_of(dimension)}
        if found:
            assert {each.value: (each.match_rate, each.precision) for each in strata} == {
                value: (each.match_rate.rate, each.precision.rate) for value, each in found.items()
            }


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"match_rate": Proportion.of(3, 9)}, "do not count the same"),
        ({"unmatched": ()}, "unmatched counts 0"),
        ({"precision": Proportion(1, 2, 0.9, 0.1, 1.0)}, "1 of 2 is not 0.9"),
    ],
)
def test_counts_that_contradict_one_another_are_noticed(changes, fault):
    assert fault in count_fault(replace(make_report(), **changes))


def test_segments_that_do_not_add_up_are_noticed():
    report = make_report()
    assert "segments of phase" in count_fault(replace(report, segments=report.segments[1:]))


def test_the_names_of_recipients_are_known_where_anyone_knows_them():
    known = {"R9": LinkedRecipient("R9", "ZENITH LABS CORP")}
    assert Gap.RECIPIENT_NAME not in report_of(DECISIONS, PROFILES, TRUTH, known).gaps
    assert Gap.RECIPIENT_NAME in report_of(DECISIONS, PROFILES, TRUTH).gaps
