from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.losses import lost_by, slices_of
from sbir_gate.model.matches import Decision, DecisionKind, Method
from sbir_gate.model.verdict import LostBy, SliceChanges
from tests.factories import award_id, decisions_of, link, make_policy, make_run, no_link, with_decisions
from tests.findings import records_of

POLICY = make_policy()


def decided(kind, recipient, *candidates, confidence=0.5):
    return Decision("A1", kind, Method.NAME_FUZZY, recipient, 80.0, confidence, candidates)


@pytest.mark.parametrize(
    ("decision", "stage"),
    [
        (decided(DecisionKind.NONE, ""), LostBy.BLOCKING),
        (decided(DecisionKind.CANDIDATE, "R2", "R2", "R3"), LostBy.BLOCKING),
        (decided(DecisionKind.LINK, "R2", "R2"), LostBy.BLOCKING),
        (decided(DecisionKind.LINK, "R2", "R2", "R1"), LostBy.SCORING),
        (decided(DecisionKind.LINK, "R2", "R1", "R2"), LostBy.SCORING),
        (decided(DecisionKind.CANDIDATE, "R2", "R2", "R1"), LostBy.SCORING),
        (decided(DecisionKind.CANDIDATE, "R1", "R1", "R2"), LostBy.ACCEPTANCE),
        (decided(DecisionKind.CANDIDATE, "R1"), LostBy.ACCEPTANCE),
        (decided(DecisionKind.NONE, "", "R1", "R2"), LostBy.ACCEPTANCE),
        (decided(DecisionKind.NONE, "", "R2", "R1"), LostBy.SCORING),
        (decided(DecisionKind.LINK, "R1", "R1"), None),
    ],
)
def test_the_stage_is_where_the_recipient_was_lost(decision, stage):
    assert lost_by("R1", decision) is stage


def test_what_had_no_recipient_lost_none():
    assert lost_by("", decided(DecisionKind.NONE, "")) is None


def head():
    """Return a Run with one award lost in each stage, one re-linked, one gained."""
    return with_decisions(
        make_run(),
        {
            award_id(0): no_link(award_id(0)),
            award_id(1): replace(no_link(award_id(1)), candidate_ids=("R9999", "R0001")),
            award_id(2): Decision(
                award_id(2), DecisionKind.CANDIDATE, "name-fuzzy", "R0002", 80.0, 0.6, ("R0002",)
            ),
            award_id(3): link(award_id(3), "R9999", "name-exact"),
            award_id(35): link(award_id(35), "R0035", "duns-exact"),
        },
    )


def with_kinds(run):
    kinds = [
        {"phase": "I", "company_size": "small", "identifier_type": "both"},
        {"phase": "II", "company_size": "micro", "identifier_type": "neither"},
    ]
    awards = (replace(award, **kinds[number % 2]) for number, award in enumerate(run.awards))
    return replace(run, awards=tuple(awards))


def test_each_lost_and_relinked_award_says_its_stage():
    found = records_of(head(), make_run(), POLICY)
    assert [award.lost_by for award in found.lost] == [LostBy.BLOCKING, LostBy.SCORING, LostBy.ACCEPTANCE]
    assert [award.lost_by for award in found.relinked] == [LostBy.BLOCKING]
    assert [award.lost_by for award in found.gained] == [None]


def test_an_enricher_that_names_no_candidates_is_accused_of_no_stage():
    run = head()
    bare = with_decisions(run, {each.award_id: replace(each, candidate_ids=()) for each in decisions_of(run)})
    found = records_of(bare, make_run(), POLICY)
    assert {award.lost_by for award in (*found.lost, *found.relinked)} == {None}
    assert "lost by" not in {found.dimension for found in found.slices}


def test_the_changes_are_counted_by_method_stage_and_kind():
    found = records_of(with_kinds(head()), with_kinds(make_run()), POLICY).slices
    assert found == (
        SliceChanges("method", "uei-exact", 3, 0, 1),
        SliceChanges("method", "duns-exact", 0, 1, 0),
        SliceChanges("lost by", "blocking", 1, 0, 1),
        SliceChanges("lost by", "acceptance", 1, 0, 0),
        SliceChanges("lost by", "scoring", 1, 0, 0),
        SliceChanges("phase", "I", 2, 0, 0),
        SliceChanges("phase", "II", 1, 1, 1),
        SliceChanges("company size", "small", 2, 0, 0),
        SliceChanges("company size", "micro", 1, 1, 1),
        SliceChanges("identifier type", "both", 2, 0, 0),
        SliceChanges("identifier type", "neither", 1, 1, 1),
    )


def test_the_kind_of_an_award_that_vanished_is_known_from_the_reference():
    gone = with_decisions(make_run(), {award_id(1): None})
    found = records_of(gone, with_kinds(make_run()), POLICY)
    assert (found.lost[0].phase, found.lost[0].lost_by) == ("II", None)


def test_runs_of_unknown_kinds_are_counted_by_method_and_stage_alone():
    found = records_of(head(), make_run(), POLICY).slices
    assert {slice_.dimension for slice_ in found} == {"method", "lost by"}


@given(st.lists(st.sampled_from(["lost", "gained", "relinked"]), max_size=30))
def test_every_dimension_that_is_known_counts_every_change_once(fates):
    changes = {"lost": [], "gained": [], "relinked": []}
    pattern = records_of(with_kinds(head()), with_kinds(make_run()), POLICY).lost[0]
    for fate in fates:
        changes[fate].append(pattern)
    totals = Counter()
    for found in slices_of(changes["lost"], changes["gained"], changes["relinked"]):
        totals[found.dimension] += found.lost + found.gained + found.relinked
    assert set(totals.values()) <= {len(fates)}
    assert len(totals) == (5 if fates else 0)
